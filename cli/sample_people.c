#include "cli/sample_people.h"

#include "base/hash.h"
#include "database/datetime.h"

#include <stddef.h>
#include <string.h>

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

static const struct reason {
        const char *reason;
        const char *treatment;
        const char *disposition;
} REASONS[] = {
#define REASON(reason, treatment, disposition) {reason, treatment, disposition},
#include "cli/sample.def"
#undef REASON
};

static const struct medication {
        const char *name;
        const char *dosage;
} MEDICATIONS[] = {
#define MEDICATION(name, dosage) {name, dosage},
#include "cli/sample.def"
#undef MEDICATION
};

static const struct incident {
        const char *kind;
        const char *severity;
        const char *place;
        const char *description;
} INCIDENTS[] = {
#define INCIDENT(kind, severity, place, description) {kind, severity, place, description},
#include "cli/sample.def"
#undef INCIDENT
};

static const struct appointment {
        const char *kind;
        const char *reason;
        uint32_t minutes;
} APPOINTMENTS[] = {
#define APPOINTMENT(kind, reason, minutes) {kind, reason, minutes},
#include "cli/sample.def"
#undef APPOINTMENT
};

_Static_assert(sizeof(SCHOOLS) / sizeof(SCHOOLS[0]) == SAMPLE_SCHOOLS, "as many schools as are told of");

#define COUNT_OF(array)      (sizeof(array) / sizeof((array)[0]))
#define PICK(student, array) (&(array)[draw((student), COUNT_OF(array))])

/* ---- one student ---- */

enum { DAYS_PER_YEAR = 365, YOUNGEST = 5, OLDEST = 18, SEVERE_ALLERGY_ID = 42 };

/* The first day of the school year that the population is of. A date of the clock would change the files every day. */
static const struct civil_date TODAY = {2026, 9, 1};

struct student {
        struct sample_person person;
        uint64_t random; /* state; of this student alone, so that the others do not shift with it */
        int64_t today;
        const struct sample_listener *listener;
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

static void tell_person(struct student *s)
{
        struct sample_person *person = &s->person;
        const struct race *race;
        const struct town *town;

        person->girl = chance(s, 500);
        person->first = person->girl ? *PICK(s, GIRLS) : *PICK(s, BOYS);
        person->last = *PICK(s, LAST_NAMES);
        race = PICK(s, RACES);
        person->race = race->race;
        person->ethnicity = race->ethnicity;
        town = PICK(s, TOWNS);
        person->city = town->city;
        person->county = town->county;
        person->zip = town->zip;
        person->street = *PICK(s, STREETS);
        person->house = 1 + (uint32_t)draw(s, 200);
        person->grade = (int32_t)((s->today - person->birth) / DAYS_PER_YEAR) - YOUNGEST;
        person->grade = person->grade > 12 ? 12 : person->grade;
        for (uint32_t i = 0; i < COUNT_OF(SCHOOLS); i++)
                if (person->grade >= SCHOOLS[i].first_grade && person->grade <= SCHOOLS[i].last_grade)
                        person->school = i;
        if (s->listener->person != NULL)
                s->listener->person(s->listener->context, person);
}

static void tell_allergy(struct student *s, const struct allergen *allergen, const struct reaction *reaction)
{
        int64_t span = s->today - s->person.birth - DAYS_PER_YEAR;
        const struct sample_allergy allergy = {
                .code = allergen->code,
                .system = allergen->system,
                .display = allergen->display,
                .category = allergen->category,
                .onset = s->person.birth + DAYS_PER_YEAR + (int64_t)draw(s, (size_t)span),
                .reaction_code = reaction->code,
                .reaction = reaction->display,
                .severity = reaction->severity,
        };

        if (s->listener->allergy != NULL)
                s->listener->allergy(s->listener->context, &s->person, &allergy);
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

static void tell_allergies(struct student *s)
{
        const struct allergen *first = NULL;
        size_t count = chance(s, 100) ? 1 + draw(s, 2) : 0;

        if (s->person.id == SEVERE_ALLERGY_ID) {
                first = &ALLERGENS[0];
                tell_allergy(s, first, &ANAPHYLAXIS);
        }
        for (size_t i = 0; i < count; i++) {
                const struct allergen *allergen = PICK(s, ALLERGENS);
                const struct reaction reaction = draw_reaction(s);

                if (allergen != first)
                        tell_allergy(s, allergen, &reaction);
                first = allergen;
        }
}

static void tell_condition(struct student *s, const struct condition *condition)
{
        int64_t earliest = s->person.birth + 2 * DAYS_PER_YEAR;
        const int64_t onset = earliest + (int64_t)draw(s, (size_t)(s->today - earliest));
        const struct sample_condition told = {
                .code = condition->code,
                .display = condition->display,
                .onset = onset,
                .ended = condition->days > 0 && onset + condition->days < s->today,
                .end = onset + condition->days,
                .lasting = condition->days == 0 && strstr(condition->display, "(situation)") == NULL,
                .acute = condition->days > 0,
        };

        if (s->listener->condition != NULL)
                s->listener->condition(s->listener->context, &s->person, &told);
}

static void tell_conditions(struct student *s)
{
        for (size_t i = 0; i < COUNT_OF(CONDITIONS); i++)
                if (chance(s, CONDITIONS[i].per_mille))
                        tell_condition(s, &CONDITIONS[i]);
}

static void tell_dose(struct student *s, int64_t day, const struct vaccine *vaccine)
{
        struct sample_dose dose = {.code = vaccine->code, .display = vaccine->display, .day = day};

        dose.hour = 13 + (uint32_t)draw(s, 8);
        dose.minute = 5 * (uint32_t)draw(s, 12);
        if (s->listener->dose != NULL)
                s->listener->dose(s->listener->context, &s->person, &dose);
}

static void tell_doses(struct student *s)
{
        static const struct vaccine influenza = {"140", "Influenza  seasonal  injectable  preservative free", 0};
        const int64_t birth = s->person.birth;

        for (size_t i = 0; i < COUNT_OF(VACCINES); i++) {
                int64_t day = birth + (int64_t)VACCINES[i].months * DAYS_PER_YEAR / 12 + (int64_t)draw(s, 20);

                if (day < s->today && chance(s, 940))
                        tell_dose(s, day, &VACCINES[i]);
        }
        for (int32_t year = datetime_civil(birth).year + 1; year < TODAY.year; year++) {
                int64_t day = datetime_day((struct civil_date){year, 10, 1}) + (int64_t)draw(s, 45);

                if (chance(s, 600))
                        tell_dose(s, day, &influenza);
        }
}

/* ---- what happens at school ---- */

enum { DAYS_BACK = 60, DAYS_AHEAD = 14, FIRST_HOUR = 13, SCHOOL_HOURS = 7 };

static struct sample_event draw_visit(struct student *s)
{
        const struct reason *reason = PICK(s, REASONS);

        return (struct sample_event){.kind = SAMPLE_VISIT,
                .minutes = 10,
                .what = reason->reason,
                .how = reason->treatment,
                .where = reason->disposition};
}

static struct sample_event draw_medication(struct student *s)
{
        const struct medication *medication = PICK(s, MEDICATIONS);

        return (struct sample_event){
                .kind = SAMPLE_MEDICATION, .what = medication->name, .how = medication->dosage, .where = ""};
}

static struct sample_event draw_incident(struct student *s)
{
        const struct incident *incident = PICK(s, INCIDENTS);

        return (struct sample_event){.kind = SAMPLE_INCIDENT,
                .what = incident->kind,
                .how = incident->severity,
                .where = incident->place,
                .details = incident->description};
}

static struct sample_event draw_appointment(struct student *s)
{
        const struct appointment *appointment = PICK(s, APPOINTMENTS);

        return (struct sample_event){.kind = SAMPLE_APPOINTMENT,
                .minutes = appointment->minutes,
                .what = appointment->reason,
                .how = appointment->kind,
                .where = ""};
}

/* How likely they are, how many there are then, and what they are drawn by. */
static const struct event_rule {
        struct sample_event (*draw)(struct student *s);
        uint32_t per_mille;
        uint32_t most;
        int32_t days_ahead;
} EVENTS[] = {{draw_visit, 350, 3, 0}, {draw_medication, 120, 20, 0}, {draw_incident, 60, 2, 0},
        {draw_appointment, 200, 2, DAYS_AHEAD}};

static void tell_event(struct student *s, const struct event_rule *rule)
{
        struct sample_event event = rule->draw(s);

        event.day = s->today - (int64_t)draw(s, DAYS_BACK) + (int64_t)draw(s, (size_t)rule->days_ahead + 1);
        event.hour = FIRST_HOUR + (uint32_t)draw(s, SCHOOL_HOURS);
        event.minute = 5 * (uint32_t)draw(s, 12);
        event.past = event.day < s->today;
        event.luck = (uint32_t)draw(s, 100);
        s->listener->event(s->listener->context, &s->person, &event);
}

/* They come last: what they draw shifts nothing else. */
static void tell_events(struct student *s)
{
        for (size_t i = 0; i < COUNT_OF(EVENTS); i++) {
                size_t count = chance(s, EVENTS[i].per_mille) ? 1 + draw(s, EVENTS[i].most) : 0;

                for (size_t n = 0; n < count; n++)
                        tell_event(s, &EVENTS[i]);
        }
}

int64_t sample_today(void)
{
        return datetime_day(TODAY);
}

const char *sample_school(uint32_t school)
{
        return SCHOOLS[school].name;
}

void sample_tell(uint64_t id, uint64_t seed, const struct sample_listener *listener)
{
        struct student s = {.person = {.id = id}, .random = seed, .today = sample_today(), .listener = listener};
        size_t ages = (OLDEST - YOUNGEST) * DAYS_PER_YEAR;

        s.random = random_next(&s.random) ^ id * UINT64_C(0x9e3779b97f4a7c15);
        s.person.birth = s.today - YOUNGEST * DAYS_PER_YEAR - (int64_t)draw(&s, ages);
        tell_person(&s);
        tell_allergies(&s);
        tell_conditions(&s);
        tell_doses(&s);
        if (listener->event != NULL)
                tell_events(&s);
}
