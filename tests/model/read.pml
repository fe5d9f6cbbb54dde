/* read.pml: the one followed read and the property. */

inline end_read()
{
        r.waiting = 0;
        r.now = 0;
        r.must = 0;
        r.forbidden = 0;
        r.token = 0
}

/* The property. What the database loses while the read waits is not owed; a token's write is owed always. */
inline answer()
{
        d_step {
                phantom = (e.value & STRANGER) != 0;
                rolled_back = !phantom && (e.value & r.forbidden) != 0;
                stale = !phantom && LACKS(e.value, r.must & vis) != 0;
                token_broken = r.token != 0 && !(e.value & BIT(r.token - 1))
        }
        assert(!phantom);
        assert(!rolled_back);
        assert(!stale);
        assert(!token_broken);
        phantom = 0;
        rolled_back = 0;
        stale = 0;
        token_broken = 0;
        end_read()
}

/* The followed read. It may wait for ever between any two steps; its `now` stays that of its invocation. */
proctype reads()
{
#ifdef TOKENS
        byte m;
#endif
end:    do
        :: atomic { !r.waiting ->
                r.waiting = 1;
                r.now = NOW_OF_TEST;
                r.must = (aged[BOUND - 1] | n[0].knows) & vis;
                r.forbidden = lost_aged[BOUND - 1]
           }
#ifdef TOKENS
        :: atomic { !r.waiting ->
                select (m : 0 .. WRITES - 1);
                if
                :: token_epoch[m] != 0 ->
                        r.waiting = 1;
                        r.now = NOW_OF_TEST;
                        r.token = m + 1
                :: else
                fi;
                m = 0
           }
#endif
        :: atomic { r.waiting && e.at == IN_L1 && MAY_ANSWER(0) -> answer() }
        od
}
