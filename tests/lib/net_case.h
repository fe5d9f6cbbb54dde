/* A net_rig of the shipped record types with one client, made new for each test. */
#ifndef TESTS_LIB_NET_CASE_H
#define TESTS_LIB_NET_CASE_H

#include "tests/lib/net_rig.h"

#include <stdlib.h>
#include <unistd.h>

struct net_case {
        struct net_rig rig;
        int client;
};

/* Set-up and tear-down of cmocka_unit_test_setup_teardown: *state is a struct net_case. */
static inline int net_case_setup(void **state)
{
        struct net_case *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        net_rig_init(&s->rig, VC_SOURCE_DIR "/conf/types/school-health.yaml");
        s->client = net_rig_connect(&s->rig);
        *state = s;
        return 0;
}

static inline int net_case_teardown(void **state)
{
        struct net_case *s = *state;

        close(s->client);
        net_rig_deinit(&s->rig);
        free(s);
        return 0;
}

#endif
