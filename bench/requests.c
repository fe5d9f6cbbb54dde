#include "bench/requests.h"

#include "base/buf.h"
#include "base/mem.h"

struct requests {
        struct requests_config config;
        struct buf text;
        uint32_t place_count;
        struct place_of_key {
                size_t offset; /* of the digits */
                uint32_t key;  /* which of the request's keys */
        } places[REQUESTS_KEYS_MAX + 1];
};

enum { KEY_SIZE = sizeof(REQUESTS_PREFIX) - 1 + REQUESTS_DIGITS, DAY = 86400 };

/* ---- the text ---- */

static enum err put_digits(struct requests *r, uint32_t key)
{
        r->places[r->place_count++] = (struct place_of_key){buf_len(&r->text), key};
        return buf_append_str(&r->text, "000000000000");
}

static enum err put_key(struct requests *r, uint32_t key)
{
        enum err rc = buf_append_str(&r->text, REQUESTS_PREFIX);

        return rc == OK ? put_digits(r, key) : rc;
}

static enum err put_value(struct requests *r)
{
        enum err rc = buf_append_str(&r->text, "\"");

        if (rc == OK)
                rc = put_digits(r, 0);
        for (uint32_t i = REQUESTS_VALUE_MIN; rc == OK && i < r->config.value; i++)
                rc = buf_append_str(&r->text, "x");
        return rc == OK ? buf_append_str(&r->text, "\"\r\n") : rc;
}

static enum err make_resp_get(struct requests *r)
{
        enum err rc = buf_printf(&r->text, "*%u\r\n", r->config.keys + 1);

        if (rc == OK)
                rc = buf_append_str(&r->text, r->config.keys > 1 ? "$4\r\nMGET\r\n" : "$3\r\nGET\r\n");
        for (uint32_t k = 0; rc == OK && k < r->config.keys; k++) {
                rc = buf_printf(&r->text, "$%d\r\n", KEY_SIZE);
                if (rc == OK)
                        rc = put_key(r, k);
                if (rc == OK)
                        rc = buf_append_str(&r->text, "\r\n");
        }
        return rc;
}

static enum err make_resp_set(struct requests *r)
{
        enum err rc = buf_printf(&r->text, "*%d\r\n$3\r\nSET\r\n$%d\r\n", r->config.expires ? 5 : 3, KEY_SIZE);

        if (rc == OK)
                rc = put_key(r, 0);
        if (rc == OK)
                rc = buf_printf(&r->text, "\r\n$%u\r\n", r->config.value);
        if (rc == OK)
                rc = put_value(r);
        return rc == OK && r->config.expires ? buf_printf(&r->text, "$2\r\nEX\r\n$5\r\n%d\r\n", DAY) : rc;
}

static enum err make_memcached_get(struct requests *r)
{
        enum err rc = buf_append_str(&r->text, "get");

        for (uint32_t k = 0; rc == OK && k < r->config.keys; k++) {
                rc = buf_append_str(&r->text, " ");
                if (rc == OK)
                        rc = put_key(r, k);
        }
        return rc == OK ? buf_append_str(&r->text, "\r\n") : rc;
}

static enum err make_memcached_set(struct requests *r)
{
        enum err rc = buf_append_str(&r->text, "set ");

        if (rc == OK)
                rc = put_key(r, 0);
        if (rc == OK)
                rc = buf_printf(&r->text, " 0 %d %u\r\n", r->config.expires ? DAY : 0, r->config.value);
        return rc == OK ? put_value(r) : rc;
}

static enum err (*const makers[2][2])(struct requests *r) = {
        [PROTOCOL_RESP] = {[REQUEST_GET] = make_resp_get, [REQUEST_SET] = make_resp_set},
        [PROTOCOL_MEMCACHED] = {[REQUEST_GET] = make_memcached_get, [REQUEST_SET] = make_memcached_set},
};

/* ---- calls ---- */

enum err requests_create(struct requests **out, const struct requests_config *config)
{
        struct requests *r = vc_calloc(1, sizeof(*r));
        enum err rc;

        *out = NULL;
        VC_ASSERT(config->keys >= 1 && config->keys <= REQUESTS_KEYS_MAX);
        VC_ASSERT(config->kind == REQUEST_GET || (config->keys == 1 && config->value >= REQUESTS_VALUE_MIN));
        if (r == NULL)
                return ERR_NOMEM;
        r->config = *config;
        buf_init(&r->text, 0);
        rc = makers[config->protocol][config->kind](r);
        if (rc != OK)
                requests_destroy(&r);
        *out = r;
        return rc;
}

void requests_destroy(struct requests **requests)
{
        if (*requests != NULL)
                buf_deinit(&(*requests)->text);
        vc_free(*requests);
        *requests = NULL;
}

size_t requests_size(const struct requests *r)
{
        return buf_len(&r->text);
}

enum protocol requests_protocol(const struct requests *r)
{
        return r->config.protocol;
}

void requests_write(const struct requests *r, const uint32_t *keys, uint8_t *out)
{
        memcpy(out, buf_slice(&r->text).data, buf_len(&r->text));
        for (uint32_t i = 0; i < r->place_count; i++) {
                uint8_t *digits = out + r->places[i].offset;
                uint32_t number = keys[r->places[i].key];

                for (size_t d = REQUESTS_DIGITS; number > 0; number /= 10)
                        digits[--d] = (uint8_t)('0' + number % 10);
        }
}
