#!/usr/bin/python3
"""Definitions of record types against a live schema: each rule with definitions that keep it and that break it, as
`vitalcache db setup` and `db status` judge them."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402

SCHEMA = """
CREATE TABLE students (id int PRIMARY KEY, name text);
CREATE TABLE schools (id int PRIMARY KEY, name text);
CREATE TABLE notes (id int PRIMARY KEY, student_id int, school_id int, note text, code varchar(20), ends timestamptz);
CREATE INDEX ON notes (student_id);
CREATE TABLE bare (id int PRIMARY KEY, student_id int, code varchar(20), ref uuid);
CREATE TABLE parted (id int, student_id int, day int) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9);
CREATE INDEX ON parted (student_id);
CREATE TABLE guarded (student_id int PRIMARY KEY, school_id int);
CREATE VIEW inner_view AS SELECT n.*, s.name AS school FROM notes AS n JOIN schools AS s ON s.id = n.school_id;
CREATE VIEW outer_view AS SELECT id, student_id, school FROM inner_view;
CREATE VIEW plain_view AS SELECT id, student_id, note FROM notes;
CREATE VIEW random_view AS SELECT id, student_id, random() AS r FROM notes;
CREATE VIEW grouped AS SELECT student_id + 0 AS student, count(*) AS n FROM notes GROUP BY student_id + 0;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM notes;
CREATE INDEX ON stored (student_id);
CREATE FUNCTION school_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT name FROM schools WHERE id = $1';
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
"""
TYPES = """
subjects:
  school: {exists: SELECT id FROM public.schools WHERE id = ANY($1), table: schools}
tables:
  students: {postgres: {relations: [{name: public.students, student: id}]}}
  schools: {postgres: {relations: [{name: public.schools, school: id}]}}
  notes:
    postgres: {relations: [{name: public.notes, student: student_id}, {name: public.notes, school: school_id}%s]}
  bare: {postgres: {relations: [{name: public.bare, student: student_id}]}}
  parted: {postgres: {relations: [{name: public.parted, student: student_id}]}}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, name FROM public.students WHERE id = ANY($1)"}
  tested:
    shape: list
    table: %s
    postgres:
      fetch: |
        %s
"""


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)

    def setUp(self):
        self.cluster.psql("DROP SCHEMA IF EXISTS vitalcache CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
                          "GRANT USAGE ON SCHEMA public TO public;" + SCHEMA)

    def types(self, fetch, table="notes", relations=""):
        return TYPES % (relations, table, fetch.replace("\n", "\n        "))

    def db(self, what, types, *flags, **words):
        return pg_site.db(what, self.cluster.dsn(socket=True, **words), types, *flags, check=False)

    def wrong(self, fetch, words, **more):
        """db setup refuses it, says where it stands, and has changed nothing."""
        done = self.db("setup", self.types(fetch, **more))
        self.assertEqual(done.returncode, 2, done)
        self.assertRegex(done.stderr, words)
        self.assertRegex(done.stderr, r"types\.yaml:\d+:\d+: type tested: ")
        self.assertEqual(self.cluster.psql("SELECT to_regnamespace('vitalcache')"), [(None,)])
        return done.stderr

    def told(self, fetch, words, code=1, **more):
        """db setup takes it, and says what is the matter, as db status does from then on."""
        types = self.types(fetch, **more)
        for what in ["setup", "status"]:
            done = self.db(what, types)
            self.assertEqual(done.returncode, code, done)
            self.assertRegex(done.stdout, r"types\.yaml:\d+:\d+")
            self.assertRegex(done.stdout, words)
            self.assertEqual(len(re.findall("type tested", done.stdout)), 1, done.stdout)

    def fine(self, fetch, **more):
        types = self.types(fetch, **more)
        self.assertEqual(self.db("setup", types).returncode, 0)
        done = self.db("status", types)
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"problems": 0}), done)
        return types


class Form(Definitions):
    def test_sql_that_is_wrong_is_quoted_where_it_is(self):
        said = self.wrong("SELECT student_id AS student,\n  nmae FROM public.notes WHERE student_id = ANY($1)",
                          'column "nmae" does not exist \\(42703\\); line 2 of the SQL, at `nmae FROM public.notes')
        self.assertNotIn("ERROR", said)
        self.wrong("SELECT student_id AS student FROM public.nots WHERE student_id = ANY($1)",
                   'relation "public.nots" does not exist')
        self.wrong("SELECT student_id AS student, 'äöü€' AS e, x FROM public.notes WHERE student_id = ANY($1)",
                   "line 1 of the SQL, at `x FROM")

    def test_two_statements_or_writes_are_refused(self):
        self.wrong("SELECT student_id AS student FROM public.notes WHERE student_id = ANY($1); DROP TABLE notes",
                   "cannot insert multiple commands")
        self.wrong("DELETE FROM public.notes WHERE student_id = ANY($1) RETURNING student_id AS student",
                   "must be a plain SELECT")
        self.wrong("WITH gone AS (DELETE FROM public.notes RETURNING student_id) SELECT student_id AS student FROM gone"
                   " WHERE student_id = ANY($1)", "must be a plain SELECT")
        self.wrong("SELECT student_id AS student FROM public.notes WHERE student_id = ANY($1) FOR UPDATE",
                   "must be a plain SELECT")

    def test_the_parameter_is_an_array(self):
        self.wrong("SELECT student_id AS student FROM public.notes WHERE student_id = $1",
                   r"\$1 is taken for one integer; it is an array")
        self.wrong("SELECT student_id AS student FROM public.notes -- = ANY($1)", r"does not use \$1")
        self.wrong("SELECT student_id AS student FROM public.notes WHERE student_id = ANY($1) AND id > $2",
                   r"further parameters than \$1")
        self.fine("SELECT student_id AS student FROM public.notes WHERE student_id = ANY($1);  -- all")

    def test_the_columns(self):
        self.wrong("SELECT student_id, note FROM public.notes WHERE student_id = ANY($1)", "no column student,")
        self.wrong("SELECT student_id AS student, note, code AS note FROM public.notes WHERE student_id = ANY($1)",
                   "the column note twice")
        self.wrong("SELECT ends AS student FROM public.notes WHERE student_id = ANY($1)",
                   "column student is of a type that can write one id in several ways")
        self.wrong("SELECT student_id AS student, 1 AS valid_until FROM public.notes WHERE student_id = ANY($1)",
                   "valid_until is no timestamp")


class Reads(Definitions):
    HIDDEN = "SELECT student_id AS student, id, school FROM public.outer_view WHERE student_id = ANY($1)"

    def test_a_view_of_a_view_hides_no_relation(self):
        self.told(self.HIDDEN, r"reads public\.schools, whose changes touch none of its tags: it is not cached\. Add "
                               r"\{name: public\.schools\} to postgres\.relations of the table notes")

    def test_it_is_cached_once_the_relation_is_named_and_the_views_are_watched(self):
        self.fine(self.HIDDEN, relations=", {name: public.schools}")
        watched = self.cluster.psql("SELECT relation, table_name, column_name FROM vitalcache.vc_watch"
                                    " WHERE relation LIKE '%view' ORDER BY 1")
        self.assertEqual(watched, [("public.inner_view", "notes", None), ("public.outer_view", "notes", None)])

    def test_a_relation_that_is_watched_for_another_subject_does_not_cover(self):
        self.told(self.HIDDEN, r"reads public\.schools", relations=", {name: public.schools, school: id}")

    def test_what_is_declared_and_not_set_up_is_told(self):
        self.fine("SELECT student_id AS student, id FROM public.notes WHERE student_id = ANY($1)")
        status = self.db("status", self.types(self.HIDDEN, relations=", {name: public.schools}"))
        self.assertEqual(status.returncode, 1)
        self.assertIn("reads public.schools, which is not watched yet", status.stdout)
        self.assertIn("reads the view public.outer_view, which is not watched yet", status.stdout)

    def test_a_changed_view_is_another_definition(self):
        types = self.fine("SELECT student_id AS student, id FROM public.plain_view WHERE student_id = ANY($1)")
        self.cluster.psql("CREATE OR REPLACE VIEW plain_view AS SELECT id, student_id, (SELECT max(name) FROM schools)"
                          " AS note FROM notes")
        status = self.db("status", types)
        self.assertEqual(status.returncode, 1)
        self.assertIn("reads public.schools", status.stdout)
        self.assertIn("public.plain_view", status.stdout)

    def test_a_dropped_column_is_told(self):
        types = self.fine("SELECT student_id AS student, note FROM public.notes WHERE student_id = ANY($1)")
        self.cluster.psql("ALTER TABLE notes DROP COLUMN note CASCADE")
        status = self.db("status", types)
        self.assertEqual(status.returncode, 1)
        self.assertIn('column \\"note\\" does not exist', status.stdout)

    def test_a_partition_is_covered_by_what_it_is_part_of(self):
        for relation in ["parted", "parted_1"]:
            self.fine("SELECT student_id AS student FROM public.%s WHERE student_id = ANY($1)" % relation,
                      table="parted")

    def test_what_no_trigger_can_see(self):
        self.told("SELECT student_id AS student, (SELECT count(*) FROM pg_namespace) AS n FROM public.notes"
                  " WHERE student_id = ANY($1)", r"reads pg_catalog\.pg_namespace, whose changes no trigger")
        self.setUp()
        self.told("SELECT student_id AS student FROM public.stored WHERE student_id = ANY($1)",
                  r"reads the materialized view public\.stored, whose changes no trigger can see")

    def test_policies_of_rows_are_read_as_well(self):
        types = ("SELECT student_id AS student FROM public.guarded WHERE student_id = ANY($1)")
        more = {"relations": ", {name: public.guarded, student: student_id}"}
        self.cluster.psql("""
            ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE ROLE reader LOGIN;
            CREATE POLICY of_schools ON guarded USING (school_id IN (SELECT id FROM schools));
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader""")
        self.fine(types, **more)  # of the owner, whom no policy binds
        self.db("setup", self.types(types, **more), "--role", "reader")
        self.cluster.psql("GRANT SELECT ON ALL TABLES IN SCHEMA vitalcache TO reader;"
                          "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vitalcache TO reader")
        status = self.db("status", self.types(types, **more), user="reader", password=None)
        self.assertIn("reads public.schools", status.stdout)


class Calls(Definitions):
    def of(self, expression, extra=""):
        return ("SELECT student_id AS student, id, %s AS x%s FROM public.notes WHERE student_id = ANY($1)" %
                (expression, extra))

    def test_clocks_need_valid_until(self):
        for clock, name in [("now()", r"now\(\)"), ("current_date", "current_date"), ("localtime", "localtime"),
                            ("age(ends)", "age"), ("current_timestamp::date", "current_timestamp")]:
            with self.subTest(clock):
                self.wrong(self.of(clock), "calls %s.*must return the column valid_until" % name)
        self.fine(self.of("note", ", now() + interval '1 hour' AS valid_until"))

    def test_what_differs_at_each_call_is_refused(self):
        for call, name in [("random()", "random"), ("clock_timestamp()", "clock_timestamp"),
                           ("gen_random_uuid()", "gen_random_uuid")]:
            with self.subTest(call):
                self.wrong(self.of(call, ", now() AS valid_until"), "calls %s.*another one at each call" % name)
        self.wrong("SELECT student_id AS student, r FROM public.random_view WHERE student_id = ANY($1)", "random")
        self.wrong("SELECT student_id AS student FROM public.notes TABLESAMPLE bernoulli (50)"
                   " WHERE student_id = ANY($1)", "bernoulli")

    def test_functions_of_the_application(self):
        self.told(self.of("school_of(school_id)"), r"calls school_of\(integer\), which is not IMMUTABLE")
        self.setUp()
        self.fine(self.of("shout(note)"))

    def test_the_state_of_the_session(self):
        self.told(self.of("current_setting('search_path')"), "calls current_setting.*state of the server or session")
        self.setUp()
        self.told(self.of("current_user"), "calls current_user")

    def test_forms_that_settings_decide_are_fine(self):
        self.fine(self.of("to_char(ends, 'YYYY') || ends::text || jsonb_build_object('a', ends)::text"))

    def test_words_of_the_sql_are_no_calls(self):
        self.fine(self.of("':funcid 1299 :relid 1260 {SQLVALUEFUNCTION :op 0 :commandType 4'",
                          ', 1 AS ":relid 1260 :commandType 4"'))


class Keys(Definitions):
    def test_a_missing_index_is_told_with_the_statement_that_makes_it(self):
        types = "SELECT student_id AS student, id FROM public.bare WHERE student_id = ANY($1) ORDER BY id"
        self.told(types, r"CREATE INDEX ON public\.bare \(student_id\)", code=0, table="bare")
        self.cluster.psql("CREATE INDEX ON public.bare (student_id)")
        self.fine(types, table="bare")

    def test_an_expression_needs_an_index_of_its_own(self):
        self.told("SELECT student_id AS student, id FROM public.notes WHERE student_id::text = ANY($1)",
                  r"CREATE INDEX ON public\.notes \(\(student_id::text\)\)", code=0)
        self.cluster.psql("CREATE INDEX ON notes ((student_id::text))")
        self.fine("SELECT student_id AS student, id FROM public.notes WHERE student_id::text = ANY($1)")

    def test_a_varchar_needs_none(self):
        self.told("SELECT code AS student FROM public.bare WHERE code = ANY($1)",
                  r"CREATE INDEX ON public\.bare \(code\)", code=0, table="bare")

    def test_ids_that_are_compared_too_late(self):
        self.told("SELECT student, n FROM public.grouped WHERE student = ANY($1)", "every read goes through all rows",
                  code=0)


class Rights(Definitions):
    def test_a_role_that_may_not_read(self):
        self.cluster.psql("CREATE ROLE stranger LOGIN")
        types = self.fine("SELECT student_id AS student, id FROM public.notes WHERE student_id = ANY($1)")
        status = self.db("setup", types, user="stranger", password=None)
        self.assertEqual(status.returncode, 2)
        self.assertRegex(status.stderr, r"permission denied for table \w+ \(role stranger\)")


if __name__ == "__main__":
    unittest.main()
