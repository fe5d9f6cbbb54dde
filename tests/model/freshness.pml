/* freshness.pml: the freshness protocol with a polled provider (docs/FRESHNESS.md), checked against its promise:
 *
 *   A read invoked at t never returns a state older than any write that was visible before t - B, nor one that was
 *   never in this database, nor one that the database had taken back before t - B.
 *
 * "Visible" is stronger than "acknowledged": no write is acknowledged before it is visible. README.md says which
 * parts are compiled into which configuration, and why one followed entry and one followed read suffice. */

#include "state.pml"
#include "rules.pml"
#include "database.pml"
#include "read.pml"
#include "entry.pml"
#include "node.pml"

init {
        atomic {
                for (iw : 0 .. WRITES - 1) { run writer(iw) }
                iw = 0;
                run clock();
#ifdef PEERS
                n[0].life = 1;
                n[1].life = 1;
                run asker();
                run poller(1);
#else
                for (iw : 0 .. NODES - 1) { run poller(iw) }
                iw = 0;
#endif
                run fills();
#if defined(HISTORIES) || defined(TRIGGERS)
                run others();
#endif
                run reads();
#ifdef REPLICA
                run replay();
#endif
#ifdef CRASHES
                run flusher();
                run crashes();
#endif
#ifdef FAILOVERS
                run failovers();
#endif
#ifdef HINTS
                run hints();
#endif
#ifdef POISON
                run unknown_outcome();
#endif
#ifdef RESTARTS
                run restarts();
#endif
#ifdef TRIGGERS
                run administrator();
#endif
#ifdef CLEANUP
                run cleaner();
#endif
#ifdef STRANGERS
                if      /* L2 is shared with another database, and with nodes of another release */
                :: e.at = IN_L2; e.value = STRANGER; e.snapshot = ALL_XIDS; e.epoch = OTHER_DATABASE
                :: e.at = IN_L2; e.value = STRANGER; e.snapshot = 0; e.epoch = OTHER_DATABASE
                :: e.at = IN_L2; e.value = STRANGER; e.snapshot = ALL_XIDS; e.epoch = 1; e.other_def = 1
                :: skip
                fi
#endif
        }
}
