/* Runs a fuzz target over every file of the folders named on the command line: the corpus as a regression test, for
 * builds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
        FILE *f = fopen(path, "rb");
        uint8_t *data;
        long size;
        int rc = -1;

        if (f == NULL)
                return -1;
        data = NULL;
        if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
                goto out;
        data = malloc(size > 0 ? (size_t)size : 1); /* no byte more than the input, so that ASan sees over-reads */
        if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
                goto out;
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
        rc = 0;
out:
        free(data);
        (void)fclose(f);
        return rc;
}

/* The number of files replayed, or -1. */
static long replay_folder(const char *folder)
{
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        long count = 0;

        if (dir == NULL)
                return -1;
        while ((entry = readdir(dir)) != NULL) {
                char path[4096];

                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
                if (replay_file(path) != 0) {
                        count = -1;
                        break;
                }
                count++;
        }
        (void)closedir(dir);
        return count;
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                long count = replay_folder(argv[i]);

                if (count <= 0) {
                        (void)fprintf(stderr, "%s: %s\n", argv[i], count == 0 ? "empty corpus" : "cannot be read");
                        return 1;
                }
                (void)printf("%s: %ld inputs\n", argv[i], count);
        }
        return 0;
}
