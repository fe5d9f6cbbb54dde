#include "database/pg_hosts.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netdb.h>

const char *pg_hosts_option(const PQconninfoOption *options, const char *keyword)
{
        for (; options->keyword != NULL; options++)
                if (strcmp(options->keyword, keyword) == 0 && options->val != NULL)
                        return options->val;
        return "";
}

/* ---- lists ---- */

static uint32_t list_count(const char *list)
{
        uint32_t count = list[0] != '\0';

        for (; *list != '\0'; list++)
                count += *list == ',';
        return count;
}

static char *copy_of(struct slice text)
{
        char *copy = vc_malloc(text.len + 1);

        if (copy == NULL)
                return NULL;
        if (text.len > 0)
                memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        return copy;
}

/* Item `number` of a list; a list of one item stands for all, and so does an empty one. */
static char *list_item(const char *list, uint32_t number)
{
        if (list_count(list) < 2)
                return vc_strdup(list);
        while (number > 0)
                number -= *list++ == ',';
        return copy_of(slice_of(list, strcspn(list, ",")));
}

static void host_deinit(struct pg_host *host)
{
        vc_free(host->name);
        vc_free(host->address);
        vc_free(host->port);
}

void pg_hosts_deinit(struct pg_hosts *hosts)
{
        for (uint32_t i = 0; i < hosts->count; i++)
                host_deinit(&hosts->list[i]);
        vc_free(hosts->list);
        *hosts = (struct pg_hosts){NULL, 0};
}

static bool is_whole(const struct pg_host *host)
{
        return host->name != NULL && host->address != NULL && host->port != NULL;
}

/* Takes the host's texts over, also when it fails. */
static enum err add(struct pg_hosts *hosts, struct pg_host host)
{
        struct pg_host *list = vc_realloc(hosts->list, (hosts->count + 1) * sizeof *list);

        if (list != NULL)
                hosts->list = list;
        if (list == NULL || !is_whole(&host)) {
                host_deinit(&host);
                return ERR_NOMEM;
        }
        hosts->list[hosts->count++] = host;
        return OK;
}

enum err pg_hosts_read(struct pg_hosts *hosts, const PQconninfoOption *options)
{
        const char *names = pg_hosts_option(options, "host"), *addresses = pg_hosts_option(options, "hostaddr"),
                   *ports = pg_hosts_option(options, "port");
        uint32_t name_count = list_count(names), address_count = list_count(addresses), port_count = list_count(ports);
        uint32_t count = name_count > 0 ? name_count : address_count;
        bool fit = (address_count == 0 || address_count == count) && (port_count <= 1 || port_count == count);
        enum err err = OK;

        *hosts = (struct pg_hosts){NULL, 0};
        for (uint32_t i = 0; i < count && fit && err == OK; i++)
                err = add(hosts, (struct pg_host){list_item(names, i), list_item(addresses, i), list_item(ports, i)});
        if (err != OK)
                pg_hosts_deinit(hosts);
        return err;
}

/* ---- names and addresses ---- */

static bool needs_lookup(const struct pg_host *host)
{
        struct in6_addr ignored;

        if (host->address[0] != '\0' || host->name[0] == '\0' || host->name[0] == '/' || host->name[0] == '@')
                return false; /* '@' is a socket without a file */
        return inet_pton(AF_INET, host->name, &ignored) != 1 && inet_pton(AF_INET6, host->name, &ignored) != 1;
}

bool pg_hosts_need_lookup(const struct pg_hosts *hosts)
{
        for (uint32_t i = 0; i < hosts->count; i++)
                if (needs_lookup(&hosts->list[i]))
                        return true;
        return false;
}

static enum err add_copy(struct pg_hosts *hosts, const struct pg_host *host, const char *address)
{
        return add(hosts, (struct pg_host){vc_strdup(host->name), vc_strdup(address), vc_strdup(host->port)});
}

/* All addresses that the name service gives for the host; none when it does not know it. */
static enum err add_found(struct pg_hosts *hosts, const struct pg_host *host)
{
        const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
        struct addrinfo *found;
        enum err err = OK;

        if (getaddrinfo(host->name, NULL, &wanted, &found) != 0)
                return OK;
        for (const struct addrinfo *it = found; it != NULL && err == OK; it = it->ai_next) {
                char address[NI_MAXHOST];

                if (getnameinfo(it->ai_addr, it->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
                        err = add_copy(hosts, host, address);
        }
        freeaddrinfo(found);
        return err;
}

enum err pg_hosts_look_up(struct pg_hosts *hosts)
{
        struct pg_hosts known = {NULL, 0};
        enum err err = OK;

        for (uint32_t i = 0; i < hosts->count && err == OK; i++) {
                const struct pg_host *host = &hosts->list[i];

                err = needs_lookup(host) ? add_found(&known, host) : add_copy(&known, host, host->address);
        }
        if (err == OK && known.count == 0)
                err = ERR_NOTFOUND;
        if (err == OK) {
                pg_hosts_deinit(hosts);
                *hosts = known;
        } else {
                pg_hosts_deinit(&known);
        }
        return err;
}

/* ---- joining ---- */

static enum err put(struct buf *list, bool first, const char *item)
{
        enum err err = first ? OK : buf_append_str(list, ",");

        return err == OK ? buf_append_str(list, item) : err;
}

static enum err put_host(struct buf lists[3], bool first, const struct pg_host *host)
{
        enum err err = put(&lists[0], first, host->name);

        if (err == OK)
                err = put(&lists[1], first, host->address);
        return err == OK ? put(&lists[2], first, host->port) : err;
}

enum err pg_hosts_join(const struct pg_hosts *hosts, uint32_t first, struct pg_host *out)
{
        struct buf lists[3] = {0};
        enum err err = OK;

        *out = (struct pg_host){NULL, NULL, NULL};
        for (uint32_t i = 0; i < hosts->count && err == OK; i++)
                err = put_host(lists, i == 0, &hosts->list[(first + i) % hosts->count]);
        if (err == OK)
                *out = (struct pg_host){
                        copy_of(buf_slice(&lists[0])), copy_of(buf_slice(&lists[1])), copy_of(buf_slice(&lists[2]))};
        for (size_t i = 0; i < 3; i++)
                buf_deinit(&lists[i]);
        if (is_whole(out))
                return OK;
        host_deinit(out);
        *out = (struct pg_host){NULL, NULL, NULL};
        return ERR_NOMEM;
}
