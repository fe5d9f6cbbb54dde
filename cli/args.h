/* The command line: words and flags, declared in flags.def and commands.def, from which --help comes as well. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/err.h"

#include <stdint.h>
#include <stdio.h>

enum cli_exit {
#define EXIT(name, code, meaning) EXIT_##name = (code),
#include "cli/exits.def"
#undef EXIT
};

enum cli_flag {
#define FLAG(name, text, argument, commands, help) FLAG_##name,
#include "cli/flags.def"
#undef FLAG
        FLAG_COUNT
};

struct cli;

struct cli_command {
        const char *name;
        const char *arguments;
        int least;
        int most;
        const char *summary;
        const char *details;
        enum cli_exit (*run)(struct cli *cli);
};

struct cli_args {
        const struct cli_command *command; /* NULL: none was given */
        const char *flags[FLAG_COUNT];     /* the flag's argument; "" when it takes none; NULL: not given */
        const char **words;                /* after the command; borrowed from argv, the array is owned */
        int word_count;
};

/* Reads argv (words stay borrowed). Flags may stand anywhere before "--". ERR_SYNTAX says what is wrong and names the
 * nearest known word; ERR_NOMEM. Deinit in any case. */
enum err args_init(struct cli_args *args, int argc, char *const *argv, struct err_msg *msg) MUST_CHECK;
void args_deinit(struct cli_args *args);

/* Writes the help: of all, or of one command. */
void args_help(FILE *out, const struct cli_command *command);

/* A flag whose argument is a whole number. */
struct cli_number {
        enum cli_flag flag;
        uint64_t otherwise; /* when it was not given */
        uint64_t least;
        uint64_t most;
};

/* The number; ERR_SYNTAX when the flag's argument is not one of least..most. */
enum err args_number(
        const struct cli_args *args, const struct cli_number *number, uint64_t *out, struct err_msg *msg) MUST_CHECK;

#endif
