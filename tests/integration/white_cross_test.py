#!/usr/bin/python3
"""The shipped schema and record types, conf/*/white-cross.*: what is served is what plain SQL says, student by student
and school by school; and each change makes stale exactly what shows it."""
import datetime
import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import vc  # noqa: E402

import pg_read_test  # noqa: E402  (next to this file)

SCHEMA = vc.ROOT / "conf" / "schemas" / "white-cross.sql"
TYPES = vc.ROOT / "conf" / "types" / "white-cross.yaml"
STUDENTS = 60
SCHOOLS = (1, 2, 3)
SEVERITIES = ("LIFE_THREATENING", "SEVERE", "MODERATE", "UNKNOWN", "MILD", "NONE")  # the worst first
PASSWORD = "reader's"
DAY = 24 * 3600 * 10**9


def plain(value):
    """A value of psycopg2 as it is served."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, datetime.date) else value


def record(names, row):
    return {name: plain(value) for name, value in zip(names.split(), row) if value is not None}


def fetches():
    """{type: its SQL}, out of the file as people read it."""
    text = TYPES.read_text(encoding="utf-8")
    pattern = r"^  (\w+):\n    key: \w+:\{(\w+)\}\n(?:    .*\n)*?      fetch: \|\n((?:        .*\n)+)"
    found = re.findall(pattern, text, re.M)
    return {name: (subject, sql) for name, subject, sql in found}


def setup(cluster, *more):
    done = subprocess.run([vc.VITALCACHE, "db", "setup", "--dsn", cluster.dsn(socket=True), "--types", TYPES, *more],
                          capture_output=True, text=True, timeout=60 * vc.SLOW)
    assert done.returncode == 0, done.stdout + done.stderr


def load_sample(cluster, students):
    with vc.temp_dir() as folder:
        script = folder / "sample.sql"
        with open(script, "wb") as file:
            subprocess.run([vc.VITALCACHE, "sample", "--postgres", "--students", str(students)], check=True,
                           stdout=file, timeout=60 * vc.SLOW)
        cluster.psql_file(script)


def setUpModule():
    """One cluster for all; each class leaves students 1 to 60 as they are."""
    cluster = WhiteCross.cluster = pg.Cluster().__enter__()
    unittest.addModuleCleanup(cluster.__exit__, None, None, None)
    cluster.psql_file(SCHEMA)
    load_sample(cluster, STUDENTS)
    # As docs/POSTGRESQL.md says: a role that may read, and nothing else.
    cluster.create_role("reader", PASSWORD)
    cluster.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    setup(cluster, "--role", "reader")
    cluster.psql("SELECT vitalcache.vc_begin_epoch()")


class WhiteCross:
    cluster = None

    def drive(self):
        return pg_read_test.Drive(self.cluster.dsn(user="reader", password=PASSWORD), str(TYPES))

    def sql(self, sql, *parameters):
        return self.cluster.psql(sql, parameters)

    def values(self, *keys):
        with self.drive() as drive:
            reads = drive.fetch(*keys)
        for read in reads:
            self.assertEqual(read.status, "OK", read)
        return [read.value for read in reads]

    def everyone(self, name):
        """{student: value}, and nobody lacks one."""
        ids = [str(n) for n in range(1, STUDENTS + 1)]
        found = dict(zip(ids, self.values(*("%s:%s" % (name, student) for student in ids))))
        self.assertNotIn(None, found.values())
        return found


class Students(WhiteCross, unittest.TestCase):
    def check_list(self, name, names, sql):
        """`sql`, with one student's id, brings the rows in any order; the order is checked by itself."""
        count = 0
        for student, served in self.everyone(name).items():
            expected = [record(names, row) for row in self.sql(sql, student)]
            key = lambda row: row["id"]  # noqa: E731
            self.assertEqual(sorted(served, key=key), sorted(expected, key=key), student)
            count += len(expected)
        self.assertGreater(count, 0)

    def check_newest_first(self, name, field):
        for served in self.everyone(name).values():
            times = [row[field] for row in served]
            self.assertEqual(times, sorted(times, reverse=True))

    def test_students(self):
        names = "id first_name last_name birth_date gender grade school address city state zip contacts active"
        for student, served in self.everyone("student").items():
            row = self.sql("SELECT s.id, first_name, last_name, birth_date, gender, grade, (SELECT name FROM schools c"
                           " WHERE c.id = school_id), address, s.city, s.state, zip, contacts, active FROM students s"
                           " WHERE s.id = %s", student)[0]
            self.assertEqual(served, record(names, row))

    def test_they_are_those_of_the_csv_sample(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            vc.sample(folder / "csv", STUDENTS)
            vc.vitalcache(server, "import", folder / "csv")
            with server.client() as client:
                for student, served in self.everyone("student").items():
                    other = json.loads(client.call("GET", "student:" + student))
                    same = ("id", "first_name", "last_name", "birth_date", "gender", "grade", "school", "city", "zip")
                    self.assertEqual({name: served[name] for name in same}, {name: other[name] for name in same})
                for student, served in self.everyone("allergies").items():
                    other = json.loads(client.call("GET", "allergies:" + student))
                    same = ("code", "display", "severity", "status", "onset", "category")
                    self.assertEqual(*([[row[name] for name in same] for row in rows] for rows in (served, other)))
                for student, served in self.everyone("vaccinations").items():
                    other = json.loads(client.call("GET", "vaccinations:" + student))
                    self.assertEqual(*(sorted((row["date"], row["code"]) for row in rows) for rows in (served, other)))

    def test_allergies(self):
        self.check_list("allergies", "id code system display category no_known severity status reactions onset verified"
                        " verified_by", "SELECT id, code, system, display, category, no_known,"
                        " CASE WHEN severity IS NULL THEN 'UNKNOWN' ELSE severity END, status, reactions, onset,"
                        " verified, (SELECT name FROM users u WHERE u.id = verified_by) FROM allergies"
                        " WHERE student_id = %s")

    def test_conditions(self):
        self.check_list("conditions", "id code system display status onset",
                        "SELECT id, code, system, display, status, onset FROM chronic_conditions WHERE student_id = %s")

    def test_vaccinations(self):
        self.check_list("vaccinations", "id code display status date",
                        "SELECT id, code, display, status, date FROM vaccinations WHERE student_id = %s")
        self.check_newest_first("vaccinations", "date")

    def test_visits(self):
        self.check_list("visits", "id date end reason treatment disposition",
                        "SELECT id, checked_in, checked_out, reason, treatment, disposition FROM clinic_visits"
                        " WHERE student_id = %s")
        self.check_newest_first("visits", "date")

    def test_health_records(self):
        self.check_list("health_records", "id kind date description",
                        "SELECT id, kind, date, description FROM health_records WHERE student_id = %s")

    def test_medications(self):
        self.check_list("medications", "id medication dosage given_at status",
                        "SELECT id, medication, dosage, given_at, status FROM medication_logs WHERE student_id = %s")
        self.check_newest_first("medications", "given_at")

    def test_summaries(self):
        parts = {name: self.everyone(name) for name in ("student", "allergies", "conditions", "vaccinations", "visits")}
        for student, served in self.everyone("summary").items():
            expected = {name: found[student] for name, found in parts.items()}
            for name in ("allergies", "conditions"):
                expected[name] = [row for row in expected[name] if row["status"] == "active"]
            expected["visits"] = expected["visits"][:10]
            self.assertEqual(served, expected)

    def test_who_is_not_there_is_none(self):
        self.assertEqual(self.values("student:nobody", "allergies:nobody", "summary:nobody", "recent_incidents:99",
                                     "dashboard_stats:99", "medication_counts:99"), [None] * 6)


class Safety(WhiteCross, unittest.TestCase):
    """What must never be taken for its contrary."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.psql("""
            INSERT INTO students (id, school_id) VALUES ('hard', 1), ('none', 1), ('silent', 1);
            INSERT INTO allergies (student_id, display, severity, status, no_known) VALUES
                ('hard', 'mild', 'MILD', 'active', false), ('hard', 'nobody said', NULL, 'active', false),
                ('hard', 'moderate', 'MODERATE', 'active', false),
                ('hard', 'worst', 'LIFE_THREATENING', 'active', false),
                ('hard', 'refuted', 'SEVERE', 'refuted', false), ('hard', 'wrong', 'SEVERE', 'entered-in-error', false),
                ('none', 'No known allergies', 'NONE', 'active', true);
            INSERT INTO chronic_conditions (student_id, display, status) VALUES ('hard', 'asthma', 'active'),
                ('hard', 'refuted', 'refuted'), ('hard', 'wrong', 'entered-in-error'), ('hard', 'over', 'resolved');
            INSERT INTO vaccinations (student_id, display, status, date) VALUES ('hard', 'MMR', 'completed', now()),
                ('hard', 'IPV', 'not-done', now()), ('hard', 'DTaP', 'entered-in-error', now());
        """)

    def of(self, key, field="display"):
        return [row[field] for row in self.values(key)[0]]

    def test_a_severity_that_nobody_knows_is_unknown_and_stands_before_mild(self):
        self.assertEqual(self.of("allergies:hard")[:4], ["worst", "moderate", "nobody said", "mild"])
        self.assertEqual(self.of("allergies:hard", "severity")[:4], ["LIFE_THREATENING", "MODERATE", "UNKNOWN", "MILD"])

    def test_what_is_refuted_or_an_error_is_listed_last_and_not_in_the_summary(self):
        self.assertEqual(sorted(self.of("allergies:hard")[4:]), ["refuted", "wrong"])
        summary = self.values("summary:hard")[0]
        self.assertEqual([row["display"] for row in summary["allergies"]], ["worst", "moderate", "nobody said", "mild"])
        self.assertEqual([row["display"] for row in summary["conditions"]], ["asthma"])

    def test_no_known_allergy_is_a_record_and_silence_is_none(self):
        known, silent = self.values("allergies:none", "allergies:silent")
        self.assertEqual([(row["no_known"], row["severity"]) for row in known], [(True, "NONE")])
        self.assertEqual(silent, [])

    def test_no_known_allergy_and_a_severity_exclude_each_other(self):
        for no_known, severity in (("true", "'MILD'"), ("true", "NULL"), ("false", "'NONE'")):
            with self.assertRaises(pg.psycopg2.errors.CheckViolation):
                self.sql("INSERT INTO allergies (student_id, display, no_known, severity) VALUES ('none', 'x', %s, %s)"
                         % (no_known, severity))

    def test_a_vaccination_that_was_not_given_is_none(self):
        self.assertEqual(self.of("vaccinations:hard"), ["MMR"])
        self.assertEqual(sorted(self.of("vaccinations_not_given:hard")), ["DTaP", "IPV"])
        self.assertEqual([row["display"] for row in self.values("summary:hard")[0]["vaccinations"]], ["MMR"])


class Dashboards(WhiteCross, unittest.TestCase):
    def recent(self, table, time, names, sql):
        return {school: [record(names, row) for row in self.sql(
            "SELECT %s FROM %s WHERE school_id = %d ORDER BY %s DESC, id LIMIT 5" % (sql, table, school, time))]
            for school in SCHOOLS}

    def test_recent_activities(self):
        medications = self.recent("medication_logs", "given_at", "id student medication dosage given_at status",
                                  "id, student_id, medication, dosage, given_at, status")
        incidents = self.recent("incident_reports", "occurred_at",
                                "id student kind severity occurred_at location parents_told",
                                "id, student_id, kind, severity, occurred_at, location, parents_told")
        appointments = self.recent("appointments", "starts_at", "id student kind starts_at status reason",
                                   "id, student_id, kind, starts_at, status, reason")
        self.assertTrue(any(medications.values()) and any(appointments.values()))
        for school, served in zip(SCHOOLS, self.values(*("recent_activities:%d" % school for school in SCHOOLS))):
            self.assertEqual(served, {"medications": medications[school], "incidents": incidents[school],
                                      "appointments": appointments[school]})

    def counts(self, school):
        def count(table, where="true"):
            return self.sql("SELECT count(*) FROM %s WHERE school_id = %d AND %s" % (table, school, where))[0][0]

        def today(time):
            return "(%s AT TIME ZONE 'America/New_York')::date = (now() AT TIME ZONE 'America/New_York')::date" % time

        return {
            "students": {"total": count("students"), "active": count("students", "active")},
            "medications": {"total": count("medication_logs"), "today": count("medication_logs", today("given_at"))},
            "incidents": {"total": count("incident_reports"),
                          "parents_not_told": count("incident_reports", "NOT parents_told"),
                          "serious": count("incident_reports", "severity IN ('HIGH', 'CRITICAL')")},
            "appointments": {"total": count("appointments"), "today": count("appointments", today("starts_at")),
                             "scheduled": count("appointments", "status = 'SCHEDULED'")}}

    def test_statistics_and_counts(self):
        self.sql("""
            INSERT INTO medication_logs (student_id, school_id, medication, given_at)
            SELECT '1', 2, 'x', date_trunc('second', now()) - n * interval '9 hours' FROM generate_series(0, 9) AS n;
            INSERT INTO appointments (student_id, school_id, kind, starts_at)
            SELECT '1', 2, 'x', date_trunc('second', now()) + n * interval '9 hours' FROM generate_series(-5, 5) AS n
        """)
        for school in SCHOOLS:
            expected = self.counts(school)
            stats, count = self.values("dashboard_stats:%d" % school, "recent_activities_count:%d" % school)
            self.assertEqual(stats, expected)
            del expected["students"]
            self.assertEqual(count, expected)
        self.assertGreater(self.counts(2)["medications"]["today"], 0)

    def test_chart_data(self):
        def rows(names, sql):
            return [record(names, row) for row in self.sql(sql)]

        for school in SCHOOLS:
            served = self.values("chart_data:%d" % school)[0]
            by_grade = rows("grade students", "SELECT grade, count(*) FROM students WHERE school_id = %d"
                            " GROUP BY 1 ORDER BY 1" % school)
            by_day = rows("day given", "SELECT (given_at AT TIME ZONE 'America/New_York')::date, count(*) FROM"
                          " medication_logs WHERE school_id = %d AND status = 'GIVEN' AND"
                          " (given_at AT TIME ZONE 'America/New_York')::date >"
                          " (now() AT TIME ZONE 'America/New_York')::date - 30 GROUP BY 1 ORDER BY 1" % school)
            by_kind = rows("kind incidents", "SELECT kind, count(*) FROM incident_reports WHERE school_id = %d"
                           " GROUP BY 1 ORDER BY 2 DESC, 1" % school)
            by_status = rows("status appointments", "SELECT status, count(*) FROM appointments WHERE school_id = %d"
                             " GROUP BY 1 ORDER BY 1" % school)
            self.assertEqual(served, {"students": by_grade, "medications": by_day, "incidents": by_kind,
                                      "appointments": by_status})

    def test_what_depends_on_the_day_holds_until_the_school_s_midnight(self):
        self.sql("INSERT INTO schools (id, name, time_zone) VALUES (50, 'Empty', 'Pacific/Auckland')")
        left = self.sql("SELECT extract(epoch FROM ((now() AT TIME ZONE 'Pacific/Auckland')::date + 1)::timestamp"
                        " AT TIME ZONE 'Pacific/Auckland' - now())")[0][0]
        keys = ("medication_counts", "appointment_counts", "medications_by_day", "dashboard_stats", "chart_data")
        with self.drive() as drive:
            reads = drive.fetch(*(key + ":50" for key in keys), "incident_counts:50", "recent_incidents:50")
        for read in reads[:-2]:
            self.assertTrue(0 < read.lives <= float(left) * 10**9 + 1, (read, left))
            self.assertGreater(read.lives, float(left) * 10**9 - 60 * 10**9, (read, left))
        self.assertEqual([read.lives for read in reads[-2:]], [0, 0])
        self.assertEqual([reads[2].value, reads[-1].value], [[], []])
        self.sql("DELETE FROM schools WHERE id = 50")

    def test_a_part_that_fails_is_told_and_the_others_answer(self):
        expected = self.values("dashboard_stats:3")[0]
        self.sql("UPDATE schools SET time_zone = 'Mars/Olympus' WHERE id = 3")
        self.addCleanup(self.sql, "UPDATE schools SET time_zone = 'America/New_York' WHERE id = 3")
        with self.drive() as drive:
            failed, whole = drive.fetch("dashboard_stats:3", "dashboard_stats:1")
        self.assertEqual(failed.status, "OK", failed)
        for name in ("medications", "appointments"):
            self.assertEqual(failed.value[name]["error"]["code"], "UNAVAILABLE", failed)
        for name in ("students", "incidents"):
            self.assertEqual(failed.value[name], expected[name])
        self.assertEqual(failed.epoch, 0, "it is not kept")
        self.assertEqual(whole.value, self.counts(1))

    def test_so_does_a_table_that_may_not_be_read(self):
        self.sql("REVOKE SELECT ON incident_reports FROM reader")
        self.addCleanup(self.sql, "GRANT SELECT ON incident_reports TO reader")
        value = self.values("recent_activities:1")[0]
        self.assertEqual(value["incidents"]["error"]["code"], "UNAVAILABLE")
        self.assertIsInstance(value["medications"], list)


STUDENT_TYPES = ("student", "allergies", "conditions", "vaccinations", "vaccinations_not_given", "visits",
                 "health_records", "medications", "summary")
DASHBOARDS = {
    "medication_logs": ("recent_medications", "medication_counts", "medications_by_day", "recent_activities",
                        "recent_activities_count", "dashboard_stats", "chart_data"),
    "incident_reports": ("recent_incidents", "incident_counts", "incidents_by_kind", "recent_activities",
                         "recent_activities_count", "dashboard_stats", "chart_data"),
    "appointments": ("recent_appointments", "appointment_counts", "appointments_by_status", "recent_activities",
                     "recent_activities_count", "dashboard_stats", "chart_data"),
    "students": ("student_counts", "students_by_grade", "dashboard_stats", "chart_data"),
}
ALL_DASHBOARDS = sorted(set(sum(DASHBOARDS.values(), ())))


class Stale(WhiteCross, unittest.TestCase):
    """Of everything that is known of two students and two schools, what is modified by one statement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.psql("INSERT INTO students (id, school_id) VALUES ('a', 1), ('b', 2)")
        cls.keys = ["%s:%s" % (name, student) for name in STUDENT_TYPES for student in "ab"]
        cls.keys += ["%s:%d" % (name, school) for name in ALL_DASHBOARDS for school in (1, 2)]

    def stale_after(self, drive, sql):
        drive.fetch(*self.keys)
        self.sql(sql)
        # Whether its subject exists is also part of what is known: what a key has become counts, too.
        return {read.key for read in drive.fetch(*self.keys, flags="k") if read.what != "unmodified"}

    def check(self, table, columns, values, expected, other=()):
        """INSERT, UPDATE and DELETE of a row of student a at school 1; and its move to student b at school 2."""
        row = "(SELECT max(id) FROM %s)" % table
        with self.drive() as drive:
            def run(sql, stale):
                self.assertEqual(self.stale_after(drive, sql), set(stale), sql)

            run("INSERT INTO %s (student_id, %s) VALUES ('a', %s)" % (table, columns, values), expected)
            run("UPDATE %s SET student_id = student_id WHERE id = %s" % (table, row), expected)
            if other:
                move = ", school_id = 2" if "school_id" in columns else ""
                run("UPDATE %s SET student_id = 'b'%s WHERE id = %s" % (table, move, row), {*expected, *other})
                run("DELETE FROM %s WHERE id = %s" % (table, row), other)
            run("UPDATE %s SET student_id = student_id WHERE false" % table, ())

    def of(self, *names, student="a"):
        return ["%s:%s" % (name, student) for name in names]

    def boards(self, table, school=1):
        return ["%s:%d" % (name, school) for name in DASHBOARDS[table]]

    def check_of_student(self, table, columns, values, *names):
        self.check(table, columns, values, self.of(*names), self.of(*names, student="b"))

    def check_of_school(self, table, columns, values, *names):
        self.check(table, "school_id, " + columns, "1, " + values, self.of(*names) + self.boards(table),
                   self.of(*names, student="b") + self.boards(table, 2))

    def test_allergies(self):
        self.check_of_student("allergies", "display", "'nut'", "allergies", "summary")

    def test_conditions(self):
        self.check_of_student("chronic_conditions", "display", "'asthma'", "conditions", "summary")

    def test_vaccinations(self):
        self.check_of_student("vaccinations", "display", "'MMR'", "vaccinations", "vaccinations_not_given", "summary")

    def test_visits(self):
        self.check_of_student("clinic_visits", "checked_in", "now()", "visits", "summary")

    def test_health_records(self):
        self.check_of_student("health_records", "kind, date", "'CHECKUP', now()", "health_records")

    def test_medication_logs(self):
        self.check_of_school("medication_logs", "medication, given_at", "'x', now()", "medications")

    def test_incident_reports(self):
        self.check_of_school("incident_reports", "kind, severity, occurred_at", "'INJURY', 'LOW', now()")

    def test_appointments(self):
        self.check_of_school("appointments", "kind, starts_at", "'CHECKUP', now()")

    def stale(self, sql):
        with self.drive() as drive:
            return self.stale_after(drive, sql)

    def test_students(self):
        # A student's row decides whether the student exists, and so all that is known of the student.
        whole = set(self.of(*STUDENT_TYPES))
        self.assertEqual(self.stale("UPDATE students SET first_name = 'A' WHERE id = 'a'"),
                         whole | set(self.boards("students")))
        self.assertEqual(self.stale("UPDATE students SET school_id = 2 WHERE id = 'a'"),
                         whole | set(self.boards("students")) | set(self.boards("students", 2)))
        self.assertEqual(self.stale("DELETE FROM students WHERE id = 'a'"),
                         whole | set(self.boards("students", 2)))
        self.assertEqual(self.stale("INSERT INTO students (id, school_id) VALUES ('a', 1)"),
                         whole | set(self.boards("students")))

    def test_schools(self):
        # Whether the school exists, its time zone; and its name, which every student's record shows.
        students = {key for key in self.keys if not key[-1].isdigit()}
        counted = {key for key in self.keys if key.startswith(("student_counts", "students_by", "dashboard_stats",
                                                               "chart_data"))}
        self.assertEqual(self.stale("UPDATE schools SET city = 'x' WHERE id = 1"),
                         students | counted | {"%s:1" % name for name in ALL_DASHBOARDS})
        self.assertEqual(self.stale("INSERT INTO schools (id, name) VALUES (77, 'New')"), students | counted)

    def test_users(self):
        shown = {key for key in self.keys if key.startswith(("allergies", "summary"))}
        self.assertEqual(self.stale("UPDATE users SET name = 'Dr. Ines Keller-Abt' WHERE id = 4"), shown)
        self.assertEqual(self.stale("INSERT INTO users (email, name, role) VALUES ('n@example.org', 'N', 'NURSE')"),
                         shown)

    def test_truncate(self):
        # It gives the table new files, which a node's next poll finds changed, and takes note of.
        self.assertEqual(self.stale("TRUNCATE incident_reports; SELECT vitalcache.vc_resign()"),
                         set(self.boards("incident_reports") + self.boards("incident_reports", 2)))

    def test_what_is_rolled_back_changes_nothing(self):
        self.assertEqual(self.stale("BEGIN; UPDATE allergies SET notes = 'x'; ROLLBACK"), set())


class Definitions(WhiteCross, unittest.TestCase):
    def test_an_index_serves_every_fetch(self):
        found = fetches()
        self.assertGreater(len(found), 15)
        for name, (subject, sql) in found.items():
            with self.subTest(name):
                plan = self.sql("SET enable_seqscan = off; PREPARE p (%s[]) AS %s; EXPLAIN EXECUTE p ('{1,2}')"
                                % ("text" if subject == "student" else "bigint", sql))
                self.assertNotIn("Seq Scan", "\n".join(row[0] for row in plan))

    def test_setup_finds_nothing_to_do_twice(self):
        setup(self.cluster, "--role", "reader")
        status = subprocess.run([vc.VITALCACHE, "db", "status", "--dsn", self.cluster.dsn(socket=True), "--types",
                                 TYPES], capture_output=True, text=True, timeout=60 * vc.SLOW)
        # Nor has the check of the definitions anything to say: no uncovered relation, no missing index.
        self.assertEqual((status.returncode, json.loads(status.stdout)), (0, {"problems": 0}), status)

    def test_the_sample_is_not_loaded_over_anything(self):
        before = self.sql("SELECT count(*) FROM students")
        with self.assertRaisesRegex(AssertionError, "the sample is for an empty schema"):
            load_sample(self.cluster, 2)
        self.assertEqual(self.sql("SELECT count(*) FROM students"), before)


if __name__ == "__main__":
    unittest.main()
