#!/usr/bin/python3
"""L1 and its policies on traces of keys (bench/replay): against a plain model on a trace made here, and against the
published figures on the public traces, where their folder is (VITALCACHE_TEST_DATA, else ../shared/data)."""
import collections
import csv
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

POLICIES = ["lru", "sieve", "s3fifo", "wtinylfu"]
DEFAULT_SHARDS = 16
PERCENTS = [1, 10]
Row = collections.namedtuple("Row", "trace policy shards entries bytes hits byte_hits large_hits held peak")


def replay(traces, **options):
    """Runs bench/replay and returns its rows. options: policy=[...], shards=[...], percent=[...], values=..."""
    words = []
    for name, value in options.items():
        words += ["--" + name, ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    done = subprocess.run([vc.BUILD / "bench" / "replay", *words, *map(str, traces)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    lines = list(csv.reader(done.stdout.splitlines(), delimiter="\t"))[1:]
    return [Row(line[0].split(".")[0], line[1], *map(int, line[2:5]), *map(float, line[5:8]), *map(int, line[8:]))
            for line in lines]


def rows_of(text):
    """The cells of the table in it, row by row, the head first."""
    rows = [[cell.strip(" *`") for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return rows[:1] + rows[2:]


def public_traces():
    folder = vc.data_folder()
    if folder is None or not (folder / "traces" / "hit-ratios.md").is_file():
        raise unittest.SkipTest("the public traces are not here (VITALCACHE_TEST_DATA)")
    return folder / "traces"


def published(folder):
    """The table of hit-ratios.md: {(trace, objects): {policy as we call it: percent}}."""
    names = {"LRU": "lru", "SIEVE": "sieve", "S3-FIFO": "s3fifo", "W-TinyLFU": "wtinylfu"}
    head, *rows = rows_of((folder / "hit-ratios.md").read_text())
    return {(row[0], int(row[2])): {names[name]: float(cell) for name, cell in zip(head, row) if name in names}
            for row in rows}


def manual(name):
    """The rows of the table in docs/CACHING.md between the marks of that name."""
    text = (vc.ROOT / "docs" / "CACHING.md").read_text()
    return rows_of(re.search("<!-- %s: begin -->(.*)<!-- %s: end -->" % (name, name), text, re.S).group(1))[1:]


def lru_hits(keys, capacity):
    cache, hits = collections.OrderedDict(), 0
    for key in keys:
        if key in cache:
            hits += 1
            cache.move_to_end(key)
            continue
        if len(cache) == capacity:
            cache.popitem(last=False)
        cache[key] = True
    return hits


class Replay(unittest.TestCase):
    def test_a_plain_model_agrees(self):
        """A trace made here: skewed keys with scans between them, as text and as gzip."""
        chance = random.Random(5)
        keys = []
        for scan in range(20):
            keys += [int(chance.paretovariate(0.8)) for _ in range(2000)]
            keys += range(10**6 + scan * 300, 10**6 + scan * 300 + 300)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "made.txt"
            path.write_text("".join("%d\n" % key for key in keys))
            subprocess.run(["gzip", "-k", str(path)], check=True)
            rows = replay([path, path.with_suffix(".txt.gz")], policy=["lru"], entries=[10, 500])
        for row in rows:
            self.assertEqual(row.hits, round(100 * lru_hits(keys, row.entries) / len(keys), 2), row)
            self.assertEqual(row.held, row.entries)

    def test_refuses_what_is_no_trace(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("12\nx\n")
            file.flush()
            with self.assertRaisesRegex(AssertionError, "not one decimal key per line"):
                replay([file.name])
            file.truncate(3)
            with self.assertRaisesRegex(AssertionError, "fifo"):
                replay([file.name], policy=["fifo"])



class PublicTraces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = public_traces()
        rows = replay(sorted(cls.folder.glob("*.txt.gz")), policy=POLICIES, percent=PERCENTS,
                      shards=[1, DEFAULT_SHARDS])
        cls.hits = {(row.trace, row.entries, row.policy, row.shards): row.hits for row in rows}
        cls.mixed = replay([cls.folder / name for name in ("web12.txt.gz", "sprite.txt.gz", "multi3.txt.gz")],
                           policy=POLICIES, shards=[1, DEFAULT_SHARDS], percent=[10], values="mixed")

    def test_one_shard_has_the_published_figures(self):
        within = {"lru": 0.01, "sieve": 0.01, "s3fifo": 0.1}
        expected = published(self.folder)
        self.assertEqual(len(self.hits), len(expected) * len(POLICIES) * 2)
        for (trace, entries, policy, shards), hits in self.hits.items():
            if shards > 1:
                continue
            off = abs(hits - expected[trace, entries][policy])
            with self.subTest(trace, entries=entries, policy=policy):
                if policy in within:
                    self.assertLess(off, within[policy] + 0.001)
                elif trace != "loop":  # where all depends on how the sketch ages
                    self.assertLess(off, 4)

    def test_shards_cost_less_than_half_a_point(self):
        for (trace, entries, policy, shards), hits in self.hits.items():
            if shards > 1 and entries >= 1000:
                with self.subTest(trace, entries=entries, policy=policy):
                    self.assertGreater(hits, self.hits[trace, entries, policy, 1] - 0.5)

    def test_values_of_all_sizes(self):
        """50 B to 1 MB: memory stays within its bound, and no policy has small values only."""
        self.assertEqual(len(self.mixed), 3 * 2 * len(POLICIES))
        for row in self.mixed:
            with self.subTest(row.trace, policy=row.policy, shards=row.shards):
                self.assertLessEqual(row.peak, row.bytes)
                self.assertGreater(row.peak, 0.9 * row.bytes)
                self.assertGreater(row.byte_hits, 0.8 * row.hits)
                self.assertGreater(row.large_hits, 0.75 * row.hits)
                if row.shards > 1:
                    one = [other for other in self.mixed if other[:2] == row[:2] and other.shards == 1]
                    self.assertGreater(row.hits, one[0].hits - 5)

    def test_the_manual_has_these_figures(self):
        told = {(row[0], int(row[2]), policy, DEFAULT_SHARDS): float(cell)
                for row in manual("replay") for policy, cell in zip(POLICIES, row[3:])}
        self.assert_near(0.1, told, {key: hits for key, hits in self.hits.items() if key[3] == DEFAULT_SHARDS})
        told = {(row[0], row[1], column): float(cell)
                for row in manual("replay-mixed") for column, cell in enumerate(row[2:])}
        self.assert_near(1, told, {(row.trace, row.policy, column): figure  # what malloc takes is a part of the bound
                                     for row in self.mixed if row.shards == DEFAULT_SHARDS
                                     for column, figure in enumerate((row.hits, row.byte_hits, row.large_hits))})

    def assert_near(self, points, told, measured):
        self.assertEqual(told.keys(), measured.keys())
        for what, figure in told.items():
            with self.subTest(what):
                self.assertAlmostEqual(figure, measured[what], delta=points)


if __name__ == "__main__":
    unittest.main()
