#!/usr/bin/python3
"""kill -9 in the middle of PUTs and of an import, twenty rounds on one database. After each: the database opens, is
whole (HEALTH deep, and LMDB's own tool reads it), and every acknowledged write is there. A write that was under way may
be there or not, whole."""
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

ROUNDS = int(os.environ.get("VC_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("VC_SEED", str(random.SystemRandom().getrandbits(32))))
WRITERS = 4
BATCH = 50
STUDENT = {"first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"}
VISIT = {"id": "v", "date": "2026-01-01T00:00:00Z", "kind": "nurse"}


class Writer(threading.Thread):
    """Writes one thing after the other until the server is gone; remembers what was acknowledged and what was not."""

    def __init__(self, server, killer):
        super().__init__()
        self.client = server.client()
        self.killer = killer
        self.acknowledged = None
        self.under_way = None
        self.fault = None

    def run(self):
        try:
            for item in self.items():
                self.under_way = item
                self.client.call(*self.command(item))
                self.acknowledged, self.under_way = item, None
                self.killer.count()
        except (resp.Closed, OSError):
            pass
        except Exception as fault:  # noqa: BLE001  # carried to the main thread
            self.fault = fault
        finally:
            self.client.close()


class Putter(Writer):
    """PUTs ever newer values of its own key."""

    def __init__(self, server, killer, number, start):
        super().__init__(server, killer)
        self.key = "visits:crash-%d" % number
        self.start_value = start

    def items(self):
        value = self.start_value
        while True:
            value += 1
            yield value

    def command(self, item):
        return "PUT", self.key, json.dumps([dict(VISIT, reason=str(item))]), "IF", "FORCE"


class Importer(Writer):
    """IMPORTs batches of new students."""

    def __init__(self, server, killer, round_number):
        super().__init__(server, killer)
        self.round_number = round_number
        self.done = []

    def items(self):
        batch = 0
        while True:
            if self.acknowledged is not None:
                self.done.append(self.acknowledged)
            yield ["imp-%d-%d-%d" % (self.round_number, batch, n) for n in range(BATCH)]
            batch += 1

    def command(self, item):
        return "IMPORT", "students", json.dumps([dict(STUDENT, student=name, id=name) for name in item])


class Killer:
    """Kills the server at the n-th acknowledged write: an event, not a time."""

    def __init__(self, server, after):
        self.server = server
        self.left = after
        self.lock = threading.Lock()

    def count(self):
        with self.lock:
            self.left -= 1
            if self.left == 0:
                self.server.process.kill()


class Crash(unittest.TestCase):
    def setUp(self):
        print("seed %d" % SEED)
        self.chance = random.Random(SEED)
        self.server = vc.Server()
        self.addCleanup(self.server.clean)
        self.server.start()
        self.values = [0] * WRITERS
        with self.server.client() as client:
            for number in range(WRITERS):
                client.call("PUT", "student:crash-%d" % number, json.dumps(STUDENT), "IF", "NEW")

    def one_round(self, number):
        killer = Killer(self.server, self.chance.randrange(1, 120))
        putters = [Putter(self.server, killer, n, self.values[n]) for n in range(WRITERS)]
        importer = Importer(self.server, killer, number)
        for writer in putters + [importer]:
            writer.start()
        for writer in putters + [importer]:
            writer.join()
            self.assertIsNone(writer.fault, "seed %d, round %d" % (SEED, number))
        self.server.wait()
        self.server.start()
        with self.server.client() as client:
            self.check_puts(client, putters)
            self.check_import(client, importer)
            self.check_health(client)
        self.check_from_outside()

    def check_puts(self, client, putters):
        for number, putter in enumerate(putters):
            visits = json.loads(client.call("GET", putter.key))
            found = int(visits[0]["reason"]) if visits else 0
            known = putter.acknowledged if putter.acknowledged is not None else putter.start_value
            self.assertIn(found, {known, putter.under_way}, "%s after seed %d" % (putter.key, SEED))
            self.values[number] = found

    def check_import(self, client, importer):
        batches = importer.done + ([importer.acknowledged] if importer.acknowledged else [])
        for batch in batches:
            replies = client.call("MGET", *("student:" + name for name in batch))
            self.assertNotIn(None, replies, "an acknowledged batch has gaps; seed %d" % SEED)
        if importer.under_way:
            replies = client.call("MGET", *("student:" + name for name in importer.under_way))
            self.assertIn(sum(reply is None for reply in replies), (0, BATCH), "half a batch; seed %d" % SEED)

    def check_health(self, client):
        health = resp.flatten(client.call("HEALTH", "DEEP"))
        self.assertEqual((health["status"], health["database.damaged"]), ("ok", 0), "seed %d: %s" % (SEED, health))

    def check_from_outside(self):
        done = subprocess.run(["mdb_stat", "-a", str(self.server.data)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("records", done.stdout)

    def test_nothing_acknowledged_is_lost(self):
        for number in range(ROUNDS):
            self.one_round(number)
        self.assertEqual(self.server.stop(), 0)
        self.server.check_reports()
        print("%d rounds; last values %s" % (ROUNDS, self.values))


class InterruptedImport(unittest.TestCase):
    """The vitalcache command loses its server in mid-import; run again, it completes what is missing."""

    def test_import_again_completes(self):
        with vc.temp_dir() as folder:
            vc.sample(folder, 2000, 3)
            with vc.Server() as whole:
                vc.vitalcache(whole, "import", folder)
                with whole.client() as client:
                    expected = resp.flatten(client.call("HEALTH"))
            server = vc.Server()
            self.addCleanup(server.clean)
            server.start()
            command = subprocess.Popen([vc.VITALCACHE, "--port", str(server.port), "import", str(folder)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.await_imported(server, 500)
            server.kill()
            _, said = command.communicate(timeout=60 * vc.SLOW)
            self.assertEqual(command.returncode, 3, said)
            server.start()
            vc.vitalcache(server, "import", folder)
            with server.client() as client:
                seen = resp.flatten(client.call("HEALTH"))
            for name in expected:
                if name.endswith(("students", "records")):
                    self.assertEqual(seen[name], expected[name], name)
            self.assertEqual(server.stop(), 0)

    def await_imported(self, server, count):
        """Asks until so many records are committed: each answer is an event of the server's."""
        with server.client() as client:
            while resp.flatten(client.call("STATS"))["database_imported"] < count:
                pass


if __name__ == "__main__":
    unittest.main()
