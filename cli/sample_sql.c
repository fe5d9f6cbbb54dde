#include "cli/sample_sql.h"

#include "cli/sample_people.h"
#include "database/datetime.h"

#include <errno.h>
#include <inttypes.h>

/* The rows of COPY's text format: fields parted by tabs, \N for NULL. No text of the population needs an escape. */
#define NONE "\\N"

enum { DATE_SIZE = 16, TIME_SIZE = 32, DOCTOR = SAMPLE_SCHOOLS + 1 };

static const char *date_text(int64_t day, char text[DATE_SIZE])
{
        struct civil_date date = datetime_civil(day);

        (void)snprintf(text, DATE_SIZE, "%04d-%02d-%02d", date.year % 10000, date.month % 100, date.day % 100);
        return text;
}

static const char *time_text(const struct sample_event *event, char text[TIME_SIZE])
{
        char date[DATE_SIZE];

        (void)snprintf(text, TIME_SIZE, "%s %02u:%02u:00Z", date_text(event->day, date), event->hour % 100,
                event->minute % 100);
        return text;
}

static uint32_t school_id(const struct sample_person *person)
{
        return person->school + 1;
}

/* Each school's nurse has its number. */
static uint32_t nurse_id(const struct sample_person *person)
{
        return person->school + 1;
}

/* ---- rows ---- */

static void put_student(void *out, const struct sample_person *person)
{
        char birth[DATE_SIZE];
        char grade[16];

        (void)snprintf(grade, sizeof(grade), "%d", person->grade);
        fprintf(out, "%" PRIu64 "\t%s\t%s\t%s\t%s\t%s\t%u\t%u %s\t%s\tMassachusetts\t%s\t", person->id, person->first,
                person->last, date_text(person->birth, birth), person->girl ? "female" : "male",
                person->grade == 0 ? "K" : grade, school_id(person), person->house, person->street, person->city,
                person->zip);
        fprintf(out, "[{\"last_name\": \"%s\", \"relationship\": \"%s\", \"phone\": \"555-%04u\"}]\n", person->last,
                person->id % 3 == 0 ? "father" : "mother", (unsigned)(100 + person->id % 100));
}

static void put_allergy(void *out, const struct sample_person *person, const struct sample_allergy *allergy)
{
        const bool known = allergy->severity[0] != '\0';
        char onset[DATE_SIZE];

        fprintf(out, "%" PRIu64 "\t%s\t%s\t%s\t%s\t%s\t%s\t", person->id, allergy->code, allergy->system,
                allergy->display, allergy->category, known ? allergy->severity : NONE,
                date_text(allergy->onset, onset));
        if (!known) {
                fprintf(out, NONE "\tfalse\t" NONE "\n");
                return;
        }
        fprintf(out, "[{\"code\": \"%s\", \"display\": \"%s\", \"severity\": \"%s\"}]\ttrue\t%d\n",
                allergy->reaction_code, allergy->reaction, allergy->severity, DOCTOR);
}

static void put_condition(void *out, const struct sample_person *person, const struct sample_condition *condition)
{
        char onset[DATE_SIZE];

        if (condition->lasting)
                fprintf(out, "%" PRIu64 "\t%s\tSNOMED-CT\t%s\t%s\n", person->id, condition->code, condition->display,
                        date_text(condition->onset, onset));
}

/* What went again is no chronic condition, but it was recorded. */
static void put_illness(void *out, const struct sample_person *person, const struct sample_condition *condition)
{
        char onset[DATE_SIZE];

        if (condition->acute)
                fprintf(out, "%" PRIu64 "\tILLNESS\t%s 15:00:00Z\t%s\t%u\n", person->id,
                        date_text(condition->onset, onset), condition->display, nurse_id(person));
}

static void put_dose(void *out, const struct sample_person *person, const struct sample_dose *dose)
{
        char date[DATE_SIZE];

        fprintf(out, "%" PRIu64 "\t%s\t%s\t%s %02u:%02u:00Z\n", person->id, dose->code, dose->display,
                date_text(dose->day, date), dose->hour, dose->minute);
}

static void put_visit(void *out, const struct sample_person *person, const struct sample_event *event)
{
        struct sample_event end = *event;
        char from[TIME_SIZE];
        char to[TIME_SIZE];

        if (event->kind != SAMPLE_VISIT)
                return;
        end.minute += event->minutes;
        end.hour += end.minute / 60;
        end.minute %= 60;
        fprintf(out, "%" PRIu64 "\t%u\t%s\t%s\t%s\t%s\t%s\t%u\n", person->id, school_id(person), time_text(event, from),
                time_text(&end, to), event->what, event->how, event->where, nurse_id(person));
}

static void put_medication(void *out, const struct sample_person *person, const struct sample_event *event)
{
        const char *status = event->luck < 3 ? "REFUSED" : event->luck < 6 ? "MISSED" : "GIVEN";
        char at[TIME_SIZE];

        if (event->kind == SAMPLE_MEDICATION)
                fprintf(out, "%" PRIu64 "\t%u\t%s\t%s\t%s\t%u\t%s\n", person->id, school_id(person), event->what,
                        event->how, time_text(event, at), nurse_id(person), status);
}

static void put_incident(void *out, const struct sample_person *person, const struct sample_event *event)
{
        char at[TIME_SIZE];

        if (event->kind == SAMPLE_INCIDENT)
                fprintf(out, "%" PRIu64 "\t%u\t%s\t%s\t%s\t%s\t%s\t%s\t%u\n", person->id, school_id(person),
                        event->what, event->how, time_text(event, at), event->where, event->details,
                        event->luck < 85 ? "true" : "false", nurse_id(person));
}

static void put_appointment(void *out, const struct sample_person *person, const struct sample_event *event)
{
        const char *ended = event->luck < 80 ? "COMPLETED" : event->luck < 90 ? "CANCELLED" : "NO_SHOW";
        char at[TIME_SIZE];

        if (event->kind == SAMPLE_APPOINTMENT)
                fprintf(out, "%" PRIu64 "\t%u\t%s\t%s\t%u\t%s\t%u\t%s\n", person->id, school_id(person), event->how,
                        time_text(event, at), event->minutes, event->past ? ended : "SCHEDULED", nurse_id(person),
                        event->what);
}

/* ---- tables ---- */

/* In the order in which they refer to each other. A table's rows stand together, so each takes a walk through all
 * students; they cost next to nothing. */
static const struct table {
        const char *columns;
        struct sample_listener listener;
} TABLES[] = {
        {"students (id, first_name, last_name, birth_date, gender, grade, school_id, address, city, state, zip, "
         "contacts)",
                {.person = put_student}},
        {"health_records (student_id, kind, date, description, recorded_by)", {.condition = put_illness}},
        {"allergies (student_id, code, system, display, category, severity, onset, reactions, verified, verified_by)",
                {.allergy = put_allergy}},
        {"chronic_conditions (student_id, code, system, display, onset)", {.condition = put_condition}},
        {"vaccinations (student_id, code, display, date)", {.dose = put_dose}},
        {"clinic_visits (student_id, school_id, checked_in, checked_out, reason, treatment, disposition, nurse)",
                {.event = put_visit}},
        {"medication_logs (student_id, school_id, medication, dosage, given_at, given_by, status)",
                {.event = put_medication}},
        {"incident_reports (student_id, school_id, kind, severity, occurred_at, location, description, parents_told, "
         "reported_by)",
                {.event = put_incident}},
        {"appointments (student_id, school_id, kind, starts_at, minutes, status, nurse, reason)",
                {.event = put_appointment}},
};

static void put_table(FILE *out, const struct table *table, const struct sample_plan *plan)
{
        struct sample_listener listener = table->listener;

        listener.context = out;
        fprintf(out, "\nCOPY %s FROM stdin;\n", table->columns);
        for (uint64_t id = 1; id <= plan->students; id++)
                sample_tell(id, plan->seed, &listener);
        fputs("\\.\n", out);
}

static void put_schools(FILE *out)
{
        fputs("\nCOPY schools (id, name, state, time_zone) FROM stdin;\n", out);
        for (uint32_t i = 0; i < SAMPLE_SCHOOLS; i++)
                fprintf(out, "%u\t%s\tMassachusetts\tAmerica/New_York\n", i + 1, sample_school(i));
        fputs("\\.\n\nCOPY users (id, email, name, role, school_id) FROM stdin;\n", out);
        for (uint32_t i = 1; i <= SAMPLE_SCHOOLS; i++)
                fprintf(out, "%u\tnurse%u@example.org\tNurse of school %u\tNURSE\t%u\n", i, i, i, i);
        fprintf(out, "%d\tdoctor@example.org\tDr. Ines Keller\tDOCTOR\t" NONE "\n\\.\n", DOCTOR);
        fprintf(out,
                "ALTER TABLE schools ALTER COLUMN id RESTART WITH %d;\n"
                "ALTER TABLE users ALTER COLUMN id RESTART WITH %d;\n",
                SAMPLE_SCHOOLS + 1, DOCTOR + 1);
}

static const char HEAD[] =
        "-- A made-up school population for the schema of conf/schemas/white-cross.sql. To be run by psql.\n"
        "\\set ON_ERROR_STOP on\n"
        "BEGIN;\n"
        "DO $$ BEGIN\n"
        "    IF EXISTS (SELECT FROM students) OR EXISTS (SELECT FROM schools) OR EXISTS (SELECT FROM users) THEN\n"
        "        RAISE EXCEPTION 'there are students, schools or users already; the sample is for an empty schema';\n"
        "    END IF;\n"
        "END $$;\n";

/* What happens at school ends on the day of the load, so that a dashboard has something of today. */
static void put_shift(FILE *out)
{
        static const char *const times[] = {
                "clinic_visits SET checked_in = checked_in + age, checked_out = checked_out",
                "medication_logs SET given_at = given_at", "incident_reports SET occurred_at = occurred_at",
                "appointments SET starts_at = starts_at"};
        char today[DATE_SIZE];

        fputs("\n-- What happened at school moves as a whole, so that it is of these days.\n", out);
        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
                fprintf(out,
                        "UPDATE %s + age FROM (SELECT (current_date - date '%s') * interval '1 day' AS age) AS a;\n",
                        times[i], date_text(sample_today(), today));
        fputs("COMMIT;\nANALYZE;\n", out);
}

enum err sample_sql_write(FILE *out, const struct sample_plan *plan, struct err_msg *msg)
{
        fputs(HEAD, out);
        put_schools(out);
        for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
                put_table(out, &TABLES[i], plan);
        put_shift(out);
        if (fflush(out) != 0 || ferror(out) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot write the SQL");
        return OK;
}
