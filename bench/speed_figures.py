"""What bench/speed has measured, as tables (for the terminal, for docs/PERFORMANCE.md) and as plots.

A ratio is taken within each round, where both servers ran one after the other, and the median of these is shown: so
what a noisy machine does to both cancels out. Behind it stand the least and the greatest of the rounds.
"""
import statistics
import textwrap

SERVERS = OURS, REDIS, MEMCACHED, LIMIT = "vitalcached", "redis-server", "memcached", "bare epoll"
KEY_BYTES = len("allergies:000000000000")
STAMP_BYTES = 16  # as_of and expiry of an entry, which the overhead does not count


def title_of(cell):
    words = ["%d B" % cell["value"], "%d connection%s" % (cell["connections"], "" if cell["connections"] == 1 else "s")]
    if cell["rate"]:
        return ", ".join(words + ["%d requests/s" % cell["rate"]])
    words.append("pipeline %d" % cell["pipeline"])
    words += ["MGET of %d" % cell["per_request"]] if cell["per_request"] > 1 else []
    words += ["Zipf %.2f" % cell["zipf"]] if cell["zipf"] else []
    return ", ".join(words)


def median(cell, server, figure):
    return statistics.median(seen[server][figure] for seen in cell["rounds"])


def ratio(cell, over, under, figure):
    """over / under, within the rounds: the median, and the range."""
    ratios = [seen[over][figure] / seen[under][figure] for seen in cell["rounds"]]
    return "%.2f (%.2f–%.2f)" % (statistics.median(ratios), min(ratios), max(ratios))


class Table:
    """A title, a sentence, heads, and rows of texts."""

    def __init__(self, title, sentence, heads):
        self.title, self.sentence, self.heads, self.rows = title, sentence, heads, []

    def add(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def text(self):
        widths = [max(len(row[i]) for row in [self.heads, *self.rows]) for i in range(len(self.heads))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths))) for row in [self.heads, *self.rows]]
        return "\n".join([self.title, textwrap.fill(self.sentence, 120), *("  " + line.rstrip() for line in lines), ""])

    def markdown(self):
        rows = [self.heads, ["---"] + ["--:"] * (len(self.heads) - 1), *self.rows]
        lines = ["| %s |" % " | ".join(row) for row in rows]
        lines[1] = lines[1].replace(" ", "")
        return "### %s\n\n%s\n\n%s\n" % (self.title, textwrap.fill(self.sentence, 120), "\n".join(lines))


def rates_table(cells):
    table = Table(
        "GET hits, one server thread: requests a second",
        "As many as came through, closed loop. Where a server is faster than the load generator on its one core, it is "
        "that which is measured: what a server can do shows in its processor time, below.",
        ["value, connections, pipeline", OURS, REDIS, MEMCACHED, LIMIT])
    for cell in cells:
        table.add(title_of(cell), *("%.0f" % median(cell, server, "rate") for server in SERVERS))
    return table


def costs_table(cells):
    table = Table(
        "GET hits, one server thread: the server's processor time",
        "µs a request; then how many times as many requests a processor second of vitalcached is good for (more is "
        "better), and its time beside that of the bare epoll server (less is better).",
        ["value, connections, pipeline", *SERVERS, "× Redis", "× memcached", "time ÷ bare epoll"])
    for cell in cells:
        table.add(title_of(cell), *("%.2f" % median(cell, server, "cpu_us") for server in SERVERS),
                  ratio(cell, REDIS, OURS, "cpu_us"), ratio(cell, MEMCACHED, OURS, "cpu_us"),
                  ratio(cell, OURS, LIMIT, "cpu_us"))
    return table


def latency_table(cells):
    table = Table("Latency at a fixed rate, open loop",
                  "µs from when each request was to be sent, at half the rate that redis-server does at most with as "
                  "many connections.", ["value, connections, rate", "server", "p50", "p99", "p99.9",
                                        "p99.9 ÷ vitalcached's"])
    for cell in cells:
        for server in SERVERS:
            table.add(title_of(cell), server,
                      *("%.0f" % median(cell, server, "p%s_us" % name) for name in ("50", "99", "999")),
                      "–" if server == OURS else ratio(cell, server, OURS, "p999_us"))
    return table


def threads_table(cells):
    note = "; the client shares a core with one of them" if cells[0]["shared"] else ""
    table = Table("One thread and two",
                  "The same cores for both%s. Requests for each processor second of two threads beside one." % note,
                  ["value, connections, pipeline", "1 thread, requests/s", "2 threads, requests/s", "2 beside 1"])
    for cell in cells:
        table.add(title_of(cell), *("%.0f" % median(cell, name, "rate") for name in ("1 thread", "2 threads")),
                  ratio(cell, "1 thread", "2 threads", "cpu_us"))
    return table


def memory_table(rows):
    table = Table("Memory of an entry",
                  "Bytes that the process grew by for each of %d entries, and without the %d-byte key and the value "
                  "(of vitalcached also without %d bytes of stamp: as_of and expiry)." % (
                      rows[0]["entries"], KEY_BYTES, STAMP_BYTES),
                  ["server", "value", "bytes an entry", "by its own account", "beyond key, value and stamp"])
    for row in rows:
        entry = row["grown"] / row["entries"]
        counted = KEY_BYTES + row["value"] + (STAMP_BYTES if row["server"] == OURS else 0)
        table.add(row["server"], "%d B" % row["value"], "%.1f" % entry,
                  "%.1f" % (row["accounted"] / row["entries"]), "%.1f" % (entry - counted))
    return table


def idle_table(rows):
    table = Table("Memory of an idle connection",
                  "Bytes that the process grew by for each of %d connections, each used once; the kernel's own "
                  "memory apart." % rows[0]["connections"], ["server", "bytes"])
    for row in rows:
        table.add(row["server"], "%.0f" % (row["grown"] / row["connections"]))
    return table


def client_table(cells):
    table = Table("The load generator beside redis-benchmark",
                  "One redis-server, driven by either in turn; redis-benchmark's figure ÷ ours. redis-benchmark takes "
                  "more processor time a request: where it cannot ask as fast as the server answers, it tells less.",
                  ["value, connections, pipeline", "load, requests/s", "redis-benchmark, requests/s", "requests/s",
                   "server's time a request"])
    for cell in cells:
        table.add(title_of(cell), *("%.0f" % median(cell, name, "rate") for name in ("load", "redis-benchmark")),
                  *(ratio(cell, "redis-benchmark", "load", figure) for figure in ("rate", "cpu_us")))
    return table


def tables(result):
    made = [("cells", rates_table), ("cells", costs_table), ("latency", latency_table), ("threads", threads_table),
            ("memory", memory_table), ("idle", idle_table), ("client", client_table)]
    return [make(result[part]) for part, make in made if result[part]]


def heading(result):
    about = result["about"]
    hits = ", ".join("%.2f %%" % (100 * row["hits"] / (row["hits"] + row["misses"])) for row in result["hits"])
    return "%s, %d cores, Linux %s; redis-server %s, memcached %s; %d keys; %d rounds of %s s; hits: %s." % (
        about["processor"], about["cores"], about["kernel"], about["versions"]["redis-server"],
        about["versions"]["memcached"], about["keys"], result["options"]["pairs"], result["options"]["seconds"],
        hits or "not measured")


def text(result):
    return "\n".join([textwrap.fill(heading(result), 120) + "\n"] + [table.text() for table in tables(result)])


def markdown(result):
    return "\n".join([textwrap.fill(heading(result), 120) + "\n"] + [table.markdown() for table in tables(result)])


# ---- plots ----

def plot_requests(axes, cells):
    chosen = [cell for cell in cells if cell["part"] == "get" and cell["connections"] == 50]
    values = sorted({cell["value"] for cell in chosen})
    chosen = [cell for cell in chosen if cell["value"] == values[len(values) // 2]] if values else []
    for place, server in enumerate(SERVERS):
        axes.bar([i + 0.2 * place for i in range(len(chosen))], [median(cell, server, "cpu_us") for cell in chosen],
                 0.18, label=server)
    axes.set_xticks([i + 0.3 for i in range(len(chosen))], ["pipeline %d" % cell["pipeline"] for cell in chosen])
    axes.set_ylabel("server's CPU, µs a GET")
    axes.legend()


def plot_latency(axes, cells):
    names = ("50", "99", "999")
    cell = min(cells, key=lambda other: abs(other["connections"] - 50))
    for place, server in enumerate(SERVERS):
        axes.bar([i + 0.2 * place for i in range(3)], [median(cell, server, "p%s_us" % name) for name in names], 0.18,
                 label=server)
    axes.set_xticks([i + 0.3 for i in range(3)], ["p50", "p99", "p99.9"])
    axes.set_yscale("log")
    axes.set_ylabel("latency, µs\n(%s)" % title_of(cell))


def plot_memory(axes, rows):
    labels = ["%s\n%d B" % (row["server"].replace(", ", ",\n"), row["value"]) for row in rows]
    axes.bar(range(len(rows)), [row["grown"] / row["entries"] - row["value"] - KEY_BYTES for row in rows])
    axes.set_xticks(range(len(rows)), labels, fontsize=6)
    axes.set_ylabel("bytes an entry beyond key and value")


def plot(result, path):
    import matplotlib  # here, so that --markdown needs it not

    matplotlib.use("svg")
    from matplotlib import pyplot

    parts = [(plot_requests, result["cells"]), (plot_latency, result["latency"]), (plot_memory, result["memory"])]
    parts = [(draw, rows) for draw, rows in parts if rows]
    if not parts:
        return
    figure, axes = pyplot.subplots(1, len(parts), figsize=(6 * len(parts), 4), squeeze=False)
    for (draw, rows), place in zip(parts, axes[0]):
        draw(place, rows)
    figure.tight_layout()
    figure.savefig(path)
