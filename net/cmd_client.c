/* The connection's own commands: HELLO, AUTH, CLIENT, PING, RESET, QUIT, SUBSCRIBE and their like. */
#include "base/mem.h"
#include "net/command.h"
#include "net/conn.h"
#include "net/handlers.h"
#include "net/lane.h"
#include "net/pubsub.h"
#include "net/services.h"
#include "net/session.h"

enum { PROTO_VITALCACHE = 1 };

static enum err ok(struct call *call, enum err rc)
{
        if (rc == OK)
                resp_simple(&call->out, "OK");
        return rc;
}

/* ---- HELLO and AUTH ---- */

static enum err parse_format(struct call *call, struct slice word, struct session *session)
{
        if (slice_is_word(word, "json"))
                session->format = FORMAT_JSON;
        else if (slice_is_word(word, "msgpack"))
                session->format = FORMAT_MSGPACK;
        else
                return err_set(&call->message, ERR_BADARG, "a format is json or msgpack");
        return OK;
}

/* One option of HELLO at argv[*at]; moves *at past it. */
static enum err hello_option(struct call *call, size_t *at, struct session *session)
{
        const struct slice *words = call->argv + *at;
        size_t left = call->argc - *at;

        if (slice_is_word(words[0], "AUTH") && left >= 3) {
                *at += 3;
                return session_authenticate(session, words[1], words[2], &call->message);
        }
        if (slice_is_word(words[0], "SETNAME") && left >= 2) {
                *at += 2;
                return session_set_word(session->name, words[1], &call->message);
        }
        if (slice_is_word(words[0], "FORMAT") && left >= 2) {
                *at += 2;
                return parse_format(call, words[1], session);
        }
        return err_set(&call->message, ERR_SYNTAX, "HELLO %s", call->row->arguments);
}

static void write_hello(struct call *call)
{
        struct resp_writer *out = &call->out;

        resp_map(out, 8);
        resp_member_str(out, "server", "vitalcache");
        resp_member_str(out, "version", call->services->facts.version);
        resp_member_int(out, "proto", call->session->proto);
        resp_member_int(out, "proto_vitalcache", PROTO_VITALCACHE);
        resp_member_int(out, "id", (int64_t)call->session->id);
        resp_member_str(out, "mode", "standalone");
        resp_member_str(out, "role", "master");
        resp_bulk_str(out, "modules");
        resp_array(out, 0);
}

enum err cmd_hello(struct call *call)
{
        struct session changed = *call->session; /* all of it takes effect, or nothing */
        size_t at = 2;
        enum err rc = OK;

        if (call->argc > 1) {
                struct slice proto = call->argv[1];

                if (proto.len != 1 || (proto.data[0] != '2' && proto.data[0] != '3'))
                        return err_set(&call->message, ERR_NOPROTO, "unsupported protocol version; 2 and 3 are spoken");
                changed.proto = (uint8_t)(proto.data[0] - '0');
        }
        while (rc == OK && at < call->argc)
                rc = hello_option(call, &at, &changed);
        if (rc != OK)
                return rc;
        *call->session = changed;
        call->out.proto = changed.proto;
        write_hello(call);
        return OK;
}

enum err cmd_auth(struct call *call)
{
        if (call->argc > 3)
                return err_set(&call->message, ERR_SYNTAX, "AUTH %s", call->row->arguments);
        if (call->argc == 2)
                return ok(call, session_authenticate(call->session, slice_str(call->session->identity), call->argv[1],
                                        &call->message));
        return ok(call, session_authenticate(call->session, call->argv[1], call->argv[2], &call->message));
}

/* ---- names ---- */

static void write_name(struct call *call, const char *name)
{
        if (name[0] == '\0')
                resp_nil(&call->out);
        else
                resp_bulk_str(&call->out, name);
}

enum err cmd_actor(struct call *call)
{
        if (call->argc > 2)
                return err_set(&call->message, ERR_SYNTAX, "ACTOR %s", call->row->arguments);
        if (call->argc == 2)
                return ok(call, session_set_word(call->session->actor, call->argv[1], &call->message));
        write_name(call, call->session->actor);
        return OK;
}

enum err cmd_client_setname(struct call *call)
{
        return ok(call, session_set_word(call->session->name, call->argv[2], &call->message));
}

enum err cmd_client_getname(struct call *call)
{
        write_name(call, call->session->name);
        return OK;
}

enum err cmd_client_setinfo(struct call *call)
{
        struct session *session = call->session;

        if (slice_is_word(call->argv[2], "LIB-NAME"))
                return ok(call, session_set_word(session->library, call->argv[3], &call->message));
        if (slice_is_word(call->argv[2], "LIB-VER"))
                return ok(call, session_set_word(session->library_version, call->argv[3], &call->message));
        return err_set(&call->message, ERR_SYNTAX, "CLIENT SETINFO %s", call->row->arguments);
}

enum err cmd_client_id(struct call *call)
{
        resp_int(&call->out, (int64_t)call->session->id);
        return OK;
}

enum err cmd_client_format(struct call *call)
{
        return ok(call, parse_format(call, call->argv[2], call->session));
}

enum err cmd_client_info(struct call *call)
{
        struct buf line;
        enum err rc;

        buf_init(&line, 0);
        rc = conn_describe(call->conn, call->now, &line);
        if (rc == OK)
                rc = buf_append_str(&line, "\n");
        if (rc == OK)
                resp_text(&call->out, buf_slice(&line));
        buf_deinit(&line);
        return rc;
}

/* ---- CLIENT LIST: a message goes from lane to lane, each adds its lines, and comes back ---- */

struct client_list {
        struct lane_mail mail;
        struct lane *home;
        struct deferred later;
        struct buf lines;
        struct nanos now;
        enum err failed;
        uint32_t lanes_left;
};

static void list_lane(struct client_list *list, const struct lane *lane)
{
        LIST_FOREACH (it, &lane->conns) {
                if (list->failed == OK)
                        list->failed = conn_describe(conn_of_link(it), list->now, &list->lines);
                if (list->failed == OK)
                        list->failed = buf_append_str(&list->lines, "\n");
        }
}

static void list_back_home(struct lane *lane, struct lane_mail *mail)
{
        struct client_list *list = LIST_ENTRY(mail, struct client_list, mail);

        (void)lane;
        resp_text(&list->later.out, buf_slice(&list->lines));
        call_finish(&list->later, list->failed, NULL);
        buf_deinit(&list->lines);
        vc_free(list);
}

static void list_visit(struct lane *lane, struct lane_mail *mail)
{
        struct client_list *list = LIST_ENTRY(mail, struct client_list, mail);
        struct lane *next = list->home;

        list_lane(list, lane);
        if (--list->lanes_left > 0)
                next = pubsub_next_lane(lane->services->pubsub, lane);
        else
                list->mail.handle = list_back_home;
        lane_post(next, &list->mail);
}

enum err cmd_client_list(struct call *call)
{
        struct client_list *list;
        enum err rc = call_need_slot(call);

        if (rc != OK)
                return rc;
        list = vc_calloc(1, sizeof(*list));
        if (list == NULL)
                return ERR_NOMEM;
        list->home = call->lane;
        list->now = call->now;
        list->lanes_left = call->services->facts.threads;
        list->mail.handle = list_visit;
        buf_init(&list->lines, 0);
        call_defer(call, &list->later);
        lane_post(call->lane, &list->mail);
        return OK;
}

/* ---- small talk ---- */

enum err cmd_ping(struct call *call)
{
        bool in_subscription = call->session->subscribed && call->session->proto < 3;

        if (call->argc > 2)
                return err_set(&call->message, ERR_SYNTAX, "PING %s", call->row->arguments);
        if (in_subscription) { /* in protocol 2 a subscriber gets messages only, this one included */
                resp_array(&call->out, 2);
                resp_bulk_str(&call->out, "pong");
                resp_bulk(&call->out, call->argc == 2 ? call->argv[1] : SLICE_EMPTY);
                return OK;
        }
        if (call->argc == 2)
                resp_bulk(&call->out, call->argv[1]);
        else
                resp_simple(&call->out, "PONG");
        return OK;
}

enum err cmd_echo(struct call *call)
{
        resp_bulk(&call->out, call->argv[1]);
        return OK;
}

enum err cmd_select(struct call *call)
{
        if (!slice_equal(call->argv[1], slice_str("0")))
                return err_set(&call->message, ERR_BADARG, "there is one database, number 0");
        return ok(call, OK);
}

enum err cmd_quit(struct call *call)
{
        call->close = true;
        return ok(call, OK);
}

/* ---- subscriptions ---- */

static void subscription_reply(struct call *call, const char *kind, struct slice channel)
{
        resp_push(&call->out, 3);
        resp_bulk_str(&call->out, kind);
        resp_bulk(&call->out, channel);
        resp_int(&call->out, call->session->subscribed ? 1 : 0);
}

enum err cmd_subscribe(struct call *call)
{
        const struct slice channel = slice_str(PUBSUB_CHANNEL);

        for (size_t i = 1; i < call->argc; i++)
                if (!slice_equal(call->argv[i], channel))
                        return err_set(&call->message, ERR_BADARG, "the one channel there is: %s", PUBSUB_CHANNEL);
        for (size_t i = 1; i < call->argc; i++) {
                conn_subscribe(call->conn, true);
                subscription_reply(call, "subscribe", channel);
        }
        return OK;
}

enum err cmd_unsubscribe(struct call *call)
{
        const struct slice channel = slice_str(PUBSUB_CHANNEL);

        conn_subscribe(call->conn, false);
        subscription_reply(call, "unsubscribe", call->argc > 1 ? call->argv[1] : channel);
        for (size_t i = 2; i < call->argc; i++)
                subscription_reply(call, "unsubscribe", call->argv[i]);
        return OK;
}

enum err cmd_reset(struct call *call)
{
        conn_subscribe(call->conn, false);
        session_reset(call->session);
        call->out.proto = call->session->proto;
        resp_simple(&call->out, "RESET");
        return OK;
}
