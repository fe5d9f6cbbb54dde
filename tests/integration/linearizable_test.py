#!/usr/bin/python3
"""Eight connections read, write, import, swap, erase and invalidate a few students' allergies for a while; the checker
of linear.py then decides whether some order of all of it explains every answer. Reads go through GET, MGET, GET AFTER
and the composite `summary`, which reads the same records: they are reads of one register. Imports are pipelined, and
overlap; a read pipelined behind them must see the last one."""
import json
import os
import pathlib
import random
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib" / "python")]
import linear  # noqa: E402
import resp  # noqa: E402
import vc  # noqa: E402

STUDENTS = ["lin-%d" % n for n in range(3)]
CONNECTIONS = 8
OPERATIONS = int(os.environ.get("VC_LINEAR_OPERATIONS", "1500" if vc.SLOW == 1 else "800"))  # of each connection
SEED = int(os.environ.get("VC_SEED", str(random.SystemRandom().getrandbits(32))))
RECORD = {"id": "r", "code": "1", "system": "S", "display": "peanuts", "type": "allergy", "category": "food",
          "severity": "MILD", "status": "active", "onset": "2020-01-01"}


def value_in(reply):
    """What a reply says the register holds: a number, or None for empty."""
    records = json.loads(reply)
    if isinstance(records, dict):
        records = records["allergies"]
    return int(records[0]["code"]) if records else None


class Nurse(threading.Thread):
    """One connection, and what it saw."""

    def __init__(self, server, number):
        super().__init__()
        self.client = server.client()
        self.chance = random.Random(SEED * 100 + number)
        self.serial = number
        self.own = "lin-own-%d" % number
        self.history = []
        self.tokens = {}
        self.conflicts = 0
        self.fault = None

    def run(self):
        try:
            for _ in range(OPERATIONS):
                student = self.chance.choice(STUDENTS)
                action = self.chance.choices(ACTIONS, WEIGHTS)[0]
                action(self, student)
        except Exception as fault:  # noqa: BLE001  # carried to the main thread, which fails with it
            self.fault = fault

    def timed(self, *words):
        called = time.monotonic_ns()
        reply = self.client.ask(*words)
        return reply, called, time.monotonic_ns()

    def saw(self, student, reply, called, returned):
        if isinstance(reply, resp.Error):
            raise reply
        self.history.append(linear.read(student, value_in(reply), called, returned))

    def get(self, student):
        self.saw(student, *self.timed("GET", "allergies:" + student))

    def get_after_own_write(self, student):
        token = self.tokens.get(student)
        self.saw(student, *self.timed("GET", "allergies:" + student, *(["AFTER", token] if token else [])))

    def get_summary(self, student):
        self.saw(student, *self.timed("GET", "summary:" + student))

    def get_many(self, _):
        replies, called, returned = self.timed("MGET", *("allergies:" + student for student in STUDENTS))
        for student, reply in zip(STUDENTS, replies):
            self.saw(student, reply, called, returned)

    def next_value(self):
        self.serial += CONNECTIONS
        return self.serial, json.dumps([dict(RECORD, code=str(self.serial))])

    def put(self, student):
        value, text = self.next_value()
        token, called, returned = self.timed("PUT", "allergies:" + student, text, "IF", "FORCE")
        self.wrote(student, token)
        self.history.append(linear.write(student, value, called, returned))

    def wrote(self, student, token):
        if isinstance(token, resp.Error):
            raise token
        self.tokens[student] = token

    def import_many(self, student):
        """Three imports and a read in one go, of the shared student and of one that nobody else writes."""
        for register in (student, self.own):
            values = [self.next_value()[0] for _ in range(3)]
            rows = [json.dumps([dict(RECORD, student=register, code=str(value))]) for value in values]
            called = time.monotonic_ns()
            self.client.send_raw(b"".join([resp.encode("IMPORT", "allergies", row) for row in rows] +
                                          [resp.encode("GET", "allergies:" + register)]))
            for value in values:
                reply = self.client.read()
                self.wrote(register, reply if isinstance(reply, resp.Error) else dict(resp.pairs(reply))[b"token"])
                self.history.append(linear.write(register, value, called, time.monotonic_ns()))
            reply = self.client.read()
            self.saw(register, reply, called, time.monotonic_ns())
            assert register != self.own or value_in(reply) == values[-1], "a read did not see the import before it"

    def swap(self, student):
        """Read with its stamp, then write only if nothing came between."""
        reply, called, returned = self.timed("GET", "allergies:" + student, "WITHMETA")
        self.saw(student, reply[0], called, returned)
        stamp = dict(resp.pairs(reply[1]))[b"token"]
        value, text = self.next_value()
        token, called, returned = self.timed("PUT", "allergies:" + student, text, "IF", stamp)
        if isinstance(token, resp.Error) and token.word == "CONFLICT":
            self.conflicts += 1
            return
        self.wrote(student, token)
        self.history.append(linear.swap(student, value_in(reply[0]), value, called, returned))

    def erase(self, student):
        token, called, returned = self.timed("ERASE", "allergies:" + student, "IF", "FORCE")
        self.wrote(student, token)
        self.history.append(linear.write(student, None, called, returned))

    def invalidate(self, student):
        words = self.chance.choice([("KEY", "allergies:" + student), ("STUDENT", student), ("TYPE", "allergies"),
                                    ("TAG", "student:%s/allergies" % student), ("ALL",)])
        self.wrote(student, self.timed("INVALIDATE", *words)[0])


ACTIONS = [Nurse.get, Nurse.get_after_own_write, Nurse.get_summary, Nurse.get_many, Nurse.put, Nurse.import_many,
           Nurse.swap, Nurse.erase, Nurse.invalidate]
WEIGHTS = [30, 10, 10, 10, 8, 3, 12, 2, 4]


class Linearizable(unittest.TestCase):
    def test_history_of_eight_connections(self):
        print("seed %d" % SEED)
        with vc.Server("--threads", "4") as server:
            with server.client() as client:
                for student in STUDENTS + ["lin-own-%d" % number for number in range(CONNECTIONS)]:
                    client.call("PUT", "student:" + student, json.dumps({
                        "first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"}), "IF", "NEW")
            nurses = [Nurse(server, number) for number in range(CONNECTIONS)]
            for nurse in nurses:
                nurse.start()
            for nurse in nurses:
                nurse.join()
                nurse.client.close()
            faults = [nurse.fault for nurse in nurses if nurse.fault]
            self.assertEqual(faults, [], "seed %d" % SEED)
            hits = server.counters()["l1_hits"]
        history = [operation for nurse in nurses for operation in nurse.history]
        kinds = {kind: sum(o.kind == kind for o in history) for kind in ("read", "write", "swap")}
        print("%d operations: %s, %d conflicts, %d reads answered by L1" % (
            len(history), kinds, sum(nurse.conflicts for nurse in nurses), hits))
        self.assertIsNone(linear.violation(history), "seed %d" % SEED)
        self.assertGreater(min(kinds.values()), 0)
        self.assertGreater(hits, 0, "a test of cached reads that never met the cache")


if __name__ == "__main__":
    unittest.main()
