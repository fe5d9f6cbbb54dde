#include "cli/import_read.h"

#include "database/import_csv.h"

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
        struct import_input *input, const struct reader *reader, const struct import_watch *watch, struct err_msg *msg)
{
        struct slice piece;
        enum err rc;

        do {
                rc = import_input_read(input, &piece, msg);
                if (rc != OK)
                        return rc;
                rc = piece.len > 0 ? reader->feed(reader->reader, piece, msg) : reader->finish(reader->reader, msg);
                watch->piece(watch->context, import_input_done(input));
        } while (rc == OK && piece.len > 0);
        return rc;
}

static enum err read_csv(
        struct import_file *file, const struct import_sink *sink, const struct import_watch *watch, struct err_msg *msg)
{
        struct import_csv *import;
        struct reader reader = {.feed = feed_csv, .finish = finish_csv};
        enum err rc = import_csv_create(&import, file->path, sink);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        reader.reader = import;
        rc = feed_all(file->input, &reader, watch, msg);
        import_csv_destroy(&import);
        return rc;
}

enum err import_read(
        struct import_file *file, const struct import_sink *sink, const struct import_watch *watch, struct err_msg *msg)
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
                rc = read_csv(file, &through, watch, msg);
        else
                rc = err_set(msg, ERR_BADVALUE, "FHIR JSON cannot be imported yet");
        import_input_close(&file->input);
        if (reading.sink_failed || rc == OK || rc == ERR_IO || rc == ERR_NOMEM)
                return rc;
        return err_wrap(msg, rc, "%s", file->path);
}
