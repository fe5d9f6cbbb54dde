#!/usr/bin/python3
"""L1 under churn: several times its capacity in new entries, and the process does not grow; entries and bytes stay
within their bounds."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

MAX_ENTRIES = 5000
CAPACITIES = 10 if vc.SLOW == 1 else 2
PIPELINE = 500


class Churn(unittest.TestCase):
    def read_students(self, client, first, count):
        """GETs of students that are not there: each is an entry (negative) of its own."""
        for at in range(first, first + count, PIPELINE):
            client.send_raw(b"".join(resp.encode("GET", "allergies:churn-%d" % n) for n in range(at, at + PIPELINE)))
            for _ in range(PIPELINE):
                self.assertIsNone(client.read())

    def test_many_times_the_capacity_without_growth(self):
        with vc.Server("--threads", "2", config="cache:\n  l1:\n    max_entries: %d\n" % MAX_ENTRIES) as server:
            with server.client() as client:
                self.read_students(client, 0, 3 * MAX_ENTRIES)
                settled = server.memory()
                self.read_students(client, 3 * MAX_ENTRIES, CAPACITIES * MAX_ENTRIES)
                grown = server.memory() - settled
            stats = server.counters()
        held = (stats["l1_sets"] - stats["l1_evictions"] - stats["l1_expirations"] - stats["l1_deletes"])
        print("grown by %d KiB after %d more entries; %d held" % (grown // 1024, CAPACITIES * MAX_ENTRIES, held))
        self.assertLessEqual(held, MAX_ENTRIES)
        self.assertGreater(stats["l1_evictions"], CAPACITIES * MAX_ENTRIES // 2)
        if vc.SLOW == 1:  # sanitizers keep freed memory back on purpose
            self.assertLess(grown, 2 << 20)

    def test_rewriting_the_same_keys_does_not_grow(self):
        with vc.Server("--threads", "2") as server, server.client() as client:
            client.call("PUT", "student:1", json.dumps({
                "first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"}), "IF", "NEW")
            self.rewrite(client, 200 // vc.SLOW)
            settled = server.memory()
            self.rewrite(client, 1000 // vc.SLOW)
            grown = server.memory() - settled
            print("grown by %d KiB" % (grown // 1024))
            if vc.SLOW == 1:
                self.assertLess(grown, 2 << 20)

    def rewrite(self, client, rounds):
        for number in range(rounds):
            reason = "x" * (number % 50 * 40)
            visit = {"id": "v", "date": "2026-01-01T00:00:00Z", "kind": "nurse", "reason": reason}
            client.call("PUT", "visits:1", json.dumps([visit]), "IF", "FORCE")
            self.assertIn(reason.encode(), client.call("GET", "visits:1"))


if __name__ == "__main__":
    unittest.main()
