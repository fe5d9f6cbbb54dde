#!/usr/bin/python3
"""vitalcached before PostgreSQL, whole: what clients read, what their writes there do, and what is said when the
database is gone."""
import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402
import resp  # noqa: E402
import vc  # noqa: E402

TABLES = """
CREATE TABLE students (id bigint PRIMARY KEY, school int, name text);
CREATE TABLE allergies (id serial PRIMARY KEY, student_id bigint REFERENCES students ON DELETE CASCADE, code text);
INSERT INTO students SELECT i, i % 2, 'name ' || i FROM generate_series(1, 9) AS i;
INSERT INTO allergies (student_id, code) VALUES (1, 'peanut'), (1, 'latex'), (2, 'egg');
"""
TYPES = """
subjects:
  school:
tables:
  students:
    postgres: {relations: [{name: public.students, student: id}]}
  allergies:
    postgres: {relations: [{name: public.allergies, student: student_id}]}
  roster:
    postgres: {relations: [{name: public.students, school: school}]}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id::text AS student, name FROM students WHERE id = ANY($1)"}
  allergies:
    shape: list
    table: allergies
    allow_stale: true
    postgres:
      fetch: "SELECT student_id::text AS student, code FROM allergies WHERE student_id = ANY($1) ORDER BY id"
  strict:
    shape: list
    table: allergies
    bound: 0s
    postgres:
      fetch: "SELECT student_id::text AS student, code FROM allergies WHERE student_id = ANY($1) ORDER BY id"
  summary:
    shape: composite
    parts: {student: {type: student}, allergies: {type: allergies}}
  roster:
    shape: list
    table: roster
    id: int
    key: "roster:{school}"
    postgres: {fetch: "SELECT school::text, id, name FROM students WHERE school = ANY($1) ORDER BY id"}
"""
BOUND = 1.0  # freshness.bound


def mapped(value):
    return {resp.plain(name): item for name, item in resp.pairs(value)}


class Site(unittest.TestCase):
    prepared = True

    def setUp(self):
        self.cluster = self.enter(pg.Cluster())
        self.cluster.psql(TABLES)
        if self.prepared:
            pg_site.db("setup", self.cluster.dsn(), TYPES)
        self.server = self.enter(vc.Server(database="postgres", dsn=self.cluster.dsn(), types=TYPES))
        self.client = self.enter(self.server.client())
        self.wait(lambda: self.health("provider", "condition") != b"connecting", "answer to a poll")
        if self.prepared:  # the definitions have been checked, too
            self.wait(lambda: self.tier("student:9") == b"l1", "copy")

    def enter(self, context):
        entered = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return entered

    def wait(self, holds, what, seconds=20):
        """Asks again and again: what is waited for has no event that a client could await."""
        end = time.monotonic() + seconds * vc.SLOW
        while not holds():
            self.assertLess(time.monotonic(), end, "no " + what)

    def call(self, *words):
        return self.client.call(*words)

    def get(self, *words):
        reply = self.call("GET", *words)
        return None if reply is None else json.loads(reply)

    def tier(self, key, *words):
        return mapped(self.call("GET", key, "WITHMETA", *words)[1])["tier"]

    def health(self, *path):
        value = self.call("HEALTH")
        for name in path:
            value = mapped(value)[name]
        return value

    def fails(self, word, *command):
        reply = self.client.ask(*command)
        self.assertIsInstance(reply, resp.Error)
        self.assertEqual(str(reply).split()[0], word)
        return str(reply)

    def answers(self, *command):
        return not isinstance(self.client.ask(*command), resp.Error)


class Serves(Site):
    def test_reads_of_all_shapes(self):
        self.assertEqual(self.get("student:1"), {"name": "name 1"})
        self.assertEqual(self.get("allergies:1"), [{"code": "peanut"}, {"code": "latex"}])
        self.assertEqual(self.get("allergies:3"), [])
        self.assertIsNone(self.get("allergies:77"))
        self.assertEqual(self.get("summary:2"), {"student": {"name": "name 2"}, "allergies": [{"code": "egg"}]})
        self.assertEqual([row["id"] for row in self.get("roster:0")], [2, 4, 6, 8])
        self.assertEqual(self.call("MGET", "student:3", "student:77", "allergies:2"),
                         [b'{"name":"name 3"}', None, b'[{"code":"egg"}]'])
        self.assertEqual(self.tier("allergies:1"), b"l1")
        self.assertEqual(self.tier("strict:1"), b"database")
        self.assertEqual(self.tier("strict:1"), b"checked")
        self.assertIn("1", self.fails("BADKEY", "GET", "allergies:01"))

    def test_a_write_is_seen_within_the_bound_with_no_word_of_the_writer(self):
        for number in range(5):
            code = "code %d" % number
            before = time.monotonic()
            self.get("allergies:3"), self.get("strict:3"), self.get("summary:3")
            self.cluster.psql("INSERT INTO allergies (student_id, code) VALUES (3, %s)", [code])
            written = time.monotonic()
            self.assertEqual(self.get("strict:3")[-1], {"code": code})  # strict: at once
            while self.get("allergies:3")[-1:] != [{"code": code}]:
                self.assertLess(time.monotonic() - written, BOUND, "older than the bound")
            self.assertEqual(self.get("summary:3")["allergies"][-1], {"code": code})
            self.assertLess(before, written)
        self.assertGreater(self.server.counters()["l1_hits"], 0)

    def test_a_student_who_comes_and_goes(self):
        self.assertIsNone(self.get("allergies:50"))
        self.cluster.psql("INSERT INTO students VALUES (50, 1, 'new')")
        self.wait(lambda: self.get("allergies:50") == [], "new student", BOUND)
        self.assertIn(50, [row["id"] for row in self.get("roster:1")])
        self.cluster.psql("DELETE FROM students WHERE id = 50")
        self.wait(lambda: self.get("allergies:50") is None, "end of the student", BOUND)

    def test_tokens(self):
        token = self.call("INVALIDATE", "KEY", "allergies:1")
        self.assertRegex(token.decode(), r"^v1-[0-9a-f]{16}-[0-9a-f]+$")
        self.assertEqual(self.get("allergies:1", "AFTER", token), [{"code": "peanut"}, {"code": "latex"}])
        own = self.cluster.psql("WITH w AS (UPDATE allergies SET code = 'nut' WHERE id = 1 RETURNING 1) "
                                "SELECT vitalcache.vc_token() FROM w")[0][0]
        self.assertEqual(self.get("allergies:1", "AFTER", own)[0], {"code": "nut"})
        self.fails("EPOCH", "GET", "allergies:1", "AFTER", "v1-00000000000000aa-1")
        self.fails("UNAVAILABLE", "GET", "allergies:1", "AFTER", token.decode().rsplit("-", 1)[0] + "-fffffff")
        self.fails("BADTOKEN", "GET", "allergies:1", "AFTER", "v2-x")

    def test_an_invalidation_voids_at_once(self):
        self.get("allergies:2")
        self.assertEqual(self.tier("allergies:2"), b"l1")
        self.call("INVALIDATE", "STUDENT", "2")
        self.assertNotEqual(self.tier("allergies:2"), b"l1")

    def test_records_are_not_written_here(self):
        for command in (["PUT", "student:1", "{}", "IF", "FORCE"], ["ERASE", "allergies:1", "IF", "FORCE"],
                        ["ERASE", "STUDENT", "1"], ["IMPORT", "allergies", "[]"], ["EXPORT", "allergies"], ["DBSIZE"]):
            self.assertIn("the records are in PostgreSQL", self.fails("READONLY", *command))
        self.assertEqual(self.get("student:1"), {"name": "name 1"})

    def test_the_database_goes_and_comes_back(self):
        self.assertEqual(self.get("allergies:1")[0], {"code": "peanut"})
        self.cluster.stop("immediate")
        self.wait(lambda: not self.answers("GET", "allergies:1"), "end of what memory may answer", BOUND + 1)
        began = time.monotonic()
        self.fails("UNAVAILABLE", "GET", "allergies:1")
        self.fails("UNAVAILABLE", "GET", "allergies:77")
        self.assertLess(time.monotonic() - began, 6)
        value, meta = self.call("GET", "allergies:1", "ALLOWSTALE", "drill")
        self.assertEqual(json.loads(value)[0], {"code": "peanut"})
        self.assertTrue(mapped(meta)["stale"])
        self.fails("UNAVAILABLE", "INVALIDATE", "ALL")
        self.assertEqual(self.health("status"), b"failing")
        self.cluster.start()
        self.wait(lambda: self.answers("GET", "allergies:1"), "answer")
        self.wait(lambda: self.health("status") == b"ok", "health")
        self.get("allergies:1")
        self.wait(lambda: self.tier("allergies:1") == b"l1", "answer from memory")

    def test_health_says_how_it_follows(self):
        self.wait(lambda: self.health("provider", "condition") == b"polling", "poll")
        provider = mapped(self.health("provider"))
        self.assertTrue(provider["primary"])
        self.assertGreater(provider["polls"], 0)
        self.assertLess(self.health("freshness", "certificate_age"), 1000)
        self.assertEqual(provider["withheld"], [])
        self.assertEqual(mapped(self.health("database")), {"status": b"ok", "problem": None})  # no figures of LMDB's
        self.assertIn("polling", vc.vitalcache(self.server, "health").stdout)
        self.assertIn(b"provider_condition:polling", self.call("INFO", "database"))
        self.cluster.psql("ALTER TABLE allergies DISABLE TRIGGER ALL")
        self.wait(lambda: self.health("provider", "withheld") != [], "table withheld")
        table = mapped(self.health("provider", "withheld")[0])
        self.assertEqual(table["table"], b"allergies")
        self.assertEqual(self.tier("allergies:1"), b"database")
        self.assertEqual(self.tier("allergies:1"), b"database")  # read through


class NotPrepared(Site):
    prepared = False

    def test_it_reads_through_and_says_what_to_do(self):
        self.assertEqual(self.get("allergies:1")[0], {"code": "peanut"})
        self.assertEqual(self.tier("allergies:1"), b"database")
        self.assertEqual(self.tier("allergies:1"), b"database")
        self.assertIn(b"vitalcache db setup", self.health("provider", "advice"))
        pg_site.db("setup", self.cluster.dsn(), TYPES)
        self.wait(lambda: self.tier("allergies:1") == b"l1", "copy once it is prepared")


class Definitions(Site):
    def test_a_change_of_the_schema_is_checked_and_copies_are_kept_again(self):
        self.assertEqual(self.get("allergies:1")[0], {"code": "peanut"})
        self.wait(lambda: self.tier("allergies:1") == b"l1", "copy")
        self.cluster.psql("ALTER TABLE allergies ADD severity text")
        self.wait(lambda: self.tier("allergies:1") == b"l1", "copy after a change that does no harm")

    def test_a_definition_that_does_not_fit_stops_the_start(self):
        wrong = TYPES.replace("SELECT id::text AS student, name FROM", "SELECT id::text AS student, nmae FROM")
        with self.assertRaises(vc.StartFault) as fault:
            vc.Server(database="postgres", dsn=self.cluster.dsn(), types=wrong).__enter__()
        self.assertIn("nmae", fault.exception.log)
        self.assertIn("types.yaml:", fault.exception.log)

    def test_what_no_trigger_sees_is_read_through(self):
        self.cluster.psql("CREATE TABLE words (code text, meaning text); INSERT INTO words VALUES ('peanut', 'nut')")
        types = TYPES + """
  explained:
    shape: list
    table: allergies
    postgres:
      fetch: >
        SELECT a.student_id::text AS student, w.meaning FROM allergies a JOIN words w USING (code)
        WHERE a.student_id = ANY($1)
"""
        with vc.Server(database="postgres", dsn=self.cluster.dsn(), types=types) as server, server.client() as client:
            self.wait(lambda: mapped(client.call("GET", "allergies:1", "WITHMETA")[1])["tier"] == b"l1", "copy")
            for _ in range(3):
                value, meta = client.call("GET", "explained:1", "WITHMETA")
                self.assertEqual(json.loads(value), [{"meaning": "nut"}])
                self.assertEqual(mapped(meta)["tier"], b"database")
            self.assertIn("words", server.all_logs())


class Start(unittest.TestCase):
    def test_a_database_that_is_not_there_is_no_reason_not_to_start(self):
        with vc.Server(database="postgres", dsn="host=127.0.0.1 port=1 user=x password=s3cret", types=TYPES) as server:
            with server.client() as client:
                self.assertTrue(str(client.ask("GET", "student:1")).startswith("UNAVAILABLE"))
                self.assertIn("password=***", repr(client.call("CONFIG", "GET", "database.postgres.dsn")))
                self.assertNotIn("s3cret", repr(client.call("CONFIG", "GET", "*")) + repr(client.call("INFO")))
            self.assertNotIn("s3cret", server.all_logs())

    def test_what_cannot_be_served_is_refused(self):
        for words, said in ((["--freshness.bound", "500ms"], "freshness.bound is 500ms"),
                            (["--types.files", str(vc.ROOT / "conf" / "types" / "school-health.yaml")], "PostgreSQL"),
                            (["--database.postgres.dsn", "postgresql://u:s3cret@h/d?nonsense=1"], "dsn")):
            with self.assertRaises(vc.StartFault) as fault:
                vc.Server(*words, database="postgres", types=None if "--types.files" in words else TYPES).__enter__()
            self.assertIn(said, fault.exception.log)
            self.assertNotIn("s3cret", fault.exception.log)


if __name__ == "__main__":
    unittest.main()
