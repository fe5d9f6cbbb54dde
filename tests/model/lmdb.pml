/* lmdb.pml: the embedded provider, B = 0. One writer thread, readers, L1, and an L2 that outlives the process.
 *
 *   A read never returns a state older than a write acknowledged, or a state returned to anybody, before its
 *   invocation; nor one that an abort or a restored copy has taken back.
 *
 * Every load and store of shared memory is a step of its own, so this also checks the order of the stores. A
 * transaction is atomic: LMDB sees to that. Positions are transaction ids; a state of the data is the mask of the
 * writes in it. */

#ifndef WRITES
#define WRITES 2
#endif
#ifndef RESTORES
#define RESTORES 0
#endif
#define TAGS    2               /* the followed entry has both; write w touches tag w % 2 */
#define OF_TAG_0 5              /* masks of their writes */
#define OF_TAG_1 10
#define BIT(x)  (1 << (x))
#define LACKS(s, p) ((p) & ~(s))

/* ---- on disk ---- */
byte id;                        /* the last committed transaction */
byte vis;                       /* the writes in it */

/* ---- what the promise speaks of ---- */
byte owed;                      /* writes acknowledged, or seen in an answer */
byte aborted;                   /* writes that are no part of the present history and never will be */

/* ---- shared memory, lost with the process ---- */
byte slots[TAGS];
bit poison[TAGS];
bit unknown;                    /* some commit neither succeeded nor failed for certain: its poison stays */
byte counter;                   /* the change counter */
byte epoch = 1;                 /* new at each open */
byte life;                      /* which process this is */
typedef entry {
        bit used;
        byte epoch;
        byte as_of;
        byte value;
        byte proven;            /* counter + 1 at which it was last found valid; 0: never */
};
entry l1, l2;
bit stale, rolled_back;

inline put_in_l1(an_epoch, an_as_of, a_value)
{
        l1.used = 1;
        l1.epoch = an_epoch;
        l1.as_of = an_as_of;
        l1.value = a_value;
        l1.proven = 0
}

inline put_in_l2(an_epoch, an_as_of, a_value)
{
        l2.used = 1;
        l2.epoch = an_epoch;
        l2.as_of = an_as_of;
        l2.value = a_value
}

inline answer(a_value)
{
        atomic {
                stale = LACKS(a_value, must) != 0;
                rolled_back = (a_value & forbidden) != 0;
                assert(!stale);
                assert(!rolled_back);
                owed = owed | a_value;
                stale = 0;
                rolled_back = 0
        }
}

/* ---- the writer thread: poison, counter, commit, slots, counter, lift, acknowledge ---- */

inline set_poison(to)
{
#ifndef MUTANT_LMDB_NO_POISON
        if
        :: (batch & OF_TAG_0) -> poison[0] = to
        :: else
        fi;
        if
        :: (batch & OF_TAG_1) -> poison[1] = to
        :: else
        fi
#else
        skip
#endif
}

inline raise_slots()
{
        if
        :: (batch & OF_TAG_0) -> slots[0] = id
        :: else
        fi;
        if
        :: (batch & OF_TAG_1) -> slots[1] = id
        :: else
        fi
}

inline commit()
{
        atomic {
                id++;
                vis = vis | batch
        }
}

inline acknowledge()
{
        owed = owed | (batch & vis)
}

/* A poison that an unknown outcome left looks like this commit's own: only a new position takes it off. */
inline lift_after_abort()
{
#if defined(UNKNOWN_OUTCOMES) && !defined(MUTANT_LMDB_LIFT_AFTER_UNKNOWN)
        if
        :: !unknown -> set_poison(0)
        :: unknown
        fi
#else
        set_poison(0)
#endif
}

inline write_batch()
{
#ifndef MUTANT_LMDB_POISON_AFTER_COMMIT
        set_poison(1);
#ifndef MUTANT_LMDB_COUNTER_NOT_AFTER_POISON
        counter++;
#endif
#endif
#ifdef MUTANT_LMDB_ACKNOWLEDGE_BEFORE_COMMIT
        owed = owed | batch;
#endif
        if
        :: commit();
#ifdef MUTANT_LMDB_POISON_AFTER_COMMIT
           set_poison(1);
           counter++;
#endif
#ifdef MUTANT_LMDB_LIFT_BEFORE_SLOTS
           set_poison(0);
#endif
           raise_slots();
#ifndef MUTANT_LMDB_COUNTER_NOT_AFTER_SLOTS
           counter++;
#endif
           set_poison(0);
           acknowledge()
        :: atomic { aborted = aborted | batch }
           lift_after_abort()
#ifdef UNKNOWN_OUTCOMES
        :: unknown = 1;                                 /* an I/O error: committed or not, who knows */
           if
           :: commit()
           :: atomic { aborted = aborted | batch }
           fi
#endif
        fi
}

/* Group commit: one transaction takes the next write, or the next two. */
proctype writer()
{
        byte next, batch, mine;
end:    do
        :: {
                do
                :: atomic { next < WRITES ->
                        batch = BIT(next);
                        next++;
                        if
                        :: next < WRITES ->
                                batch = batch | BIT(next);
                                next++
                        :: skip
                        fi
                   }
                   write_batch();
                   batch = 0
                od
           }
#if RESTORES
           unless { atomic { mine != life -> mine = life; batch = 0 } }
#endif
        od
}

/* ---- a connection ---- */

inline test_tag(t)
{
#ifndef MUTANT_LMDB_POISON_NOT_TESTED
        ok = ok && !poison[t];
#endif
        ok = ok && slots[t] <= as_of
}

/* The other order: a test that only the second look at the counter makes safe. */
inline test_tag_slots_first(t)
{
        ok = ok && slots[t] <= as_of;
#ifndef MUTANT_LMDB_POISON_NOT_TESTED
        ok = ok && !poison[t]
#endif
}

inline test_entry()
{
        ok = (its_epoch == epoch);
        if
        :: test_tag(0); test_tag(1)
        :: test_tag_slots_first(0); test_tag_slots_first(1)
        fi;
#ifndef MUTANT_LMDB_COUNTER_READ_ONCE
        ok = ok && counter == seen_counter;
#endif
#ifdef MUTANT_LMDB_PROVEN_AT_LATER_COUNTER
        seen_counter = counter
#endif
}

inline forget_copy()
{
        its_epoch = 0;
        as_of = 0;
        value = 0;
        proven = 0;
        ok = 0;
        seen_counter = 0
}

/* From memory: a moved counter ends as a miss here, where the server would repeat the test. */
inline read_l1()
{
        atomic {
                l1.used ->
                its_epoch = l1.epoch;
                as_of = l1.as_of;
                value = l1.value;
                proven = l1.proven
        }
        seen_counter = counter;
        if
        :: proven == seen_counter + 1 -> answer(value)
        :: else ->
                test_entry();
                if
                :: ok ->
                        atomic {
                                if
                                :: l1.used && l1.as_of == as_of && l1.value == value -> l1.proven = seen_counter + 1
                                :: else
                                fi
                        }
                        answer(value)
                :: else
                fi
        fi
}

/* One connection reads from memory, again and again. */
proctype connection()
{
        byte must, forbidden, mine;
        byte its_epoch, as_of, value, proven, seen_counter;
        bit ok;
end:    do
        :: {
                do
                :: atomic { l1.used ->
                        must = owed;
                        forbidden = aborted
                   }
                   if
                   :: read_l1()
                   :: atomic { !l1.used -> skip }
                   fi;
                   atomic {
                        forget_copy();
                        must = 0;
                        forbidden = 0
                   }
                od
           }
#if RESTORES
           unless { atomic { mine != life -> mine = life; forget_copy(); must = 0; forbidden = 0 } }
#endif
        od
}

/* The others read from the database: a transaction opened after the invocation may answer whatever happens to the
 * tags meanwhile. Such an answer takes no state with it but this: from now on everybody owes what it showed. */
proctype others()
{
end:    do
        :: atomic { LACKS(owed, vis) -> owed = owed | vis }
        od
}

/* Somebody's fill: a read transaction now, its entry stored at any later time. */
proctype fill()
{
        byte its_epoch, as_of, value, mine;
end:    do
        :: {
                do
                :: atomic {
                        as_of = id;
                        value = vis;
                        its_epoch = epoch
                   }
                   atomic {
#ifdef MUTANT_LMDB_AS_OF_STORING
                        as_of = id;
#endif
                        if
                        :: put_in_l1(its_epoch, as_of, value)
#if RESTORES
                        :: put_in_l2(its_epoch, as_of, value)
#endif
                        fi;
                        its_epoch = 0;
                        as_of = 0;
                        value = 0
                   }
                od
           }
#if RESTORES
           unless { atomic { mine != life -> mine = life; its_epoch = 0; as_of = 0; value = 0 } }
#endif
        od
}

#if RESTORES
/* The process stops, the copy from before the first write is put in the place of the environment, and it starts
 * again. What L2 kept of earlier lives may come back at any time. */
proctype restores()
{
        byte left = RESTORES;
end:    do
        :: atomic { l2.used -> put_in_l1(l2.epoch, l2.as_of, l2.value) }
        :: atomic { left > 0 ->
                left--;
                aborted = aborted | vis;
                owed = 0;
                id = 0;
                vis = 0;
                slots[0] = 0;
                slots[1] = 0;
                poison[0] = 0;
                poison[1] = 0;
                unknown = 0;
                counter = 0;
                put_in_l1(0, 0, 0);
                l1.used = 0;
                life++;
#ifndef MUTANT_LMDB_EPOCH_KEPT
                epoch++;
#endif
                skip
           }
        od
}
#endif

init {
        atomic {
                run writer();
                run connection();
                run fill();
                run others();
#if RESTORES
                run restores();
#endif
                skip
        }
}
