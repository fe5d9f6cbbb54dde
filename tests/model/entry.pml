/* entry.pml: the life of the one followed entry, from its fill to L2 and L1.
 *
 * One is enough: slots, rings, certificates and epochs do not depend on entries, so whatever a read is answered with
 * has come along one such path, and the search tries every path. L2 is this: once stored, the entry may be handed to
 * any node at any later time, whatever has happened meanwhile, or be lost. */

inline drop_entry()
{
        e.at = NOWHERE;
        e.holder = 0;
        e.primary = 0;
        e.after = 0;
        e.other_def = 0;
        e.epoch = 0;
        e.snapshot = 0;
        e.value = 0;
        e.as_of = 0
}

/* The statement of a fill is sent and runs in one step: a delay between the two only makes the data newer than the
 * node assumes. What counts is the delay of the reply, which the state FILLED is. */
inline send_by(m)
{
        e.at = FILLED;
        e.holder = m;
        e.after = (r.waiting && m == 0)
}

inline fill_from_primary()
{
        e.primary = 1;
        e.snapshot = fin;
        e.value = vis;
        e.epoch = (alive -> incarnation : 0)            /* a read without both rows is never cached */
}

inline fill_from_replica()
{
        e.primary = 0;
        e.snapshot = REPLICA_SNAPSHOT;
        e.value = replica.vis;
#ifdef MUTANT_REPLICA_OF_ANY_EPOCH
        e.epoch = n[e.holder].epoch
#else
        e.epoch = replica.incarnation
#endif
}

/* In one statement: e's snapshot contains vc_floor, and no touch of e's tags is invisible in it: then it is as new
 * as now. */
inline check_not_modified()
{
        if
        :: alive && e.epoch == incarnation && ABOVE_FLOOR(e.snapshot, gone) && NO_NEWER_TOUCH ->
                e.snapshot = fin;
                e.primary = 1
        :: else -> drop_entry()
        fi
}

/* as_of is this node's own: 0 for what is older than the ring but not older than the floor; no L1 for anything
 * older. */
inline put_in_l1()
{
#ifdef MUTANT_EPOCH_OF_DELIVERY
        if
        :: e.at == FILLED -> e.epoch = n[0].epoch
        :: else
        fi;
#endif
        e.as_of = 0;
        for (ik : 1 .. POLLS) {
                if
                :: ik <= n[0].pos && ik + RING > n[0].pos && ik >= OLDEST_IN_RING(0) &&
                   RING_CONTAINS(0, e.snapshot, ik) ->
                        e.as_of = ik
                :: else
                fi
        }
        ik = 0;
        if
        :: n[0].pos == 0 || !SAME_HISTORY(0) || (e.as_of == 0 && !ABOVE_FLOOR(e.snapshot, n[0].floor)) -> drop_entry()
        :: else ->
                e.at = IN_L1;
                e.holder = 0;
                e.primary = 0;
                e.after = 0;
                forget_snapshot()
        fi
}

/* Makes states equal that behave alike. */
inline forget_snapshot()
{
#if !defined(TOKENS) && !defined(CHECKS)
        e.snapshot = 0
#else
        skip
#endif
}

/* A fill may start at any time: a read's miss, a refresh, warming. */
proctype fills()
{
        byte m;
end:    do
        :: atomic { e.at == NOWHERE ->
                select (m : 0 .. NODES - 1);
                send_by(m);
                m = 0;
                if
                :: fill_from_primary()
#ifdef REPLICA
                :: fill_from_replica()
#endif
                fi
           }
        :: atomic { e.at == FILLED && r.waiting && e.holder == 0 && FRESH_FILL ->
                answer();
                drop_entry()
           }
        :: atomic { e.at == FILLED && e.epoch != 0 && e.holder == 0 -> put_in_l1() }
        :: atomic { e.at == FILLED && e.epoch != 0 ->
                e.at = IN_L2;
                e.holder = 0;
                e.primary = 0;
                e.after = 0
           }
        :: atomic { e.at == IN_L2 -> put_in_l1() }
#ifdef CHECKS
        :: atomic { e.at == IN_L1 || e.at == IN_L2 ->   /* known, but unproved: ask only whether it was modified */
                send_by(0);
                check_not_modified()
           }
#endif
        :: atomic { e.at != NOWHERE -> drop_entry() }   /* error, eviction, expiry, FLUSHALL */
        od
}
