#!/usr/bin/python3
"""vitalcached and the definitions of its types: what is wrong stops the start, what is not covered is read through and
never cached, and what changes under a running server is looked at again."""
import contextlib
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402
import resp  # noqa: E402
import vc  # noqa: E402

TABLES = """
CREATE TABLE students (id int PRIMARY KEY, name text);
CREATE TABLE schools (id int PRIMARY KEY, name text);
CREATE TABLE notes (id int PRIMARY KEY, student_id int, school_id int, note text);
CREATE INDEX ON notes (student_id);
CREATE TABLE marks (id int PRIMARY KEY, student_id int, mark text);
CREATE INDEX ON marks (student_id);
CREATE VIEW of_notes AS SELECT id, student_id, note AS what FROM notes;
INSERT INTO students SELECT n, 'name' FROM generate_series(1, 9) AS n;
INSERT INTO schools VALUES (1, 'north');
INSERT INTO notes SELECT n, n, 1, 'note' FROM generate_series(1, 9) AS n;
INSERT INTO marks SELECT n, n, 'mark' FROM generate_series(1, 9) AS n;
"""
HIDDEN = """CREATE OR REPLACE VIEW of_notes AS SELECT n.id, n.student_id, s.name AS what
FROM notes AS n JOIN schools AS s ON s.id = n.school_id"""
PLAIN = "CREATE OR REPLACE VIEW of_notes AS SELECT id, student_id, note AS what FROM notes"
TYPES = """
tables:
  students: {postgres: {relations: [{name: public.students, student: id}]}}
  notes: {postgres: {relations: [{name: public.notes, student: student_id}]}}
  marks: {postgres: {relations: [{name: public.marks, student: student_id}]}}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, name FROM public.students WHERE id = ANY($1)"}
  notes:
    shape: list
    table: notes
    postgres: {fetch: "SELECT student_id AS student, id, what FROM public.of_notes WHERE student_id = ANY($1)"}
  marks:
    shape: list
    table: marks
    postgres: {fetch: "SELECT student_id AS student, id, mark FROM public.marks WHERE student_id = ANY($1)"}
"""


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)

    def setUp(self):
        if not self.cluster.server.running():
            self.cluster.start()
        self.cluster.psql("DROP SCHEMA IF EXISTS vitalcache CASCADE; DROP SCHEMA public CASCADE;"
                          "CREATE SCHEMA public;" + TABLES)

    @contextlib.contextmanager
    def server(self, types=TYPES, *, wait=True):
        with vc.Server(database="postgres", dsn=self.cluster.dsn(), types=types) as server:
            with server.client() as client:
                client.call("HELLO", "3")
                if wait:
                    self.await_health(client, "marks are cached", lambda _: self.is_cached(client, "marks:1"))
                yield client

    def set_up(self, types=TYPES, code=0):
        done = pg_site.db("setup", self.cluster.dsn(socket=True), types, check=False)
        self.assertEqual(done.returncode, code, done)

    def health(self, client):
        return resp.plain(client.call("HEALTH"))

    def await_health(self, client, what, holds):
        def found():
            self.cluster.psql("SELECT")  # paces the loop
            return holds(self.health(client))

        pg.wait_for(found, what)

    def problems(self, client):
        return [problem["problem"] for problem in self.health(client)["definitions"]["problems"]]

    def hits(self, client):
        return resp.flatten(client.call("STATS"))["l1_hits"]

    def read(self, client, key):
        return json.loads(client.call("GET", key))

    def is_cached(self, client, key):
        """Whether the second of two reads is answered from memory."""
        client.call("GET", key)
        before = self.hits(client)
        client.call("GET", key)
        return self.hits(client) > before


class Start(Definitions):
    def refused(self, types, words):
        with self.assertRaises(vc.StartFault) as caught, vc.Server(database="postgres", dsn=self.cluster.dsn(),
                                                                   types=types):
            pass
        self.assertRegex(caught.exception.log, words)

    def test_wrong_definitions_stop_the_start(self):
        self.set_up()
        self.refused(TYPES.replace("mark FROM", "grade FROM"),
                     r'types\.yaml:\d+:\d+: type marks: column "grade" does not exist')
        self.refused(TYPES.replace("student_id AS student, id, mark", "id, mark"), "type marks: .*no column student")
        self.refused(TYPES.replace("id, mark FROM", "id, now() AS mark FROM"), r"type marks: it calls now\(\)")

    def test_an_unreachable_database_does_not_and_is_checked_when_it_comes(self):
        self.set_up()
        self.cluster.stop()
        with self.server(wait=False) as client:
            self.assertEqual(self.health(client)["definitions"], {"checked": False, "problems": []})
            self.cluster.start()
            self.await_health(client, "a check", lambda health: health["definitions"]["checked"])
            self.await_health(client, "marks are cached", lambda _: self.is_cached(client, "marks:1"))


class Cover(Definitions):
    def read_through(self, client, key, change):
        """Every read shows each change at once, and none is answered from memory. A value of `change` that is not
        of the record's own table is what no trigger tells of."""
        before = self.hits(client)
        for name in ["south", "east", "west"]:
            self.cluster.psql(change, (name,))
            for _ in range(3):
                self.assertEqual([row["what"] for row in self.read(client, key)], [name])
        self.assertEqual(self.hits(client), before)

    def test_what_is_not_covered_is_read_through_and_never_cached(self):
        self.cluster.psql(HIDDEN)
        self.set_up(code=1)
        with self.server() as client:
            self.read_through(client, "notes:1", "UPDATE schools SET name = %s")
            self.assertRegex(" ".join(self.problems(client)), "type notes: it reads public.schools, whose changes")
            self.assertTrue(self.is_cached(client, "marks:1"))

    def test_without_set_up_nothing_is_cached(self):
        with self.server(wait=False) as client:
            self.read_through(client, "notes:1", "UPDATE notes SET note = %s")
            self.assertFalse(self.is_cached(client, "marks:1"))

    def test_a_view_that_is_replaced_is_looked_at_again(self):
        self.set_up()
        with self.server() as client:
            self.assertTrue(self.is_cached(client, "notes:1"))
            self.assertEqual(self.problems(client), [])
            self.cluster.psql(HIDDEN)
            self.await_health(client, "a problem", lambda health: health["definitions"]["problems"])
            self.await_health(client, "marks are cached", lambda _: self.is_cached(client, "marks:1"))
            self.read_through(client, "notes:1", "UPDATE schools SET name = %s")
            self.cluster.psql(PLAIN)
            self.await_health(client, "no problem", lambda health: not health["definitions"]["problems"])
            self.await_health(client, "notes are cached", lambda _: self.is_cached(client, "notes:1"))

    def test_a_column_that_is_dropped(self):
        self.set_up()
        with self.server() as client:
            self.assertEqual(self.read(client, "marks:1"), [{"id": 1, "mark": "mark"}])
            self.cluster.psql("ALTER TABLE marks DROP COLUMN mark")
            self.await_health(client, "a problem", lambda health: health["definitions"]["problems"])
            self.assertRegex(self.problems(client)[0], 'type marks: column "mark" does not exist')
            with self.assertRaisesRegex(resp.Error, "UNAVAILABLE"):
                client.call("GET", "marks:1")
            self.await_health(client, "notes are cached", lambda _: self.is_cached(client, "notes:1"))
            self.cluster.psql("ALTER TABLE marks ADD COLUMN mark text DEFAULT 'new'")
            self.await_health(client, "no problem", lambda health: not health["definitions"]["problems"])
            self.assertEqual(self.read(client, "marks:1"), [{"id": 1, "mark": "new"}])


if __name__ == "__main__":
    unittest.main()
