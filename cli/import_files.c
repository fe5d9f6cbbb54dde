#include "cli/import_files.h"

#include "base/mem.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A path on its way into the list. */
struct arrival {
        const char *path;
        const struct stat *info;
        int fd;      /* not negative: to read in place of the path */
        size_t rank; /* of the path that was given */
        bool found;  /* in a folder; else it was named */
};

/* ---- files ---- */

static bool is_listed(const struct import_files *files, const struct stat *info)
{
        for (size_t i = 0; i < files->count; i++)
                if (files->files[i].device == info->st_dev && files->files[i].inode == info->st_ino)
                        return true;
        return false;
}

static enum err append_file(struct import_files *files, const struct arrival *arrival, struct import_file **out)
{
        struct import_file *grown = vc_realloc(files->files, (files->count + 1) * sizeof(*grown));
        struct import_file *file;

        if (grown == NULL)
                return ERR_NOMEM;
        files->files = grown;
        file = &grown[files->count];
        *file = (struct import_file){.path = vc_strdup(arrival->path),
                .once = arrival->fd >= 0 || !S_ISREG(arrival->info->st_mode),
                .size = S_ISREG(arrival->info->st_mode) ? (uint64_t)arrival->info->st_size : 0,
                .device = arrival->info->st_dev,
                .inode = arrival->info->st_ino,
                .rank = arrival->rank};
        if (file->path == NULL)
                return ERR_NOMEM;
        files->count++;
        *out = file;
        return OK;
}

static void skip_file(struct import_file *file)
{
        file->skipped = true;
        import_input_close(&file->input);
}

/* Opens it and looks at what is in it; what can be opened again is closed. */
static enum err look_into(struct import_file *file, int fd, struct err_msg *msg)
{
        enum err rc = import_input_open(&file->input, file->path, fd, msg);

        if (rc != OK)
                return rc;
        rc = import_look(import_input_first(file->input), file->path, &file->look, &file->why);
        if (rc != OK || !file->once)
                import_input_close(&file->input);
        return rc == OK ? OK : err_set(msg, rc, "%s: %s", file->path, file->why.text);
}

static enum err add_file(struct import_files *files, const struct arrival *arrival, struct err_msg *msg)
{
        struct import_file *file;
        enum err rc;

        if (is_listed(files, arrival->info))
                return OK;
        rc = append_file(files, arrival, &file);
        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        if (arrival->found && file->once) {
                (void)err_set(&file->why, ERR_IO, "it is no file; name it, if it is a pipe to read");
                skip_file(file);
                return OK;
        }
        rc = look_into(file, arrival->fd, msg);
        if (rc != ERR_NOTFOUND && (rc != ERR_NOTYPE || !arrival->found))
                return rc;
        skip_file(file);
        return OK;
}

/* ---- folders ---- */

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A folder under way. */
struct folder {
        struct import_files *files;
        FTS *walk;
        size_t rank; /* of the path that was given */
        size_t seen; /* files */
};

static enum err visit(struct folder *folder, FTSENT *entry, struct err_msg *msg)
{
        const struct arrival arrival = {
                .path = entry->fts_path, .info = entry->fts_statp, .fd = -1, .rank = folder->rank, .found = true};

        if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.') {
                (void)fts_set(folder->walk, entry, FTS_SKIP);
                return OK;
        }
        switch (entry->fts_info) {
        case FTS_D:
        case FTS_DP:
        case FTS_DC: /* a link to a folder around it: what is there is being read */ return OK;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS: return err_errno(msg, ERR_IO, entry->fts_errno, "cannot read %s", entry->fts_path);
        case FTS_SLNONE: return err_set(msg, ERR_IO, "%s is a link to nothing", entry->fts_path);
        default: folder->seen++; return add_file(folder->files, &arrival, msg);
        }
}

static enum err add_folder(struct import_files *files, const char *path, size_t rank, struct err_msg *msg)
{
        char *roots[] = {(char *)(uintptr_t)path, NULL}; /* fts changes none */
        struct folder folder = {
                .files = files, .walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, compare_entries), .rank = rank};
        FTSENT *entry;
        enum err rc = OK;

        if (folder.walk == NULL)
                return err_errno(msg, ERR_IO, errno, "cannot read the folder %s", path);
        while (rc == OK && (errno = 0, entry = fts_read(folder.walk)) != NULL)
                rc = visit(&folder, entry, msg);
        if (rc == OK && errno != 0)
                rc = err_errno(msg, ERR_IO, errno, "cannot read the folder %s", path);
        (void)fts_close(folder.walk);
        if (rc == OK && folder.seen == 0)
                rc = err_set(msg, ERR_IO, "the folder %s has no files", path);
        return rc;
}

/* ---- all ---- */

static enum err add_path(struct import_files *files, const char *path, size_t rank, struct err_msg *msg)
{
        bool standard = strcmp(path, "-") == 0;
        struct arrival arrival = {
                .path = standard ? "standard input" : path, .fd = standard ? files->standard_input : -1, .rank = rank};
        struct stat info;

        if ((standard ? fstat(arrival.fd, &info) : stat(path, &info)) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot open %s", arrival.path);
        if (S_ISDIR(info.st_mode) && !standard)
                return add_folder(files, path, rank, msg);
        arrival.info = &info;
        return add_file(files, &arrival, msg);
}

static int compare_files(const void *a, const void *b)
{
        const struct import_file *left = a;
        const struct import_file *right = b;

        if (left->look.order != right->look.order)
                return left->look.order < right->look.order ? -1 : 1;
        if (left->rank != right->rank)
                return left->rank < right->rank ? -1 : 1;
        return strcmp(left->path, right->path);
}

enum err import_files_init(
        struct import_files *out, const char *const *paths, size_t count, int standard_input, struct err_msg *msg)
{
        enum err rc = OK;

        *out = (struct import_files){.standard_input = standard_input};
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = add_path(out, paths[i], i, msg);
        if (rc == OK && out->count > 1)
                qsort(out->files, out->count, sizeof(*out->files), compare_files);
        return rc;
}

void import_files_deinit(struct import_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                import_input_close(&files->files[i].input);
                vc_free(files->files[i].path);
        }
        vc_free(files->files);
        *files = (struct import_files){.files = NULL, .count = 0};
}

uint64_t import_files_bytes(const struct import_files *files)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < files->count; i++) {
                const struct import_file *file = &files->files[i];

                if (!file->skipped && file->size == 0)
                        return 0;
                bytes += file->skipped ? 0 : file->size;
        }
        return bytes;
}
