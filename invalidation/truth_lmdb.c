#include "invalidation/truth_lmdb.h"

#include "monitoring/counters.h"

static void opened(void *context, uint64_t epoch, struct position newest)
{
        freshness_begin_epoch(context, epoch, newest);
}

static void before(void *context, const uint64_t *tag_hashes, size_t count)
{
        freshness_poison(context, tag_hashes, count);
}

static void after(void *context, const uint64_t *tag_hashes, size_t count, struct position position)
{
        freshness_touch(context, tag_hashes, count, position);
        counter_add(COUNTER_tags_touched, count);
}

static void aborted(void *context, const uint64_t *tag_hashes, size_t count)
{
        freshness_lift(context, tag_hashes, count);
}

struct source_hooks truth_lmdb_hooks(struct freshness *f, uint64_t epoch)
{
        return (struct source_hooks){
                .opened = opened,
                .before = before,
                .after = after,
                .aborted = aborted,
                .context = f,
                .epoch = epoch,
                .tag_seed = freshness_tag_seed(f),
        };
}
