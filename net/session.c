#include "net/session.h"

static const char DEFAULT_USER[] = "default";

void session_init(struct session *session, uint64_t id)
{
        *session = (struct session){
                .id = id,
                .identity = DEFAULT_USER,
                .tenant = SLICE_EMPTY,
                .permitted = SESSION_ALL_TYPES,
                .proto = 2,
                .format = FORMAT_JSON,
        };
}

void session_reset(struct session *session)
{
        bool subscribed = session->subscribed;

        session_init(session, session->id);
        session->subscribed = subscribed;
}

enum err session_set_word(char *field, struct slice word, struct err_msg *msg)
{
        if (word.len >= SESSION_WORD_MAX)
                return err_set(msg, ERR_BADARG, "a name has at most %d characters", SESSION_WORD_MAX - 1);
        for (size_t i = 0; i < word.len; i++)
                if (word.data[i] <= ' ' || word.data[i] > '~')
                        return err_set(msg, ERR_BADARG, "a name cannot contain spaces, newlines or special characters");
        if (word.len > 0)
                memcpy(field, word.data, word.len);
        field[word.len] = '\0';
        return OK;
}

enum err session_authenticate(struct session *session, struct slice user, struct slice password, struct err_msg *msg)
{
        (void)password; /* the default user has none, so any will do, as with Redis' `nopass` */
        if (!slice_equal(user, slice_str(DEFAULT_USER)))
                return err_set(msg, ERR_NOAUTH, "the only user of this server is `%s`", DEFAULT_USER);
        session->identity = DEFAULT_USER;
        return OK;
}
