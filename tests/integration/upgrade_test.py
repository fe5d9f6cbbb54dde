#!/usr/bin/python3
"""A database of the first release, upgraded: it is what the same records are when they are imported anew; and it is so
however often the upgrade was killed on its way."""
import json
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

MAKE = vc.BUILD / "tests" / "format1_make"
REFUSED = 1
STUDENTS = 300
SEED = 7


def run(*args, code=0):
    done = subprocess.run([vc.VITALCACHE, *map(str, args)], capture_output=True, text=True, timeout=120 * vc.SLOW,
                          check=False)
    assert not vc.SANITIZER.search(done.stderr), done.stderr
    assert done.returncode == code, "%s: exit code %d\n%s" % (args, done.returncode, done.stderr)
    return done.stdout if code == 0 else done.stderr


def export(data):
    """All that the database has, a line for each record, in an order that two databases share."""
    with vc.Server(data=data) as server:
        with server.client() as client:
            health = resp.flatten(client.call("HEALTH", "DEEP"))
            assert (health["status"], health["database.damaged"]) == ("ok", 0), health
        return sorted(vc.vitalcache(server, "export").stdout.splitlines())


def as_before(line):
    """The record as schema 1 had it: without what schema 2 presets."""
    record = json.loads(line)
    row = record["row"]
    if record["table"] == "vaccinations" and row.get("status") == "completed":
        del row["status"]
    return json.dumps(record, ensure_ascii=False)


def make_first(folder, lines):
    done = subprocess.run([MAKE, str(folder), "1"], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          timeout=120 * vc.SLOW, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(lines)


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


class Upgrade(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.holder = vc.temp_dir()
        cls.common = cls.holder.__enter__()
        vc.sample(cls.common / "sample", STUDENTS)
        with vc.Server(data=cls.common / "fresh") as server:
            vc.vitalcache(server, "import", cls.common / "sample")
        cls.fresh = export(cls.common / "fresh")

    @classmethod
    def tearDownClass(cls):
        cls.holder.__exit__(None, None, None)

    def setUp(self):
        holder = vc.temp_dir()
        self.folder = holder.__enter__()
        self.addCleanup(holder.__exit__, None, None, None)
        self.data = self.folder / "db"
        make_first(self.data, [as_before(line) for line in self.fresh])

    def test_is_as_imported_anew(self):
        said = json.loads(run("upgrade", "--data", self.data))
        self.assertEqual((said["upgraded"], said["format_before"], said["records"]), (True, 1, len(self.fresh)))
        self.assertEqual(export(self.data), self.fresh)
        again = json.loads(run("upgrade", "--data", self.data))
        self.assertFalse(again["upgraded"])

    def test_summaries_and_scans_are_right_too(self):
        run("upgrade", "--data", self.data, "--no-backup")
        keys = ["summary:%d" % n for n in range(1, STUDENTS + 1)]
        served = []
        for data in (self.data, self.common / "fresh"):
            with vc.Server(data=data) as server, server.client() as client:
                served.append(client.call("MGET", *keys))
        self.assertEqual(served[0], served[1])

    def test_a_server_refuses_what_is_not_upgraded(self):
        server = vc.Server(data=self.data)
        self.addCleanup(server.clean)
        with self.assertRaises(vc.StartFault) as caught:
            server.start()
        command = re.search(r"run: vitalcache (upgrade --data \S+)$", caught.exception.log, re.M)
        self.assertIsNotNone(command, caught.exception.log)
        run(*command.group(1).split())  # as it stands there
        self.assertEqual(export(self.data), self.fresh)

    def test_its_backup_brings_the_old_one_back(self):
        backup = json.loads(run("upgrade", "--data", self.data))["backup"]
        self.assertEqual(pathlib.Path(backup).parent, self.folder)
        old = self.folder / "old"
        self.assertFalse(json.loads(run("restore", "--data", old, backup))["checked"])
        run("upgrade", "--data", old, "--no-backup")
        self.assertEqual(export(old), self.fresh)

    def test_says_when_there_is_no_room(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        done = subprocess.run([vc.VITALCACHE, "upgrade", "--no-backup", "--data", self.data], capture_output=True,
                              text=True, preexec_fn=limit, timeout=60 * vc.SLOW, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "is the disk full|disk is full|no space")
        run("upgrade", "--no-backup", "--data", self.data)
        self.assertEqual(export(self.data), self.fresh)

    def test_is_refused_where_a_server_runs(self):
        run("upgrade", "--data", self.data, "--no-backup")
        with vc.Server(data=self.data) as server:
            self.assertIn(str(server.process.pid), run("upgrade", "--data", self.data, code=REFUSED))

    def test_killed_at_any_point(self):
        chance = random.Random(SEED)
        whole = (self.data / "data.mdb").stat().st_size
        points = [("db.before-upgrade-*.part", 0), ("db.before-upgrade-*.backup", 0), ("db/upgrade.tmp/data.mdb", 0)]
        points += [("db/upgrade.tmp/data.mdb", chance.randrange(whole)) for _ in range(8)]
        for pattern, size in points:
            self.kill_when(pattern, size)
        backup = json.loads(run("upgrade", "--data", self.data))
        if not backup["upgraded"]:
            print("the last one came to its end before it was killed")
        self.assertEqual(export(self.data), self.fresh)
        left = sorted(path.name for path in self.data.iterdir())
        self.assertNotIn("upgrade.tmp", left)

    def kill_when(self, pattern, size):
        command = subprocess.Popen([vc.VITALCACHE, "upgrade", "--data", self.data], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while command.poll() is None and not any(size_of(path) >= size for path in self.folder.glob(pattern)):
            pass
        command.kill()
        command.wait()


class Roll(unittest.TestCase):
    """A server of this release's schemas serves records of those before, and serves the same after the upgrade."""

    BEFORE = """
tables:
  students: {schema: 1, fields: {name: text}}
  shots: {schema: 1, fields: {label: text, when: date}}
types:
  student: {shape: one, table: students}
  shots: {shape: list, table: shots}
"""
    NOW = """
tables:
  students: {schema: 1, fields: {name: text}}
  shots:
    schema: 2
    changes: {2: {rename: {label: display}}}
    fields: {display: text, when: date, state: {kind: word, words: [refused, given], preset: given}}
types:
  student: {shape: one, table: students}
  shots: {shape: list, table: shots}
"""

    def setUp(self):
        holder = vc.temp_dir()
        self.folder = holder.__enter__()
        self.addCleanup(holder.__exit__, None, None, None)
        self.data = self.folder / "db"
        for name, text in (("before", self.BEFORE), ("now", self.NOW)):
            (self.folder / (name + "-types.yaml")).write_text(text)
            (self.folder / (name + ".yaml")).write_text("types:\n  files: [%s-types.yaml]\n" % name)

    def served(self, config):
        with vc.Server("--config", self.folder / (config + ".yaml"), data=self.data) as server:
            with server.client() as client:
                return json.loads(client.call("GET", "shots:1"))

    def test_compact_with_another_configuration_leaves_the_servers_good(self):
        with vc.Server("--config", self.folder / "before.yaml", data=self.data) as server, server.client() as client:
            client.call("PUT", "student:1", '{"name":"A"}', "IF", "NEW")
            client.call("PUT", "shots:1", '[{"id":"a","label":"MMR","when":"2020-01"}]', "IF", "NEW")
        said = run("compact", "--data", self.data, "--config", self.folder / "now.yaml", code=REFUSED)
        self.assertIn("--config", said)
        self.assertEqual(self.served("before"), [{"id": "a", "label": "MMR", "when": "2020-01"}])
        run("compact", "--data", self.data, "--config", self.folder / "before.yaml")
        self.assertEqual(self.served("before"), [{"id": "a", "label": "MMR", "when": "2020-01"}])

    def test_the_same_before_and_after(self):
        with vc.Server("--config", self.folder / "before.yaml", data=self.data) as server, server.client() as client:
            client.call("PUT", "student:1", '{"name":"A"}', "IF", "NEW")
            client.call("PUT", "shots:1", '[{"id":"a","label":"MMR","when":"2020-01"}]', "IF", "NEW")
        expected = [{"id": "a", "display": "MMR", "when": "2020-01", "state": "given"}]
        self.assertEqual(self.served("now"), expected)
        said = run("compact", "--data", self.data, "--config", self.folder / "before.yaml", code=REFUSED)
        self.assertIn("--config", said)
        said = json.loads(run("upgrade", "--data", self.data, "--config", self.folder / "now.yaml"))
        self.assertEqual((said["upgraded"], said["records_rewritten"]), (True, 1))
        self.assertEqual(self.served("now"), expected)
        back = run("upgrade", "--data", self.data, "--config", self.folder / "before.yaml", code=REFUSED)
        self.assertIn("schema 2", back)


if __name__ == "__main__":
    unittest.main()
