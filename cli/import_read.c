#include "cli/import_read.h"

#include "import/import_csv.h"
#include "import/import_json.h"

/* The sink's own errors must not be taken for the file's. */
struct reading {
        const struct import_sink *sink;
        bool sink_failed;
};

static enum err pass(struct reading *reading, enum err rc)
{
        reading->sink_failed = rc != OK;
        return rc;
}

static enum err pass_item(void *context, const struct import_item *item)
{
        struct reading *reading = context;

        return pass(reading, reading->sink->item(reading->sink->context, item));
}

static enum err pass_bad(void *context, const struct import_bad *bad)
{
        struct reading *reading = context;

        return pass(reading, reading->sink->bad(reading->sink->context, bad));
}

static enum err pass_ignored(void *context, const char *kind)
{
        struct reading *reading = context;

        return pass(reading, reading->sink->ignored(reading->sink->context, kind));
}

/* A reader of a format. */
struct reader {
        enum err (*feed)(void *reader, struct slice bytes, struct err_msg *msg);
        enum err (*finish)(void *reader, struct err_msg *msg);
        void *reader;
};

static enum err feed_csv(void *reader, struct slice bytes, struct err_msg *msg)
{
        return import_csv_feed(reader, bytes, msg);
}

static enum err finish_csv(void *reader, struct err_msg *msg)
{
        return import_csv_finish(reader, msg);
}

static enum err feed_all(
        struct import_input *input, const struct reader *reader, const struct import_how *how, struct err_msg *msg)
{
        struct slice piece;
        enum err rc;

        do {
                rc = import_input_read(input, &piece, msg);
                if (rc != OK)
                        return rc;
                rc = piece.len > 0 ? reader->feed(reader->reader, piece, msg) : reader->finish(reader->reader, msg);
                how->piece(how->context, import_input_done(input));
        } while (rc == OK && piece.len > 0);
        return rc;
}

static enum err read_csv(
        struct import_file *file, const struct import_sink *sink, const struct import_how *how, struct err_msg *msg)
{
        const struct import_csv_file from = {.path = file->path,
                .first = import_input_first(file->input),
                .prefix = how->prefix,
                .today = how->today};
        struct import_csv *import;
        struct reader reader = {.feed = feed_csv, .finish = finish_csv};
        enum err rc = import_csv_create(&import, &from, sink, msg);

        if (rc != OK)
                return rc;
        reader.reader = import;
        rc = feed_all(file->input, &reader, how, msg);
        import_csv_destroy(&import);
        return rc;
}

static enum err feed_json(void *reader, struct slice bytes, struct err_msg *msg)
{
        enum err rc = import_json_feed(reader, bytes);

        return rc == ERR_NOMEM ? err_set(msg, rc, "out of memory") : rc;
}

static enum err finish_json(void *reader, struct err_msg *msg)
{
        enum err rc = import_json_finish(reader);

        return rc == ERR_NOMEM ? err_set(msg, rc, "out of memory") : rc;
}

static enum err read_json(
        struct import_file *file, const struct import_sink *sink, const struct import_how *how, struct err_msg *msg)
{
        const struct import_json_config config = {
                .sink = *sink, .names = how->names, .prefix = how->prefix, .today = how->today};
        struct import_json *import;
        struct reader reader = {.feed = feed_json, .finish = finish_json};
        enum err rc = import_json_create(&import, &config);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        reader.reader = import;
        rc = feed_all(file->input, &reader, how, msg);
        import_json_destroy(&import);
        return rc;
}

enum err import_read(
        struct import_file *file, const struct import_sink *sink, const struct import_how *how, struct err_msg *msg)
{
        struct reading reading = {.sink = sink};
        const struct import_sink through = {
                .item = pass_item, .bad = pass_bad, .ignored = pass_ignored, .context = &reading};
        enum err rc = OK;

        if (file->input == NULL && file->once)
                return err_set(msg, ERR_IO, "%s cannot be read twice", file->path);
        if (file->input == NULL)
                rc = import_input_open(&file->input, file->path, -1, msg);
        if (rc != OK)
                return rc;
        if (file->look.format == IMPORT_FORMAT_CSV)
                rc = read_csv(file, &through, how, msg);
        else
                rc = read_json(file, &through, how, msg);
        import_input_close(&file->input);
        if (reading.sink_failed || rc == OK || rc == ERR_IO || rc == ERR_NOMEM)
                return rc;
        return err_wrap(msg, rc, "%s", file->path);
}
