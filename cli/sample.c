#include "cli/sample.h"

#include "cli/sample_people.h"
#include "database/datetime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct table {
        const char *file;
        const char *header;
} TABLES[SAMPLE_TABLE_COUNT] = {
        [SAMPLE_PATIENTS] = {"patients.csv",
                "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,MIDDLE,LAST,SUFFIX,MAIDEN,MARITAL,RACE,"
                "ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,FIPS,ZIP,LAT,LON,HEALTHCARE_EXPENSES,"
                "HEALTHCARE_COVERAGE,INCOME,GRADE,SCHOOL"},
        [SAMPLE_ALLERGIES] = {"allergies.csv", "START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,"
                                               "REACTION1,DESCRIPTION1,SEVERITY1,REACTION2,DESCRIPTION2,SEVERITY2"},
        [SAMPLE_CONDITIONS] = {"conditions.csv", "START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION"},
        [SAMPLE_IMMUNIZATIONS] = {"immunizations.csv", "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST"},
};

const char *sample_file_name(enum sample_table table)
{
        return TABLES[table].file;
}

/* ---- rows ---- */

struct writer {
        FILE *files[SAMPLE_TABLE_COUNT];
        struct sample_counts *counts;
};

enum { DATE_SIZE = 16 };

static void write_date(int64_t day, char text[DATE_SIZE])
{
        struct civil_date date = datetime_civil(day);

        (void)snprintf(text, DATE_SIZE, "%04d-%02d-%02d", date.year % 10000, date.month % 100, date.day % 100);
}

static FILE *begin_row(struct writer *w, enum sample_table table)
{
        w->counts->rows[table]++;
        return w->files[table];
}

static void write_person(void *context, const struct sample_person *person)
{
        char birth[DATE_SIZE];
        char grade[16];

        (void)snprintf(grade, sizeof(grade), "%d", person->grade);
        write_date(person->birth, birth);
        fprintf(begin_row(context, SAMPLE_PATIENTS),
                "%" PRIu64 ",%s,,,,,,%s,,%s,,,,%s,%s,%s,%s  Massachusetts  US,%" PRIu32
                " %s,%s,Massachusetts,%s,,%s,,,,,,%s,%s\n",
                person->id, birth, person->first, person->last, person->race, person->ethnicity,
                person->girl ? "F" : "M", person->city, person->house, person->street, person->city, person->county,
                person->zip, person->grade == 0 ? "K" : grade, sample_school(person->school));
}

static void write_allergy(void *context, const struct sample_person *person, const struct sample_allergy *allergy)
{
        char onset[DATE_SIZE];

        write_date(allergy->onset, onset);
        fprintf(begin_row(context, SAMPLE_ALLERGIES), "%s,,%" PRIu64 ",,%s,%s,%s,allergy,%s,%s,%s,%s,,,\n", onset,
                person->id, allergy->code, allergy->system, allergy->display, allergy->category, allergy->reaction_code,
                allergy->reaction, allergy->severity);
}

static void write_condition(void *context, const struct sample_person *person, const struct sample_condition *condition)
{
        char onset[DATE_SIZE];
        char end[DATE_SIZE] = "";

        write_date(condition->onset, onset);
        if (condition->ended)
                write_date(condition->end, end);
        fprintf(begin_row(context, SAMPLE_CONDITIONS), "%s,%s,%" PRIu64 ",,SNOMED-CT,%s,%s\n", onset, end, person->id,
                condition->code, condition->display);
}

static void write_dose(void *context, const struct sample_person *person, const struct sample_dose *dose)
{
        char date[DATE_SIZE];

        write_date(dose->day, date);
        fprintf(begin_row(context, SAMPLE_IMMUNIZATIONS), "%sT%02" PRIu32 ":%02" PRIu32 ":00Z,%" PRIu64 ",,%s,%s,\n",
                date, dose->hour, dose->minute, person->id, dose->code, dose->display);
}

/* ---- files ---- */

static enum err open_files(struct writer *w, const char *folder, struct err_msg *msg)
{
        char path[4096];

        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
                return err_errno(msg, ERR_IO, errno, "cannot make the folder %s", folder);
        for (int i = 0; i < SAMPLE_TABLE_COUNT; i++) {
                if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, TABLES[i].file) >= sizeof(path))
                        return err_set(msg, ERR_IO, "the folder's path is too long");
                w->files[i] = fopen(path, "w");
                if (w->files[i] == NULL)
                        return err_errno(msg, ERR_IO, errno, "cannot write %s", path);
                fprintf(w->files[i], "%s\n", TABLES[i].header);
        }
        return OK;
}

static enum err close_files(struct writer *w, const char *folder, struct err_msg *msg)
{
        enum err rc = OK;

        for (int i = 0; i < SAMPLE_TABLE_COUNT; i++) {
                bool failed;

                if (w->files[i] == NULL)
                        continue;
                failed = ferror(w->files[i]) != 0;
                if ((fclose(w->files[i]) != 0 || failed) && rc == OK)
                        rc = err_errno(msg, ERR_IO, errno, "cannot write %s/%s", folder, TABLES[i].file);
        }
        return rc;
}

enum err sample_write(
        const char *folder, const struct sample_plan *plan, struct sample_counts *counts, struct err_msg *msg)
{
        struct writer w = {.counts = counts};
        const struct sample_listener listener = {.person = write_person,
                .allergy = write_allergy,
                .condition = write_condition,
                .dose = write_dose,
                .context = &w};
        enum err closed;
        enum err rc;

        *counts = (struct sample_counts){{0}};
        rc = open_files(&w, folder, msg);
        for (uint64_t id = 1; rc == OK && id <= plan->students; id++)
                sample_tell(id, plan->seed, &listener);
        closed = close_files(&w, folder, rc == OK ? msg : NULL);
        return rc == OK ? closed : rc;
}
