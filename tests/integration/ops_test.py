#!/usr/bin/python3
"""Backup, restore and compaction with real servers: what a backup beside writers holds, what of a broken one is said,
that a restored database is a new history, and that nothing of an erased student is left after a compaction."""
import gzip
import json
import os
import pathlib
import stat
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

STUDENT = {"first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"}
REFUSED, USAGE = 1, 2
END_SIZE = 76  # of a backup's last line


def run(*args, code=0, stdin=None, text=True):
    """The vitalcache command, without a server; its output."""
    done = subprocess.run([vc.VITALCACHE, *map(str, args)], capture_output=True, input=stdin, timeout=120 * vc.SLOW,
                          check=False)
    said = done.stderr.decode()
    assert not vc.SANITIZER.search(said), said
    assert done.returncode == code, "%s: exit code %d\n%s" % (args, done.returncode, said)
    return (done.stdout.decode() if text else done.stdout) if code == 0 else said


def report(*args):
    return json.loads(run(*args))


def put_students(client, names):
    for name in names:
        client.call("PUT", "student:%s" % name, json.dumps(STUDENT), "IF", "NEW")


def has_student(client, name):
    return client.call("GET", "student:%s" % name) is not None


def health(server):
    with server.client() as client:
        return resp.flatten(client.call("HEALTH", "DEEP"))


class Folder(unittest.TestCase):
    """A folder for backups and databases."""

    maxDiff = None

    def setUp(self):
        holder = vc.temp_dir()
        self.folder = holder.__enter__()
        self.addCleanup(holder.__exit__, None, None, None)
        self.file = self.folder / "backup"

    def imported(self, data, students=200):
        """A database of a made-up school; no server runs on it."""
        vc.sample(self.folder / "sample", students)
        with vc.Server(data=data) as server:
            vc.vitalcache(server, "import", self.folder / "sample")
            return health(server)


class Backup(Folder):
    def test_holds_what_there_is(self):
        before = self.imported(self.folder / "db")
        said = report("backup", "--data", self.folder / "db", self.file)
        self.assertEqual((said["students"], said["records"]), (before["database.students"], before["database.records"]))
        self.assertEqual(said["bytes"], self.file.stat().st_size)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["backup", "db", "sample"])
        report("restore", "--data", self.folder / "again", self.file)
        with vc.Server(data=self.folder / "again") as server:
            after = health(server)
        for name in ("students", "records", "damaged"):
            self.assertEqual(after["database." + name], before["database." + name], name)

    def test_says_on_its_second_line_what_it_holds(self):
        self.imported(self.folder / "db", 20)
        said = report("backup", "--data", self.folder / "db", self.file)
        first, second = self.file.read_bytes().split(b"\n", 2)[:2]
        manifest = json.loads(second)
        self.assertEqual(first, b"vitalcache-backup 1")
        self.assertEqual(manifest["students"], 20)
        self.assertEqual(manifest["position"], said["position"])
        self.assertIn("allergies", manifest["schemas"])

    def test_through_pipes(self):
        self.imported(self.folder / "db", 50)
        whole = run("backup", "--data", self.folder / "db", "-", text=False)
        done = subprocess.run([vc.VITALCACHE, "restore", "--data", self.folder / "again", "-"], input=whole, check=True,
                              capture_output=True, timeout=60 * vc.SLOW)
        self.assertEqual(json.loads(done.stdout)["students"], 50)

    def test_beside_writers(self):
        """All that was acknowledged before it began is in it; what follows is there up to one moment, then nothing."""
        with vc.Server() as server:
            writer = Writing(server)
            writer.start()
            for turn in range(5):
                writer.await_count(20 * (turn + 1))
                known = writer.acknowledged
                said = report("backup", "--data", server.data, self.file)
                self.check_turn(turn, known, said)
            writer.stop()

    def check_turn(self, turn, known, said):
        data = self.folder / ("turn-%d" % turn)
        restored = report("restore", "--data", data, self.file)
        self.assertEqual(restored["students"], said["students"])
        self.assertGreaterEqual(said["students"], known)
        with vc.Server(data=data) as server, server.client() as client:
            self.assertEqual(health(server)["database.damaged"], 0)
            self.assertTrue(has_student(client, said["students"] - 1))
            self.assertFalse(has_student(client, said["students"]))

    def test_takes_the_place_of_an_older_one_only_when_complete(self):
        self.imported(self.folder / "db", 20)
        self.file.write_text("older")
        said = run("backup", "--data", self.folder / "nowhere", self.file, code=REFUSED)
        self.assertIn("no database", said)
        self.assertEqual(self.file.read_text(), "older")
        report("backup", "--data", self.folder / "db", self.file)
        report("restore", "--data", self.folder / "again", self.file)

    def test_goes_on_where_a_killed_one_left_its_file(self):
        self.imported(self.folder / "db", 20)
        part = self.folder / "backup.part"
        part.write_bytes(b"left" * 1000)
        part.chmod(0o644)
        report("backup", "--data", self.folder / "db", self.file)
        self.assertFalse(part.exists())
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)

    def test_refuses_what_is_no_database_of_ours(self):
        (self.folder / "other").mkdir()
        (self.folder / "other" / "data.mdb").write_bytes(b"something else" * 1000)
        said = run("backup", "--data", self.folder / "other", self.file, code=REFUSED)
        self.assertIn("damaged", said)
        self.assertFalse(self.file.exists())

    def test_of_a_database_that_was_cut_off(self):
        self.imported(self.folder / "db")
        os.truncate(self.folder / "db" / "data.mdb", 100000)
        said = run("backup", "--data", self.folder / "db", self.file, code=REFUSED)
        self.assertIn("damaged", said)
        self.assertFalse(self.file.exists())

    def test_what_a_killed_one_held_is_free_after_the_next(self):
        self.imported(self.folder / "db", 1500)  # more than the buffers behind the copy can hold
        with vc.Server(data=self.folder / "db"):
            reading = subprocess.Popen([vc.VITALCACHE, "backup", "--data", self.folder / "db", "-"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            reading.stdout.read(1)
            self.assertIn(str(reading.pid), self.readers())
            reading.kill()
            reading.communicate()
            report("backup", "--data", self.folder / "db", self.file)
            self.assertNotIn(str(reading.pid), self.readers())

    def readers(self):
        """The process ids in LMDB's table of readers."""
        done = subprocess.run(["mdb_stat", "-r", self.folder / "db"], capture_output=True, text=True, check=False)
        return [line.split()[0] for line in done.stdout.splitlines() if line.split()[:1] and line.split()[0].isdigit()]

    def test_says_when_there_is_no_room(self):
        self.imported(self.folder / "db", 20)
        said = run("backup", "--data", self.folder / "db", "/dev/full/backup", code=USAGE)
        self.assertIn("/dev/full", said)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([vc.VITALCACHE, "backup", "--data", self.folder / "db", "-"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60 * vc.SLOW, check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn(b"No space left", done.stderr)

    def test_takes_the_name_of_no_pipe_device_or_folder(self):
        """As root it could: a /dev/stdout that is a file from then on breaks the machine."""
        self.imported(self.folder / "db", 20)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        link = self.folder / "stdout"
        link.symlink_to(pipe)
        for target in (pipe, link, self.folder / "db"):
            with self.subTest(target):
                said = run("backup", "--data", self.folder / "db", target, code=USAGE)
                self.assertIn("no file that could be replaced", said)
        self.assertTrue(link.is_symlink() and pipe.is_fifo())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["db", "pipe", "sample", "stdout"])

    def test_ends_when_its_reader_does(self):
        self.imported(self.folder / "db")
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([vc.VITALCACHE, "backup", "--data", self.folder / "db", "-"], stdout=writing,
                              stderr=subprocess.PIPE, timeout=60 * vc.SLOW, check=False)
        os.close(writing)
        self.assertEqual(done.returncode, USAGE, done.stderr)
        self.assertIn(b"Broken pipe", done.stderr)


class Writing(threading.Thread):
    """PUTs one student after the other: 0, 1, 2…"""

    def __init__(self, server):
        super().__init__()
        self.client = server.client()
        self.acknowledged = 0
        self.changed = threading.Condition()
        self.ending = False

    def run(self):
        while not self.ending:
            put_students(self.client, [self.acknowledged])
            with self.changed:
                self.acknowledged += 1
                self.changed.notify_all()

    def await_count(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.acknowledged >= count, 60 * vc.SLOW)

    def stop(self):
        self.ending = True
        self.join()
        self.client.close()


class BrokenBackups(Folder):
    """Each is refused with the reason, and nothing is left behind."""

    def setUp(self):
        super().setUp()
        self.imported(self.folder / "db", 30)
        report("backup", "--data", self.folder / "db", self.file)
        self.whole = self.file.read_bytes()

    def refuse(self, content, *words):
        self.file.write_bytes(content)
        said = run("restore", "--data", self.folder / "again", self.file, code=REFUSED)
        for word in words:
            self.assertIn(word, said)
        self.assertFalse((self.folder / "again").exists())

    def test_cut(self):
        head = self.whole.index(b"\n", self.whole.index(b"\n") + 1) + 1
        for length in (20, head - 1, head, head + 5000, len(self.whole) - END_SIZE, len(self.whole) - 1):
            with self.subTest(length):
                self.refuse(self.whole[:length], "cut short")
        self.refuse(b"", "not a backup")
        self.refuse(self.whole[:10], "not a backup")

    def test_longer(self):
        self.refuse(self.whole + b"x", "does not end as a backup")

    def test_one_bit_flipped(self):
        for at in (60, 300, len(self.whole) // 2, len(self.whole) - END_SIZE - 1, len(self.whole) - 60,
                   len(self.whole) - 2):
            with self.subTest(at):
                flipped = bytearray(self.whole)
                flipped[at] ^= 1
                self.refuse(bytes(flipped), "damaged")

    def test_pieces_exchanged(self):
        middle = len(self.whole) // 2 // 4096 * 4096
        swapped = (self.whole[:middle] + self.whole[middle + 4096 : middle + 8192] + self.whole[middle : middle + 4096]
                   + self.whole[middle + 8192 :])
        self.assertNotEqual(swapped, self.whole)
        self.refuse(swapped, "damaged", "checksum")

    def test_something_else(self):
        self.refuse(b"PGDMP" + self.whole, "not a backup of vitalcache")
        self.refuse((self.folder / "db" / "data.mdb").read_bytes(), "not a backup of vitalcache")

    def test_by_a_newer_release(self):
        self.refuse(self.whole.replace(b"backup 1\n", b"backup 2\n", 1), "version 2", "newer release", "version 1")
        head, rest = self.whole.split(b"\n", 2)[1], self.whole
        manifest = json.loads(head)
        newer = rest.replace(b'"format":%d' % manifest["format"], b'"format":99', 1)
        self.refuse(newer, "format 99", manifest["vitalcache"])


class Restore(Folder):
    def backed_up(self, server):
        return report("backup", "--data", server.data, self.file)

    def test_is_refused_where_a_server_runs(self):
        with vc.Server() as server:
            self.backed_up(server)
            said = run("restore", "--data", server.data, "--replace", self.file, code=REFUSED)
            self.assertIn(str(server.process.pid), said)
            said = run("compact", "--data", server.data, code=REFUSED)
            self.assertIn(str(server.process.pid), said)

    def test_leaves_a_database_that_is_there(self):
        self.imported(self.folder / "db", 20)
        report("backup", "--data", self.folder / "db", self.file)
        self.imported(self.folder / "other", 30)
        said = run("restore", "--data", self.folder / "other", self.file, code=REFUSED)
        self.assertIn("--replace", said)
        aside = pathlib.Path(report("restore", "--data", self.folder / "other", "--replace", self.file)["put_aside"])
        with vc.Server(data=self.folder / "other") as server:
            self.assertEqual(health(server)["database.students"], 20)
        with vc.Server(data=aside) as server:
            self.assertEqual(health(server)["database.students"], 30)

    def test_killed_at_any_point(self):
        """There is the old database, or the new one; never none, never a part."""
        self.imported(self.folder / "db", 200)
        report("backup", "--data", self.folder / "db", self.file)
        data = self.folder / "other"
        self.imported(data, 30)
        for bytes_written in (0, 100000, 300000):
            command = subprocess.Popen([vc.VITALCACHE, "restore", "--replace", "--data", data, self.file],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            kill_when(command, data / "restore.tmp" / "data.mdb", bytes_written)
            with vc.Server(data=data) as server:
                after = health(server)
            self.assertIn((after["database.students"], after["database.damaged"]), [(30, 0), (200, 0)])
        self.assertIn("put_aside", report("restore", "--replace", "--data", data, self.file))
        self.assertFalse((data / "restore.tmp").exists())
        with vc.Server(data=data) as server:
            self.assertEqual(health(server)["database.students"], 200)

    def test_is_a_new_history(self):
        """What clients know of the old one is refused, whether its positions were passed already or not; what they
        read of the new one is good to write on."""
        server = vc.Server()
        self.addCleanup(server.clean)
        server.start()
        with server.client() as client:
            put_students(client, ["1"])
            old = self.read_token(client)
            self.backed_up(server)
            for _ in range(10):
                later = client.call("PUT", "student:1", json.dumps(dict(STUDENT, note="x")), "IF", "FORCE")
                later = client.call("PUT", "student:1", json.dumps(STUDENT), "IF", "FORCE")
        self.assertEqual(server.stop(), 0)
        report("restore", "--data", server.data, "--replace", self.file)
        server.start()
        with server.client() as client:
            for token in (old, later):
                self.expect_error(client, "EPOCH", "GET", "student:1", "AFTER", token)
                self.expect_error(client, "CONFLICT", "ERASE", "visits:1", "IF", token)
                self.expect_error(client, "CONFLICT", "PUT", "student:1", json.dumps(STUDENT), "IF", token)
            new = self.read_token(client)
            client.call("PUT", "student:1", json.dumps(dict(STUDENT, first_name="New")), "IF", new)
            self.assertIn(b"New", client.call("GET", "student:1"))
        self.assertEqual(server.stop(), 0)
        server.check_reports()

    @staticmethod
    def read_token(client):
        return resp.flatten(client.call("GET", "student:1", "WITHMETA")[1])["token"]

    def expect_error(self, client, word, *command):
        with self.assertRaises(resp.Error) as caught:
            client.call(*command)
        self.assertEqual(caught.exception.word, word)

    def test_positions_go_on(self):
        """LMDB counts a copy's transactions from 1; stamps of before must not look newer than what is read now."""
        with vc.Server() as server:
            with server.client() as client:
                put_students(client, range(30))
            before = self.backed_up(server)["position"]
        report("restore", "--data", self.folder / "again", self.file)
        with vc.Server(data=self.folder / "again") as server:
            self.assertGreater(health(server)["database.last_position"], before)


class Export(Folder):
    ALLERGY = ('{"resourceType":"AllergyIntolerance","id":"a1","patient":{"reference":"Patient/1"},'
               '"extension":[{"url":"x","valueDecimal":1.00}],"note":[{"text":"\\u00e9 \\/"}]}')

    def setUp(self):
        super().setUp()
        self.server = vc.Server()
        self.addCleanup(self.server.clean)
        self.server.start()

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)
        self.server.check_reports()

    def export(self, *args):
        return vc.vitalcache(self.server, "export", *args)

    def lines(self, *args):
        return [json.loads(line) for line in self.export(*args).stdout.splitlines()]

    def put_one_with_original(self):
        row = {"student": "1", "id": "a1", "code": "1", "resource": self.ALLERGY}
        with self.server.client() as client:
            put_students(client, ["1", "2"])
            client.call("IMPORT", "allergies", json.dumps([row]))

    def test_is_what_there_is(self):
        vc.sample(self.folder / "sample", 300)
        vc.vitalcache(self.server, "import", self.folder / "sample")
        said = json.loads(self.export(self.file).stdout)
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        self.assertEqual(said["records"], health(self.server)["database.records"])
        self.assertEqual(len(lines), said["records"])
        self.assertEqual({line["table"] for line in lines[:300]}, {"students"})
        self.assertEqual(said["bytes"], self.file.stat().st_size)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(self.file.read_text(), self.export().stdout)
        for line in lines[::997]:
            self.check_line(line)

    def check_line(self, line):
        key = {"students": "student"}.get(line["table"], line["table"]) + ":" + line["row"]["student"]
        served = json.loads(vc.vitalcache(self.server, "get", key).stdout)
        row = {name: value for name, value in line["row"].items() if name != "student"}
        self.assertIn(row, served if isinstance(served, list) else [served])

    def test_of_a_student_or_of_tables(self):
        self.put_one_with_original()
        self.assertEqual([line["table"] for line in self.lines("--student", "1")], ["students", "allergies"])
        self.assertEqual([line["table"] for line in self.lines("--student", "1", "--table", "allergies,visits")],
                         ["allergies"])
        self.assertEqual([line["row"]["id"] for line in self.lines("--table", "students", "-")], ["1", "2"])
        self.assertEqual(self.lines("--student", "3"), [])

    def test_says_what_it_does_not_know(self):
        for args in (["--table", "allergies,allergy"], ["--student", "no\tid"]):
            with self.subTest(args):
                done = vc.vitalcache(self.server, "export", *args, check=False)
                self.assertIn(done.returncode, (REFUSED, USAGE))
                self.assertNotEqual(done.stderr, "")

    def test_originals_are_as_they_came(self):
        self.put_one_with_original()
        self.assertEqual(self.export("--originals", "-").stdout, self.ALLERGY + "\n")
        self.assertIn('"resource":' + self.ALLERGY, self.export().stdout)
        self.assertEqual(json.loads(self.export("--originals", self.file).stdout)["without_original"], 2)

    def test_a_server_that_goes_away_leaves_no_file(self):
        vc.sample(self.folder / "sample", 300)
        vc.vitalcache(self.server, "import", self.folder / "sample")
        port = self.server.port
        self.server.kill()
        said = run("--port", port, "export", self.file, code=3)
        self.assertIn(str(port), said)
        self.assertFalse(self.file.exists())
        self.server.start()


class RoundTrip(Folder):
    """export | import | export: equal lines, and originals that mean what the files said, number by number."""

    def exported(self, server, *args):
        return vc.vitalcache(server, "export", *args).stdout.splitlines()

    def again(self, lines):
        """The lines of a new server into which these were imported."""
        with vc.Server() as server:
            vc.vitalcache(server, "import", "-", stdin="\n".join(lines) + "\n")
            return self.exported(server)

    def test_of_csv(self):
        vc.sample(self.folder / "sample", 200)
        with vc.Server() as server:
            vc.vitalcache(server, "import", self.folder / "sample")
            lines = self.exported(server)
        self.assertEqual(self.again(lines), lines)

    def test_of_fhir(self):
        data = vc.data_folder()
        if data is None:
            self.skipTest("the public data sets are not here (VITALCACHE_TEST_DATA)")
        inputs = sorted(path for path in (data / "fhir-ndjson").rglob("*.ndjson*"))
        self.assertNotEqual(inputs, [])
        with vc.Server() as server:
            vc.vitalcache(server, "import", *inputs, check=False)
            lines = self.exported(server)
            originals = self.exported(server, "--originals")
        self.assertEqual(self.again(lines), lines)
        self.check_originals(inputs, originals)

    def check_originals(self, inputs, originals):
        came = {}
        for path in inputs:
            for line in read_lines(path):
                resource = exact(line)
                came.setdefault((resource["resourceType"], resource["id"]), []).append(resource)
        self.assertNotEqual(originals, [])
        for line in originals:
            resource = exact(line)
            self.assertIn(resource, came[resource["resourceType"], resource["id"]])


def read_lines(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return [line for line in file if line.strip()]


def exact(text):
    """JSON, with numbers as they are spelled."""
    return json.loads(text, parse_float=lambda spelled: ("number", spelled),
                      parse_int=lambda spelled: ("number", spelled))


class Compact(Folder):
    MARKER = "Zyx-erased-marker-0123456789"

    def found_in(self, data):
        return [path.name for path in data.rglob("*") if path.is_file() and self.MARKER.encode() in path.read_bytes()]

    def test_nothing_of_an_erased_student_is_left(self):
        with vc.Server() as server:
            with server.client() as client:
                put_students(client, range(50))
                client.call("PUT", "student:" + self.MARKER, json.dumps(dict(STUDENT, first_name=self.MARKER)), "IF",
                            "NEW")
                client.call("PUT", "visits:" + self.MARKER, json.dumps(
                    [{"id": str(n), "date": "2026-01-%02dT00:00:00Z" % (n + 1), "kind": self.MARKER, "note": "x" * 3000}
                     for n in range(20)]), "IF", "FORCE")
                client.call("ERASE", "STUDENT", self.MARKER)
            before = health(server)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(self.found_in(server.data), ["data.mdb"])  # in free pages: so the test can fail
            said = report("compact", "--data", server.data)
            self.assertEqual(self.found_in(server.data), [])
            self.assertLess(said["bytes_after"], said["bytes_before"])
            server.start()
            after = health(server)
            for name in ("students", "records", "damaged"):
                self.assertEqual(after["database." + name], before["database." + name], name)
            with server.client() as client:
                put_students(client, ["new"])

    def test_killed_at_any_point(self):
        before = self.imported(self.folder / "db", 300)
        work = self.folder / "db" / "compact.tmp"
        for bytes_written in (0, 1, 100000, 500000):
            command = subprocess.Popen([vc.VITALCACHE, "compact", "--data", self.folder / "db"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            kill_when(command, work / "data.mdb", bytes_written)
            with vc.Server(data=self.folder / "db") as server:
                after = health(server)
            for name in ("students", "records", "damaged"):
                self.assertEqual(after["database." + name], before["database." + name], name)
        report("compact", "--data", self.folder / "db")
        self.assertFalse(work.exists())

    def test_waits_for_no_backup(self):
        """A backup under way keeps the file that it reads."""
        self.imported(self.folder / "db", 300)
        reading = subprocess.Popen([vc.VITALCACHE, "backup", "--data", self.folder / "db", "-"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = reading.stdout.read(1)
        said = run("compact", "--data", self.folder / "db", code=REFUSED)
        self.assertIn("backup", said)
        whole = first + reading.communicate()[0]
        report("compact", "--data", self.folder / "db")
        self.file.write_bytes(whole)
        report("restore", "--data", self.folder / "again", self.file)


def kill_when(command, path, size):
    """Kills the process once the file has so many bytes, unless it comes to its end before."""
    while command.poll() is None and size_of(path) < size:
        pass
    command.kill()
    command.wait()


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


if __name__ == "__main__":
    unittest.main()
