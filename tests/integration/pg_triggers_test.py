#!/usr/bin/python3
"""Whatever way a row changes, the tags of what it was and of what it is are touched, visible with the change itself; or
vc_state() says that they may not have been."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402

# what is done; what it touches
STATEMENTS = [
    ("INSERT INTO allergies (student_id, code) VALUES (1, 'a'), (2, 'b'), (2, 'c')",
     {"student:1/allergies", "student:2/allergies"}),
    ("UPDATE allergies SET code = 'd' WHERE student_id = 2", {"student:2/allergies"}),
    ("UPDATE allergies SET student_id = 3 WHERE student_id = 1", {"student:1/allergies", "student:3/allergies"}),
    ("DELETE FROM allergies WHERE student_id = 2", {"student:2/allergies"}),
    ("DELETE FROM allergies WHERE student_id = 8", set()),
    ("INSERT INTO allergies (student_id) VALUES (NULL)", set()),
    ("UPDATE allergies SET student_id = 4 WHERE student_id IS NULL", {"student:4/allergies"}),
    ("INSERT INTO allergies (id, student_id) VALUES (1000, 5) ON CONFLICT (id) DO UPDATE SET code = 'x'",
     {"student:5/allergies"}),
    ("INSERT INTO allergies (id, student_id) VALUES (1000, 6) ON CONFLICT (id) DO UPDATE SET student_id = 6",
     {"student:5/allergies", "student:6/allergies"}),
    ("INSERT INTO allergies (id, student_id) VALUES (1000, 6) ON CONFLICT DO NOTHING", set()),
    ("MERGE INTO allergies AS a USING (VALUES (1000, 6), (1001, 7), (1002, 8)) AS s (id, student) ON a.id = s.id"
     " WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.id = 1001 THEN INSERT (id, student_id) VALUES (s.id, s.student)",
     {"student:6/allergies", "student:7/allergies"}),
    ("WITH gone AS (DELETE FROM allergies WHERE id = 1001 RETURNING *)"
     " INSERT INTO allergies (student_id) SELECT 8 FROM gone", {"student:7/allergies", "student:8/allergies"}),
    ("COPY allergies (student_id, code) FROM PROGRAM 'printf \"1\\ta\\n2\\tb\\n\"'",
     {"student:1/allergies", "student:2/allergies"}),
    ("DELETE FROM students WHERE id = 4", {"student:4/students", "student:4/allergies", "school:0/roster"}),
    ("UPDATE students SET school = 5 WHERE id = 1", {"student:1/students", "school:1/roster", "school:5/roster"}),
    ("TRUNCATE allergies", {"allergies"}),
    ("TRUNCATE students CASCADE", {"students", "allergies", "roster"}),
    # partitions: through the parent, into one directly, from one to the other
    ("INSERT INTO visits VALUES (1, 1, 50), (2, 2, 150)", {"student:1/visits", "student:2/visits"}),
    ("INSERT INTO visits_new VALUES (3, 3, 150)", {"student:3/visits"}),
    ("UPDATE visits_new SET note = 'x' WHERE id = 3", {"student:3/visits"}),
    ("UPDATE visits SET on_day = 160, student_id = 4 WHERE id = 1", {"student:1/visits", "student:4/visits"}),
    ("DELETE FROM visits_new WHERE id = 2", {"student:2/visits"}),
    ("COPY visits_old FROM PROGRAM 'printf \"7\\t7\\t7\\t7\\n\"'", {"student:7/visits"}),
    ("TRUNCATE visits_old", {"visits"}),
    ("TRUNCATE visits", {"visits"}),
    # children by inheritance, and a relation that concerns all of another table
    ("INSERT INTO urgent_notes VALUES (1, 'x', 1)", {"student:1/notes", "roster"}),
    ("UPDATE notes SET student_id = 2", {"student:1/notes", "student:2/notes", "roster"}),
    ("UPDATE notes SET student_id = 2 WHERE false", set()),
    ("DELETE FROM urgent_notes", {"student:2/notes", "roster"}),
    ("TRUNCATE notes", {"notes", "roster"}),
    # nothing that a session can set keeps a trigger from firing
    ("SET session_replication_role = replica; INSERT INTO notes VALUES (3, 'x')", {"student:3/notes", "roster"}),
    ("SET search_path = ''; INSERT INTO public.notes VALUES (4, 'x')", {"student:4/notes", "roster"}),
    ("CREATE TEMP TABLE vc_touch (tag bytea, xid xid8); CREATE TEMP TABLE vc_new (student_id int);"
     " INSERT INTO notes VALUES (5, 'x')", {"student:5/notes", "roster"}),
]


class Touches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        pg_site.prepare(cls.cluster)

    def test_every_statement(self):
        cluster, watcher = self.cluster, pg_site.Watcher(self.cluster)
        for sql, touched in STATEMENTS:
            with self.subTest(sql):
                if sql.startswith("MERGE") and cluster.psql("SHOW server_version_num")[0][0] < "150000":
                    continue
                cluster.psql(sql)
                self.assertEqual(watcher.seen(), touched)
        self.assertEqual(watcher.seen(), set())

    def test_statements_about_many_students(self):
        """One row holds the ids of a statement that changes up to 400 rows; more are divided, and none is lost."""
        self.cluster.psql("DELETE FROM notes")
        cluster, watcher = self.cluster, pg_site.Watcher(self.cluster)
        tags = "CASE WHEN ids IS NULL THEN ARRAY[tag] ELSE vitalcache.vc_tags(ids, head, tail) END"
        # `roster` is one more; 401 rows of one student, too, are one tag
        for count, each, rows in ((1, 2, 2), (2, 2, 2), (199, 2, 2), (200, 2, 2), (201, 2, 3), (1000, 2, 6),
                                  (1, 400, 2), (1, 401, 2), (400, 1, 2), (401, 1, 4)):
            with self.subTest(count):
                cluster.psql("BEGIN; DELETE FROM vitalcache.vc_touch; INSERT INTO notes"
                             " SELECT i, 'x' FROM generate_series(1, %d) AS i, generate_series(1, %d);"
                             "COMMIT" % (count, each))
                expected = {"student:%d/notes" % i for i in range(1, count + 1)} | {"roster"}
                self.assertEqual(watcher.seen(), expected)
                touched = cluster.psql("SELECT unnest(%s) FROM vitalcache.vc_touch" % tags)
                self.assertEqual(len(touched), len(expected))
                self.assertEqual(cluster.psql("SELECT count(*), count(*) FILTER (WHERE cardinality(ids) > 400"
                                              " OR (ids IS NULL) <> (tag IS NOT NULL)) FROM vitalcache.vc_touch"),
                                 [(rows, 0)])
            cluster.psql("UPDATE notes SET note = 'y'")
            self.assertEqual(watcher.seen(), expected)
            cluster.psql("DELETE FROM notes")
            self.assertEqual(watcher.seen(), expected)
        cluster.psql("INSERT INTO notes SELECT CASE WHEN i = 7 THEN 1 END, 'x' FROM generate_series(1, 500) AS i")
        self.assertEqual(watcher.seen(), {"student:1/notes", "roster"})
        cluster.psql("UPDATE notes SET student_id = i FROM generate_series(2, 2) AS i")
        self.assertEqual(watcher.seen(), {"student:1/notes", "student:2/notes", "roster"})
        cluster.psql("DELETE FROM notes")
        self.assertEqual(watcher.seen(), {"student:2/notes", "roster"})

    def test_branches_agree_about_what_are_many_rows(self):
        """Rows without one of the ids are counted for the other."""
        cluster, watcher = self.cluster, pg_site.Watcher(self.cluster)
        for count in (3, 150, 250, 500):
            with self.subTest(count):
                cluster.psql("INSERT INTO students SELECT 1000 + i, CASE WHEN i = 1 THEN 7 END, 'x'"
                             " FROM generate_series(1, %s) AS i", (count,))
                ids = {"student:%d/students" % i for i in range(1001, 1001 + count)}
                self.assertEqual(watcher.seen(), ids | {"school:7/roster"})
                cluster.psql("UPDATE students SET school = nullif(8, school) WHERE id > 1000")
                self.assertEqual(watcher.seen(), ids | {"school:7/roster", "school:8/roster"})
                cluster.psql("DELETE FROM students WHERE id > 1000")
                self.assertEqual(watcher.seen(), ids | {"school:8/roster"})

    def test_what_is_rolled_back_leaves_nothing_and_what_runs_long_comes_once(self):
        watcher = pg_site.Watcher(self.cluster)
        writer = self.cluster.connect(autocommit=False)
        with writer, writer.cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (1, 'kept')")
            cursor.execute("SAVEPOINT s; INSERT INTO notes VALUES (2, 'undone'); ROLLBACK TO s")
            cursor.execute("SAVEPOINT s; INSERT INTO notes VALUES (3, 'kept'); RELEASE s")
            self.assertEqual(watcher.seen(), set())
            self.cluster.psql("INSERT INTO notes VALUES (4, 'another')")
            self.assertEqual(watcher.seen(), {"student:4/notes", "roster"})
            self.assertEqual(watcher.seen(), set())
        self.assertEqual(watcher.seen(), {"student:1/notes", "student:3/notes", "roster"})
        self.assertEqual(watcher.seen(), set())
        with writer.cursor() as cursor:
            cursor.execute("INSERT INTO notes VALUES (5, 'undone')")
        writer.rollback()
        writer.close()
        self.assertEqual(watcher.seen(), set())

    def test_prepared_transactions(self):
        watcher = pg_site.Watcher(self.cluster)
        self.cluster.psql("BEGIN; INSERT INTO notes VALUES (1, 'x'); PREPARE TRANSACTION 'one'")
        self.cluster.psql("BEGIN; INSERT INTO notes VALUES (2, 'x'); PREPARE TRANSACTION 'two'")
        self.cluster.psql("INSERT INTO notes VALUES (3, 'x')")
        self.assertEqual(watcher.seen(), {"student:3/notes", "roster"})
        self.cluster.psql("COMMIT PREPARED 'one'")
        self.cluster.psql("ROLLBACK PREPARED 'two'")
        self.assertEqual(watcher.seen(), {"student:1/notes", "roster"})

    def test_writers_need_no_right_of_ours(self):
        cluster, watcher = self.cluster, pg_site.Watcher(self.cluster)
        cluster.create_role("writer", "w")
        cluster.psql("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer")
        cluster.psql("INSERT INTO notes VALUES (7, 'x'); UPDATE notes SET student_id = 8 WHERE student_id = 7;"
                     " DELETE FROM notes WHERE student_id = 8", user="writer")
        self.assertEqual(watcher.seen(), {"student:7/notes", "student:8/notes", "roster"})
        for sql in ("SELECT * FROM vitalcache.vc_touch", "INSERT INTO vitalcache.vc_touch (tag) VALUES ('x')",
                    "SELECT vitalcache.vc_token()"):
            with self.subTest(sql), self.assertRaisesRegex(Exception, "permission denied for schema vitalcache"):
                cluster.psql(sql, user="writer")

    def test_a_cast_of_the_tables_owner_is_not_run_as_ours(self):
        """Whoever owns a table could give its id a type with a cast to text of his own making."""
        cluster = self.cluster
        cluster.psql("CREATE TYPE pair AS (a bigint); CREATE TABLE who (name text);"
                     "CREATE FUNCTION spy(pair) RETURNS text LANGUAGE plpgsql AS"
                     " $$ BEGIN INSERT INTO public.who VALUES (current_user); RETURN 'x'; END $$;"
                     "CREATE CAST (pair AS text) WITH FUNCTION spy(pair);"
                     "ALTER TABLE urgent_notes NO INHERIT notes;"
                     "ALTER TABLE notes ALTER student_id TYPE pair USING row(student_id)::pair")
        cluster.psql("INSERT INTO notes VALUES (row(1)::pair, 'x')")
        self.assertEqual(cluster.psql("SELECT * FROM who"), [])
        self.assertIn("can write one id in several ways", pg_site.state(cluster)["public.notes"])
        cluster.psql("ALTER TABLE notes ALTER student_id TYPE bigint USING (student_id).a;"
                     "ALTER TABLE urgent_notes INHERIT notes; SELECT vitalcache.vc_cover()")
        self.assertEqual(pg_site.state(cluster), {})


# of a table that has parents which are not watched: statements on those fire no statement trigger of its own
PARENTS = [
    ("INSERT INTO all_scores VALUES (1, 1, 1), (2, 2, 150)", {"student:1/scores"}),
    ("COPY all_scores FROM PROGRAM 'printf \"5\\t5\\t1\\n\"'", {"student:5/scores"}),
    ("UPDATE all_scores SET student_id = 3 WHERE id = 1", {"student:1/scores", "student:3/scores"}),
    ("UPDATE all_scores SET on_day = 150 WHERE id = 1", {"student:3/scores"}),
    ("UPDATE all_scores SET on_day = 2 WHERE id = 2", {"student:2/scores"}),
    ("DELETE FROM all_scores WHERE id = 5", {"student:5/scores"}),
    ("INSERT INTO scores VALUES (6, 6, 1)", {"student:6/scores"}),
    ("TRUNCATE all_scores", {"scores"}),
    ("INSERT INTO marks VALUES (1)", {"student:1/marks"}),
    ("UPDATE old_marks SET student_id = 2", {"student:1/marks", "student:2/marks"}),
    ("DELETE FROM old_marks", {"student:2/marks"}),
]


class Parents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        pg_site.prepare(cls.cluster)
        cls.cluster.psql(
            "CREATE TABLE all_scores (id int, student_id bigint, on_day int) PARTITION BY RANGE (on_day);"
            "CREATE TABLE scores PARTITION OF all_scores FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);"
            "CREATE TABLE scores_1 PARTITION OF scores DEFAULT;"
            "CREATE TABLE scores_late PARTITION OF all_scores DEFAULT;"
            "CREATE TABLE old_marks (student_id bigint); CREATE TABLE marks () INHERITS (old_marks);"
            "INSERT INTO vitalcache.vc_watch VALUES ('public.scores', 'scores', 'student', 'student_id'),"
            " ('public.marks', 'marks', 'student', 'student_id'); SELECT vitalcache.vc_cover()")

    def test_statements_on_a_parent_that_is_not_watched(self):
        watcher = pg_site.Watcher(self.cluster)
        self.assertEqual(pg_site.state(self.cluster), {})
        for sql, touched in PARENTS:
            with self.subTest(sql):
                self.cluster.psql(sql)
                self.assertEqual(watcher.seen(), touched)

    def test_a_parent_that_comes_later(self):
        self.cluster.psql("CREATE TABLE above_notes (LIKE notes)")
        self.cluster.psql("ALTER TABLE notes INHERIT above_notes")
        self.assertIn("is missing", pg_site.state(self.cluster)["public.notes"])
        self.cluster.psql("ALTER TABLE notes NO INHERIT above_notes; DROP TABLE above_notes;"
                          "SELECT vitalcache.vc_cover()")
        self.assertEqual(pg_site.state(self.cluster), {})

    def test_a_partition_on_its_way_out_is_seen(self):
        """DETACH CONCURRENTLY hides the rows with its first commit, and changes nothing but pg_inherits where there is
        a constraint like the partition's already."""
        self.cluster.psql("ALTER TABLE visits_old ADD CHECK (on_day IS NOT NULL AND on_day >= 0 AND on_day < 100)")
        self.cluster.psql("SELECT vitalcache.vc_cover()")
        self.assertEqual(pg_site.state(self.cluster), {})
        with self.cluster.connect(autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL allow_system_table_mods = on; UPDATE pg_inherits SET inhdetachpending = true"
                           " WHERE inhrelid = 'visits_old'::regclass; SELECT relation FROM vitalcache.vc_state()")
            self.assertEqual(cursor.fetchall(), [("public.visits",)])
            connection.rollback()
        connection.close()


class States(unittest.TestCase):
    """What an operator or a migration can do to the triggers, and that it is seen."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        pg_site.prepare(cls.cluster)

    def setUp(self):
        self.cluster.psql("SELECT vitalcache.vc_cover()")
        self.assertEqual(pg_site.state(self.cluster), {})

    def finds(self, sql, relation, problem):
        """After `sql` the relation, and it alone, has the problem; writes go on; db setup mends it."""
        with self.subTest(sql):
            self.cluster.psql(sql)
            found = pg_site.state(self.cluster)
            self.assertEqual(list(found), [relation])
            self.assertRegex(found[relation] or "changed", problem)

    def mended(self, *undo):
        for sql in undo:
            self.cluster.psql(sql)
        watcher = pg_site.Watcher(self.cluster)
        self.cluster.psql("SELECT vitalcache.vc_cover()")
        self.assertEqual(pg_site.state(self.cluster), {})
        return watcher.seen()

    def trigger(self, table, event):
        return self.cluster.psql("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
                                 (table, "vc\\_on\\_%s\\_%%" % event))[0][0]

    def test_disabled_and_dropped(self):
        name = self.trigger("allergies", "insert")
        self.finds("ALTER TABLE allergies DISABLE TRIGGER " + name, "public.allergies", "is disabled")
        self.assertEqual(self.mended(), {"allergies"})
        self.finds("ALTER TABLE allergies DISABLE TRIGGER ALL", "public.allergies", "is disabled")
        self.mended()
        self.finds("ALTER TABLE allergies ENABLE TRIGGER " + name, "public.allergies", "not enabled ALWAYS")
        self.mended()
        self.finds("DROP TRIGGER %s ON allergies" % name, "public.allergies", "is missing")
        self.mended()
        self.finds("ALTER TABLE visits_new DISABLE TRIGGER " + self.trigger("visits_new", "delete"), "public.visits",
                   "public.visits_new is disabled")
        self.mended()

    def test_a_load_without_triggers_is_seen_afterwards(self):
        watcher = pg_site.Watcher(self.cluster)
        self.finds("BEGIN; ALTER TABLE allergies DISABLE TRIGGER ALL; INSERT INTO allergies (student_id) VALUES (1);"
                   "ALTER TABLE allergies ENABLE TRIGGER ALL; " + "".join(
                       "ALTER TABLE allergies ENABLE ALWAYS TRIGGER %s;" % self.trigger("allergies", event)
                       for event in ("insert", "update", "delete", "truncate")) + "COMMIT",
                   "public.allergies", "changed")
        self.assertEqual(watcher.seen(), set())
        self.cluster.psql("SELECT vitalcache.vc_resign()")
        self.assertEqual(watcher.seen(), {"allergies"})
        self.assertEqual(pg_site.state(self.cluster), {})
        self.cluster.psql("SELECT vitalcache.vc_resign()")
        self.assertEqual(watcher.seen(), set())

    def test_functions(self):
        name = self.trigger("notes", "update")
        body = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'"
        for sql in ("ALTER FUNCTION vitalcache.%s() SECURITY INVOKER", "ALTER FUNCTION vitalcache.%s() RESET ALL",
                    "CREATE OR REPLACE FUNCTION vitalcache.%s() RETURNS trigger " + body):
            self.finds(sql % name, "public.notes", "function vitalcache.%s was altered" % name)
            self.cluster.psql("SELECT vitalcache.vc_resign()")
            self.assertIn("public.notes", pg_site.state(self.cluster), "what is not in order is not recorded")
            self.assertEqual(self.mended(), {"notes", "roster"})

    def test_columns(self):
        cluster = self.cluster
        self.finds("ALTER TABLE notes RENAME student_id TO pupil", "public.notes", "it has no column student_id")
        cluster.psql("INSERT INTO notes VALUES (1, 'x'); UPDATE notes SET note = 'y'; DELETE FROM notes")
        self.assertEqual(self.mended("ALTER TABLE notes RENAME pupil TO student_id"), {"notes", "roster"})
        self.finds("ALTER TABLE allergies DROP student_id", "public.allergies", "it has no column student_id")
        cluster.psql("INSERT INTO allergies (code) VALUES ('x'); DELETE FROM allergies")
        self.mended("ALTER TABLE allergies ADD student_id bigint REFERENCES students ON DELETE CASCADE")
        for kind in ("date", "float8", "timestamptz", "numeric", "numeric(9,2)", "interval"):
            self.finds("ALTER TABLE allergies DROP student_id; ALTER TABLE allergies ADD student_id " + kind,
                       "public.allergies", "can write one id in several ways")
        for kind in ("text", "uuid", "int", "varchar(9)", "numeric(9)", "char(9)", "name"):
            self.mended("ALTER TABLE allergies DROP student_id; ALTER TABLE allergies ADD student_id " + kind)
        self.mended("ALTER TABLE allergies DROP student_id; ALTER TABLE allergies ADD student_id bigint")

    def test_ids_as_text_of_every_kind(self):
        for kind, value in (("text", "O'Ne\\il é 学"), ("varchar(9)", "a "), ("char(9)", "a b"), ("name", "n"),
                            ("uuid", "6b1f8c3e-0000-4000-8000-0123456789ab"), ("numeric(20)", "12345678901234567890")):
            with self.subTest(kind):
                self.cluster.psql("DROP TABLE notes CASCADE; CREATE TABLE notes (student_id %s, note text);"
                                  "SELECT vitalcache.vc_cover()" % kind)
                watcher = pg_site.Watcher(self.cluster)
                self.cluster.psql("SET DateStyle = German; INSERT INTO notes VALUES (%s, 'x')", (value,))
                self.assertEqual(self.cluster.psql("SELECT student_id::text FROM notes"), [(value,)])
                self.assertEqual(watcher.seen(), {"student:%s/notes" % value, "roster"})
        self.cluster.psql("DROP TABLE notes; CREATE TABLE notes (student_id bigint, note text);"
                          "CREATE TABLE urgent_notes (urgency int) INHERITS (notes)")
        self.mended()

    def other_notes(self, kind):
        """The table of notes anew, with ids of another type."""
        self.cluster.psql("DROP TABLE notes CASCADE; CREATE TABLE notes (student_id %s, note text)" % kind)

    def test_lists_of_ids_of_every_kind(self):
        """As above, and of ids that are too long for a tag the list has none, however they are written."""
        odd = ["O'Ne\\il é 学", "NULL", "{a,b}", 'say "a"', "b ", "z" * 512]
        long = ["z" * 513, "学" * 171, "z" * 5000]
        for kind, values in (("text", odd + long), ("text", long), ("text", long + ["a"]), ("char(9)", ["a b", "c"]),
                             ("name", ["n", "m"]), ("int", ["-1", "0", "7"]), ("smallint", ["1", "2"]),
                             ("uuid", ["6b1f8c3e-0000-4000-8000-0123456789ab", "6b1f8c3e-0000-4000-8000-0123456789ac"]),
                             ("numeric(20)", ["12345678901234567890", "1"]), ("oid", ["4000000000", "2"])):
            for many in (1, 500):
                with self.subTest(kind, many=many):
                    self.other_notes(kind)
                    self.cluster.psql("SELECT vitalcache.vc_cover()")
                    watcher = pg_site.Watcher(self.cluster)
                    self.cluster.psql("INSERT INTO notes SELECT v::%s FROM unnest(%%s) AS v, generate_series(1, %%s)"
                                      % kind, (values, many))
                    self.assertEqual(watcher.seen(),
                                     {"student:%s/notes" % value for value in values if value not in long} | {"roster"})
        self.other_notes("bigint")
        self.mended("CREATE TABLE urgent_notes (urgency int) INHERITS (notes)")

    def test_any_type_that_a_migration_makes_of_an_id(self):
        """Writers go on, though nobody has run db setup since; what they touch is of no account, as it is withheld."""
        cluster = self.cluster
        cluster.psql("DROP TABLE urgent_notes; SELECT vitalcache.vc_cover()")
        for kind, value in (("json", "1"), ("xml", "1"), ("int[]", "{}"), ("point", "(1,2)"), ("int4range", "[1,2)"),
                            ("name", "a"), ('"char"', "a"), ("text", "a" * 600), ("oid", "1"), ("regclass", "notes"),
                            ("char(3)", "a"), ("bit(3)", "101"), ("money", "1"), ("float8", "1"), ("int2", "1")):
            with self.subTest(kind):
                cluster.psql("ALTER TABLE notes DROP student_id; ALTER TABLE notes ADD student_id " + kind)
                for many in (1, 2, 500):
                    cluster.psql("INSERT INTO notes (student_id) SELECT %%s::%s FROM generate_series(1, %%s)" % kind,
                                 (value, many))
                cluster.psql("UPDATE notes SET note = 'y'; DELETE FROM notes")
                self.assertIn("public.notes", pg_site.state(cluster))
        self.other_notes("bigint")
        self.mended("CREATE TABLE urgent_notes (urgency int) INHERITS (notes)")

    def test_names_that_need_quotes(self):
        cluster = self.cluster
        odd = '"My Clinic"."it\'s ""odd"" here"'
        cluster.psql('CREATE SCHEMA "My Clinic"; CREATE TABLE %s ("found" text, "Old Id" int)' % odd)
        for row in ((odd, "odd", "student", "found"), (odd, "it's", "ward", "Old Id")):
            cluster.psql("INSERT INTO vitalcache.vc_watch VALUES (%s, %s, %s, %s)", row)
        self.mended()
        watcher = pg_site.Watcher(cluster)
        cluster.psql("INSERT INTO %s VALUES ('1', 2)" % odd)
        self.assertEqual(watcher.seen(), {"student:1/odd", "ward:2/it's"})
        cluster.psql("DELETE FROM vitalcache.vc_watch WHERE relation = %s", (odd,))
        self.mended()
        cluster.psql('DROP SCHEMA "My Clinic" CASCADE')

    def test_relations(self):
        cluster = self.cluster
        self.finds("ALTER TABLE notes RENAME TO memos", "public.notes", "there is no such relation")
        watcher = pg_site.Watcher(cluster)
        cluster.psql("INSERT INTO memos VALUES (1, 'x')")
        self.assertEqual(watcher.seen(), {"student:1/notes", "roster"})
        self.mended("ALTER TABLE memos RENAME TO notes")
        self.finds("CREATE TABLE visits_next PARTITION OF visits FOR VALUES FROM (200) TO (300)", "public.visits",
                   "on public.visits_next is missing")
        self.mended()
        self.finds("ALTER TABLE visits DETACH PARTITION visits_next", "public.visits", "changed")
        self.finds("ALTER TABLE visits ATTACH PARTITION visits_next FOR VALUES FROM (200) TO (300)", "public.visits",
                   "changed")
        self.mended("DROP TABLE visits_next")
        self.finds("CREATE TABLE more_notes () INHERITS (notes)", "public.notes", "on public.more_notes is missing")
        self.mended("DROP TABLE more_notes")
        self.finds("DROP TABLE notes CASCADE; CREATE MATERIALIZED VIEW notes AS SELECT 1 AS student_id", "public.notes",
                   "materialized view: no trigger can watch it")
        cluster.psql("DROP MATERIALIZED VIEW notes; CREATE TABLE notes (student_id bigint, note text);"
                     "CREATE TABLE urgent_notes (urgency int) INHERITS (notes)")
        self.mended()

    def test_views_are_seen_to_change(self):
        cluster = self.cluster
        cluster.psql("CREATE VIEW board AS SELECT 1 AS a;"
                     "INSERT INTO vitalcache.vc_watch VALUES ('public.board', 'visits', NULL, NULL)")
        self.assertEqual(self.mended(), {"visits"})
        self.finds("CREATE OR REPLACE VIEW board AS SELECT 2 AS a", "public.board", "changed")
        self.assertEqual(self.mended(), {"visits"})
        self.mended("DELETE FROM vitalcache.vc_watch WHERE relation = 'public.board'", "DROP VIEW board")

    def test_housekeeping_changes_nothing(self):
        self.cluster.psql("VACUUM")
        self.cluster.psql("ANALYZE; REINDEX TABLE allergies; CREATE INDEX ON allergies (student_id)")
        self.assertEqual(pg_site.state(self.cluster), {})

    def test_the_event_trigger_covers_by_itself(self):
        cluster = self.cluster
        pg_site.db("setup", cluster.dsn(socket=True), pg_site.TYPES, "--event-trigger")
        cluster.psql("CREATE TABLE visits_next PARTITION OF visits FOR VALUES FROM (200) TO (300)")
        self.assertEqual(pg_site.state(cluster), {})
        watcher = pg_site.Watcher(cluster)
        cluster.psql("INSERT INTO visits_next VALUES (1, 1, 250)")
        self.assertEqual(watcher.seen(), {"student:1/visits"})
        cluster.psql("CREATE TABLE lone (id int, student_id bigint, on_day int, note text)")
        cluster.psql("ALTER TABLE visits ATTACH PARTITION lone FOR VALUES FROM (300) TO (400)")
        self.assertEqual(pg_site.state(cluster), {})
        cluster.psql("DROP EVENT TRIGGER vitalcache_cover; DROP TABLE visits_next, lone")


class Replication(unittest.TestCase):
    def test_what_a_subscription_applies(self):
        with pg.Cluster(name="origin") as origin, pg.Cluster() as target:
            origin.psql(pg_site.TABLES + "CREATE PUBLICATION p FOR TABLE allergies, visits"
                                         " WITH (publish_via_partition_root = true);"
                                         "INSERT INTO allergies (student_id) VALUES (1)")
            pg_site.prepare(target)
            watcher = pg_site.Watcher(target)
            target.psql("CREATE SUBSCRIPTION s CONNECTION %s PUBLICATION p", (origin.dsn(socket=True),))
            ready = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'"
            pg.wait_for(lambda: target.psql(ready) == [(2,)], "the first copy")
            self.assertIn("student:1/allergies", watcher.seen())
            self.assertRegex(pg_site.state(target)["public.allergies"], "vc_on_row_allergies_.* is missing")
            target.psql("SELECT vitalcache.vc_cover()")
            self.assertEqual(pg_site.state(target), {})
            watcher.seen()
            for sql, touched in (
                    ("INSERT INTO allergies (id, student_id) VALUES (99, 2)", {"student:2/allergies"}),
                    ("UPDATE allergies SET student_id = 3 WHERE id = 99",
                     {"student:2/allergies", "student:3/allergies"}),
                    ("DELETE FROM allergies WHERE id = 99", {"student:3/allergies"}),
                    ("INSERT INTO visits VALUES (1, 5, 150)", {"student:5/visits"}),
                    ("TRUNCATE allergies", {"allergies"})):
                with self.subTest(sql):
                    self.replicated(origin, target, sql)
                    self.assertEqual(watcher.seen(), touched)

    @staticmethod
    def replicated(origin, target, sql):
        origin.psql(sql)
        origin.flush()
        position = origin.psql("SELECT pg_current_wal_flush_lsn()")[0][0]
        pg.wait_for(lambda: origin.psql("SELECT bool_and(confirmed_flush_lsn >= %s) FROM pg_replication_slots",
                                        (position,))[0][0], "the subscription")


if __name__ == "__main__":
    unittest.main()
