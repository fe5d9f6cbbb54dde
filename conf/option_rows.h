/* The rows of conf/options.def as base/option.h takes them, and AT_<field>, each one's place among them: for the two
 * that read a configuration, the server and the commands beside it. */
#ifndef CONF_OPTION_ROWS_H
#define CONF_OPTION_ROWS_H

#include "base/option.h"

static const struct option_row OPTION_ROWS[] = {
#define START false
#define LIVE  true
#define OPTION(field, name, type, fallback, min, max, unit, reload, env, flag, sentence)                               \
        {name, OPTION_##type, fallback, min, max, unit, reload, env, flag, sentence},
#define PRESET(...)
#define AT_MOST(...)
#include "conf/options.def"
#undef START
#undef LIVE
#undef OPTION
#undef PRESET
#undef AT_MOST
};

enum {
#define OPTION(field, ...) AT_##field,
#define PRESET(...)
#define AT_MOST(...)
#include "conf/options.def"
#undef OPTION
#undef PRESET
#undef AT_MOST
        OPTION_COUNT
};

#endif
