#!/usr/bin/python3
"""The sample that L1 keeps of its keys, on the public traces: what it says of other sizes and policies beside what they
really hit, and what the policy `auto` makes of it."""
import collections
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402
from replay_test import POLICIES, public_traces, replay  # noqa: E402

SAMPLES = 4096  # as cache.whatif.samples is by default
SCALES = [0.25, 0.5, 1, 2, 4]
PERCENTS = [1, 10]
WITHIN = 2  # points, as are those below
BEHIND_BEST = 1.5
BEHIND_LRU = 0.5
BY_HASHES = {"s3fifo": 0.2, "wtinylfu": WITHIN}
SIEVE_WITHIN = 3  # a sample is a smaller cache, whose hand is not caught as often: as in shards (docs/CACHING.md)
KEYS_ENOUGH = 128  # of the sample, in a cache of the size in question

Figure = collections.namedtuple("Figure", "hits byte_hits error")


class Run:
    """One run of bench/replay with a sample: what it hit, all in all and after the first tenth, and what was told."""

    def __init__(self, line):
        self.trace, self.policy, _, entries, _, hits, byte_hits = line[:7]
        self.trace = self.trace.split(".")[0]
        self.entries, self.hits, self.byte_hits = int(entries), float(hits), float(byte_hits)
        self.late, self.told = None, {}


def sampled(traces, policies, *options, samples=SAMPLES):
    words = [vc.BUILD / "bench" / "replay", "--policy", ",".join(policies), "--samples", samples, *options, *traces]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
    runs = []
    for line in [line.split("\t") for line in done.stdout.splitlines()[1:]]:
        if line[0] == "late":
            runs[-1].late = float(line[1])
        elif line[0] == "whatif":
            runs[-1].told[line[1]] = Figure(*map(float, line[2:]))
        else:
            runs.append(Run(line))
    return runs


class PublicTraces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.traces = sorted(public_traces().glob("*.txt.gz"))
        cls.runs = sampled(cls.traces, POLICIES + ["auto"], "--percent", ",".join(map(str, PERCENTS)))
        cls.by_name = {(run.trace, run.entries, run.policy): run for run in cls.runs}

    def test_auto_is_near_the_best_and_not_behind_lru(self):
        autos = [run for run in self.runs if run.policy == "auto"]
        self.assertEqual(len(autos), len(self.traces) * len(PERCENTS))
        for auto in autos:
            others = {policy: self.by_name[auto.trace, auto.entries, policy] for policy in POLICIES}
            with self.subTest(auto.trace, entries=auto.entries):
                self.assertGreaterEqual(auto.late, max(run.late for run in others.values()) - BEHIND_BEST)
                self.assertGreaterEqual(auto.late, others["lru"].late - BEHIND_LRU)
                self.assertGreaterEqual(auto.hits, others["lru"].hits - BEHIND_LRU)

    def assert_told(self, run, what, told, real, keys):
        """Where all keys are sampled exactly, but for policies that know keys that are gone by hashes."""
        with self.subTest(run.trace, entries=run.entries, policy=run.policy, told=what):
            if told.error == 0:
                self.assertAlmostEqual(told.hits, real, delta=BY_HASHES.get(what, 0.011))
            elif keys >= KEYS_ENOUGH:
                self.assertAlmostEqual(told.hits, real, delta=SIEVE_WITHIN if what == "sieve" else WITHIN)

    def keys_in_sample(self, run):
        return min(run.entries, SAMPLES / 4 * 0.8)

    def test_other_sizes_would_hit_what_it_says(self):
        for run in (run for run in self.runs if run.policy == "lru"):
            path = [path for path in self.traces if path.name.startswith(run.trace)]
            sizes = {scale: int(run.entries * scale) for scale in SCALES}
            real = {row.entries: row.hits for row in replay(path, policy=["lru"], entries=list(sizes.values()))}
            for scale, size in sizes.items():
                self.assert_told(run, scale, run.told["%g" % scale], real[size], self.keys_in_sample(run) * scale)

    def test_other_policies_would_hit_what_it_says(self):
        """Whichever policy L1 has itself."""
        for run in self.runs:
            for policy in POLICIES:
                real = self.by_name[run.trace, run.entries, policy]
                self.assert_told(run, policy, run.told[policy], real.hits, self.keys_in_sample(run))

    def test_values_of_all_sizes(self):
        """50 B to 1 MB, bounded by bytes: by count and by bytes."""
        path = [path for path in self.traces if path.name.startswith("web12")]
        for run in sampled(path, ["lru", "s3fifo"], "--percent", "5", "--values", "mixed"):
            told = run.told[run.policy]
            self.assertAlmostEqual(told.hits, run.hits, delta=WITHIN)
            self.assertAlmostEqual(told.byte_hits, run.byte_hits, delta=WITHIN)


if __name__ == "__main__":
    unittest.main()
