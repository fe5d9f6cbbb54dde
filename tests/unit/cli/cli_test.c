#include "cli/cli.h"
#include "tests/lib/scripted_server.h"
#include "tests/lib/test.h"

#include <stdlib.h>

/* One run of the command against canned replies. */
struct run {
        char folder[64];
        char *out;
        char *err;
        char *asked; /* what the server saw */
        enum cli_exit result;
};

enum { WORDS_MAX = 16 };

static int split(char *line, char **words)
{
        int count = 0;
        char *word;

        while ((word = strsep(&line, " ")) != NULL && count < WORDS_MAX - 1)
                words[count++] = word;
        words[count] = NULL;
        return count;
}

/* `line` is the command line without the socket; words are separated by single spaces. */
static void run_on(struct run *run, const char *line, const char *const *replies, const char *input)
{
        struct scripted_server *server;
        char command[1024];
        char *words[WORDS_MAX];
        size_t out_len;
        size_t err_len;
        FILE *out = open_memstream(&run->out, &out_len);
        FILE *err = open_memstream(&run->err, &err_len);
        FILE *in = fmemopen((void *)(uintptr_t)input, strlen(input), "r");

        temp_dir_make(run->folder, sizeof(run->folder));
        server = scripted_server_start(run->folder, replies);
        (void)snprintf(command, sizeof(command), "vitalcache --socket %s %s", scripted_server_path(server), line);
        run->result = cli_run(split(command, words), words, in, out, err);
        run->asked = scripted_server_stop(&server);
        (void)fclose(in);
        (void)fclose(out);
        (void)fclose(err);
        temp_dir_remove(run->folder);
}

static void run_end(struct run *run)
{
        free(run->out);
        free(run->err);
        free(run->asked);
}

struct expectation {
        const char *line;
        const char *reply;
        enum cli_exit result;
        const char *asked;
        const char *out;
        const char *err;
};

static void assert_run(const struct expectation *e)
{
        const char *const replies[] = {e->reply, NULL};
        struct run run;

        run_on(&run, e->line, replies, "[{\"from\":\"stdin\"}]");
        assert_string_equal(run.asked, e->asked);
        assert_string_equal(run.out, e->out);
        assert_string_equal(run.err, e->err);
        assert_int_equal(run.result, e->result);
        run_end(&run);
}

#define TOKEN "v1-00000000000000aa-7"
#define META  "*6\r\n$5\r\ntoken\r\n$21\r\n" TOKEN "\r\n$3\r\nage\r\n:12\r\n$4\r\ntier\r\n$2\r\nl1\r\n"

static void reads_say_what_there_is(void **state)
{
        static const struct expectation cases[] = {
                {"get allergies:42", "$12\r\n[{\"id\":\"a\"}]\r\n", EXIT_OK, "GET allergies:42\n", "[{\"id\":\"a\"}]\n",
                        ""},
                {"get allergies:42", "$2\r\n[]\r\n", EXIT_OK, "GET allergies:42\n", "[]\n", ""},
                {"get allergies:43", "$-1\r\n", EXIT_NOT_FOUND, "GET allergies:43\n", "null\n", ""},
                {"get a:1 --after " TOKEN " --allow-stale drill", "*2\r\n$2\r\n[]\r\n" META, EXIT_OK,
                        "GET a:1 AFTER " TOKEN " ALLOWSTALE drill WITHMETA\n",
                        "{\"value\":[],\"meta\":{\"token\":\"" TOKEN "\",\"age\":12,\"tier\":\"l1\"}}\n", ""},
                {"get --human allergies:42", "*2\r\n$2\r\n[]\r\n" META, EXIT_OK, "GET allergies:42 WITHMETA\n",
                        "nothing recorded\n\nfrom l1, read 12 ms ago, token " TOKEN "\n", ""},
                {"get --human allergies:43", "*2\r\n$-1\r\n" META, EXIT_NOT_FOUND, "GET allergies:43 WITHMETA\n",
                        "no such student\n", ""},
                {"get allergies:42", "-UNAVAILABLE out of memory\r\n", EXIT_REFUSED, "GET allergies:42\n", "",
                        "vitalcache: UNAVAILABLE out of memory\n"},
                {"mget a:1 a:2", "*2\r\n$2\r\n[]\r\n$-1\r\n", EXIT_NOT_FOUND, "MGET a:1 a:2\n", "[[],null]\n", ""},
                {"mget a:1 a:2 --partial", "*2\r\n-BUSY later\r\n$-1\r\n", EXIT_REFUSED, "MGET a:1 a:2 PARTIAL\n",
                        "[{\"error\":\"BUSY later\"},null]\n", ""},
                {"mget --human a:1 a:2 --partial", "*2\r\n-BUSY later\r\n$2\r\n[]\r\n", EXIT_REFUSED,
                        "MGET a:1 a:2 WITHMETA PARTIAL\n", "a:1\n\na:2\nnothing recorded\n",
                        "vitalcache: BUSY later\n"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_run(&cases[i]);
}

static void writes_give_their_token(void **state)
{
        static const struct expectation cases[] = {
                {"put allergies:42 [] --if NEW", "$21\r\n" TOKEN "\r\n", EXIT_OK, "PUT allergies:42 [] IF NEW\n",
                        "{\"token\":\"" TOKEN "\"}\n", ""},
                {"put allergies:42 --if FORCE --human", "$21\r\n" TOKEN "\r\n", EXIT_OK,
                        "PUT allergies:42 [{\"from\":\"stdin\"}] IF FORCE\n", "done; token " TOKEN "\n", ""},
                {"put allergies:42 - --if=" TOKEN, "-CONFLICT " TOKEN " has changed\r\n", EXIT_CONFLICT,
                        "PUT allergies:42 [{\"from\":\"stdin\"}] IF " TOKEN "\n", "",
                        "vitalcache: CONFLICT " TOKEN " has changed\n"},
                {"erase allergies:42 --if FORCE", "$21\r\n" TOKEN "\r\n", EXIT_OK, "ERASE allergies:42 IF FORCE\n",
                        "{\"token\":\"" TOKEN "\"}\n", ""},
                {"erase student 42", "$-1\r\n", EXIT_NOT_FOUND, "ERASE student 42\n", "null\n", ""},
                {"invalidate tag student:42/allergies x", "$21\r\n" TOKEN "\r\n", EXIT_OK,
                        "INVALIDATE tag student:42/allergies x\n", "{\"token\":\"" TOKEN "\"}\n", ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_run(&cases[i]);
}

/* Whatever reads its output: what a script's log has is what is looked at afterwards. */
static void an_erasure_says_what_it_does_not_reach(void **state)
{
        static const char *const places[] = {"vitalcache compact", "backups", "restore --replace", "exports",
                "imported", "rejects", "--missing", "other students", "clients", "swap", "core dumps",
                "docs/OPERATIONS.md"};
        const char *const replies[] = {"$21\r\n" TOKEN "\r\n", NULL};
        struct run run;

        (void)state;
        run_on(&run, "erase student 42", replies, "");
        assert_int_equal(run.result, EXIT_OK);
        assert_string_equal(run.out, "{\"token\":\"" TOKEN "\"}\n");
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                if (strstr(run.err, places[i]) == NULL)
                        fail_msg("it does not name %s", places[i]);
        run_end(&run);
}

static void maps_numbers_and_flags_come_back_from_flat_replies(void **state)
{
        static const struct expectation cases[] = {
                {"stats", "*2\r\n$2\r\nl1\r\n*4\r\n$4\r\nhits\r\n:3\r\n$8\r\nhit_rate\r\n$4\r\n0.75\r\n", EXIT_OK,
                        "STATS\n", "{\"l1\":{\"hits\":3,\"hit_rate\":0.75}}\n", ""},
                {"stats --human", "*2\r\n$2\r\nl1\r\n*4\r\n$4\r\nhits\r\n:3\r\n$8\r\nhit_rate\r\n$4\r\n0.75\r\n",
                        EXIT_OK, "STATS\n", "l1\n  hits                    3\n  hit_rate                0.75\n", ""},
                {"explain a:1", "*4\r\n$6\r\ncached\r\n:1\r\n$4\r\ntags\r\n*2\r\n$11\r\nstudent:1/a\r\n$1\r\n*\r\n",
                        EXIT_OK, "EXPLAIN a:1\n", "{\"cached\":true,\"tags\":[\"student:1/a\",\"*\"]}\n", ""},
                {"health", "*2\r\n$6\r\nstatus\r\n$2\r\nok\r\n", EXIT_OK, "HEALTH\n", "{\"status\":\"ok\"}\n", ""},
                {"health --deep", "*2\r\n$6\r\nstatus\r\n$7\r\nfailing\r\n", EXIT_REFUSED, "HEALTH DEEP\n",
                        "{\"status\":\"failing\"}\n", ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_run(&cases[i]);
}

static void a_server_that_breaks_off_or_talks_nonsense_is_an_error(void **state)
{
        struct run run;

        (void)state;
        run_on(&run, "get allergies:42", (const char *const[]){"$100\r\nhalf", NULL}, "x");
        assert_int_equal(run.result, EXIT_CONNECT);
        assert_non_null(strstr(run.err, "the connection to"));
        run_end(&run);
        run_on(&run, "get allergies:42 --human", (const char *const[]){"$3\r\n{]}\r\n", NULL}, "x");
        assert_int_equal(run.result, EXIT_REFUSED);
        assert_string_equal(run.out, "");
        assert_non_null(strstr(run.err, "cannot be shown"));
        run_end(&run);
        run_on(&run, "stats", (const char *const[]){"$2\r\n\xff\xfe\r\n", NULL}, "x");
        assert_int_equal(run.result, EXIT_REFUSED);
        run_end(&run);
}

/* Runs that never reach a server. */
static void assert_usage(const char *line, const char *problem)
{
        struct run run;

        run_on(&run, line, (const char *const[]){NULL}, "x");
        assert_int_equal(run.result, EXIT_USAGE);
        assert_string_equal(run.err, problem);
        assert_string_equal(run.out, "");
        assert_string_equal(run.asked, "");
        run_end(&run);
}

static void a_wrong_command_line_is_told_what_would_be_right(void **state)
{
        (void)state;
        assert_usage("gett a:1", "vitalcache: there is no command gett; `vitalcache --help` lists them (did you mean "
                                 "\"get\"?)\n");
        assert_usage("get a:1 --humna", "vitalcache: there is no flag --humna; `vitalcache --help` lists them (did you "
                                        "mean \"--human\"?)\n");
        assert_usage("get", "vitalcache: that is not its form: vitalcache get KEY\n");
        assert_usage("get a:1 a:2", "vitalcache: that is not its form: vitalcache get KEY\n");
        assert_usage("get a:1 --if NEW", "vitalcache: get takes no --if; it is for: put erase\n");
        assert_usage("get a:1 --after", "vitalcache: --after wants TOKEN\n");
        assert_usage("get a:1 --json --json", "vitalcache: --json is given twice\n");
        assert_usage("get a:1 --json=yes", "vitalcache: --json takes no argument\n");
        assert_usage("get a:1 --port 0", "vitalcache: --port wants a whole number from 1 to 65535, not 0\n");
        assert_usage("put a:1 []",
                "vitalcache: a write says what it builds on: --if TOKEN (of the read before it), --if "
                "NEW (nothing is recorded yet) or --if FORCE\n");
        assert_usage("erase a:1 b", "vitalcache: erase takes one KEY, or `student ID`\n");
        assert_usage("erase student 42 --if FORCE",
                "vitalcache: erase student takes no --if: all records of the student go\n");
        assert_usage("import /nowhere/at-all", "vitalcache: cannot open /nowhere/at-all: No such file or directory\n");
}

static void help_lists_every_command_and_exit_code(void **state)
{
        struct run run;

        (void)state;
        run_on(&run, "--help", (const char *const[]){NULL}, "x");
        assert_int_equal(run.result, EXIT_OK);
#define COMMAND(name, arguments, least, most, summary, details) assert_non_null(strstr(run.out, summary));
#include "cli/commands.def"
#undef COMMAND
#define EXIT(name, code, meaning) assert_non_null(strstr(run.out, meaning));
#include "cli/exits.def"
#undef EXIT
        run_end(&run);
        run_on(&run, "put --help", (const char *const[]){NULL}, "x");
        assert_int_equal(run.result, EXIT_OK);
        assert_non_null(strstr(run.out, "--if STAMP"));
        assert_null(strstr(run.out, "--students"));
        run_end(&run);
        run_on(&run, "--version", (const char *const[]){NULL}, "x");
        assert_string_equal(run.out, "vitalcache " VC_VERSION "\n");
        run_end(&run);
}

static void no_server_is_an_exit_code_of_its_own(void **state)
{
        char *words[] = {"vitalcache", "--socket", "/nowhere/vitalcache.sock", "get", "a:1", NULL};
        char *err;
        size_t err_len;
        FILE *stream = open_memstream(&err, &err_len);

        (void)state;
        assert_int_equal(cli_run(5, words, stdin, stdout, stream), EXIT_CONNECT);
        (void)fclose(stream);
        assert_string_equal(err, "vitalcache: cannot reach a server at /nowhere/vitalcache.sock: No such file or "
                                 "directory; is vitalcached running there?\n");
        free(err);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_say_what_there_is),
                cmocka_unit_test(writes_give_their_token),
                cmocka_unit_test(an_erasure_says_what_it_does_not_reach),
                cmocka_unit_test(maps_numbers_and_flags_come_back_from_flat_replies),
                cmocka_unit_test(a_server_that_breaks_off_or_talks_nonsense_is_an_error),
                cmocka_unit_test(a_wrong_command_line_is_told_what_would_be_right),
                cmocka_unit_test(help_lists_every_command_and_exit_code),
                cmocka_unit_test(no_server_is_an_exit_code_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
