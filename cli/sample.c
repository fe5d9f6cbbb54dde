#include "cli/sample.h"

#include "base/hash.h"
#include "database/datetime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- what is drawn from ---- */

static const char *const GIRLS[] = {
#define GIRL(name) name,
#include "cli/sample.def"
#undef GIRL
};

static const char *const BOYS[] = {
#define BOY(name) name,
#include "cli/sample.def"
#undef BOY
};

static const char *const LAST_NAMES[] = {
#define LAST_NAME(name) name,
#include "cli/sample.def"
#undef LAST_NAME
};

static const char *const STREETS[] = {
#define STREET(name) name,
#include "cli/sample.def"
#undef STREET
};

static const struct town {
        const char *city;
        const char *county;
        const char *zip;
} TOWNS[] = {
#define TOWN(city, county, zip) {city, county, zip},
#include "cli/sample.def"
#undef TOWN
};

static const struct school {
        const char *name;
        int32_t first_grade;
        int32_t last_grade;
} SCHOOLS[] = {
#define SCHOOL(name, first_grade, last_grade) {name, first_grade, last_grade},
#include "cli/sample.def"
#undef SCHOOL
};

static const struct race {
        const char *race;
        const char *ethnicity;
} RACES[] = {
#define RACE(race, ethnicity) {race, ethnicity},
#include "cli/sample.def"
#undef RACE
};

static const struct allergen {
        const char *code;
        const char *system;
        const char *display;
        const char *category;
} ALLERGENS[] = {
#define ALLERGEN(code, system, display, category) {code, system, display, category},
#include "cli/sample.def"
#undef ALLERGEN
};

struct reaction {
        const char *code;
        const char *display;
        const char *severity;
};

static const struct reaction REACTIONS[] = {
#define REACTION(code, display) {code, display, ""},
#include "cli/sample.def"
#undef REACTION
};

static const struct condition {
        const char *code;
        const char *display;
        uint32_t per_mille;
        int32_t days;
} CONDITIONS[] = {
#define CONDITION(code, display, per_mille, days) {code, display, per_mille, days},
#include "cli/sample.def"
#undef CONDITION
};

static const struct vaccine {
        const char *code;
        const char *display;
        int32_t months;
} VACCINES[] = {
#define VACCINE(code, display, months) {code, display, months},
#include "cli/sample.def"
#undef VACCINE
};

#define COUNT_OF(array)      (sizeof(array) / sizeof((array)[0]))
#define PICK(student, array) (&(array)[draw((student), COUNT_OF(array))])

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

/* ---- one student ---- */

enum { DAYS_PER_YEAR = 365, YOUNGEST = 5, OLDEST = 18, SEVERE_ALLERGY_ID = 42 };

/* The first day of the school year that the population is of. A date of the clock would change the files every day. */
static const struct civil_date TODAY = {2026, 9, 1};

struct student {
        uint64_t id;
        uint64_t random; /* state; of this student alone, so that the others do not shift with it */
        int64_t birth;   /* day */
        int64_t today;
};

struct writer {
        FILE *files[SAMPLE_TABLE_COUNT];
        struct sample_counts *counts;
};

/* A number below `below`. */
static size_t draw(struct student *s, size_t below)
{
        return (size_t)(random_next(&s->random) % below);
}

static bool chance(struct student *s, uint32_t per_mille)
{
        return draw(s, 1000) < per_mille;
}

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

static void write_patient(struct writer *w, struct student *s)
{
        bool girl = chance(s, 500);
        const char *first = girl ? *PICK(s, GIRLS) : *PICK(s, BOYS);
        const char *last = *PICK(s, LAST_NAMES);
        const struct race *race = PICK(s, RACES);
        const struct town *town = PICK(s, TOWNS);
        const char *street = *PICK(s, STREETS);
        int32_t grade = (int32_t)((s->today - s->birth) / DAYS_PER_YEAR) - YOUNGEST;
        const char *school = "";
        char birth[DATE_SIZE];
        char grade_text[16];

        grade = grade > 12 ? 12 : grade;
        (void)snprintf(grade_text, sizeof(grade_text), "%d", grade);
        for (size_t i = 0; i < COUNT_OF(SCHOOLS); i++)
                if (grade >= SCHOOLS[i].first_grade && grade <= SCHOOLS[i].last_grade)
                        school = SCHOOLS[i].name;
        write_date(s->birth, birth);
        fprintf(begin_row(w, SAMPLE_PATIENTS),
                "%" PRIu64
                ",%s,,,,,,%s,,%s,,,,%s,%s,%s,%s  Massachusetts  US,%zu %s,%s,Massachusetts,%s,,%s,,,,,,%s,%s\n",
                s->id, birth, first, last, race->race, race->ethnicity, girl ? "F" : "M", town->city, 1 + draw(s, 200),
                street, town->city, town->county, town->zip, grade == 0 ? "K" : grade_text, school);
}

static void write_allergy(
        struct writer *w, struct student *s, const struct allergen *allergen, const struct reaction *reaction)
{
        int64_t span = s->today - s->birth - DAYS_PER_YEAR;
        char onset[DATE_SIZE];

        write_date(s->birth + DAYS_PER_YEAR + (int64_t)draw(s, (size_t)span), onset);
        fprintf(begin_row(w, SAMPLE_ALLERGIES), "%s,,%" PRIu64 ",,%s,%s,%s,allergy,%s,%s,%s,%s,,,\n", onset, s->id,
                allergen->code, allergen->system, allergen->display, allergen->category, reaction->code,
                reaction->display, reaction->severity);
}

static const struct reaction ANAPHYLAXIS = {"39579001", "Anaphylaxis (disorder)", "SEVERE"};

/* Of those who have an allergy: one in five is severe, a quarter each mild and moderate, the rest is not known. */
static struct reaction draw_reaction(struct student *s)
{
        size_t kind = draw(s, 20);
        struct reaction reaction = *PICK(s, REACTIONS);

        if (kind < 4)
                return ANAPHYLAXIS;
        if (kind >= 14)
                return (struct reaction){"", "", ""};
        reaction.severity = kind < 9 ? "MILD" : "MODERATE";
        return reaction;
}

static void write_allergies(struct writer *w, struct student *s)
{
        const struct allergen *first = NULL;
        size_t count = chance(s, 100) ? 1 + draw(s, 2) : 0;

        if (s->id == SEVERE_ALLERGY_ID) {
                first = &ALLERGENS[0];
                write_allergy(w, s, first, &ANAPHYLAXIS);
        }
        for (size_t i = 0; i < count; i++) {
                const struct allergen *allergen = PICK(s, ALLERGENS);
                const struct reaction reaction = draw_reaction(s);

                if (allergen != first)
                        write_allergy(w, s, allergen, &reaction);
                first = allergen;
        }
}

static void write_conditions(struct writer *w, struct student *s)
{
        for (size_t i = 0; i < COUNT_OF(CONDITIONS); i++) {
                const struct condition *condition = &CONDITIONS[i];
                int64_t start = s->birth + 2 * DAYS_PER_YEAR;
                char onset[DATE_SIZE];
                char end[DATE_SIZE] = "";

                if (!chance(s, condition->per_mille))
                        continue;
                start += (int64_t)draw(s, (size_t)(s->today - start));
                write_date(start, onset);
                if (condition->days > 0 && start + condition->days < s->today)
                        write_date(start + condition->days, end);
                fprintf(begin_row(w, SAMPLE_CONDITIONS), "%s,%s,%" PRIu64 ",,SNOMED-CT,%s,%s\n", onset, end, s->id,
                        condition->code, condition->display);
        }
}

static void write_dose(struct writer *w, struct student *s, int64_t day, const struct vaccine *vaccine)
{
        size_t hour = 13 + draw(s, 8);
        size_t minute = 5 * draw(s, 12);
        char date[DATE_SIZE];

        write_date(day, date);
        fprintf(begin_row(w, SAMPLE_IMMUNIZATIONS), "%sT%02zu:%02zu:00Z,%" PRIu64 ",,%s,%s,\n", date, hour, minute,
                s->id, vaccine->code, vaccine->display);
}

static void write_immunizations(struct writer *w, struct student *s)
{
        static const struct vaccine influenza = {"140", "Influenza  seasonal  injectable  preservative free", 0};

        for (size_t i = 0; i < COUNT_OF(VACCINES); i++) {
                int64_t day = s->birth + (int64_t)VACCINES[i].months * DAYS_PER_YEAR / 12 + (int64_t)draw(s, 20);

                if (day < s->today && chance(s, 940))
                        write_dose(w, s, day, &VACCINES[i]);
        }
        for (int32_t year = datetime_civil(s->birth).year + 1; year < TODAY.year; year++) {
                int64_t day = datetime_day((struct civil_date){year, 10, 1}) + (int64_t)draw(s, 45);

                if (chance(s, 600))
                        write_dose(w, s, day, &influenza);
        }
}

static void write_student(struct writer *w, uint64_t id, uint64_t seed)
{
        struct student s = {.id = id, .random = seed, .today = datetime_day(TODAY)};
        size_t ages = (OLDEST - YOUNGEST) * DAYS_PER_YEAR;

        s.random = random_next(&s.random) ^ id * UINT64_C(0x9e3779b97f4a7c15);
        s.birth = s.today - YOUNGEST * DAYS_PER_YEAR - (int64_t)draw(&s, ages);
        write_patient(w, &s);
        write_allergies(w, &s);
        write_conditions(w, &s);
        write_immunizations(w, &s);
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
        enum err closed;
        enum err rc;

        *counts = (struct sample_counts){{0}};
        rc = open_files(&w, folder, msg);
        for (uint64_t id = 1; rc == OK && id <= plan->students; id++)
                write_student(&w, id, plan->seed);
        closed = close_files(&w, folder, rc == OK ? msg : NULL);
        return rc == OK ? closed : rc;
}
