#include "net/listener.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_port_in_use_is_found_although_ports_are_shared(void **state)
{
        struct err_msg msg;
        uint16_t port = 0;
        uint16_t again;
        int first;
        int second;

        (void)state;
        assert_ok(listener_probe("127.0.0.1", &port, &msg));
        assert_true(port > 0);
        assert_ok(listener_open_tcp(&first, "127.0.0.1", port, &msg));
        assert_ok(listener_open_tcp(&second, "127.0.0.1", port, &msg)); /* our own share it */
        again = port;
        assert_err(ERR_IN_USE, listener_probe("127.0.0.1", &again, &msg));
        assert_non_null(strstr(msg.text, "in use"));
        close(first);
        close(second);
        assert_ok(listener_probe("127.0.0.1", &again, &msg));
}

static void an_address_that_is_not_ours_is_a_configuration_fault(void **state)
{
        struct err_msg msg;
        uint16_t port = 0;
        int fd;

        (void)state;
        assert_err(ERR_CONFIG, listener_probe("192.0.2.1", &port, &msg));
        assert_err(ERR_CONFIG, listener_probe("no such host.", &port, &msg));
        assert_err(ERR_CONFIG, listener_probe("", &port, &msg));
        assert_string_equal(msg.text, "server.bind is empty; :: stands for all addresses");
        assert_err(ERR_CONFIG, listener_open_tcp(&fd, "192.0.2.1", 1, &msg));
        assert_int_equal(fd, -1);
}

struct place {
        char folder[64];
        char path[96];
};

static int make_place(void **state)
{
        struct place *p = calloc(1, sizeof(*p));

        assert_non_null(p);
        temp_dir_make(p->folder, sizeof(p->folder));
        (void)snprintf(p->path, sizeof(p->path), "%s/s", p->folder);
        *state = p;
        return 0;
}

static int remove_place(void **state)
{
        struct place *p = *state;

        temp_dir_remove(p->folder);
        free(p);
        return 0;
}

static void a_socket_file_has_its_mode_and_its_owner_is_seen(void **state)
{
        struct place *p = *state;
        struct stat info;
        struct err_msg msg;
        int first;
        int second;

        assert_ok(listener_open_unix(&first, p->path, 0640, &msg));
        assert_int_equal(stat(p->path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0640);
        assert_err(ERR_IN_USE, listener_open_unix(&second, p->path, 0640, &msg));
        assert_int_equal(second, -1);
        close(first); /* as a crash does: the file stays */
        assert_ok(listener_open_unix(&second, p->path, 0600, &msg));
        close(second);
}

static void what_is_no_socket_is_left_alone(void **state)
{
        struct place *p = *state;
        struct err_msg msg;
        struct stat info;
        char long_path[200];
        FILE *f = fopen(p->path, "we");
        int fd;

        assert_non_null(f);
        (void)fclose(f);
        assert_err(ERR_IN_USE, listener_open_unix(&fd, p->path, 0600, &msg));
        assert_int_equal(stat(p->path, &info), 0);
        assert_true(S_ISREG(info.st_mode));
        (void)snprintf(long_path, sizeof(long_path), "%s/%0*d", p->folder, 120, 0);
        assert_err(ERR_CONFIG, listener_open_unix(&fd, long_path, 0600, &msg));
        (void)snprintf(long_path, sizeof(long_path), "%s/not/there", p->folder);
        assert_err(ERR_IO, listener_open_unix(&fd, long_path, 0600, &msg));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_port_in_use_is_found_although_ports_are_shared),
                cmocka_unit_test(an_address_that_is_not_ours_is_a_configuration_fault),
                cmocka_unit_test_setup_teardown(
                        a_socket_file_has_its_mode_and_its_owner_is_seen, make_place, remove_place),
                cmocka_unit_test_setup_teardown(what_is_no_socket_is_left_alone, make_place, remove_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
