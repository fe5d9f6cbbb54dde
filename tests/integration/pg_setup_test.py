#!/usr/bin/python3
"""`vitalcache db`: what it puts into a database, that it does so once, that its dry run is honest, that a role gets
what the server needs and nothing else, what it refuses and how, and that it leaves no trace."""
import contextlib
import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402

TWO_TYPES = """
tables:
  students:
    postgres: {relations: [{name: public.students, student: id}]}
  allergies:
    postgres: {relations: [{name: public.allergies, student: student_id}]}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id::text AS student, name FROM students WHERE id = ANY($1)"}
  allergies:
    shape: list
    table: allergies
    postgres: {fetch: "SELECT student_id::text AS student, code FROM allergies WHERE student_id = ANY($1)"}
"""
# as the role of the nodes: what the server does
SERVES = """
SELECT * FROM vitalcache.vc_here(); SELECT * FROM vitalcache.vc_poll(); SELECT vitalcache.vc_begin_epoch();
SELECT * FROM vitalcache.vc_touched('1:1:', 10); SELECT * FROM vitalcache.vc_state(); SELECT vitalcache.vc_resign();
SELECT * FROM vitalcache.vc_invalidate(ARRAY[vitalcache.vc_tag_all(), vitalcache.vc_tag_table('t')]);
SELECT vitalcache.vc_beat('node'); SELECT vitalcache.vc_token(); SELECT * FROM vitalcache.vc_watch;
SELECT * FROM vitalcache.vc_unmodified('{1}', ARRAY[vitalcache.vc_tag_student('1', 't')], '{1:1:}');
SELECT vitalcache.vc_clean(snapshot) FROM vitalcache.vc_here(); LISTEN vitalcache; NOTIFY vitalcache, 'x'"""
# and what nobody but the owner may
REFUSED = ["INSERT INTO vitalcache.vc_touch (tag) VALUES ('x')", "DELETE FROM vitalcache.vc_touch",
           "UPDATE vitalcache.vc_touch SET xid = '1'", "TRUNCATE vitalcache.vc_touch", "DROP TABLE vitalcache.vc_touch",
           "ALTER TABLE vitalcache.vc_touch ADD x int", "UPDATE vitalcache.vc_floor SET snapshot = '1:1:'",
           "INSERT INTO vitalcache.vc_watch VALUES ('a.b', 'c', NULL, NULL)", "DELETE FROM vitalcache.vc_alive",
           "UPDATE vitalcache.vc_signature SET signature = ''", "CREATE TABLE vitalcache.t (n int)",
           "SELECT vitalcache.vc_cover()", "SELECT * FROM vitalcache.vc_plan()", "DROP SCHEMA vitalcache CASCADE",
           "ALTER TABLE allergies DISABLE TRIGGER ALL", "INSERT INTO allergies (student_id) VALUES (1)"]


class Setup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        cls.cluster.create_role("owner", "o")
        cls.cluster.create_role("node", "n")

    def setUp(self):
        self.cluster.psql("DROP DATABASE IF EXISTS site")
        self.cluster.psql("CREATE DATABASE site OWNER owner")
        self.psql(pg_site.TABLES, user="owner")

    def psql(self, sql, parameters=None, user=pg.SUPERUSER):
        return self.cluster.psql(sql, parameters, user=user, database="site")

    def db(self, what, *flags, types=pg_site.TYPES, user="owner", dsn=None, check=True):
        dsn = dsn or self.cluster.dsn(socket=True, user=user, database="site")
        return pg_site.db(what, dsn, types if what != "teardown" else None, *flags, check=check)

    def refused(self, what, *flags, code, says, **options):
        done = self.db(what, *flags, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, says)

    def dump(self):
        dsn = self.cluster.dsn(socket=True, database="site")
        text = pg.run(self.cluster.binaries / "pg_dump", dsn, "--schema-only")
        return [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    def touches(self):
        return self.psql("SELECT count(*) FROM vitalcache.vc_touch")[0][0]

    def fingerprint(self):
        """Changes with every change to a trigger, function or relation, even one that leaves all as it was."""
        return self.psql("SELECT (SELECT array_agg((oid, xmin) ORDER BY oid) FROM pg_trigger)::text,"
                         " (SELECT array_agg((oid, xmin) ORDER BY oid) FROM pg_proc)::text,"
                         " (SELECT array_agg((oid, xmin) ORDER BY oid) FROM pg_class)::text,"
                         " (SELECT array_agg(s ORDER BY s) FROM vitalcache.vc_signature AS s)::text")

    # ---- what it does

    def test_a_second_run_changes_nothing(self):
        self.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO node")
        first = json.loads(self.db("setup", "--role", "node").stdout)
        self.assertGreater(first["changes"], 50)
        before, touches = self.fingerprint(), self.touches()
        self.assertEqual(json.loads(self.db("setup", "--role", "node").stdout), {"changes": 0})
        self.assertEqual(self.db("setup", "--role", "node", "--dry-run").stdout, "")
        self.assertEqual(self.fingerprint(), before)
        self.assertEqual(self.touches(), touches)
        self.assertEqual(json.loads(self.db("status", "--role", "node").stdout), {"problems": 0})

    def test_teardown_leaves_no_trace(self):
        before = self.dump()
        self.assertEqual(json.loads(self.db("teardown").stdout), {"changes": 0})
        self.db("setup", "--role", "node", "--event-trigger", user=pg.SUPERUSER, check=False)
        self.psql("CREATE TABLE visits_next PARTITION OF visits FOR VALUES FROM (200) TO (300); DROP TABLE visits_next")
        self.assertNotEqual(self.dump(), before)
        shown = self.db("teardown", "--dry-run", user=pg.SUPERUSER).stdout
        self.assertIn("DROP SCHEMA vitalcache CASCADE;", shown)
        self.assertGreater(json.loads(self.db("teardown", user=pg.SUPERUSER).stdout)["changes"], 30)
        self.assertEqual(self.dump(), before)
        self.refused("status", code=1, says="run: vitalcache db setup")

    def test_the_dry_run_is_what_would_be_executed(self):
        before = self.dump()
        shown = self.db("setup", "--role", "node", "--dry-run").stdout
        self.assertEqual(self.dump(), before)
        self.assertTrue(shown.startswith("BEGIN;") and shown.endswith("COMMIT;\n"), shown[:200])
        with pg.vc.temp_dir() as folder:
            (folder / "setup.sql").write_text(shown)
            self.cluster.psql_file(folder / "setup.sql", user="owner", database="site")
        by_hand = self.dump()
        self.assertEqual(json.loads(self.db("status").stdout), {"problems": 0})
        self.assertEqual(json.loads(self.db("setup").stdout), {"changes": 0})
        self.db("teardown")
        self.db("setup", "--role", "node", check=False)
        self.assertEqual(self.dump(), by_hand)

    def test_an_older_or_damaged_one_is_mended(self):
        self.db("setup")
        good = self.dump()
        self.psql("UPDATE vitalcache.vc_version SET version = 0, script = 'old';"
                  "CREATE OR REPLACE FUNCTION vitalcache.vc_beat(node text) RETURNS void LANGUAGE sql AS ''",
                  user="owner")
        self.db("setup")
        self.assertEqual(self.dump(), good)
        self.assertEqual(self.psql("SELECT version FROM vitalcache.vc_version"), [(2,)])
        self.psql("DROP FUNCTION vitalcache.vc_clean(text)", user="owner")
        self.db("setup")
        self.assertEqual(self.dump(), good)
        self.psql("UPDATE vitalcache.vc_version SET version = 3")
        self.refused("setup", code=1, says="newer release")

    def test_one_whose_touches_had_one_tag_each(self):
        """It keeps the touches that are there. The epoch is new: what had been asked in the old way is void."""
        self.db("setup")
        good = self.dump()
        self.psql("ALTER TABLE vitalcache.vc_touch DROP tags, DROP ids, DROP head, DROP tail, ALTER tag SET NOT NULL,"
                  " RESET (toast_tuple_target);"
                  "UPDATE vitalcache.vc_version SET script = 'old'")
        first = self.psql("SELECT vitalcache.vc_begin_epoch()")
        self.psql("INSERT INTO vitalcache.vc_touch (tag) VALUES (vitalcache.vc_tag_all())")
        touches = self.psql("SELECT oid FROM pg_class WHERE relname = 'vc_touch'")
        self.db("setup")
        self.assertEqual(self.dump(), good)
        self.assertEqual(self.psql("SELECT oid FROM pg_class WHERE relname = 'vc_touch'"), touches)
        self.assertIn(self.psql("SELECT vitalcache.vc_tag_all()")[0],
                      self.psql("SELECT * FROM vitalcache.vc_touched(NULL, 1000)"))
        self.assertEqual(self.psql("SELECT epoch FROM vitalcache.vc_here()"), [(None,)])
        self.assertNotEqual(self.psql("SELECT vitalcache.vc_begin_epoch()"), first)
        self.psql("INSERT INTO allergies (student_id) VALUES (1), (2)")
        self.assertEqual(self.psql("SELECT cardinality(ids) FROM vitalcache.vc_touch WHERE ids IS NOT NULL"), [(2,)])
        self.assertEqual(json.loads(self.db("setup").stdout), {"changes": 0})

    def test_version_1(self):
        """Its lists are read, running writers are waited for, the next ones write lists of ids, the epoch is new."""
        self.db("setup")
        good = self.dump()
        self.db("teardown")
        self.cluster.psql_file(pg.vc.ROOT / "tests" / "data" / "pg_version1.sql", user="owner", database="site")
        self.psql("INSERT INTO vitalcache.vc_watch SELECT 'public.' || t, t, 'student', CASE t WHEN 'students' THEN"
                  " 'id' ELSE 'student_id' END FROM unnest(ARRAY['students', 'allergies', 'visits', 'notes']) AS t;"
                  "INSERT INTO vitalcache.vc_watch VALUES ('public.students', 'roster', 'school', 'school'),"
                  " ('public.notes', 'roster', NULL, NULL); SELECT vitalcache.vc_cover()", user="owner")
        watcher = pg_site.Watcher(self.cluster, database="site")
        first = self.psql("SELECT vitalcache.vc_begin_epoch()")
        before = self.psql("SELECT snapshot FROM vitalcache.vc_here()")[0][0]
        self.psql("INSERT INTO allergies (student_id) VALUES (1), (2)")
        self.assertEqual(self.psql("SELECT cardinality(tags) FROM vitalcache.vc_touch WHERE tags IS NOT NULL"), [(2,)])
        with contextlib.closing(self.cluster.connect(autocommit=False, database="site")) as writer:
            with writer.cursor() as cursor:
                cursor.execute("INSERT INTO allergies (student_id) VALUES (3), (4)")
                self.refused("setup", code=1, says="no lock on the tables .* nothing has changed")
                self.assertEqual(self.psql("SELECT version FROM vitalcache.vc_version"), [(1,)])
            writer.commit()
            self.db("setup")
            self.assertEqual(self.dump(), good)
            with writer.cursor() as cursor:  # its session knew the functions of version 1
                cursor.execute("INSERT INTO allergies (student_id) VALUES (5), (6)")
            writer.commit()
        self.assertEqual(watcher.seen(), {"student:%d/allergies" % i for i in range(1, 7)} | {
            "allergies", "notes", "roster", "students", "visits"})
        self.assertEqual(self.psql("SELECT ids FROM vitalcache.vc_touch WHERE ids IS NOT NULL"), [(["5", "6"],)])
        self.assertEqual(self.psql("SELECT epoch FROM vitalcache.vc_here()"), [(None,)])
        asked = "ARRAY[%s]" % ", ".join("vitalcache.vc_tag_student('%d', 'allergies')" % i for i in (2, 6, 7))
        self.assertEqual(self.psql("SELECT unmodified FROM vitalcache.vc_unmodified('{1,2,3}', " + asked +
                                   ", array_fill(%s::text, '{3}')) ORDER BY n", (before,)),
                         [(False,), (False,), (True,)])
        self.assertEqual(json.loads(self.db("status").stdout), {"problems": 0})
        self.assertEqual(json.loads(self.db("setup").stdout), {"changes": 0})
        self.assertNotEqual(self.psql("SELECT vitalcache.vc_begin_epoch()"), first)

    def test_other_record_types(self):
        """What is no longer asked for goes, and the epoch with it: a node that relied on it must not go on."""
        self.db("setup")
        self.psql("SELECT vitalcache.vc_begin_epoch()")
        done = self.db("setup", types=TWO_TYPES)
        self.assertGreater(json.loads(done.stdout)["changes"], 10)
        self.assertEqual(self.psql("SELECT relation FROM vitalcache.vc_watch ORDER BY 1"),
                         [("public.allergies",), ("public.students",)])
        self.assertEqual(self.psql("SELECT epoch FROM vitalcache.vc_here()"), [(None,)])
        self.assertEqual(self.psql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'vc\\_on%%'", ()), [(8,)])
        status = self.db("status", check=False)
        self.assertEqual(status.returncode, 1)
        self.assertIn("is not watched for the table visits", status.stdout)

    def test_a_role_can_do_what_the_server_does_and_nothing_else(self):
        told = json.loads(self.db("setup", "--role", "node", check=False).stdout, object_pairs_hook=list)
        self.assertIn("GRANT SELECT ON public.visits TO node", " ".join(str(text) for _, text in told))
        self.assertEqual(len({name for name, _ in told}), len(told))  # a JSON object has each name once
        self.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO node", user="owner")
        self.db("setup", "--role", "node")
        for sql in SERVES.split(";"):
            with self.subTest(sql):
                self.psql(sql, user="node")
        for sql in REFUSED:
            with self.subTest(sql), self.assertRaisesRegex(Exception, "permission denied|must be owner"):
                self.psql(sql, user="node")
        name = self.psql("SELECT proname FROM pg_proc WHERE proname LIKE 'vc\\_on\\_insert%%' LIMIT 1", ())[0][0]
        with self.assertRaisesRegex(Exception, "permission denied"):
            self.psql("CREATE TEMP TABLE t (student_id int); CREATE TRIGGER t AFTER INSERT ON t"
                      " REFERENCING NEW TABLE AS vc_new EXECUTE FUNCTION vitalcache.%s()" % name, user="node")

    # ---- what it refuses

    def test_wrong_relations_are_named_with_their_place(self):
        for wrong, says in (("public.nowhere", "types.yaml:[0-9:]+: .*relation .?public.nowhere"),
                            ("nowhere.students", "relation .nowhere.students. does not exist")):
            self.refused("setup", types=pg_site.TYPES.replace("public.students, student", wrong + ", student"), code=2,
                         says=says)
        self.refused("setup", types=pg_site.TYPES.replace("student: student_id", "student: pupil", 1), code=2,
                     says="types.yaml:[0-9:]+: public.allergies has no column pupil")
        self.psql("ALTER TABLE allergies DROP student_id; ALTER TABLE allergies ADD student_id date")
        self.refused("setup", code=2, says="public.allergies: column student_id has the type date, which can")
        self.assertEqual(self.psql("SELECT to_regnamespace('vitalcache')"), [(None,)])

    def test_no_privilege(self):
        self.refused("setup", user="node", code=2, says=r"permission denied for table students \(role node\)")
        self.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO node")
        self.cluster.psql("GRANT CREATE ON DATABASE site TO node")
        self.refused("setup", user="node", code=1, says="permission denied for .* as the owner")
        self.cluster.psql("REVOKE CREATE ON DATABASE site FROM node")
        self.refused("setup", user="node", code=1, says="permission denied for database site")
        self.refused("setup", "--event-trigger", code=1, says="permission denied to create event trigger")
        self.refused("setup", "--role", "nobody", code=2, says="there is no role nobody")
        self.assertEqual(self.psql("SELECT to_regnamespace('vitalcache')"), [(None,)])

    def test_a_long_transaction_is_not_waited_for(self):
        with contextlib.closing(self.cluster.connect(autocommit=False, database="site")) as long:
            with long.cursor() as cursor:
                cursor.execute("INSERT INTO allergies (student_id) VALUES (1)")
                began = time.monotonic()
                self.refused("setup", code=1, says="no lock on the tables .* long transaction .* nothing has changed")
                self.assertLess(time.monotonic() - began, 60 * pg.vc.SLOW)
                self.assertEqual(self.psql("SELECT to_regnamespace('vitalcache')"), [(None,)])
                self.db("setup", "--dry-run")  # which locks no table
        self.db("setup")

    def test_where_it_cannot_be(self):
        self.refused("setup", dsn="host=%s port=1" % self.cluster.folder, code=3, says="No such file")
        self.cluster.psql("DROP DATABASE IF EXISTS bytes")
        self.cluster.psql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        self.refused("setup", dsn=self.cluster.dsn(socket=True, database="bytes"), code=2, says="SQL_ASCII")
        with self.cluster.replica() as standby:
            self.refused("setup", dsn=standby.dsn(socket=True), code=1, says="this is a standby")
        self.refused("upside-down", code=2, says="setup, teardown or status")

    # ---- what it costs

    def test_the_state_of_twenty_relations_is_cheap(self):
        self.db("setup")
        self.psql("DO $$ BEGIN FOR i IN 1..17 LOOP EXECUTE format('CREATE TABLE t%s (student_id int)', i);"
                  " INSERT INTO vitalcache.vc_watch VALUES ('public.t' || i, 't' || i, 'student', 'student_id');"
                  " END LOOP; PERFORM vitalcache.vc_cover(); END $$", user="owner")
        self.assertEqual(self.psql("SELECT count(DISTINCT relation) FROM vitalcache.vc_watch"), [(21,)])
        with contextlib.closing(self.cluster.connect(database="site")) as node, node.cursor() as cursor:
            times = []
            for _ in range(50):
                began = time.perf_counter()
                cursor.execute("SELECT * FROM vitalcache.vc_state()")
                self.assertEqual(cursor.fetchall(), [])
                times.append(time.perf_counter() - began)
        print("vc_state() of 21 relations: %.2f ms (median of 50)" % (1000 * sorted(times)[25]))
        self.assertLess(sorted(times)[5], 0.1 * pg.vc.SLOW)  # far above: what is measured is on a shared machine


if __name__ == "__main__":
    unittest.main()
