#include "net/call.h"

#include "base/hot.h"
#include "monitoring/counters.h"
#include "net/conn.h"

COLD_PATH enum err call_need_slot(struct call *call)
{
        if (call->slot == NULL)
                call->slot = reply_queue_take(call->queue);
        return call->slot == NULL ? ERR_NOMEM : OK;
}

void call_defer(struct call *call, struct deferred *later)
{
        struct buf *written = call->out.out;
        struct slice mine;

        VC_ASSERT(call->slot != NULL && !call->deferred);
        *later = (struct deferred){.conn = call->conn, .slot = call->slot, .out = call->out};
        later->out.out = &call->slot->reply;
        if (written != &call->slot->reply && buf_len(written) > call->mark) {
                mine = slice_of(buf_slice(written).data + call->mark, buf_len(written) - call->mark);
                resp_raw(&later->out, mine);
                buf_truncate(written, call->mark);
        }
        call->deferred = true;
}

COLD_PATH void call_write_error(struct resp_writer *out, enum err code, const char *message)
{
        counter_add(COUNTER_command_errors, 1);
        resp_error(out, code, message == NULL || message[0] == '\0' ? err_text(code) : message);
}

void call_finish(struct deferred *later, enum err code, const char *message)
{
        if (code == OK && later->out.failed != OK) {
                code = later->out.failed;
                message = code == ERR_LIMIT ? "the reply is longer than limits.client_output" : NULL;
        }
        if (code != OK) {
                resp_rewind(&later->out, 0);
                call_write_error(&later->out, code, message);
        }
        if (later->out.failed != OK)
                resp_rewind(&later->out, 0); /* an empty reply ends the connection (reply_queue_drain) */
        conn_reply_done(later->conn, later->slot);
}
