#!/usr/bin/python3
"""Readers while an import runs: those of students that it does not touch are answered from memory all the while, those
of students that it changes see each of its states in order, and writes of others get their turn."""
import json
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

READERS = 4
STUDENTS = 20
IMPORTS = 60 if vc.SLOW == 1 else 20  # one behind the other on one connection
ROWS = 1000


class Reader(threading.Thread):
    """Reads one key until told to stop, and keeps what it saw change."""

    def __init__(self, server, key, stop):
        super().__init__()
        self.client = server.client()
        self.key = key
        self.stop_event = stop
        self.seen = []
        self.reads = 0
        self.fault = None

    def run(self):
        try:
            while not self.stop_event.is_set():
                value = self.client.call("GET", self.key)
                self.reads += 1
                if self.seen[-1:] != [value]:
                    self.seen.append(value)
        except Exception as fault:  # noqa: BLE001  # carried to the main thread, which fails with it
            self.fault = fault


def rows_of(number):
    """Many visits of other students, and one of the student `changing`, which tells the import's number."""
    rows = [{"student": "other-%d" % (row % 50), "id": "v%d" % row, "date": "2026-01-05", "reason": "n%d" % number}
            for row in range(ROWS)]
    return json.dumps(rows + [{"student": "changing", "id": "v", "date": "2026-01-05", "reason": "%d" % number}])


class LiveImport(unittest.TestCase):
    def read_while(self, server, keys, work):
        stop = threading.Event()
        readers = [Reader(server, key, stop) for key in keys]
        for reader in readers:
            reader.start()
        try:
            work()
        finally:
            stop.set()
            for reader in readers:
                reader.join()
                reader.client.close()
        self.assertEqual([reader.fault for reader in readers if reader.fault], [])
        return readers

    def import_all(self, server):
        """All in one go, and what other connections do meanwhile."""
        with server.client() as importer, server.client() as nurse:
            importer.send_raw(b"".join(resp.encode("IMPORT", "visits", rows_of(number))
                                       for number in range(1, IMPORTS + 1)))
            for number in range(5):
                nurse.call("PUT", "visits:calm-0", json.dumps([{"id": "n%d" % number}]), "IF", "FORCE")
            for _ in range(IMPORTS):
                reply = importer.read()
                self.assertNotIsInstance(reply, resp.Error)

    def test_readers_are_answered_and_see_every_state_in_order(self):
        with vc.Server("--threads", "2") as server, server.client() as client:
            client.call("IMPORT", "students", json.dumps(
                [{"id": name} for name in ["changing"] + ["calm-%d" % n for n in range(STUDENTS)] +
                 ["other-%d" % n for n in range(50)]]))
            client.call("IMPORT", "visits", rows_of(0))
            calm = ["allergies:calm-%d" % number for number in range(READERS)]
            for key in calm:
                client.call("GET", key)
            before = server.counters()
            readers = self.read_while(server, calm + ["visits:changing"], lambda: self.import_all(server))
            after = server.counters()
            for reader in readers[:-1]:
                self.assertEqual(reader.seen, [b"[]"])
            numbers = [int(json.loads(value)[0]["reason"]) for value in readers[-1].seen]
            self.assertEqual(numbers, sorted(numbers), "a reader went back in time")
            self.assertEqual(int(json.loads(client.call("GET", "visits:changing"))[0]["reason"]), IMPORTS)
            self.assertEqual(after["types.allergies.misses"], before["types.allergies.misses"],
                             "an import made copies void that it did not touch")
            print("%d reads, %d of %d states seen" % (sum(r.reads for r in readers), len(numbers), IMPORTS + 1))

    @unittest.skipIf(vc.SLOW > 1, "measures nothing under sanitizers")
    def test_the_measurement_runs(self):
        done = subprocess.run([str(vc.ROOT / "bench" / "live_readers"), "--smoke"], capture_output=True, text=True,
                              timeout=120)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("importing", done.stdout)


if __name__ == "__main__":
    unittest.main()
