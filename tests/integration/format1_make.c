/* format1_make FOLDER SCHEMA: a database of the store's first format from lines {"table": …, "row": {…}} of standard
 * input, as `vitalcache export` writes them. */
#include "tests/lib/format1.h"

#include "database/value_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void put_line(struct format1 *format1, struct slice line)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct buf value;
        struct buf row;
        struct slice table;
        struct slice item;
        char name[64];

        buf_init(&value, 0);
        buf_init(&row, 0);
        if (value_from_json(line, &limits, &value, NULL) != OK ||
                !value_member_text(buf_slice(&value), "table", &table) ||
                !value_member(buf_slice(&value), "row", &item) || value_to_json(item, &row) != OK)
                abort();
        (void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(table));
        format1_put(format1, name, buf_slice(&row));
        buf_deinit(&value);
        buf_deinit(&row);
}

int main(int argc, char **argv)
{
        struct format1 *format1;
        char *line = NULL;
        size_t size = 0;
        ssize_t len;

        if (argc != 3)
                return 2;
        (void)mkdir(argv[1], 0700);
        format1 = format1_create(argv[1], (uint32_t)strtoul(argv[2], NULL, 10));
        while ((len = getline(&line, &size, stdin)) > 0)
                put_line(format1, slice_of(line, (size_t)len - (line[len - 1] == '\n')));
        free(line);
        (void)printf("%llu\n", (unsigned long long)format1_finish(&format1));
        return 0;
}
