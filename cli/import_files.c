#include "cli/import_files.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- reading ---- */

/* The first piece of a file: what was compressed has no lines to read. */
static enum err check_first(struct slice piece, struct err_msg *msg)
{
        if (piece.len >= 2 && piece.data[0] == 0x1f && piece.data[1] == 0x8b)
                return err_set(msg, ERR_BADVALUE, "it is compressed (gzip); unpack it first");
        return OK;
}

/* Feeds the file piece by piece; for the header alone, no further than the piece that completes it. */
static enum err feed_file(const char *path, struct import_csv *import, bool only_header, struct err_msg *msg)
{
        uint8_t piece[1 << 16];
        FILE *file = fopen(path, "rb");
        enum import_kind kind;
        enum err rc = OK;
        bool first = true;
        size_t len = 1;

        if (file == NULL)
                return err_errno(msg, ERR_IO, errno, "cannot open %s", path);
        while (rc == OK && len > 0 && !(only_header && import_csv_kind(import, &kind))) {
                len = fread(piece, 1, sizeof(piece), file);
                if (ferror(file))
                        rc = err_errno(msg, ERR_IO, errno, "cannot read %s", path);
                else if (first)
                        rc = check_first(slice_of(piece, len), msg);
                first = false;
                if (rc != OK)
                        break;
                if (len > 0)
                        rc = import_csv_feed(import, slice_of(piece, len), msg);
                else
                        rc = import_csv_finish(import, msg);
        }
        (void)fclose(file);
        return rc;
}

enum err import_files_read(const struct import_file *file, const struct import_sink *sink, struct err_msg *msg)
{
        struct import_csv *import;
        enum err rc = import_csv_create(&import, file->path, sink);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        rc = feed_file(file->path, import, false, msg);
        import_csv_destroy(&import);
        return rc;
}

/* ---- finding ---- */

static enum err ignore_item(void *context, const struct import_item *item)
{
        (void)context;
        (void)item;
        return OK;
}

static enum err ignore_bad(void *context, const struct import_bad *bad)
{
        (void)context;
        (void)bad;
        return OK;
}

static enum err find_kind(const char *path, enum import_kind *kind, struct err_msg *msg)
{
        const struct import_sink sink = {.item = ignore_item, .bad = ignore_bad, .context = NULL};
        struct import_csv *import;
        enum err rc = import_csv_create(&import, path, &sink);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        rc = feed_file(path, import, true, msg);
        if (rc == OK && !import_csv_kind(import, kind))
                rc = ERR_INTERNAL;
        import_csv_destroy(&import);
        return rc;
}

static enum err add_file(struct import_files *files, const char *path, bool found, struct err_msg *msg)
{
        struct import_file *grown = vc_realloc(files->files, (files->count + 1) * sizeof(*grown));
        struct import_file *file;
        enum err rc;

        if (grown == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        files->files = grown;
        file = &grown[files->count];
        *file = (struct import_file){.path = vc_strdup(path), .kind = IMPORT_students};
        if (file->path == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        files->count++;
        rc = find_kind(path, &file->kind, &file->why);
        if (rc == ERR_NOTFOUND && found) {
                file->skipped = true;
                return OK;
        }
        if (rc == ERR_NOTFOUND || rc == ERR_BADVALUE)
                return err_set(msg, rc, "%s: %s", path, file->why.text);
        return rc == OK ? OK : err_set(msg, rc, "%s", file->why.text);
}

static bool is_csv(const char *name)
{
        size_t len = strlen(name);

        return len > 4 && strcasecmp(name + len - 4, ".csv") == 0;
}

/* Pipes and devices are refused: a file is read twice, and opening a pipe may wait for ever. */
static enum err look_at(const char *path, bool *is_folder, struct err_msg *msg)
{
        struct stat info;

        if (stat(path, &info) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot open %s", path);
        *is_folder = S_ISDIR(info.st_mode);
        if (!*is_folder && !S_ISREG(info.st_mode))
                return err_set(msg, ERR_IO, "%s is neither a file nor a folder", path);
        return OK;
}

static enum err add_entry(struct import_files *files, const char *folder, const char *name, struct err_msg *msg)
{
        char path[4096];
        bool is_folder;
        enum err rc;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
                return err_set(msg, ERR_IO, "a path in %s is too long", folder);
        rc = look_at(path, &is_folder, msg);
        return rc == OK && !is_folder ? add_file(files, path, true, msg) : rc;
}

static enum err add_folder(struct import_files *files, const char *folder, struct err_msg *msg)
{
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        size_t before = files->count;
        enum err rc = OK;

        if (dir == NULL)
                return err_errno(msg, ERR_IO, errno, "cannot read the folder %s", folder);
        while (rc == OK && (entry = readdir(dir)) != NULL)
                if (is_csv(entry->d_name))
                        rc = add_entry(files, folder, entry->d_name, msg);
        (void)closedir(dir);
        if (rc == OK && files->count == before)
                rc = err_set(msg, ERR_IO, "the folder %s has no .csv files", folder);
        return rc;
}

static int compare_files(const void *a, const void *b)
{
        const struct import_file *left = a;
        const struct import_file *right = b;

        if (left->kind != right->kind)
                return left->kind < right->kind ? -1 : 1;
        return strcmp(left->path, right->path);
}

enum err import_files_init(struct import_files *out, const char *const *paths, size_t count, struct err_msg *msg)
{
        enum err rc = OK;

        *out = (struct import_files){.files = NULL, .count = 0};
        for (size_t i = 0; rc == OK && i < count; i++) {
                bool is_folder;

                rc = look_at(paths[i], &is_folder, msg);
                if (rc == OK)
                        rc = is_folder ? add_folder(out, paths[i], msg) : add_file(out, paths[i], false, msg);
        }
        if (rc == OK && out->count > 1)
                qsort(out->files, out->count, sizeof(*out->files), compare_files);
        return rc;
}

void import_files_deinit(struct import_files *files)
{
        for (size_t i = 0; i < files->count; i++)
                vc_free(files->files[i].path);
        vc_free(files->files);
        *files = (struct import_files){.files = NULL, .count = 0};
}
