#!/usr/bin/python3
"""The linearizability checker is itself fed good histories, which it must accept, and bad ones, each of which it must
reject: a checker that never objects proves nothing."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from linear import read, swap, violation, write  # noqa: E402

GOOD = {
    "nothing": [],
    "in turn": [write("k", 1, 0, 1), read("k", 1, 2, 3), write("k", 2, 4, 5), read("k", 2, 6, 7)],
    "a read during a write sees either": [write("k", 1, 0, 10), read("k", None, 1, 2), read("k", 1, 3, 4)],
    "two writes at once, in either order": [write("k", 1, 0, 10), write("k", 2, 0, 10), read("k", 1, 11, 12)],
    "the order turns out late": [write("k", 1, 0, 10), write("k", 2, 0, 10), read("k", 2, 3, 4), read("k", 1, 5, 6)],
    "swaps in a chain": [write("k", 1, 0, 1), swap("k", 1, 2, 2, 9), swap("k", 2, 3, 2, 9), read("k", 3, 10, 11)],
    "a lost write that took effect late": [write("k", 1, 0), read("k", None, 5, 6), read("k", 1, 7, 8)],
    "a lost write that never took effect": [write("k", 1, 0), read("k", None, 5, 6), read("k", None, 7, 8)],
    "two keys know nothing of each other": [write("a", 1, 0, 1), read("b", None, 2, 3), read("a", 1, 2, 3)],
    "the same value twice": [write("k", 1, 0, 1), write("k", 2, 2, 3), write("k", 1, 4, 5), read("k", 1, 6, 7)],
}

BAD = {
    "a stale read after an acknowledged write": [write("k", 1, 0, 1), read("k", None, 2, 3)],
    "an older value after a newer one": [write("k", 1, 0, 1), write("k", 2, 2, 20), read("k", 2, 3, 4),
                                         read("k", 1, 5, 6)],
    "two readers see two writes in two orders": [
        write("k", 1, 0, 20), write("k", 2, 0, 20), read("k", 1, 1, 2), read("k", 2, 3, 4), read("k", 1, 5, 6)],
    "a value that nobody wrote": [write("k", 1, 0, 1), read("k", 7, 2, 3)],
    "a lost update": [write("k", 1, 0, 1), swap("k", 1, 2, 2, 9), swap("k", 1, 3, 2, 9)],
    "a swap that missed an acknowledged write": [write("k", 1, 0, 1), write("k", 2, 2, 3), swap("k", 1, 3, 4, 5)],
    "a read before its write began": [read("k", 1, 0, 1), write("k", 1, 2, 3)],
    "an erased value comes back": [write("k", 1, 0, 1), write("k", None, 2, 3), read("k", None, 4, 5),
                                   read("k", 1, 6, 7)],
    "a lost write that took effect and was undone": [write("k", 1, 0), read("k", 1, 2, 3), read("k", None, 4, 5)],
    "one bad key among good ones": [write("a", 1, 0, 1), read("a", 1, 2, 3), write("b", 1, 0, 1),
                                    read("b", None, 2, 3)],
}


def random_history(seed, clients=8, steps=200):
    """What a correct register does: a client calls, later its operation takes effect, later it returns."""
    chance = random.Random(seed)
    value, history, busy = {}, [], {}
    for clock in range(steps):
        client = chance.randrange(clients)
        if client not in busy:
            busy[client] = [chance.choice([read, write, swap]), chance.choice("ab"), clock, None]
        elif busy[client][3] is None:
            kind, key, _, _ = busy[client]
            old = value.get(key)
            if kind is not read:
                value[key] = clock
            busy[client][3] = {read: (old,), write: (clock,), swap: (old, clock)}[kind]
        else:
            kind, key, called, values = busy.pop(client)
            history.append(kind(key, *values, called, clock))
    return history + [kind(key, *values, called) for kind, key, called, values in busy.values()
                      if values is not None and kind is not read]


def spoil(history, seed):
    """Turns one read's answer into a value that was overwritten long before, or None if there is no such read."""
    chance = random.Random(seed)
    writes = [o for o in history if o.kind != "read"]
    for number in chance.sample(range(len(history)), len(history)):
        old = history[number]
        if old.kind != "read":
            continue
        past = [w for w in writes if w.key == old.key and any(
            v.key == w.key and v.called > w.returned and v.returned < old.called for v in writes)]
        if past:
            return history[:number] + [old._replace(old=past[0].new)] + history[number + 1 :]
    return None


class Checker(unittest.TestCase):
    def test_accepts_good_histories(self):
        for name, history in GOOD.items():
            with self.subTest(name):
                self.assertIsNone(violation(history))

    def test_rejects_bad_histories(self):
        for name, history in BAD.items():
            with self.subTest(name):
                self.assertIsNotNone(violation(history))

    def test_order_of_recording_does_not_matter(self):
        for seed in range(20):
            history = random_history(seed)
            random.Random(seed).shuffle(history)
            self.assertIsNone(violation(history), "seed %d" % seed)

    def test_accepts_what_a_correct_register_does_and_rejects_it_spoiled(self):
        spoiled = 0
        for seed in range(200):
            history = random_history(seed)
            self.assertIsNone(violation(history), "seed %d" % seed)
            bad = spoil(history, seed)
            if bad is not None:
                spoiled += 1
                self.assertIsNotNone(violation(bad), "seed %d, spoiled" % seed)
        self.assertGreater(spoiled, 100)


if __name__ == "__main__":
    unittest.main()
