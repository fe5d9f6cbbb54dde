#!/usr/bin/python3
"""Reads of PostgreSQL: against real clusters, what is asked (how many statements, in how many round trips), what is
answered, and what is said when it cannot be known."""
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import driven  # noqa: E402
import pg  # noqa: E402
import resp  # noqa: E402
import vc  # noqa: E402

DRIVE = str(vc.BUILD / "tests" / os.environ.get("VC_READ_DRIVE", "pg_read_drive"))
SQL = pathlib.Path(__file__).resolve().parents[2] / "database"

TYPES = r"""
subjects:
  school: {exists: SELECT id FROM public.schools WHERE id = ANY($1), table: schools}
  ward:
tables:
  students: {postgres: {relations: [{name: public.students, student: id}]}}
  schools: {postgres: {relations: [{name: public.schools, school: id}]}}
  allergies:
    schema: 1
    fields: {status: text}
    postgres: {relations: [{name: public.allergies, student: student_id}, {name: public.allergies}]}
  visits:
    postgres: {relations: [{name: public.visits, student: student_id}, {name: public.visits, school: school_id}]}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, id, name FROM public.students WHERE id = ANY($1)"}
  allergies:
    shape: list
    table: allergies
    postgres:
      fetch: >
        SELECT student_id AS student, id, name, status FROM public.allergies WHERE student_id = ANY($1) ORDER BY id DESC
  visits:
    shape: list
    table: visits
    postgres:
      fetch: SELECT student_id AS student, id, note FROM public.visits WHERE student_id = ANY($1) ORDER BY id
  flaky:
    shape: list
    table: visits
    postgres:
      fetch: SELECT student_id AS student, id, 1 / (id - 7) AS n FROM public.visits WHERE student_id = ANY($1)
  current:
    shape: list
    table: visits
    postgres:
      fetch: >
        SELECT s.id AS student, v.id, coalesce(v.ends, now() + interval '1 hour') AS valid_until FROM public.students s
        LEFT JOIN public.visits v ON v.student_id = s.id AND v.ends > now() WHERE s.id = ANY($1)
  brief:
    shape: list
    table: visits
    postgres:
      fetch: >
        SELECT student_id AS student, id, now() + interval '1 hour' AS valid_until FROM public.visits
        WHERE student_id = ANY($1)
  summary:
    shape: composite
    parts:
      student: {type: student}
      allergies: {type: allergies, where: {status: active}}
      newest: {type: allergies, limit: 1}
      visits: {type: visits}
  wide:
    shape: composite
    parts: {student: {type: student}, allergies: {type: allergies}, visits: {type: visits}, current: {type: current},
            brief: {type: brief}}
  enrolled:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, name FROM public.students WHERE id = ANY($1) AND name <> 'Student 3'"}
  file:
    shape: composite
    parts: {enrolled: {type: enrolled}, newest: {type: allergies, limit: 1}}
  shifted:
    shape: list
    table: visits
    postgres: {fetch: "SELECT 's' || id + 1 AS student, id FROM public.visits WHERE student_id = ANY($1)"}
  shaky:
    shape: composite
    parts: {student: {type: student}, allergies: {type: allergies}, flaky: {type: flaky}}
  board:
    key: "board:{school}"
    id: int
    shape: composite
    parts: {visits: {type: visits_of_school}, counts: {type: counts_of_school}}
  visits_of_school:
    key: "visits_of_school:{school}"
    id: int
    shape: list
    table: visits
    postgres: {fetch: "SELECT school_id AS school, id FROM public.visits WHERE school_id = ANY($1) ORDER BY id"}
  counts_of_school:
    key: "counts_of_school:{school}"
    id: int
    shape: one
    table: visits
    postgres:
      fetch: >
        SELECT school_id AS school, count(*) AS visits, count(DISTINCT student_id) AS students FROM public.visits
        WHERE school_id = ANY($1) GROUP BY school_id
  ward_visits:
    key: "ward_visits:{ward}"
    shape: list
    table: visits
    postgres: {fetch: "SELECT note AS ward, id FROM public.visits WHERE note = ANY($1)"}
"""
SCHEMA = """
CREATE TABLE students (id text PRIMARY KEY, name text);
CREATE TABLE schools (id int PRIMARY KEY);
CREATE TABLE allergies (id int PRIMARY KEY, student_id text, name text, status text);
CREATE INDEX ON allergies (student_id);
CREATE TABLE visits (id int PRIMARY KEY, student_id text, school_id int, note text, ends timestamptz);
CREATE INDEX ON visits (student_id);
INSERT INTO students SELECT 's' || n, 'Student ' || n FROM generate_series(1, 200) AS n;
INSERT INTO schools VALUES (9), (10);
INSERT INTO allergies SELECT n, 's' || (n % 100 + 1), 'nut ' || n, CASE n % 2 WHEN 0 THEN 'active' ELSE 'old' END
FROM generate_series(1, 400) AS n;
INSERT INTO visits SELECT n, 's' || n, CASE WHEN n <= 20 THEN 9 END, 'note ' || n, now() + interval '10 minutes'
FROM generate_series(1, 20) AS n;
"""
WATCH = """
INSERT INTO vitalcache.vc_watch VALUES
    ('public.students', 'students', 'student', 'id'), ('public.schools', 'schools', 'school', 'id'),
    ('public.allergies', 'allergies', 'student', 'student_id'),
    ('public.visits', 'visits', 'student', 'student_id'), ('public.visits', 'visits', 'school', 'school_id');
SELECT vitalcache.vc_cover();
"""


class Read:
    def __init__(self, fields):
        self.key, self.status, self.what, self.source = fields[:4]
        self.epoch = int(fields[4])
        self.snapshot = fields[5]
        self.lives = int(fields[6])
        self.value = json.loads(fields[7]) if fields[7] else None
        self.message = fields[8]

    def __repr__(self):
        return "Read(%s)" % ", ".join("%s=%r" % item for item in vars(self).items())


class Drive(driven.Program):
    """A pg_read_drive process."""

    def __init__(self, dsn, types, **settings):
        replicas = ["replica=" + replica for replica in settings.pop("replicas", ())]
        super().__init__([DRIVE, "dsn=" + dsn, "types=" + types, *replicas,
                          *("%s=%s" % item for item in settings.items())])
        self.skip = self.line_number("^ready$", 0)
        self.round_trips = 0

    def await_line(self, pattern):
        number = self.line_number(pattern, self.skip)
        lines = self.said.lines[self.skip:number]
        self.skip = number
        return [line.split("\t") for line in lines]

    def tell(self, *fields):
        """What is said up to the command's end."""
        self.send(*fields)
        lines = self.await_line("^end\t")
        self.round_trips = int(lines[-1][1])
        return lines[:-1]

    def fetch(self, *keys, flags="-"):
        """The reads, in the order of the keys."""
        reads = {}
        for line in self.tell("fetch", flags, *keys):
            if line[0] == "read":
                reads.setdefault(line[1], []).append(Read(line[1:]))
        assert sum(map(len, reads.values())) == len(keys), self.said.lines
        return [reads[key].pop(0) for key in keys]

    def get(self, key, flags="-"):
        return self.fetch(key, flags=flags)[0]


class ReadTest(unittest.TestCase):
    schema = SCHEMA
    types = TYPES
    watch = WATCH

    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster(log_statement="all").__enter__()
        cls.cluster.psql(cls.schema)
        cls.install()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
            file.write(cls.types)
        cls.types_file = file.name

    @classmethod
    def install(cls):
        cls.cluster.psql_file(SQL / "pg_setup.sql")
        cls.cluster.psql_file(SQL / "pg_triggers.sql")
        cls.cluster.psql(cls.watch)
        cls.cluster.psql("SELECT vitalcache.vc_begin_epoch()")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        os.unlink(cls.types_file)

    def tearDown(self):
        self.cluster.wait_for_connections(0)

    def drive(self, **settings):
        return Drive(settings.pop("dsn", None) or self.cluster.dsn(), self.types_file, **settings)

    def statements(self, drive, *keys, flags="-"):
        """The reads, and the statements that they took, by the server's own log."""
        log = self.cluster.server.log
        skip = len(log.lines)
        reads = drive.fetch(*keys, flags=flags)
        self.cluster.psql("SELECT 'that was all %d'" % skip)
        assert log.wait_for("that was all %d" % skip, pg.PATIENCE, skip) is not None
        found = re.findall(r"execute [^:]+: (.*)", "\n".join(log.lines[skip:]))
        return reads, [statement for statement in found if "that was all" not in statement]

    def data(self, statements):
        return [s for s in statements if re.search(r"public\.", s)]


class PlanTest(ReadTest):
    def test_a_hundred_summaries_are_one_query_per_part_in_one_round_trip(self):
        keys = ["wide:s%d" % n for n in range(1, 101)]
        with self.drive() as drive:
            reads, statements = self.statements(drive, *keys)
            self.assertEqual(drive.round_trips, 1)
            self.assertEqual(len(self.data(statements)), 5, statements)
            self.assertEqual([s for s in statements if s.startswith(("BEGIN", "COMMIT"))],
                             ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "COMMIT"])
        self.assertTrue(all(r.status == "OK" and r.what == "found" and r.epoch > 0 for r in reads))
        self.assertEqual(reads[0].value["student"], {"id": "s1", "name": "Student 1"})
        self.assertEqual([a["id"] for a in reads[0].value["allergies"]], [400, 300, 200, 100])

    def test_a_list_costs_its_query_and_the_one_for_existence(self):
        with self.drive() as drive:
            reads, statements = self.statements(drive, *["allergies:s%d" % n for n in range(190, 203)])
            self.assertEqual((len(self.data(statements)), drive.round_trips), (2, 1))
        self.assertEqual([r.what for r in reads], ["found"] * 11 + ["none"] * 2)
        self.assertEqual(reads[0].value, [])
        self.assertIsNone(reads[11].value)

    def test_types_of_one_tick_share_queries_and_the_transaction(self):
        with self.drive() as drive:
            reads, statements = self.statements(drive, "allergies:s1", "summary:s2", "visits:s3", "student:nobody",
                                                "allergies:s1")
            self.assertEqual((len(self.data(statements)), drive.round_trips), (4, 1))
        self.assertEqual([r.what for r in reads], ["found", "found", "found", "none", "found"])
        self.assertEqual(len({r.snapshot for r in reads}), 1)
        self.assertEqual(reads[0].value, reads[4].value)

    def test_parts_are_filtered_and_cut(self):
        with self.drive() as drive:
            value = drive.get("summary:s1").value
        self.assertEqual([a["id"] for a in value["allergies"]], [400, 300, 200, 100])
        self.assertEqual([a["id"] for a in value["newest"]], [400])
        with self.drive() as drive:
            self.assertEqual(drive.get("summary:s2").value["allergies"], [])
        self.assertEqual(value["visits"], [{"id": 1, "note": "note 1"}])

    def test_a_student_who_is_not_there_is_none_in_every_form(self):
        with self.drive() as drive:
            for read in drive.fetch("summary:x", "allergies:x", "student:x"):
                self.assertEqual((read.status, read.what, read.value), ("OK", "none", None))
                self.assertGreater(read.epoch, 0)

    def test_a_student_who_is_not_shown_is_there_all_the_same(self):
        with self.drive() as drive:
            reads, statements = self.statements(drive, *["file:s%d" % n for n in range(1, 101)], "file:x")
            self.assertEqual((len(self.data(statements)), drive.round_trips), (5, 2))
            self.assertEqual([r.what for r in reads], ["found"] * 100 + ["none"])
            self.assertEqual(reads[2].value["enrolled"], None)
            self.assertEqual([a["name"] for a in reads[2].value["newest"]], ["nut 302"])
            self.assertEqual(reads[3].value["enrolled"], {"name": "Student 4"})
            self.assertTrue(all(r.epoch > 0 for r in reads))
            self.assertEqual(drive.get("enrolled:s3").what, "none")

    def test_a_thousand_and_more_reads_are_several_batches(self):
        with self.drive() as drive:
            reads = drive.fetch(*["student:s%d" % n for n in range(1, 1031)])
            self.assertEqual(drive.round_trips, 2)
        self.assertEqual(sum(r.what == "found" for r in reads), 200)

    def test_how_many_share_a_batch_can_be_limited(self):
        keys = ["student:s%d" % n for n in range(1, 8)]
        for most, ids in ((3, [3, 3, 1]), (1, [1] * 7)):
            with self.drive(batch=most) as drive:
                skip = len(self.cluster.server.log.lines)
                reads, statements = self.statements(drive, *keys)
                self.assertEqual({(r.status, r.what) for r in reads}, {("OK", "found")})
                self.assertEqual((len(self.data(statements)), drive.round_trips), (len(ids), len(ids)))
            asked = re.findall(r"parameters: \$1 = '{(s.*)}'", "\n".join(self.cluster.server.log.lines[skip:]))
            self.assertEqual(sorted((len(array.split(",")) for array in asked), reverse=True), ids)


class GatherTest(ReadTest):
    """What is asked for while an exchange is out, which waits for a lock."""
    def setUp(self):
        self.lock = self.cluster.connect(autocommit=False)

    def tearDown(self):
        self.lock.close()
        super().tearDown()

    def hold(self, drive):
        self.statements(drive, "student:s1")  # the log has it all before the next begins
        self.skip = len(self.cluster.server.log.lines)
        self.lock.cursor().execute("LOCK TABLE visits")
        drive.send("fetch", "-", "visits:s1")
        pg.wait_for(lambda: self.cluster.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)], "it waits")

    def answers(self, drive, count):
        """By key, when so many fetches have ended."""
        lines = [line for _ in range(count) for line in drive.await_line("^end\t")]
        return {line[1]: Read(line[1:]) for line in lines if line[0] == "read"}

    def test_reads_gather_while_the_only_connection_is_busy(self):
        with self.drive(size=1) as drive:
            self.hold(drive)
            for key in ("student:s2", "student:s3", "allergies:s4"):
                drive.send("fetch", "-", key)
            self.assertEqual(drive.tell("health")[0][1], "1")  # it has read all that, and nothing was answered
            self.lock.rollback()
            reads = self.answers(drive, 4)
            self.assertEqual({(r.status, r.what) for r in reads.values()}, {("OK", "found")})
            self.assertEqual(len({reads[k].snapshot for k in reads if k != "visits:s1"}), 1)
        begins = [line for line in self.cluster.server.log.lines[self.skip:] if "execute <unnamed>: BEGIN ISO" in line]
        self.assertEqual(len(begins), 2, begins)

    def test_a_slow_exchange_does_not_hold_others_while_there_is_a_connection(self):
        with self.drive(size=2) as drive:
            self.hold(drive)
            drive.send("fetch", "-", "student:s2")
            self.assertEqual(self.answers(drive, 1)["student:s2"].status, "OK")
            self.lock.rollback()
            self.assertEqual(self.answers(drive, 1)["visits:s1"].status, "OK")

    def test_what_waits_is_answered_at_its_time(self):
        with self.drive(size=1, timeout=500) as drive:
            self.hold(drive)
            drive.send("fetch", "-", "student:s2")
            reads = self.answers(drive, 2)
            self.assertEqual(reads["visits:s1"].status, "UNAVAILABLE")
            self.assertIn(reads["student:s2"].status, ("BUSY", "UNAVAILABLE", "OK"))
            self.lock.rollback()
            self.assertEqual(drive.get("student:s2").status, "OK")

    def test_at_the_end_what_waits_fails(self):
        with self.drive(size=1) as drive:
            self.hold(drive)
            drive.send("fetch", "-", "student:s2")
            drive.process.stdin.close()
            self.assertEqual({r.status for r in self.answers(drive, 2).values()}, {"UNAVAILABLE"})
        self.lock.rollback()


class ContainerTest(ReadTest):
    def test_a_dashboard_is_one_round_trip(self):
        with self.drive() as drive:
            reads, statements = self.statements(drive, "board:9", "board:10", "board:11")
            self.assertEqual((len(self.data(statements)), drive.round_trips), (3, 1))
        self.assertEqual([v["id"] for v in reads[0].value["visits"]], list(range(1, 21)))
        self.assertEqual(reads[0].value["counts"], {"visits": 20, "students": 20})
        self.assertEqual(reads[1].value, {"visits": [], "counts": None})
        self.assertEqual(reads[2].what, "none")

    def test_without_a_rule_everything_exists(self):
        with self.drive() as drive:
            self.assertEqual(drive.get("ward_visits:note 3").value, [{"id": 3}])
            self.assertEqual(drive.get("ward_visits:nowhere").value, [])


class FailureTest(ReadTest):
    def test_a_failed_part_is_told_and_not_kept(self):
        with self.drive() as drive:
            bad, good = drive.fetch("shaky:s7", "summary:s7")
            again = drive.get("shaky:s6")
        self.assertEqual((bad.status, bad.what, bad.epoch), ("OK", "found", 0))
        self.assertEqual(bad.value["flaky"], {"error": {"code": "UNAVAILABLE"}})
        self.assertEqual(bad.value["student"]["id"], "s7")
        self.assertEqual(len(bad.value["allergies"]), 4)
        self.assertGreater(good.epoch, 0)
        self.assertEqual((again.value["flaky"], again.epoch > 0), ([{"id": 6, "n": -1}], True))

    def test_one_type_s_failure_is_not_another_s(self):
        with self.drive() as drive:
            bad, good = drive.fetch("flaky:s7", "visits:s7")
        self.assertEqual((bad.status, bad.value), ("UNAVAILABLE", None))
        self.assertEqual((good.status, len(good.value)), ("OK", 1))

    def test_one_id_s_bad_data_is_not_another_s(self):
        with self.drive() as drive:
            reads = drive.fetch("flaky:s6", "flaky:s7", "flaky:s8")
            self.assertEqual(drive.round_trips, 3)
            drive.fetch("flaky:s6", "flaky:s7", "flaky:s8")
            self.assertEqual(drive.round_trips, 2)  # queries are kept apart now
        self.assertEqual([r.status for r in reads], ["OK", "UNAVAILABLE", "OK"])

    def test_rows_under_another_id_than_was_asked_for_are_nobody_s(self):
        with self.drive() as drive:
            reads = drive.fetch("shifted:s5", "shifted:s6", "shifted:s7", "visits:s7")
        self.assertEqual([(r.status, r.value) for r in reads[:3]], [("BADKEY", None)] * 3)
        self.assertEqual(reads[3].value, [{"id": 7, "note": "note 7"}])

    def test_among_many_a_bad_one_is_found_in_halves(self):
        with self.drive() as drive:
            reads, statements = self.statements(drive, *["shaky:s%d" % n for n in range(1, 201)])
            self.assertEqual([r.key for r in reads if r.epoch == 0], ["shaky:s7"])
            self.assertEqual({r.status for r in reads}, {"OK"})
            self.assertEqual(reads[6].value["flaky"], {"error": {"code": "UNAVAILABLE"}})
            self.assertLess(len(self.data(statements)), 80)

    def test_a_database_that_is_not_there(self):
        port = vc.Port()
        try:
            with self.drive(dsn="host=127.0.0.1 port=%d user=x dbname=x" % port.number, timeout=2000) as drive:
                read = drive.get("student:s1")
                self.assertEqual((read.status, read.what, read.value), ("UNAVAILABLE", "none", None))
                self.assertEqual(drive.tell("health")[0][1], "0")
        finally:
            port.release()
        with self.drive() as drive:
            drive.get("student:s1")
            self.assertEqual(drive.tell("health")[0][1:], ["1", ""])

    def test_a_query_that_takes_too_long(self):
        lock = self.cluster.connect(autocommit=False)
        with self.drive(timeout=500) as drive:
            drive.get("visits:s1")
            lock.cursor().execute("LOCK TABLE visits")
            self.assertEqual(drive.get("visits:s1").status, "UNAVAILABLE")
            lock.rollback()
            lock.close()
            self.assertEqual(drive.get("visits:s1").status, "OK")

    def test_writes_are_not_ours(self):
        with self.drive() as drive:
            self.assertEqual(drive.tell("write")[0][1:],
                             ["READONLY", "PostgreSQL's records are written by its own applications"])
            self.assertEqual(drive.tell("touch")[0][1], "OK")

    def test_a_changed_table_is_read_all_the_same(self):
        self.cluster.psql("CREATE TABLE more (id text); CREATE VIEW public.x AS SELECT 1")
        with self.drive() as drive:
            self.assertEqual(drive.get("student:s1").status, "OK")
            self.cluster.psql("ALTER TABLE students ALTER name TYPE varchar(100)")
            self.assertEqual(drive.get("student:s1").value["name"], "Student 1")


class LifeTest(ReadTest):
    def test_valid_until_caps_the_life(self):
        with self.drive() as drive:
            current, none, brief, empty = drive.fetch("current:s1", "current:s100", "brief:s1", "brief:s100")
            wide = drive.get("wide:s1")
        minute = 60 * 10**9
        self.assertEqual([v["id"] for v in current.value], [1])
        self.assertTrue(0 < current.lives <= 10 * minute, current)
        self.assertEqual(none.value, [])
        self.assertEqual(none.lives, 60 * minute)
        self.assertEqual(brief.lives, 60 * minute)
        self.assertEqual((empty.value, empty.lives), ([], 1))  # nothing said how long it is true
        self.assertTrue(0 < wide.lives <= 10 * minute, wide)

    def test_others_have_no_cap(self):
        with self.drive() as drive:
            self.assertEqual(drive.get("summary:s1").lives, 0)


class UnmodifiedTest(ReadTest):
    def test_what_is_known_and_untouched_is_not_read_again(self):
        keys = ["allergies:s51", "summary:s52", "student:nobody"]
        with self.drive() as drive:
            first = drive.fetch(*keys)
            reads, statements = self.statements(drive, *keys, flags="k")
            self.assertEqual((self.data(statements), drive.round_trips), ([], 1))
            self.assertEqual([r.what for r in reads], ["unmodified"] * 3)
            self.assertEqual([r.epoch for r in reads], [first[0].epoch] * 3)
            self.cluster.psql("UPDATE allergies SET name = 'soy' WHERE student_id = 's51'")
            reads = drive.fetch(*keys, flags="k")
            self.assertEqual([r.what for r in reads], ["found", "unmodified", "unmodified"])
            self.assertEqual({a["name"] for a in reads[0].value}, {"soy"})
            self.assertEqual(drive.round_trips, 2)
            self.cluster.psql("INSERT INTO students VALUES ('nobody', 'Somebody')")
            self.assertEqual(drive.get(keys[2], flags="k").value, {"id": "nobody", "name": "Somebody"})
            self.cluster.psql("DELETE FROM students WHERE id = 'nobody'")

    def test_another_epoch_s_copy_is_read_again(self):
        with self.drive() as drive:
            first = drive.get("student:s1")
            self.cluster.psql("DELETE FROM vitalcache.vc_alive")
            self.assertEqual(drive.get("student:s1", flags="k").epoch, 0)
            self.cluster.psql("SELECT vitalcache.vc_begin_epoch()")
            self.assertEqual(drive.get("student:s1", flags="k").what, "found")
            self.assertNotEqual(drive.get("student:s1").epoch, first.epoch)

    def test_a_type_that_is_not_covered_is_read_through(self):
        with self.drive() as drive:
            drive.tell("state", "allergies", "1", "0", "0")
            reads = drive.fetch("allergies:s1", "summary:s1", "visits:s1")
            self.assertEqual([r.epoch > 0 for r in reads], [False, False, True])
            self.assertEqual(drive.get("allergies:s1", flags="k").what, "found")


class BeatTest(ReadTest):
    def beats(self):
        return self.cluster.psql("SELECT coalesce(sum(n), 0) FROM vitalcache.vc_beat")[0][0]

    def test_strict_reads_commit_when_they_must_prove_the_primary(self):
        with self.drive() as drive:
            begun = self.beats()
            drive.get("student:s1", flags="s")
            self.assertEqual(self.beats(), begun)
            drive.tell("heartbeat", "1")
            read = drive.get("student:s1", flags="s")
            self.assertEqual((read.what, read.source), ("found", "proved"))
            self.assertEqual((self.beats(), drive.round_trips), (begun + 1, 1))
            self.assertEqual(drive.get("student:s1").source, "primary")
            self.assertEqual(self.beats(), begun + 1)
            read = drive.get("student:s1", flags="sk")
            self.assertEqual((read.what, read.source), ("unmodified", "proved"))
            self.assertEqual(self.beats(), begun + 2)
            drive.fetch(*["student:s%d" % n for n in range(50)], flags="s")
            self.assertEqual(self.beats(), begun + 3)

    def test_a_commit_that_does_not_reach_the_replica_proves_nothing(self):
        with self.drive(timeout=2000) as drive:
            drive.tell("heartbeat", "1")
            drive.get("student:s1", flags="s")
            self.cluster.configure(synchronous_standby_names="nobody", synchronous_commit="off")
            try:
                pg.wait_for(lambda: drive.get("student:s1", flags="s").status == "UNAVAILABLE",
                            "commits wait, whatever is usual")
                self.assertEqual(drive.get("student:s1").status, "OK")
            finally:
                self.cluster.configure(synchronous_standby_names=None, synchronous_commit=None)
            pg.wait_for(lambda: drive.get("student:s1", flags="s").status == "OK", "commits again")


class BareTest(ReadTest):
    @classmethod
    def install(cls):
        pass

    def test_a_standby_is_no_primary(self):
        with self.cluster.replica() as standby, self.drive(dsn=standby.dsn()) as drive:
            for _ in range(2):
                self.assertEqual(drive.get("allergies:s1").status, "UNAVAILABLE")

    def test_without_the_schema_it_is_read_through_and_never_kept(self):
        with self.drive() as drive:
            reads = drive.fetch("summary:s1", "allergies:s1", "student:x")
            self.assertEqual([(r.status, r.epoch) for r in reads], [("OK", 0)] * 3)
            self.assertEqual(drive.round_trips, 2)
            self.assertEqual(drive.get("allergies:s1", flags="k").what, "found")
            drive.get("allergies:s1")
            self.assertEqual(drive.round_trips, 1)
            super().install()
            self.assertEqual(drive.get("allergies:s1").epoch, 0)
            drive.tell("installed")
            self.assertGreater(drive.get("allergies:s1").epoch, 0)


    def test_a_standby_is_not_read_through(self):
        # How old it is, nobody knows: it cannot answer at all.
        with pg.Cluster() as primary:
            primary.psql(self.schema)
            with primary.replica() as standby:
                primary.wait_for_replay(standby)
                with self.drive(dsn=standby.dsn()) as drive:
                    self.assertEqual([r.status for r in drive.fetch("student:s1", "summary:s1")], ["UNAVAILABLE"] * 2)
                    read = drive.get("student:s1")
                    self.assertEqual((read.status, read.what), ("UNAVAILABLE", "none"))
                    self.assertIn("standby", read.message)
                    self.assertIn("standby", drive.tell("health")[0][2])


class ForbiddenTest(ReadTest):
    def test_a_role_that_may_not_use_the_schema_is_read_through(self):
        self.cluster.create_role("reader", "secret")
        self.cluster.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        with self.drive(dsn=self.cluster.dsn(user="reader", password="secret")) as drive:
            read = drive.get("student:s1")
            self.assertEqual((read.status, read.epoch, read.value["name"]), ("OK", 0, "Student 1"))
            self.assertEqual(drive.tell("health")[0][1:], ["1", ""])
            self.cluster.psql("GRANT USAGE ON SCHEMA vitalcache TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA"
                              " vitalcache TO reader; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vitalcache TO reader")
            self.assertEqual(drive.get("student:s1").epoch, 0)
            drive.tell("later", "11000")  # it looks again by itself
            self.assertGreater(drive.get("student:s1").epoch, 0)
            drive.get("student:s1")
            self.assertEqual(drive.round_trips, 1)
            self.cluster.psql("REVOKE SELECT ON visits FROM reader")
            read = drive.get("visits:s1")
            self.assertEqual((read.status, read.message),
                             ("UNAVAILABLE", "a query of its type failed; the log has the SQLSTATE"))
            self.assertNotIn("3B001", drive.log.text())


class ReplicaTest(ReadTest):
    def test_replicas_answer_those_who_let_them(self):
        with self.cluster.replica() as replica:
            self.cluster.wait_for_replay(replica)
            with self.drive(replicas=[replica.dsn()]) as drive:
                self.assertEqual(drive.get("summary:s1").source, "replica")
                self.assertEqual(drive.get("summary:s1", flags="p").source, "primary")
                self.assertEqual(drive.get("summary:s1", flags="s").source, "primary")
                self.open_transactions_are_not_believed(drive, replica)
                self.a_replica_of_another_history_serves_none(drive, replica)
                self.a_replica_that_does_not_answer_leaves_time(replica)
                replica.kill9()
                read = drive.get("summary:s1")
                self.assertEqual((read.status, read.source), ("OK", "primary"))

    def test_each_replica_s_connections_are_used(self):
        with self.cluster.replica("one") as one, self.cluster.replica("other") as other:
            for replica in (one, other):
                self.cluster.wait_for_replay(replica)
            with self.drive(replicas=[one.dsn(), other.dsn()], size=1) as drive:
                for _ in range(2):
                    self.assertEqual(drive.get("student:s2").source, "replica")
                one.pause()  # it has the next, and keeps its only connection
                try:
                    drive.send("fetch", "-", "student:s3")
                    for _ in range(3):
                        self.assertEqual(self.next_answer(drive), "student:s4")
                finally:
                    one.resume()
                self.assertEqual(drive.await_line("^read\tstudent:s3\tOK\tfound\treplica")[-1][1], "student:s3")
                drive.await_line("^end\t")

    def next_answer(self, drive):
        """The key whose read is answered first, when student:s4 is asked for; by a replica."""
        drive.send("fetch", "-", "student:s4")
        read = drive.await_line("^read\t")[-1]
        drive.await_line("^end\t")
        self.assertEqual(read[4], "replica")
        return read[1]

    def a_replica_that_does_not_answer_leaves_time(self, replica):
        with self.drive(replicas=[replica.dsn()], timeout=2000) as drive:
            self.assertEqual(drive.get("summary:s1").source, "replica")
            replica.pause()
            try:
                read = drive.get("summary:s1")
                self.assertEqual((read.status, read.source, drive.round_trips), ("OK", "primary", 2))
                self.assertEqual(drive.get("summary:s1").source, "primary")
                self.assertEqual(drive.round_trips, 1)  # it is left alone for a while
            finally:
                replica.resume()

    def open_transactions_are_not_believed(self, drive, replica):
        writer = self.cluster.connect(autocommit=False)
        writer.cursor().execute("UPDATE students SET name = 'late' WHERE id = 's1'")
        self.cluster.psql("UPDATE students SET name = 'early' WHERE id = 's2'")
        self.cluster.wait_for_replay(replica)
        read = drive.get("student:s2")
        self.assertEqual((read.source, read.value["name"]), ("replica", "early"))
        xmin, xmax, running = read.snapshot.split(":")
        self.assertEqual((xmin, running), (xmax, ""))
        self.assertLessEqual(int(xmax), int(self.cluster.psql(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text")[0][0]))
        writer.rollback()
        writer.close()

    def a_replica_of_another_history_serves_none(self, drive, replica):
        self.cluster.psql("DELETE FROM vitalcache.vc_epoch")
        self.cluster.wait_for_replay(replica)
        read = drive.get("student:s2")
        self.assertEqual((read.status, read.source, read.epoch), ("OK", "primary", 0))
        self.cluster.psql("SELECT vitalcache.vc_begin_epoch()")
        self.cluster.wait_for_replay(replica)
        pg.wait_for(lambda: drive.get("student:s2").source == "replica", "the replica is asked again")


ODD = ["a,b", "{x}", '"quoted"', "back\\slash", "\\", '\\"', "NULL", "null", " lead and trail ", "it's", "$1",
       "ü\U0001f9d1\u200d⚕️", "e\u0301", "%s", "a/b:c", "x" * 512, "ü" * 256, "-1", "{}"]


class IdTest(ReadTest):
    """Ids are told apart byte by byte, and none is taken for what it is not."""
    types = r"""
tables:
  students: {postgres: {relations: [{name: public.students, student: id}]}}
  visits: {postgres: {relations: [{name: public.visits, student: student_id}]}}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, id, name FROM public.students WHERE id = ANY($1)"}
  visits:
    shape: list
    table: visits
    postgres: {fetch: "SELECT student_id AS student, id FROM public.visits WHERE student_id = ANY($1)"}
  card: {shape: composite, parts: {student: {type: student}, visits: {type: visits}}}
"""
    schema = watch = "SELECT 'each test makes its own'"
    tables = """
CREATE TABLE students (id %(id)s PRIMARY KEY, name text);
CREATE TABLE visits (id int PRIMARY KEY, student_id %(id)s);
"""

    def setUp(self):
        self.cluster.psql("DROP TABLE IF EXISTS students, visits")

    def make(self, kind, ids):
        self.cluster.psql(self.tables % {"id": kind})
        for n, name in enumerate(ids):
            self.cluster.psql("INSERT INTO students VALUES (%s, %s)", (name, "n%d" % n))
            self.cluster.psql("INSERT INTO visits VALUES (%s, %s)", (n, name))

    def test_any_text(self):
        self.make("text", ODD)
        with self.drive() as drive:
            reads = drive.fetch(*["card:" + name for name in ODD], "visits:NULLl", "visits:x")
            self.assertEqual(drive.round_trips, 1)
        for n, (name, read) in enumerate(zip(ODD, reads)):
            self.assertEqual(read.value, {"student": {"id": name, "name": "n%d" % n}, "visits": [{"id": n}]}, name)
        self.assertEqual([r.what for r in reads[-2:]], ["none"] * 2)

    def test_numbers(self):
        self.make("integer", [1, 42, 2147483647])
        with self.drive() as drive:
            for known in (False, True):
                if known:
                    for name in ("student", "visits"):
                        drive.tell("state", name, "0", "0", "23")
                self.assertEqual([r.what for r in drive.fetch("card:1", "visits:42", "student:43")],
                                 ["found", "found", "none"])
                reads = drive.fetch("card:042", "visits: 1", "student:abc", "student:2147483647")
                self.assertEqual([r.status for r in reads], ["BADKEY", "BADKEY", "BADKEY", "OK"], reads)
                self.assertEqual(reads[0].message, "the id is not in canonical form; it would be %s42" % (
                    "" if known else "card:"))
                # In one tick with the right form, the other is at the least not there.
                reads = drive.fetch("visits:42", "visits:042")
                self.assertEqual(reads[0].value, [{"id": 1}])
                self.assertEqual((reads[1].status, reads[1].what), ("BADKEY" if known else "OK", "none"))
            self.assertEqual([(r.status, r.what) for r in drive.fetch("student:2147483648", "visits:-2147483649",
                                                                      "card:" + "9" * 30)], [("OK", "none")] * 3)
            self.assertEqual(drive.round_trips, 1)

    def test_a_number_out_of_range_is_none_only_by_the_database_s_word(self):
        self.make("integer", [1])
        with self.drive() as drive:
            for name in ("student", "visits"):
                drive.tell("state", name, "0", "0", "23")
            keys = ["card:3000000000", "visits:3000000000", "student:3000000000"]
            for read in drive.fetch(*keys):
                self.assertEqual((read.status, read.what, read.epoch), ("OK", "none", 0))
            self.assertEqual(drive.get("card:1").what, "found")  # its statements are prepared for integers
            self.cluster.psql("ALTER TABLE students ALTER id TYPE bigint;"
                              "ALTER TABLE visits ALTER student_id TYPE bigint;"
                              "INSERT INTO students VALUES (3000000000, 'new');"
                              "INSERT INTO visits VALUES (9, 3000000000)")
            for learnt in ("23", "20"):
                for name in ("student", "visits"):
                    drive.tell("state", name, "0", "0", learnt)
                card, visits, student = drive.fetch(*keys)
                self.assertEqual(card.value, {"student": {"id": 3000000000, "name": "new"}, "visits": [{"id": 9}]})
                self.assertEqual((visits.value, student.value["name"]), ([{"id": 9}], "new"))

    def test_only_the_id_s_own_range_makes_none(self):
        self.make("bigint", [1, 3000000000])
        self.cluster.psql("ALTER TABLE students RENAME TO people;"
                          "CREATE VIEW students AS SELECT id, (id + 2)::int::text AS name FROM people")
        with self.drive() as drive:
            for name in ("student", "visits"):
                drive.tell("state", name, "0", "0", "23")
            try:
                student, visits = drive.fetch("student:3000000000", "visits:3000000000")
            finally:
                self.cluster.psql("DROP VIEW students; DROP TABLE people")
            self.assertEqual(student.status, "UNAVAILABLE")
            self.assertEqual(visits.value, [{"id": 1}])

    def test_uuids(self):
        one = "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44"
        self.make("uuid", [one])
        with self.drive() as drive:
            for known in (False, True):
                if known:
                    drive.tell("state", "visits", "0", "0", "2950")
                good, upper, bare, no = drive.fetch("visits:" + one, "visits:" + one.upper(),
                                                    "visits:" + one.replace("-", ""), "visits:x")
                self.assertEqual(good.value, [{"id": 0}])
                self.assertEqual([upper.status, bare.status, no.status], ["BADKEY"] * 3)
                self.assertIn(one, upper.message)

    def test_what_the_database_takes_for_equal(self):
        self.cluster.psql("CREATE EXTENSION IF NOT EXISTS citext")
        self.make("citext", ["Ann", "bob"])
        with self.drive() as drive:
            ann = drive.get("card:Ann")
            self.assertEqual((ann.status, ann.value["visits"]), ("OK", [{"id": 0}]))
            lower, bob = drive.fetch("card:ann", "visits:bob")
            self.assertEqual((lower.status, lower.value), ("BADKEY", None))
            self.assertEqual(lower.message, "the id is not in canonical form; it would be card:Ann")
            self.assertEqual(bob.value, [{"id": 1}])

    def test_char_columns(self):
        self.make("char(8)", ["ab", "abcdefgh"])
        with self.drive() as drive:
            self.assertEqual(drive.get("visits:abcdefgh").value, [{"id": 1}])
            self.assertEqual(drive.get("card:ab").value["visits"], [{"id": 0}])
            padded = drive.get("visits:ab ")
            self.assertEqual(padded.message, "the id is not in canonical form; it would be visits:ab")
            drive.tell("state", "visits", "0", "1", "1042")
            self.assertEqual(drive.get("visits:ab").value, [{"id": 0}])
            self.assertEqual(drive.get("visits:ab ").status, "BADKEY")


CELLS = [  # type, SQL, value
    ("bool", "true", True), ("bool", "false", False),
    ("int2", "-32768", -32768), ("int4", "2147483647", 2147483647), ("int8", "-9223372036854775808", -2**63),
    ("oid", "4294967295", 4294967295),
    ("float4", "0.1", 0.1), ("float4", "1e-30", 1e-30), ("float4", "16777217", 16777216.0), ("float4", "'NaN'", "NaN"),
    ("float8", "0.1", 0.1), ("float8", "1e300", 1e300), ("float8", "'-Infinity'", "-Infinity"),
    ("float8", "12345678901234567890", 12345678901234567890.0), ("float8", "3.141592653589793", 3.141592653589793),
    ("text", "'ü \"x\"'", 'ü "x"'), ("text", "''", ""), ("varchar(5)", "'abc'", "abc"), ("char(5)", "'abc'", "abc  "),
    ("name", "'n'", "n"), ("uuid", "'0B5C1A52-6D0E-4D52-9F5E-3A1F0C2B7D44'", "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44"),
    ("date", "'2026-02-28'", "2026-02-28"), ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("date", "'infinity'", "infinity"), ("date", "'-infinity'", "-infinity"), ("date", "'10000-01-01'", "10000-01-01"),
    ("date", "'1999-12-31'", "1999-12-31"), ("date", "'0001-01-01'", "0001-01-01"),
    ("timestamp", "'2026-02-28 01:02:03'", "2026-02-28T01:02:03"),
    ("timestamp", "'1969-12-31 23:59:59.5'", "1969-12-31T23:59:59.5"),
    ("timestamp", "'0044-03-15 12:00 BC'", "0044-03-15 12:00:00 BC"), ("timestamp", "'infinity'", "infinity"),
    ("timestamptz", "'2026-02-28 01:02:03.000001+05:30'", "2026-02-27T19:32:03.000001Z"),
    ("timestamptz", "'1999-12-31 23:59:59.99Z'", "1999-12-31T23:59:59.99Z"),
    ("timestamptz", "'-infinity'", "-infinity"), ("timestamptz", "'0044-03-15 12:00Z BC'", "0044-03-15 12:00:00+00 BC"),
    ("json", "'{\"b\": [1, 2.5, null, true], \"a\": {\"x\": \"ü\"}}'", {"b": [1, 2.5, None, True], "a": {"x": "ü"}}),
    ("json", "'12345678901234567890'", "12345678901234567890"), ("json", "'[]'", []),
    ("json", "'{\"a\": 1, \"a\": 2}'", '{"a": 1, "a": 2}'),
    ("jsonb", "'{\"b\": 1, \"a\": [{}, []]}'", {"a": [{}, []], "b": 1}), ("jsonb", "'\"text\"'", "text"),
    ("jsonb", "'null'", None),
    ("bytea", "'\\x'", ""), ("bytea", "'\\x00ff10'", "AP8Q"), ("bytea", "'\\x00ff'", "AP8="),
    ("bytea", "'\\x00'", "AA=="),
    ("text[]", "ARRAY['a', NULL, 'NULL', '', ' ', '\"', '\\', '{', '}', ',', 'ü']",
     ["a", None, "NULL", "", " ", '"', "\\", "{", "}", ",", "ü"]),
    ("text[]", "'{}'", []), ("int[]", "'{1,-2,NULL}'", [1, -2, None]), ("int[]", "'[5:6]={1,2}'", [1, 2]),
    ("int[]", "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]), ("int[]", "'[0:0][2:3]={{1,2}}'", [[1, 2]]),
    ("text[]", "'{{{a},{\"b}\"}},{{c},{NULL}}}'", [[["a"], ["b}"]], [["c"], [None]]]),
    ("bool[]", "'{t,f}'", [True, False]), ("float8[]", "'{1.5,NaN}'", [1.5, "NaN"]), ("int8[]", "'{1}'", [1]),
    ("date[]", "'{2026-01-01}'", ["2026-01-01"]), ("uuid[]", "ARRAY[NULL::uuid]", [None]),
    ("timestamptz[]", "'{2026-01-01 00:00Z}'", ["2026-01-01T00:00:00Z"]),
    ("jsonb[]", "ARRAY['{\"a\": 1}'::jsonb]", [{"a": 1}]),
    ("bytea[]", "ARRAY['\\x00'::bytea]", ["AA=="]), ("varchar[]", "'{a}'", ["a"]), ("int2[]", "'{7}'", [7]),
]
TEXT_CELLS = [  # of types that are read in text form only
    ("numeric", "12", 12), ("numeric", "-0.5", -0.5), ("numeric", "12.50", "12.50"), ("numeric", "'NaN'", "NaN"),
    ("numeric", "123456789012345678901234567890", "123456789012345678901234567890"),
    ("numeric", "0.1234567890123456789", "0.1234567890123456789"), ("numeric", "1e-7", "0.0000001"),
    ("numeric[]", "'{1,2.5,2.50,NULL}'", [1, 2.5, "2.50", None]),
    ("interval", "'1 day 02:03:04'", "P1DT2H3M4S"), ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
    ("time", "'01:02:03'", "01:02:03"), ("money", "1", "$1.00"), ("xml", "'<a/>'", "<a/>"),
    ("point", "'(1,2)'", "(1,2)"),
    ("int4range", "'[1,3)'", "[1,3)"), ("mood", "'good'", "good"),
]


def cells_type(name, cells):
    """A record type whose one record has a cell of each row."""
    columns = ", ".join("(%s)::%s AS c%d" % (sql, kind, n) for n, (kind, sql, _) in enumerate(cells))
    return json.dumps({name: {"shape": "one", "table": "students", "postgres": {
        "fetch": "SELECT id AS student, %s, NULL AS nothing FROM public.students WHERE id = ANY($1)" % columns}}})[1:-1]


class CellTest(ReadTest):
    types = """
tables: {students: {postgres: {relations: [{name: public.students, student: id}]}}}
types: {%s, %s, "twins": {shape: one, table: students, postgres: {
    fetch: "SELECT id AS student, 1 AS a, 2 AS a FROM public.students WHERE id = ANY($1)"}}, "nobody": {shape: one,
    table: students, postgres: {fetch: "SELECT id FROM public.students WHERE id = ANY($1)"}}}
""" % (cells_type("cells", CELLS), cells_type("others", TEXT_CELLS))
    schema = "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE students (id text PRIMARY KEY); " \
             "INSERT INTO students VALUES ('1')"
    watch = "SELECT 'nothing'"

    def check(self, cells, read):
        self.assertEqual(read.status, "OK")
        for n, (kind, sql, wanted) in enumerate(cells):
            found = read.value.pop("c%d" % n)
            self.assertEqual((found, type(found)), (wanted, type(wanted)), "%s %s" % (kind, sql))
        self.assertEqual(read.value, {})

    def test_text_and_binary_are_equal(self):
        with self.drive() as drive:
            self.check(CELLS, drive.get("cells:1"))
            drive.tell("state", "cells", "0", "1", "25")
            self.check(CELLS, drive.get("cells:1"))

    def test_types_of_text_only(self):
        with self.drive() as drive:
            self.check(TEXT_CELLS, drive.get("others:1"))
            drive.tell("state", "others", "0", "1", "25")
            self.assertEqual(drive.get("others:1").status, "CORRUPT")
            self.assertIsNotNone(drive.log.wait_for("statement=others", pg.PATIENCE))

    def test_results_that_are_no_records(self):
        with self.drive() as drive:
            reads = drive.fetch("twins:1", "nobody:1", "cells:1")
            self.assertEqual([r.status for r in reads], ["CORRUPT", "CORRUPT", "OK"])
            self.assertIsNotNone(drive.log.wait_for("statement=twins", pg.PATIENCE))


class ServerTest(ReadTest):
    def test_a_hundred_cold_summaries_of_one_client_are_one_transaction(self):
        with vc.Server(database="postgres", dsn=self.cluster.dsn(), types=TYPES) as server, server.client() as client:
            log = self.cluster.server.log
            skip = len(log.lines)
            client.send_raw(b"".join(resp.encode("GET", "wide:s%d" % n) for n in range(1, 101)))
            replies = [json.loads(client.read()) for _ in range(100)]
            self.cluster.psql("SELECT 'that was all of them'")
            self.assertIsNotNone(log.wait_for("that was all of them", pg.PATIENCE, skip))
            ran = [line for line in log.lines[skip:] if re.search(r"execute .*public\.", line)]
            self.assertEqual([r["student"]["id"] for r in replies], ["s%d" % n for n in range(1, 101)])
            self.assertEqual(len(ran), 5, "\n".join(ran))


class PoolerTest(ReadTest):
    def test_reads_go_through_pgbouncer_in_transaction_mode(self):
        with pg.PgBouncer(self.cluster) as bouncer:
            with self.drive(dsn=bouncer.dsn(), prepared=0, session=0) as drive:
                for round_trips in (2, 1, 1):  # the failed query is kept apart from the second on
                    reads = drive.fetch("summary:s1", "shaky:s7", "board:9")
                    self.assertEqual([r.status for r in reads], ["OK"] * 3)
                    self.assertEqual(drive.round_trips, round_trips)
                self.assertEqual(reads[1].value["flaky"], {"error": {"code": "UNAVAILABLE"}})


if __name__ == "__main__":
    unittest.main()
