/* The made-up school population itself: who is in it and what happened to whom, told one by one to whoever writes it
 * down. Nobody in it exists; names, towns and schools are our own, codes are real ones. */
#ifndef CLI_SAMPLE_PEOPLE_H
#define CLI_SAMPLE_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

enum { SAMPLE_SCHOOLS = 3 };

/* Days are since 1970-01-01; texts are literals, without commas, quotes, tabs or backslashes. */
struct sample_person {
        uint64_t id;
        bool girl;
        const char *first;
        const char *last;
        const char *race;
        const char *ethnicity;
        const char *city;
        const char *county;
        const char *zip;
        uint32_t house;
        const char *street;
        int64_t birth;
        int32_t grade;   /* 0: kindergarten */
        uint32_t school; /* below SAMPLE_SCHOOLS */
};

struct sample_allergy {
        const char *code;
        const char *system;
        const char *display;
        const char *category;
        int64_t onset;
        const char *reaction_code; /* "": none, and the severity is "" (nobody knows) */
        const char *reaction;
        const char *severity;
};

struct sample_condition {
        const char *code;
        const char *display;
        int64_t onset;
        bool ended;
        int64_t end;
        bool lasting; /* an illness that stays, as asthma does */
        bool acute;   /* one that goes */
};

struct sample_dose {
        const char *code;
        const char *display;
        int64_t day;
        uint32_t hour;
        uint32_t minute;
};

/* What happens at school. */
enum sample_event_kind { SAMPLE_VISIT, SAMPLE_MEDICATION, SAMPLE_INCIDENT, SAMPLE_APPOINTMENT, SAMPLE_EVENT_COUNT };

struct sample_event {
        enum sample_event_kind kind;
        int64_t day;
        uint32_t hour;
        uint32_t minute;
        uint32_t minutes;    /* how long it takes */
        const char *what;    /* reason of a visit or an appointment, medication, kind of an incident */
        const char *how;     /* treatment, dosage, severity, kind of appointment */
        const char *where;   /* an incident's place; what became of a visit; "" */
        const char *details; /* of an incident; "" */
        bool past;
        uint32_t luck; /* 0 to 99: for how it went */
};

/* Who is told. What is NULL is not told; the rest stays the same. */
struct sample_listener {
        void (*person)(void *context, const struct sample_person *person);
        void (*allergy)(void *context, const struct sample_person *person, const struct sample_allergy *allergy);
        void (*condition)(void *context, const struct sample_person *person, const struct sample_condition *condition);
        void (*dose)(void *context, const struct sample_person *person, const struct sample_dose *dose);
        void (*event)(void *context, const struct sample_person *person, const struct sample_event *event);
        void *context;
};

/* The day that the population is of: the first one of a school year. */
int64_t sample_today(void);

/* "Riverside Elementary"; `school` is below SAMPLE_SCHOOLS. A literal. */
const char *sample_school(uint32_t school);

/* Tells of the student of that id, the person first. The same seed and id tell the same, whoever else is there. */
void sample_tell(uint64_t id, uint64_t seed, const struct sample_listener *listener);

#endif
