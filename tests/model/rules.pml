/* rules.pml: the rules of the protocol, one macro each; beside each rule what a mutant puts in its place.
 * docs/FRESHNESS.md says why they hold, mutants.txt where each mutant is caught. */

/* A poll asks for what became visible since the previous successful poll's snapshot: xid >= xmax OR xid = ANY(xip). */
#ifdef MUTANT_POLL_ABOVE_XMAX
#define NEW_SINCE(rows, prev)   LACKS(UPTO(prev), rows)         /* the outbox poller: xid > the newest seen */
#else
#define NEW_SINCE(rows, prev)   LACKS(prev, rows)
#endif

/* The touch commits with the data. */
#ifdef MUTANT_TOUCH_IN_ITS_OWN_TRANSACTION
#define TRIGGER_FIRES           false
#elif defined(TRIGGERS)
#define TRIGGER_FIRES           trigger_on
#else
#define TRIGGER_FIRES           true
#endif

/* The trigger's catalog rows are compared with a signature *recorded in the database*: the poll that finds another
 * one records it and touches the table-wide tag in the same transaction, for nodes that start later, too. */
#if defined(MUTANT_NO_SIGNATURE) || defined(MUTANT_SIGNATURE_PER_NODE)
#define SIGNATURE_IS_NEW        false
#else
#define SIGNATURE_IS_NEW        (signature != recorded)
#endif
#ifdef MUTANT_SIGNATURE_PER_NODE
#define SIGNATURE_IS_NEW_TO(m)  (n[m].pos > 1 && n[m].p.signature != n[m].signature)
#else
#define SIGNATURE_IS_NEW_TO(m)  false
#endif
#ifdef MUTANT_CERTIFIES_WITHOUT_TRIGGER
#define TRIGGER_OFF(m)          false
#else
#define TRIGGER_OFF(m)          n[m].p.trigger_off
#endif

/* A certificate taken from another node is as old as that node's, and older by the whole time since asking. */
#ifdef MUTANT_PEER_AGE_IGNORED
#define AGE_FROM_PEER(m)        n[m].p.sent
#elif defined(MUTANT_PEER_CLOCK_FROM_REPLY)
#define AGE_FROM_PEER(m)        n[m].p.peer_age
#else
#define AGE_FROM_PEER(m)        (n[m].p.sent + n[m].p.peer_age < OLD -> n[m].p.sent + n[m].p.peer_age : OLD)
#endif
/* Positions belong to one life of the other node. */
#ifdef MUTANT_PEER_LIFE_IGNORED
#define SAME_PEER(m)            true
#else
#define SAME_PEER(m)            (n[m].peer_life == n[1].life)
#endif

/* A read's snapshot contains a poll's: nothing finished there is unfinished here. */
#ifdef MUTANT_CONTAINS_BY_XMAX
#define CONTAINS(s, p)          (!LACKS(UPTO(s), UPTO(p)))
#else
#define CONTAINS(s, p)          (!LACKS(s, p))
#endif

/* Of a replica's snapshot only xmin counts: its list of open transactions is empty. */
#ifdef MUTANT_REPLICA_XMAX
#define REPLICA_SNAPSHOT        UPTO(replica.fin)
#else
#define REPLICA_SNAPSHOT        TRAILING(replica.fin)
#endif

/* A poll of a known history asks for what is new since the last one; of a new history for all touches since the
 * floor, and these count as touched at this poll. */
#define SINCE(m)                (n[m].epoch == incarnation -> n[m].ring[n[m].pos] : gone)
#ifdef MUTANT_RING_OF_OLD_EPOCH
#define POSITION_OF_TOUCH(m)    (n[m].first == n[m].pos -> 1 : n[m].pos)        /* "position 1", taken literally */
#else
#define POSITION_OF_TOUCH(m)    n[m].pos
#endif

/* as_of is a property of the snapshot: the newest poll of the ring, of this epoch, that it contains. */
#ifdef MUTANT_AS_OF_STORING
#define RING_CONTAINS(m, s, q)  true                            /* stamped with the position at the time of storing */
#else
#define RING_CONTAINS(m, s, q)  CONTAINS(s, n[m].ring[q])
#endif
#ifdef MUTANT_RING_OF_OLD_EPOCH
#define OLDEST_IN_RING(m)       1
#define SAME_HISTORY(m)         true
#else
#define OLDEST_IN_RING(m)       n[m].first
#define SAME_HISTORY(m)         SAME_EPOCH(m)                   /* as_of of another epoch's entry means nothing */
#endif
#ifdef MUTANT_NO_FLOOR
#define ABOVE_FLOOR(s, floor)   true
#else
#define ABOVE_FLOOR(s, floor)   CONTAINS(s, floor)
#endif

/* The certificate is the time before sending. */
#ifdef MUTANT_CERTIFICATE_WHEN_RECEIVED
#define CERTIFICATE(m)          0
#else
#define CERTIFICATE(m)          n[m].p.sent
#endif

/* `now` of a test is taken after the command was read, not when the loop woke up. */
#ifdef MUTANT_NOW_BEFORE_COMMAND
#define NOW_OF_TEST             1
#else
#define NOW_OF_TEST             0
#endif

#ifdef MUTANT_NOT_CERTIFIED
#define CERTIFIED(m)            true
#else
#define CERTIFIED(m)            (n[m].certificate < BOUND + r.now)      /* now - certificate < B */
#endif

/* A hint counts as a touch by the next poll still to be sent: one in flight may have run before the write. */
#ifdef MUTANT_HINT_BY_POLL_IN_FLIGHT
#define NEXT_POLL_TO_BE_SENT(m) (n[m].pos + 1)
#else
#define NEXT_POLL_TO_BE_SENT(m) (n[m].pos + 1 + n[m].p.out)
#endif

/* An own write of unknown outcome poisons its tag until a poll *sent after the poison was set* has the xid finished
 * in its snapshot, whatever its epoch: an older one may have run in an older history, in which that xid was somebody
 * else's. */
#ifdef MUTANT_POISON_TILL_NEXT_POLL
#define PAST_POISON(m)          (!n[m].p.before_poison)
#elif defined(MUTANT_POISON_TILL_ANY_POLL)
#define PAST_POISON(m)          (n[m].p.snapshot & BIT(n[m].poison - 1))
#else
#define PAST_POISON(m)          (!n[m].p.before_poison && (n[m].p.snapshot & BIT(n[m].poison - 1)))
#endif

/* valid(e): epoch, definition, every tag, poison. */
#ifdef MUTANT_EPOCH_NOT_TESTED
#define SAME_EPOCH(m)           true
#else
#define SAME_EPOCH(m)           (e.epoch == n[m].epoch)
#endif
#ifdef MUTANT_DEF_NOT_TESTED
#define SAME_DEF                true
#else
#define SAME_DEF                (!e.other_def)
#endif
#ifdef MUTANT_SLOTS_NOT_TESTED
#define UNTOUCHED(m)            true
#elif defined(MUTANT_FIRST_TAG_ONLY) || TAGS == 1
#define UNTOUCHED(m)            (n[m].slots[0] <= e.as_of)
#else
#define UNTOUCHED(m)            (n[m].slots[0] <= e.as_of && n[m].slots[1] <= e.as_of)
#endif
#define VALID(m)                (SAME_EPOCH(m) && SAME_DEF && UNTOUCHED(m) && n[m].poison == 0)

/* GET ... AFTER token: the xid is visible in e's snapshot, or a completed poll contains it and e is valid. */
#define TOKEN_XID               BIT(xid_of[r.token - 1])
#ifdef MUTANT_TOKEN_BELOW_XMAX
#define XID_VISIBLE(s)          (UPTO(s) & TOKEN_XID)
#else
#define XID_VISIBLE(s)          ((s) & TOKEN_XID)
#endif
#ifdef MUTANT_TOKEN_OF_ANY_EPOCH
#define TOKEN_EPOCH_IS(x)       true
#else
#define TOKEN_EPOCH_IS(x)       ((x) == token_epoch[r.token - 1])
#endif
#define TOKEN_MET(m)            (r.token == 0 || (TOKEN_EPOCH_IS(e.epoch) && \
                                 (XID_VISIBLE(e.snapshot) || XID_VISIBLE(n[m].ring[n[m].pos]))))

#define MAY_ANSWER(m)           (VALID(m) && CERTIFIED(m) && TOKEN_MET(m))

/* "Not modified" looks for touches that the entry's snapshot does not see. */
#ifdef MUTANT_CHECK_WITHOUT_TOUCHES
#define NO_NEWER_TOUCH          true
#elif TAGS == 1
#define NO_NEWER_TOUCH          (!LACKS(e.snapshot, touched[0]))
#else
#define NO_NEWER_TOUCH          (!LACKS(e.snapshot, touched[0]) && !LACKS(e.snapshot, touched[1]))
#endif

/* A fill may answer untested when it was sent to the primary after the read's invocation. */
#ifdef MUTANT_JOIN_WITHOUT_TEST
#define SENT_AFTER              true
#else
#define SENT_AFTER              e.after
#endif
#ifdef MUTANT_REPLICA_UNTESTED
#define FROM_PRIMARY            true
#else
#define FROM_PRIMARY            e.primary
#endif
#define FRESH_FILL              (SENT_AFTER && FROM_PRIMARY && (r.token == 0 || TOKEN_EPOCH_IS(e.epoch)))
