/* publish.pml: the polled provider inside one process: a poller publishes, workers hint, poison, fill and read,
 * without locks. Every load and store of shared memory is a step of its own; freshness.pml takes all this as atomic.
 *
 *   An entry that answers under the certificate of poll c holds all that poll c saw; a read invoked after a hint
 *   or an unknown outcome was reported holds that write, if it was visible by then.
 *
 * Events of the database are bits of a mask: write 0 (tag 0; this node's own, of unknown outcome), write 1 (tag 1;
 * hinted) and a crash, after which polls report another epoch. `has` of an entry is the mask of events that its
 * snapshot saw. */

#ifndef POLLS
#define POLLS 3
#endif
#define WRITE_0 1
#define WRITE_1 2
#define CRASH   4
#define LACKS(s, p) ((p) & ~(s))

byte db;                        /* events so far */
byte reported;                  /* writes that reads from now on owe, once they are visible */
byte seen_by[POLLS + 1];        /* what each poll saw */
byte run_polls;                 /* the last poll that the database has executed */

/* ---- shared memory ---- */
byte sent;                      /* number of the last poll sent, stored before it is sent */
byte poisoned_from;             /* tag 0 is poisoned, till this poll or a later one has seen write 0; 0: it is not */
byte epoch;
byte slots[2];
byte ring;                      /* the newest poll that as_of can be computed from */
byte counter;
byte certificate;               /* the poll that certifies: its number stands for the time of sending */
typedef entry {
        bit used;
        byte epoch;
        byte as_of;
        byte has;
        byte proven;            /* counter + 1 at which it was last found valid */
};
entry l1;
bit stale;

/* Events can come in any order at any time. */
proctype database()
{
end:    do
        :: atomic { !(db & WRITE_0) -> db = db | WRITE_0 }
        :: atomic { !(db & WRITE_1) -> db = db | WRITE_1 }
#ifdef CRASHES
        :: atomic { !(db & CRASH) -> db = db | CRASH }
#endif
        od
}

inline raise_slot(t, to)
{
        atomic {                                        /* atomic max */
                if
                :: slots[t] < to -> slots[t] = to
                :: else
                fi
        }
}

inline raise_touched()
{
        if
        :: (LACKS(previous, seen_by[k]) & WRITE_0) -> raise_slot(0, k)
        :: else
        fi;
        if
        :: (LACKS(previous, seen_by[k]) & WRITE_1) -> raise_slot(1, k)
        :: else
        fi
}

inline lift_poison()
{
        atomic {
                if
                :: poisoned_from != 0 && poisoned_from <= k && (seen_by[k] & WRITE_0) -> poisoned_from = 0
                :: else
                fi
        }
}

/* Epoch, slots; then the counter; only then what makes reads bolder: the end of the poison, the certificate. */
inline publish()
{
#ifdef MUTANT_PUBLISH_CERTIFICATE_FIRST
        certificate = k;
#endif
#ifdef MUTANT_PUBLISH_COUNTER_BEFORE_SLOTS
        counter++;
#endif
#ifdef MUTANT_PUBLISH_LIFT_BEFORE_SLOTS
        lift_poison();
#endif
#ifdef CRASHES
        if
        :: (seen_by[k] & CRASH) -> epoch = 1
        :: else
        fi;
#endif
        raise_touched();
        ring = k;
#ifdef MUTANT_PUBLISH_LIFT_BEFORE_COUNTER
        lift_poison();
#endif
#ifndef MUTANT_PUBLISH_COUNTER_BEFORE_SLOTS
        counter++;
#endif
        lift_poison();
        certificate = k
}

proctype poller()
{
        byte k, previous;
        do
        :: k < POLLS ->
                k++;
#ifndef MUTANT_PUBLISH_NUMBER_AFTER_SENDING
                sent = k;
#endif
                atomic {
                        seen_by[k] = db;
                        run_polls = k
                }
#ifdef MUTANT_PUBLISH_NUMBER_AFTER_SENDING
                sent = k;
#endif
                publish();
                previous = seen_by[k]
        :: k == POLLS -> break
        od
}

#ifdef HINTS
/* A worker whose own commit has returned, or that got a hint: slot, counter, and only then the reply. */
proctype hint()
{
        byte next;
        (db & WRITE_1);
        next = sent + 1;
#ifdef MUTANT_PUBLISH_REPLY_BEFORE_HINT
        reported = reported | WRITE_1;
#endif
        raise_slot(1, next);
#ifndef MUTANT_PUBLISH_HINT_WITHOUT_COUNTER
        counter++;
#endif
        reported = reported | WRITE_1
}
#endif

#ifdef POISON
/* A worker that lost the connection in COMMIT; write 0 may become visible before, during or long after this. */
proctype unknown_outcome()
{
        poisoned_from = sent + 1;
#ifndef MUTANT_PUBLISH_POISON_WITHOUT_COUNTER
        counter++;
#endif
        reported = reported | WRITE_0
}
#endif

/* The followed entry: the fill's statement runs at any time, and it is stored at any later time, with the as_of that
 * its snapshot has by then. */
proctype fill()
{
        byte contains;
        atomic {
                contains = run_polls;
                l1.has = db;
                l1.epoch = (db & CRASH -> 1 : 0)
        }
        atomic {
                l1.used = 1;
                l1.as_of = (ring < contains -> ring : contains);
                contains = 0
        }
}

inline test_slots()
{
        ok = ok && slots[0] <= e.as_of;
        ok = ok && slots[1] <= e.as_of
}

/* Certificate, counter, test, counter again; moved: repeat (here: give up, and come again as another read). */
inline read_entry()
{
#ifndef MUTANT_PUBLISH_CERTIFICATE_READ_LAST
        c = certificate;
#endif
        n = counter;
        if
        :: e.proven == n + 1 -> ok = 1
        :: else ->
                ok = (e.epoch == epoch);
                if
                :: ok = ok && poisoned_from == 0; test_slots()
                :: test_slots(); ok = ok && poisoned_from == 0
                fi;
#ifndef MUTANT_PUBLISH_COUNTER_READ_ONCE
                ok = ok && n == counter;
#endif
#ifdef MUTANT_PUBLISH_PROVEN_AT_LATER_COUNTER
                n = counter;
#endif
                atomic {
                        if
                        :: ok -> l1.proven = n + 1
                        :: else
                        fi
                }
        fi;
#ifdef MUTANT_PUBLISH_CERTIFICATE_READ_LAST
        c = certificate;
#endif
        skip
}

proctype worker()
{
        entry e;
        byte must, c, n;
        bit ok;
end:    do
        :: atomic { l1.used ->
                must = reported & db;
                e.epoch = l1.epoch;
                e.as_of = l1.as_of;
                e.has = l1.has;
                e.proven = l1.proven
           }
           read_entry();
           atomic {
                stale = ok && c != 0 && LACKS(e.has, must | seen_by[c]) != 0;
                assert(!stale);
                must = 0;
                c = 0;
                n = 0;
                ok = 0;
                e.epoch = 0;
                e.as_of = 0;
                e.has = 0;
                e.proven = 0
           }
        od
}

init {
        atomic {
                run database();
                run poller();
#ifdef HINTS
                run hint();
#endif
#ifdef POISON
                run unknown_outcome();
#endif
                run fill();
                run worker()
        }
}
