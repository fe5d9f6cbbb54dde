#include "bench/requests.h"

#include "tests/lib/test.h"

static void expect(const struct requests_config *config, const uint32_t *keys, const char *text)
{
        struct requests *requests;
        uint8_t out[512];

        assert_ok(requests_create(&requests, config));
        assert_true(requests_size(requests) <= sizeof(out));
        requests_write(requests, keys, out);
        assert_slice_is(slice_of(out, requests_size(requests)), text);
        requests_destroy(&requests);
}

static void each_protocol_has_its_form(void **state)
{
        const uint32_t keys[] = {7, 4294967295u};

        (void)state;
        expect(&(struct requests_config){.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 1}, keys,
                "*2\r\n$3\r\nGET\r\n$22\r\nallergies:000000000007\r\n");
        expect(&(struct requests_config){.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 2}, keys,
                "*3\r\n$4\r\nMGET\r\n$22\r\nallergies:000000000007\r\n$22\r\nallergies:004294967295\r\n");
        expect(&(struct requests_config){.protocol = PROTOCOL_RESP, .kind = REQUEST_SET, .keys = 1, .value = 16}, keys,
                "*3\r\n$3\r\nSET\r\n$22\r\nallergies:000000000007\r\n$16\r\n\"000000000007xx\"\r\n");
        expect(&(struct requests_config){.protocol = PROTOCOL_MEMCACHED, .kind = REQUEST_GET, .keys = 2}, keys,
                "get allergies:000000000007 allergies:004294967295\r\n");
        expect(&(struct requests_config){.protocol = PROTOCOL_MEMCACHED, .kind = REQUEST_SET, .keys = 1, .value = 14},
                keys, "set allergies:000000000007 0 0 14\r\n\"000000000007\"\r\n");
}

static void values_may_expire(void **state)
{
        const uint32_t key = 7;

        (void)state;
        expect(&(struct requests_config){PROTOCOL_RESP, REQUEST_SET, 1, 14, true}, &key,
                "*5\r\n$3\r\nSET\r\n$22\r\nallergies:000000000007\r\n$14\r\n\"000000000007\"\r\n$2\r\nEX\r\n"
                "$5\r\n86400\r\n");
        expect(&(struct requests_config){PROTOCOL_MEMCACHED, REQUEST_SET, 1, 14, true}, &key,
                "set allergies:000000000007 0 86400 14\r\n\"000000000007\"\r\n");
}

/* The text is made once; what one request wrote into it must not show in the next. */
static void requests_do_not_mix(void **state)
{
        const struct requests_config config = {.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 1};
        const uint32_t keys[] = {999999, 1};
        struct requests *requests;
        uint8_t out[64];

        (void)state;
        assert_ok(requests_create(&requests, &config));
        requests_write(requests, &keys[0], out);
        requests_write(requests, &keys[1], out);
        assert_slice_is(slice_of(out, requests_size(requests)), "*2\r\n$3\r\nGET\r\n$22\r\nallergies:000000000001\r\n");
        requests_destroy(&requests);
}

static enum err create_once(void *context)
{
        struct requests *requests;
        enum err rc = requests_create(&requests, context);

        requests_destroy(&requests);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        struct requests_config config = {.protocol = PROTOCOL_RESP, .kind = REQUEST_GET, .keys = 100};

        (void)state;
        each_allocation_fails(create_once, &config);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_protocol_has_its_form),
                cmocka_unit_test(values_may_expire),
                cmocka_unit_test(requests_do_not_mix),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
