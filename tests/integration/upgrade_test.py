#!/usr/bin/python3
"""A database of the first release, upgraded: it is what the same records are when they are imported anew; and it is so
however often the upgrade was killed on its way."""
import json
import os
import pathlib
import random
import re
import resource
import shutil
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


class Resume(unittest.TestCase):
    """One that takes many transactions: what a killed run has copied, the next one does not copy again."""

    COPIES = 24  # of each student: some tens of megabytes
    KILLS = 6
    GOING_ON = re.compile(r"going on behind the (\d+) records")

    @classmethod
    def setUpClass(cls):
        cls.holder = vc.temp_dir()
        cls.common = cls.holder.__enter__()
        vc.sample(cls.common / "sample", STUDENTS)
        with vc.Server(data=cls.common / "few") as server:
            vc.vitalcache(server, "import", cls.common / "sample")
        few = [json.loads(as_before(line)) for line in export(cls.common / "few")]
        lines = [json.dumps(cls.copy_of(record, n)) for n in range(cls.COPIES) for record in few]
        make_first(cls.common / "first", lines)
        cls.records = len(lines)
        shutil.copytree(cls.common / "first", cls.common / "whole")
        run("upgrade", "--data", cls.common / "whole", "--no-backup")
        cls.expected = export(cls.common / "whole")
        cls.size = (cls.common / "whole" / "data.mdb").stat().st_size

    @classmethod
    def tearDownClass(cls):
        cls.holder.__exit__(None, None, None)

    @staticmethod
    def copy_of(record, n):
        row = dict(record["row"], student="%d-%s" % (n, record["row"]["student"]))
        if record["table"] == "students":
            row["id"] = row["student"]
        return {"table": record["table"], "row": row}

    def setUp(self):
        holder = vc.temp_dir()
        self.folder = holder.__enter__()
        self.addCleanup(holder.__exit__, None, None, None)
        self.data = self.folder / "db"
        shutil.copytree(self.common / "first", self.data)

    def killed_after(self, more):
        """Runs it until the copy has so many bytes more, kills it, and returns how many records it went on behind."""
        copy = self.data / "upgrade.tmp" / "data.mdb"
        size = size_of(copy) + more
        command = subprocess.Popen([vc.VITALCACHE, "upgrade", "--data", self.data], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        while command.poll() is None and size_of(copy) < size:
            pass
        command.kill()
        said = command.communicate()[1]
        self.assertNotIn("removed the copy", said)
        self.assertEqual(command.returncode, -signal.SIGKILL, said)
        going_on = self.GOING_ON.search(said)
        return int(going_on.group(1)) if going_on else 0

    def last_run(self):
        done = subprocess.run([vc.VITALCACHE, "upgrade", "--data", self.data], capture_output=True, text=True,
                              timeout=120 * vc.SLOW, check=True)
        self.assertNotRegex(done.stderr, vc.SANITIZER)
        return json.loads(done.stdout), done.stderr

    def test_each_run_goes_on_where_the_last_was_killed(self):
        chance = random.Random(SEED)
        before = [self.killed_after(self.size // 3)]
        before += [self.killed_after(chance.randrange(self.size // (3 * self.KILLS))) for _ in range(self.KILLS)]
        said, told = self.last_run()
        before.append(said["records_copied_before"])
        self.assertEqual(before, sorted(before))
        self.assertEqual(before[0], 0)
        self.assertGreater(before[1], 0)
        self.assertGreater(before[-1], before[1])
        self.assertEqual(said["records_copied"], self.records - before[-1])
        self.assertIn("going on behind the %d records" % before[-1], told)
        self.assertEqual(export(self.data), self.expected)
        self.assertNotIn("upgrade.tmp", [path.name for path in self.data.iterdir()])

    def test_the_backup_is_not_taken_again(self):
        self.killed_after(self.size // 2)
        (backup,) = self.folder.glob("db.before-upgrade-*.backup")
        made = backup.stat().st_ino, backup.stat().st_mtime_ns
        self.assertEqual(self.last_run()[0]["backup"], str(backup))
        self.assertEqual((backup.stat().st_ino, backup.stat().st_mtime_ns), made)

    def test_one_whose_database_has_changed_since_is_begun_anew(self):
        self.killed_after(self.size // 2)
        os.utime(self.data / "data.mdb")
        said, told = self.last_run()
        self.assertIn("the database has changed since; beginning it anew", told)
        self.assertEqual(said["records_copied"], self.records)
        self.assertNotIn("records_copied_before", said)
        self.assertEqual(export(self.data), self.expected)


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
