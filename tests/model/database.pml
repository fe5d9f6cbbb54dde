/* database.pml: the primary, its disk, its replica, and what goes wrong with them. */

#define TAG(w)  ((w) % TAGS)

/* vc_token(): epoch and xid; no token while vc_alive is empty, as the next history may hand out the same pair. */
inline issue_token(w)
{
#ifdef MUTANT_TOKEN_WITHOUT_ALIVE
        token_epoch[w] = incarnation
#else
        token_epoch[w] = (alive -> incarnation : 0)
#endif
}

/* Open transactions of any length: the step between begin and commit can be as late as anything. */
proctype writer(byte w)
{
        atomic {
                next_w == w;                    /* writers are alike: let them begin in order of their numbers */
                next_w++;
#ifdef MUTANT_TOUCH_IN_ITS_OWN_TRANSACTION
                touched[TAG(w)] = touched[TAG(w)] | BIT(next_x);
                fin = fin | BIT(next_x);
                next_x++;
#endif
                xid_of[w] = next_x;
                next_x++;
                running = running | BIT(w)
        }
        if
        :: atomic { (running & BIT(w)) ->       /* commit: data and touch become visible together */
                running = running & ~BIT(w);
                fin = fin | BIT(xid_of[w]);
                vis = vis | BIT(w);
                if
                :: TRIGGER_FIRES -> touched[TAG(w)] = touched[TAG(w)] | BIT(xid_of[w])
                :: !TRIGGER_FIRES
                fi;
#ifdef TOKENS
                issue_token(w);
#endif
                skip
           }
#ifdef ABORTS
        :: atomic { (running & BIT(w)) ->
                running = running & ~BIT(w);
                fin = fin | BIT(xid_of[w])
           }
#endif
        :: atomic { !(running & BIT(w)) -> skip }       /* a crash ended it */
        fi
}

#define OLDER(age, oldest)      ((age) < (oldest) -> (age) + 1 : (oldest))

proctype clock()
{
end:    do
        :: atomic { true ->
                for (im : 0 .. NODES - 1) {
                        n[im].certificate = OLDER(n[im].certificate, OLD);
                        n[im].p.sent = (n[im].p.out -> OLDER(n[im].p.sent, OLD) : 0)
                }
                im = 0;
                r.now = (r.waiting -> OLDER(r.now, PATIENCE) : 0);
#if BOUND > 1
                aged[1] = aged[0];
                lost_aged[1] = lost_aged[0];
#endif
                aged[0] = vis;
                lost_aged[0] = lost
           }
        od
}

inline save_to_disk()
{
        disk.fin = fin;
        disk.vis = vis;
        disk.incarnation = incarnation;
        for (it : 0 .. TAGS - 1) { disk.touched[it] = touched[it] }
        it = 0
}

/* The database is now what `img` holds: later commits never were, their xids are given out again, open transactions
 * are dead. */
inline go_back_to(img)
{
        lost = lost | LACKS(img.vis, vis);
        vis = img.vis;
        running = 0;
        next_x = 0;
        do
        :: (img.fin >> next_x) -> next_x++
        :: else -> break
        od;
        fin = BIT(next_x) - 1;
        for (it : 0 .. TAGS - 1) { touched[it] = img.touched[it] }
        it = 0;
        incarnation = img.incarnation;
#ifndef MUTANT_NO_INCARNATION
        alive = 0;
#endif
        save_to_disk()
}

#ifdef CRASHES
/* synchronous_commit = off: commits are acknowledged before they are flushed */
proctype flusher()
{
end:    do
        :: atomic { disk.fin != fin || disk.incarnation != incarnation -> save_to_disk() }
        od
}

proctype crashes()
{
        byte left = CRASHES;
end:    do
        :: atomic { left > 0 -> left--; go_back_to(disk) }
        od
}
#endif

#ifdef FAILOVERS
/* The old primary is fenced, a standby takes over: the one that we read from, or another one that lags behind it or
 * leads it. In the latter cases `replica` stays as it is, on the abandoned branch of history, until it is rewound. */
proctype failovers()
{
        byte left = FAILOVERS;
end:    do
        :: atomic { left > 0 -> left--; go_back_to(replica) }
        :: atomic { left > 0 -> left--; go_back_to(nothing) }
        :: atomic { left > 0 -> left--; go_back_to(disk) }
        od
}
#endif

#ifdef TRIGGERS
/* A restore disables the trigger, loads, and enables it again. ALTER TABLE waits for the table's open transactions. */
proctype administrator()
{
end:    do
        :: atomic { running == 0 && signature == 0 ->
                trigger_on = 0;
                signature++
           }
        :: atomic { running == 0 && signature == 1 ->
                trigger_on = 1;
                signature++
           }
        od
}
#endif

#ifdef REPLICA
/* Replays what is safe on the primary's disk; being late is not taking this step. */
proctype replay()
{
end:    do
        :: atomic {
#ifdef CRASHES
                replica.fin != disk.fin || replica.vis != disk.vis || replica.incarnation != disk.incarnation ->
#else
                replica.fin != fin || replica.incarnation != incarnation -> save_to_disk();
#endif
                replica.fin = disk.fin;
                replica.vis = disk.vis;
                replica.incarnation = disk.incarnation;
                for (it : 0 .. TAGS - 1) { replica.touched[it] = disk.touched[it] }
                it = 0
           }
        od
}
#endif
