/* node.pml: what a node does by itself: polls, hints, unknown outcomes, restarts. Each step is atomic here; the order
 * of the stores inside one publication is publish.pml's subject. */

inline end_poll(m)
{
        n[m].p.out = 0;
        n[m].p.sent = 0;
        n[m].p.before_poison = 0;
        n[m].p.snapshot = 0;
        n[m].p.epoch = 0;
        n[m].p.floor = 0;
        n[m].p.tags = 0;
#ifdef TRIGGERS
        n[m].p.trigger_off = 0;
        n[m].p.signature = 0;
#endif
#ifdef PEERS
        n[m].p.peer_life = 0;
        n[m].p.peer_pos = 0;
        n[m].p.peer_age = 0;
#endif
        skip
}

/* Rows that this node has not seen may have been cleaned up: everything counts as touched. */
inline lost_rows(m)
{
#if defined(CLEANUP) && !defined(MUTANT_NO_GAP_CHECK)
        if
        :: n[m].epoch == incarnation && !CONTAINS(n[m].ring[n[m].pos], gone) -> n[m].p.tags = BIT(TAGS) - 1
        :: else
        fi
#endif
        skip
}

#ifdef HISTORIES
inline make_incarnation()
{
        last_incarnation++;
        incarnation = last_incarnation;
        alive = 1;
#ifndef CRASHES
        save_to_disk();
#endif
        skip
}
#endif

#ifdef TRIGGERS
inline record_signature()
{
        recorded = signature;
        fin = fin | BIT(next_x);
        touched[0] = touched[0] | BIT(next_x);
        next_x++
}
#endif

/* ONE statement, one snapshot. Without vc_alive it makes a new incarnation and gives nothing else. It is sent and
 * runs in one step: if it ran later, its certificate would be older and the rest the same, so the node would only
 * answer less. */
inline run_poll(m)
{
        if
#ifdef HISTORIES
        :: !alive ->
                make_incarnation();
                end_poll(m)
#endif
#ifdef TRIGGERS
        :: SIGNATURE_IS_NEW ->
                record_signature();
                end_poll(m)
#endif
        :: else ->
#ifdef TRIGGERS
                n[m].p.trigger_off = !trigger_on;
                n[m].p.signature = signature;
#endif
                n[m].p.out = 1;
                n[m].p.snapshot = fin;
                n[m].p.epoch = incarnation;
                n[m].p.floor = gone;
                n[m].p.tags = 0;
                for (it : 0 .. TAGS - 1) {
                        if
                        :: NEW_SINCE(touched[it], SINCE(m)) -> n[m].p.tags = n[m].p.tags | BIT(it)
                        :: else
                        fi
                }
                it = 0;
                lost_rows(m)
        fi
}

#ifdef MUTANT_POLL_A_REPLICA
inline run_poll_on_replica(m)
{
        n[m].p.out = 1;
        n[m].p.snapshot = REPLICA_SNAPSHOT;
        n[m].p.epoch = replica.incarnation;
        n[m].p.tags = (NEW_SINCE(replica.touched[0], n[m].ring[n[m].pos]) -> 1 : 0)
}
#endif

inline raise_slot(m, t, to)
{
#ifdef MUTANT_SLOT_STORE_NOT_MAX
        n[m].slots[t] = to
#else
        if
        :: n[m].slots[t] < to -> n[m].slots[t] = to
        :: else
        fi
#endif
}

inline lift_poison(m)
{
        if
        :: n[m].poison && PAST_POISON(m) -> n[m].poison = 0
        :: else
        fi
}

/* Ring elements that as_of can never be computed from again: makes states equal that behave alike. */
inline forget_positions_that_nothing_uses(m)
{
        if
        :: n[m].pos > RING -> n[m].ring[n[m].pos - RING] = 0
        :: else
        fi
}

inline certify(m)
{
#ifdef TRIGGERS
        if
        :: SIGNATURE_IS_NEW_TO(m) -> raise_slot(m, 0, n[m].pos)
        :: !SIGNATURE_IS_NEW_TO(m)
        fi;
        n[m].signature = n[m].p.signature;
        n[m].certificate = (TRIGGER_OFF(m) -> OLD : CERTIFICATE(m))
#elif defined(PEERS)
        n[m].certificate = (m == 0 -> AGE_FROM_PEER(m) : CERTIFICATE(m));
        n[m].peer_life = n[m].p.peer_life;
        n[m].peer_pos = n[m].p.peer_pos
#else
        n[m].certificate = CERTIFICATE(m)
#endif
}

inline publish(m)
{
        n[m].pos++;
        if
        :: n[m].p.epoch != n[m].epoch ->
                n[m].epoch = n[m].p.epoch;
                n[m].first = n[m].pos;
                n[m].floor = n[m].p.floor
        :: else
        fi;
        for (it : 0 .. TAGS - 1) {
                if
                :: (n[m].p.tags & BIT(it)) -> raise_slot(m, it, POSITION_OF_TOUCH(m))
                :: else
                fi
        }
        it = 0;
        n[m].ring[n[m].pos] = n[m].p.snapshot;
        lift_poison(m);
        certify(m);
        forget_positions_that_nothing_uses(m);
        end_poll(m)
}

proctype poller(byte m)
{
end:    do
        :: atomic { !n[m].p.out && n[m].pos < POLLS -> run_poll(m) }
#ifdef MUTANT_POLL_A_REPLICA
        :: atomic { !n[m].p.out && n[m].pos < POLLS -> run_poll_on_replica(m) }
#endif
        :: atomic { n[m].p.out -> publish(m) }
        :: atomic { n[m].p.out ->                       /* error, time-out, connection lost */
#ifdef MUTANT_FAILED_POLL_COUNTS
                if
                :: n[m].p.epoch == n[m].epoch -> n[m].ring[n[m].pos] = n[m].p.snapshot
                :: else
                fi;
#endif
                end_poll(m)
           }
        od
}

#if defined(HISTORIES) || defined(TRIGGERS)
/* All that other nodes' polls can do to us is to be first with these. */
proctype others()
{
end:    do
#ifdef HISTORIES
        :: atomic { !alive -> make_incarnation() }
#endif
#ifdef TRIGGERS
        :: atomic { SIGNATURE_IS_NEW -> record_signature() }
#endif
        od
}
#endif

#ifdef PEERS
/* Node 0 takes from node 1, in one reply: its life, epoch, position with that poll's snapshot, floor, the tags
 * touched since the position of the last reply (since the floor, if that was another life or epoch), and the age of
 * its certificate. */
inline ask_peer()
{
        n[0].p.out = 1;
        n[0].p.snapshot = n[1].ring[n[1].pos];
        n[0].p.epoch = n[1].epoch;
        n[0].p.floor = n[1].floor;
        n[0].p.peer_life = n[1].life;
        n[0].p.peer_pos = n[1].pos;
        n[0].p.peer_age = n[1].certificate;
        for (it : 0 .. TAGS - 1) {
                if
                :: n[1].slots[it] > (SAME_PEER(0) && n[0].epoch == n[1].epoch -> n[0].peer_pos : 0) ->
                        n[0].p.tags = n[0].p.tags | BIT(it)
                :: else
                fi
        }
        it = 0
}

proctype asker()
{
end:    do
        :: atomic { !n[0].p.out && n[0].pos < POLLS && n[1].pos > 0 -> ask_peer() }
        :: atomic { n[0].p.out -> publish(0) }
        :: atomic { n[0].p.out -> end_poll(0) }
        od
}
#endif

#ifdef HINTS
/* A hint may come at any time, at any node, any number of times or never, and may be forged: the tag counts as
 * touched by the next poll still to be sent. Reads invoked here from now on owe what was visible when it came. */
proctype hints()
{
        byte m, tag;
end:    do
        :: atomic { true ->
                select (m : 0 .. NODES - 1);
                select (tag : 0 .. TAGS - 1);
                if
                :: n[m].pos < POLLS ->
                        raise_slot(m, tag, NEXT_POLL_TO_BE_SENT(m));
                        for (iw : 0 .. WRITES - 1) {
                                if
                                :: TAG(iw) == tag && (vis & BIT(iw)) -> n[m].knows = n[m].knows | BIT(iw)
                                :: else
                                fi
                        }
                        iw = 0
                :: else
                fi;
                m = 0;
                tag = 0
           }
        od
}
#endif

#ifdef POISON
/* The connection of node 0's own write is lost in COMMIT: the server may still commit it, or not, at any later time. */
#define OWN     (WRITES - 1)
proctype unknown_outcome()
{
        atomic { ((running | vis) & BIT(OWN)) ->
                n[0].knows = n[0].knows | BIT(OWN);
                n[0].poison = xid_of[OWN] + 1;
                n[0].p.before_poison = n[0].p.out
        }
}
#endif

#ifdef RESTARTS
proctype restarts()
{
        byte m, left = RESTARTS;
end:    do
        :: atomic { left > 0 ->
                left--;
                select (m : 0 .. NODES - 1);
                end_poll(m);
                n[m].epoch = 0;
                n[m].pos = 0;
                n[m].first = 0;
                n[m].floor = 0;
                n[m].certificate = OLD;
                n[m].poison = 0;
                n[m].knows = 0;
#ifdef TRIGGERS
                n[m].signature = 0;
#endif
#ifdef PEERS
                n[m].life++;
                n[m].peer_life = 0;
                n[m].peer_pos = 0;
#endif
                for (it : 0 .. TAGS - 1) { n[m].slots[it] = 0 }
                for (iw : 0 .. POLLS) { n[m].ring[iw] = 0 }
                it = 0;
                iw = 0;
                if
                :: e.holder == m && (e.at == FILLED || e.at == IN_L1) -> drop_entry()
                :: else
                fi;
                if
                :: r.waiting && m == 0 -> end_read()
                :: else
                fi;
                m = 0
           }
        od
}
#endif

#ifdef CLEANUP
/* One elected node: deletes touches that are visible in an old snapshot, and raises vc_floor in the same
 * transaction. */
proctype cleaner()
{
        byte old;
end:    do
        :: atomic { old == 0 && fin != 0 -> old = fin }
        :: atomic { old != 0 && gone != old ->
#ifndef MUTANT_CLEANUP_WITHOUT_FLOOR
                gone = old;
#endif
                for (it : 0 .. TAGS - 1) { touched[it] = LACKS(old, touched[it]) }
                it = 0;
                old = 0
           }
        od
}
#endif
