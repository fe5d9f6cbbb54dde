#!/usr/bin/python3
"""What an import does beyond bringing rows in: rows that come twice, trying first, full exports, and imports that are
broken off. What the server has afterwards is read by EXPORT, not taken from the import's own words."""
import collections
import json
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

TABLES = ("students", "merges", "allergies", "conditions", "vaccinations")
PATIENTS = "Id,BIRTHDATE,FIRST,LAST\n"
ALLERGIES = "START,STOP,PATIENT,CODE,DESCRIPTION,CATEGORY\n"
CONDITIONS = "START,STOP,PATIENT,CODE,DESCRIPTION\n"


def write(folder, patients=(), allergies=(), conditions=()):
    """CSV files of (id, first name), (student, code, category) and (student, code)."""
    folder.mkdir(exist_ok=True)
    (folder / "patients.csv").write_text(
        PATIENTS + "".join("%s,2012-06-16,%s,Soto\n" % each for each in patients))
    if allergies:
        (folder / "allergies.csv").write_text(
            ALLERGIES + "".join("2019-01-05,,%s,%s,Peanut,%s\n" % each for each in allergies))
    if conditions:
        (folder / "conditions.csv").write_text(
            CONDITIONS + "".join("2019-01-05,,%s,%s,Asthma (disorder)\n" % each for each in conditions))
    return folder


def exported(server):
    """All records, by EXPORT: {(table, student, id): record}."""
    records = {}
    with server.client() as client:
        for table in TABLES:
            cursor = None
            while True:
                words = ["EXPORT", table] + (["FROM", cursor] if cursor else [])
                cursor, rows = client.call(*words)
                for row in json.loads(rows):
                    records[(table, row["student"], row["id"])] = row
                if cursor is None:
                    break
    return records


def students_of(records, table):
    return sorted(student for kind, student, _ in records if kind == table)


def run(server, *args, code=0, stdin=None):
    """Runs an import; its report."""
    done = vc.vitalcache(server, "import", *args, check=False, stdin=stdin)
    assert done.returncode == code, "exit code %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def counts(report, table):
    row = next(row for row in report["tables"] if row["table"] == table)
    return {name: count for name, count in row.items() if name != "table" and count > 0}


class Duplicates(unittest.TestCase):
    def test_the_first_of_a_name_wins(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = write(folder / "in", patients=[(1, "Ana"), (2, "Bao"), (1, "Ana"), (2, "Bob")],
                           allergies=[(1, 7, "food"), (1, 7, "food"), (1, 7, "drug")])
            rejects = folder / "rejects.ndjson"
            report = run(server, source, "--rejects", rejects, code=6)
            self.assertEqual(counts(report, "students"), {"rows": 4, "written": 2, "duplicates": 1, "left_out": 1})
            self.assertEqual(counts(report, "allergies"), {"rows": 3, "written": 1, "duplicates": 1, "left_out": 1})
            lines = [json.loads(line) for line in rejects.read_text().splitlines()]
            lines.sort(key=lambda line: line["file"], reverse=True)  # by the buckets that they fell into
            self.assertEqual([(pathlib.Path(line["file"]).name, line["line"], line["reason"]) for line in lines],
                             [("patients.csv", 5, "duplicate-differs"), ("allergies.csv", 4, "duplicate-differs")])
            self.assertEqual(lines[0]["origin"]["row"]["first_name"], "Bob")
            before = exported(server)
            self.assertEqual(before[("students", "2", "2")]["first_name"], "Bao")
            again = run(server, source, code=6)
            self.assertEqual(counts(again, "students"), {"rows": 4, "unchanged": 2, "duplicates": 1, "left_out": 1})
            self.assertEqual(exported(server), before)


class Mended(unittest.TestCase):
    """Lines of the rejects file of every origin go in once they are mended; what was wrong is told nowhere else."""

    def write_all(self, folder):
        folder.mkdir()
        (folder / "patients.csv").write_text(
            PATIENTS + "p1,2012-06-16,Ana,Soto\np2,SECRET,Bao,Soto\np3,2012-01-01,SE\"CRET,Soto\n")
        allergy_of = {"resourceType": "AllergyIntolerance", "code": {"text": "x"},
                      "patient": {"reference": "Patient/p1"}}
        (folder / "some.ndjson").write_text("".join(json.dumps(each) + "\n" for each in (
            dict(allergy_of, id="a1", onsetDateTime="SECRET"),
            dict(allergy_of, id="a2", patient={"reference": "SECRET"}),
            {"table": "visits", "row": {"student": "p1", "id": "v1", "date": "SECRET"}},
            {"table": "visits", "row": {"student": "SECRET", "id": "v2", "date": "2020"}})))
        with (folder / "some.ndjson").open("a") as file:
            file.write('{"resourceType":"Patient","id":"SECRET",,}\n')

    @staticmethod
    def mend(text):
        line = json.loads(text)
        origin = line["origin"]
        if "columns" in origin and "text" in origin:
            origin["text"] = origin["text"].replace('"', "")
        elif "text" in origin:
            origin["text"] = origin["text"].replace(",,", "").replace("SECRET", "p4")
        to = {"patient.reference": "Patient/p1", "patient": "Patient/p1", "student": "p1"}
        return json.dumps(line).replace("SECRET", to.get(line.get("field"), "2020"))

    def test_mended_lines_go_in(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            self.write_all(folder / "in")
            rejects = folder / "rejects.ndjson"
            done = vc.vitalcache(server, "import", folder / "in", "--rejects", rejects, check=False)
            self.assertEqual(done.returncode, 6)
            self.assertNotIn("SECRET", done.stdout + done.stderr + server.all_logs())
            lines_left = rejects.read_text().splitlines()
            self.assertEqual(len(lines_left), 7)
            for line in map(json.loads, lines_left):
                self.assertTrue(line["file"].endswith((".csv", ".ndjson")) and line["line"] > 0 and line["reason"])
            rejects.write_text("".join(self.mend(line) + "\n" for line in lines_left))
            run(server, rejects)
            with server.client() as client:
                for name in ("allergies:p1", "visits:p1"):
                    self.assertEqual(len(json.loads(client.call("GET", name))), 2)
                for name in ("p2", "p3", "p4"):
                    self.assertIsNotNone(client.call("GET", "student:" + name))


class Trying(unittest.TestCase):
    def test_a_dry_run_writes_nothing_and_says_what_would_be(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = write(folder / "in", patients=[(1, "Ana"), (2, "Bao")],
                           allergies=[(1, 7, "food"), (3, 7, "food"), (2, 8, "food")])
            dry = run(server, source, "--dry-run", code=6)
            self.assertEqual(dry["nothing_written"], "dry-run")
            self.assertEqual(exported(server), {})
            wet = run(server, source, code=6)
            self.assertNotIn("nothing_written", wet)
            for table in ("students", "allergies"):
                self.assertEqual(counts(dry, table), counts(wet, table))
            self.assertEqual(counts(wet, "allergies"), {"rows": 3, "written": 2, "left_out": 1})
            dry = run(server, source, "--dry-run", code=6)
            self.assertEqual(counts(dry, "allergies"), {"rows": 3, "unchanged": 2, "left_out": 1})

    def test_strict_writes_all_or_nothing(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = write(folder / "in", patients=[(1, "Ana")], allergies=[(1, 7, "food"), (3, 7, "food")])
            rejects = folder / "rejects.ndjson"
            report = run(server, source, "--strict", "--rejects", rejects, code=6)
            self.assertEqual(report["nothing_written"], "strict")
            self.assertEqual(counts(report, "allergies"), {"rows": 2, "written": 1, "left_out": 1})
            self.assertEqual(len(rejects.read_text().splitlines()), 1)
            self.assertEqual(exported(server), {})
            write(source, patients=[(1, "Ana")], allergies=[(1, 7, "food")])
            report = run(server, source, "--strict")
            self.assertNotIn("nothing_written", report)
            self.assertEqual(counts(report, "allergies"), {"rows": 1, "written": 1})
            self.assertEqual(len(exported(server)), 2)

    def test_strict_takes_no_pipe(self):
        with vc.Server() as server:
            done = vc.vitalcache(server, "import", "-", "--strict", check=False,
                                 stdin=PATIENTS + "1,2012-06-16,Ana,Soto\n")
            self.assertEqual(done.returncode, 2)
            self.assertIn("standard input can be read once only, and --strict reads it twice", done.stderr)
            self.assertEqual(exported(server), {})


class Full(unittest.TestCase):
    ALL = {"patients": [(1, "Ana"), (2, "Bao"), (3, "Caz")],
           "allergies": [(1, 7, "food"), (1, 8, "food"), (2, 7, "food"), (3, 7, "food")],
           "conditions": [(1, 9), (3, 9)]}

    def fill(self, server, folder):
        run(server, write(folder / "all", **self.ALL))
        return exported(server)

    def test_records_that_did_not_come_are_counted_and_stay(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            before = self.fill(server, folder)
            some = write(folder / "some", patients=[(1, "Ana"), (2, "Bao"), (3, "Caz")],
                         allergies=[(1, 7, "food"), (4, 7, "food")])
            missing = folder / "missing.ndjson"
            report = run(server, some, "--full", "--missing", missing, code=6)
            self.assertEqual(counts(report, "allergies"), {"rows": 2, "unchanged": 1, "left_out": 1, "missing": 3})
            self.assertEqual(counts(report, "students"), {"rows": 3, "unchanged": 3})
            self.assertEqual(exported(server), before)
            self.assertEqual(missing.stat().st_mode & 0o777, 0o600)
            lines = [json.loads(line) for line in missing.read_text().splitlines()]
            self.assertEqual(sorted((line["table"], line["row"]["student"], line["row"]["code"]) for line in lines),
                             [("allergies", "1", "8"), ("allergies", "2", "7"), ("allergies", "3", "7")])
            self.assertEqual(report["missing"], {"file": str(missing), "count": 3})

    def test_replace_removes_them_and_no_others(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            before = self.fill(server, folder)
            some = write(folder / "some", patients=[(1, "Ana"), (2, "Bao")],
                         allergies=[(1, 7, "food"), (2, 7, "food")])
            dry = run(server, some, "--full", "--replace", "--dry-run")
            self.assertEqual(exported(server), before)
            report = run(server, some, "--full", "--replace")
            for table in ("students", "allergies"):
                self.assertEqual(counts(dry, table), counts(report, table))
            self.assertEqual(counts(report, "allergies"), {"rows": 2, "unchanged": 2, "missing": 2, "erased": 2})
            self.assertEqual(counts(report, "students"), {"rows": 2, "unchanged": 2, "missing": 1, "erased": 1})
            after = exported(server)
            self.assertEqual(students_of(after, "students"), ["1", "2"])
            self.assertEqual(students_of(after, "allergies"), ["1", "2"])
            self.assertEqual(students_of(after, "conditions"), ["1"])  # that table did not come; the student is gone
            with server.client() as client:
                self.assertIsNone(client.call("GET", "summary:3"))

    def test_a_student_whose_records_came_is_not_removed(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            before = self.fill(server, folder)
            some = write(folder / "some", patients=[(1, "Ana")], allergies=[(1, 7, "food"), (2, 7, "food")])
            missing = folder / "missing.ndjson"
            for flags in (["--dry-run"], ["--missing", missing]):
                self.assertEqual(exported(server), before)
                report = run(server, some, "--full", "--replace", *flags, code=6)
                self.assertEqual(report["kept_students"], 1)
                self.assertEqual(counts(report, "students"), {"rows": 1, "unchanged": 1, "missing": 2, "erased": 1})
            after = exported(server)
            self.assertEqual(students_of(after, "students"), ["1", "2"])
            self.assertEqual(students_of(after, "allergies"), ["1", "2"])
            lines = [json.loads(line) for line in missing.read_text().splitlines()]
            self.assertEqual([line["row"]["id"] for line in lines if line["table"] == "students"], ["2", "3"])
            with server.client() as client:
                self.assertEqual(len(json.loads(client.call("GET", "allergies:2"))), 1)

    def test_an_input_without_students_removes_none(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            before = self.fill(server, folder)
            (folder / "some").mkdir()
            (folder / "some" / "allergies.csv").write_text(ALLERGIES + "2019-01-05,,1,7,Peanut,food\n")
            report = run(server, folder / "some", "--full", "--replace")
            self.assertEqual(counts(report, "allergies"), {"rows": 1, "unchanged": 1, "missing": 3, "erased": 3})
            after = exported(server)
            self.assertEqual(students_of(after, "students"), students_of(before, "students"))
            self.assertEqual(students_of(after, "conditions"), students_of(before, "conditions"))
            self.assertEqual(students_of(after, "allergies"), ["1"])

    def test_a_table_with_rows_left_out_is_not_replaced(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            self.fill(server, folder)
            some = write(folder / "some", patients=[(1, "Ana"), (2, "Bao"), (3, "Caz")],
                         allergies=[(1, 7, "food"), (4, 7, "food")], conditions=[(1, 9)])
            report = run(server, some, "--full", "--replace", code=6)
            self.assertEqual(report["not_replaced"], ["allergies"])
            self.assertEqual(counts(report, "allergies"), {"rows": 2, "unchanged": 1, "left_out": 1, "missing": 3})
            self.assertEqual(counts(report, "conditions"), {"rows": 1, "unchanged": 1, "missing": 1, "erased": 1})
            after = exported(server)
            self.assertEqual(students_of(after, "allergies"), ["1", "1", "2", "3"])
            self.assertEqual(students_of(after, "conditions"), ["1"])

    def test_no_student_is_removed_with_records_that_were_left_out(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            before = self.fill(server, folder)
            some = write(folder / "some", patients=[(1, "Ana"), (2, "Bao")],
                         allergies=[(1, 7, "food"), (1, 8, "food"), (2, 7, "food")])
            with (some / "allergies.csv").open("a") as file:
                file.write("2019-13-05,,3,7,Peanut,food\n")
            report = run(server, some, "--full", "--replace", code=6)
            self.assertEqual(report["not_replaced"], ["students", "allergies"])
            self.assertEqual(exported(server), before)

    def test_more_than_half_of_a_table_is_not_removed_by_mistake(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            everybody = [(n, "Ana") for n in range(210)]
            run(server, write(folder / "all", patients=everybody, allergies=[(n, 7, "food") for n in range(210)]))
            before = exported(server)
            wrong = write(folder / "wrong", patients=everybody[:105] + [(999, "Zoe")],
                          allergies=[(n, 7, "food") for n in range(100)])
            for flags in (["--dry-run"], []):
                done = vc.vitalcache(server, "import", wrong, "--full", "--replace", *flags, check=False)
                self.assertEqual(done.returncode, 6)
                self.assertEqual(done.stderr, "vitalcache: nothing was removed: 110 of 210 allergies did not come. Are "
                                              "these all the files? If so, --replace-most removes them\n")
                report = json.loads(done.stdout)
                self.assertEqual(report["not_replaced"], ["students", "allergies"])
                self.assertEqual(counts(report, "allergies"), {"rows": 100, "unchanged": 100, "missing": 110})
                self.assertEqual(counts(report, "students"),
                                 {"rows": 106, "written": 1, "unchanged": 105, "missing": 105})
            after = exported(server)
            self.assertEqual({name: after[name] for name in before}, before)
            for flags in (["--dry-run"], []):
                report = run(server, wrong, "--full", "--replace-most", *flags)
                self.assertEqual(counts(report, "allergies")["erased"], 110)
                self.assertEqual(counts(report, "students")["erased"], 105)
            self.assertEqual(len(exported(server)), 106 + 100)

    def test_half_of_a_table_or_a_small_one_is_removed(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            everybody = [(n, "Ana") for n in range(200)]
            run(server, write(folder / "all", patients=everybody, conditions=[(n, 9) for n in range(99)]))
            report = run(server, write(folder / "half", patients=everybody[:100], conditions=[(0, 7)]), "--full",
                         "--replace")
            self.assertEqual(counts(report, "students")["erased"], 100)
            self.assertEqual(counts(report, "conditions")["erased"], 99)

    def test_replace_and_missing_need_full(self):
        with vc.Server() as server:
            for flags in (["--replace"], ["--replace-most"], ["--missing", "x"]):
                done = vc.vitalcache(server, "import", ".", *flags, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("%s needs --full" % flags[0], done.stderr)


def lines(path, *rows):
    """A file of vitalcache's own lines: (table, row) each."""
    path.write_text("".join(json.dumps({"table": table, "row": row}) + "\n" for table, row in rows))
    return path


def allergy(student, name, code="7"):
    return "allergies", {"student": student, "id": name, "code": code, "display": "Peanut"}


class Order(unittest.TestCase):
    """Rows that come before what they need."""

    ROWS = (allergy("A", "a"), ("merges", {"student": "A", "id": "into", "into": "B"}),
            ("merges", {"student": "B", "id": "into", "into": "C"}), allergy("B", "b"), allergy("nobody", "x"),
            ("students", {"id": "C", "first_name": "Cee"}), allergy("C", "c"))

    def test_students_and_merges_may_come_last(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = lines(folder / "in.ndjson", *self.ROWS)
            dry = run(server, source, "--dry-run", code=6)
            report = run(server, source, code=6)
            for table in ("allergies", "merges", "students"):
                self.assertEqual(counts(dry, table), counts(report, table))
            self.assertEqual(counts(report, "allergies"), {"rows": 4, "written": 3, "left_out": 1})
            self.assertEqual(report["left_out"][0]["first"], ["%s:5" % source])
            self.assertEqual(sorted(exported(server)), [("allergies", "C", "a"), ("allergies", "C", "b"),
                                                        ("allergies", "C", "c"), ("merges", "A", "into"),
                                                        ("merges", "B", "into"), ("students", "C", "C")])
            again = run(server, source, code=6)
            self.assertEqual(counts(again, "allergies"), {"rows": 4, "unchanged": 3, "left_out": 1})
            self.assertEqual(counts(again, "merges"), {"rows": 2, "unchanged": 2})

    def test_records_of_one_person_under_two_ids_do_not_take_turns(self):
        rows = (("students", {"id": "A", "first_name": "Ann"}), ("students", {"id": "B", "first_name": "Anna"}),
                ("merges", {"student": "A", "id": "into", "into": "B"}),
                allergy("A", "x"), allergy("B", "x", code="8"), allergy("A", "y"), allergy("B", "y"))
        with vc.temp_dir() as folder, vc.Server() as server:
            source = lines(folder / "in.ndjson", *rows)
            for written in ({"written": 2}, {"unchanged": 2}, {"unchanged": 2}):
                report = run(server, source, code=6)
                self.assertEqual(counts(report, "allergies"), dict(written, rows=4, duplicates=1, left_out=1))
                self.assertEqual(report["left_out"][0]["reason"], "duplicate-differs")
                self.assertEqual(exported(server)[("allergies", "B", "x")]["code"], "8")  # B's own

    def test_one_id_under_two_ids_of_a_student(self):
        """What is one record once the students are one is not overwritten without a word, nor at every import."""
        ana, bao = (("students", {"id": name, "first_name": name}) for name in "AB")
        merge = ("merges", {"student": "A", "id": "into", "into": "B"})
        twins = (allergy("A", "x", "7"), allergy("B", "x", "8"), allergy("A", "same"), allergy("B", "same"))
        for known in (True, False):  # whether A has a record of their own; the merge comes last in any case
            with vc.temp_dir() as folder, vc.Server() as server:
                rows = [*twins, merge, ana, bao] if known else [*twins, merge, bao]
                source = lines(folder / "in.ndjson", *rows)
                report = run(server, source, code=6)
                self.assertEqual([(each["table"], each["reason"], each["count"]) for each in report["left_out"]],
                                 [("merges" if known else "allergies", "duplicate-differs", 1)])
                records = exported(server)
                codes = {record["code"] for record in records.values() if record["id"] == "x"}
                self.assertEqual(codes, {"7", "8"} if known else {"8"})
                again = run(server, source, code=6)
                self.assertEqual(sum(counts(again, table).get("written", 0) for table in ("allergies", "merges")), 0)
                self.assertEqual(exported(server), records)

    def test_rows_that_wait_and_rows_that_come_twice_change_nothing_again(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = late_and_twice(folder / "in.ndjson", 60)
            run(server, source, code=6)
            records = exported(server)
            again = run(server, source, code=6)
            self.assertEqual([counts(again, table).get("written", 0) for table in ("students", "merges", "allergies")],
                             [0, 0, 0])
            self.assertTrue(exported(server) == records)

    def test_a_dry_run_follows_merges_to_their_end(self):
        rows = (allergy("A", "a"), ("merges", {"student": "A", "id": "into", "into": "absent"}),
                ("students", {"id": "B", "first_name": "Bao"}))
        with vc.temp_dir() as folder, vc.Server() as server:
            source = lines(folder / "in.ndjson", *rows)
            strict = run(server, source, "--strict", code=6)
            self.assertEqual(exported(server), {})
            report = run(server, source, code=6)
            for table in ("allergies", "merges", "students"):
                self.assertEqual(counts(strict, table), counts(report, table))

    def test_what_came_under_a_merged_id_is_not_missing(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            rows = [row for row in self.ROWS if row[1].get("student") != "nobody"]
            run(server, lines(folder / "in.ndjson", *rows), "--full", "--replace")
            some = [row for row in rows if row[1]["id"] not in ("b", "into")]
            report = run(server, lines(folder / "some.ndjson", *some), "--full", "--replace")
            self.assertEqual(counts(report, "allergies"), {"rows": 2, "unchanged": 2, "missing": 1, "erased": 1})
            self.assertEqual(counts(report, "students"), {"rows": 1, "unchanged": 1})
            self.assertEqual([name for _, _, name in sorted(exported(server))], ["a", "c", "into", "into", "C"])

    def test_a_prefix_keeps_others_out_of_a_full_export(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source = lines(folder / "in.ndjson", ("students", {"id": "1", "first_name": "Ana"}), allergy("1", "a"))
            run(server, source, "--prefix", "north-")
            run(server, source, "--prefix", "south-")
            source = lines(folder / "in2.ndjson", ("students", {"id": "2", "first_name": "Bao"}), allergy("2", "a"))
            report = run(server, source, "--prefix", "south-", "--full", "--replace")
            self.assertEqual(counts(report, "students"), {"rows": 1, "written": 1, "missing": 1, "erased": 1})
            self.assertEqual(students_of(exported(server), "students"), ["north-1", "south-2"])


class Limits(unittest.TestCase):
    """A server that takes little at a time."""

    def test_no_batch_is_too_large_and_a_row_that_is_says_so(self):
        config = "limits:\n  bulk: 4KB\n  elements: 200\n  depth: 6\n"
        deep = {"student": "1", "id": "deep", "code": "7", "display": "x", "other": {"a": [[[[["x"]]]]]}}
        many = {"student": "1", "id": "many", "code": "7", "display": "x", "other": {"a": list(range(300))}}
        large = {"student": "1", "id": "large", "code": "7", "display": "x" * 5000}
        near = {"student": "1", "id": "near", "code": "7", "display": "x" * 3700}
        rows = [allergy("1", "%d" % n) for n in range(500)]
        for at, row in ((3, deep), (250, many), (251, large), (400, near)):
            rows.insert(at, ("allergies", row))
        with vc.temp_dir() as folder, vc.Server(config=config) as server:
            source = lines(folder / "in.ndjson", ("students", {"id": "1", "first_name": "Ana"}), *rows)
            report = run(server, source, code=6)
            self.assertEqual(counts(report, "allergies"), {"rows": 504, "written": 501, "left_out": 3})
            self.assertEqual([(each["reason"], each["count"]) for each in report["left_out"]], [("too-large", 3)])
            self.assertEqual(sorted(report["left_out"][0]["first"]),
                             ["%s:%d" % (source, line) for line in (252, 253, 5)])
            run(server, lines(folder / "less.ndjson", rows[0]), "--full", "--replace-most")
            self.assertEqual(students_of(exported(server), "allergies"), ["1"])


class Touched(unittest.TestCase):
    """Whose cached copies an import makes void: told by messages to a subscriber, and by EXPLAIN."""

    STUDENTS = range(1, 31)

    def start(self, server, folder):
        self.source = write(folder / "in", patients=[(n, "Ana") for n in self.STUDENTS],
                            allergies=[(n, 7, "food") for n in self.STUDENTS])
        run(server, self.source)
        self.client = server.client()
        self.client.call("MGET", *["allergies:%d" % n for n in self.STUDENTS])
        self.subscriber = server.client()
        self.subscriber.call("SUBSCRIBE", "invalidations")

    def stop(self):
        self.client.close()
        self.subscriber.close()

    def touched(self):
        """The students of the messages up to a mark that we send ourselves."""
        self.client.call("INVALIDATE", "TAG", "student:mark")
        tags = []
        while "student:mark" not in tags:
            message = self.subscriber.read()
            tags += json.loads(message[2])["tags"]
        return collections.Counter(tag for tag in tags if tag != "student:mark")

    def test_the_same_again_touches_nobody(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            self.start(server, folder)
            before = server.counters()
            report = run(server, self.source)
            self.assertEqual(counts(report, "students"), {"rows": 30, "unchanged": 30})
            self.assertEqual(counts(report, "allergies"), {"rows": 30, "unchanged": 30})
            self.assertEqual(self.touched(), {})
            self.client.call("MGET", *["allergies:%d" % n for n in self.STUDENTS])
            after = server.counters()
            self.assertEqual(after["l1_hits"] - before["l1_hits"], 30)
            self.stop()

    def test_one_changed_row_touches_its_student(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            self.start(server, folder)
            write(self.source, patients=[(n, "Ana") for n in self.STUDENTS],
                  allergies=[(n, 7, "drug" if n == 9 else "food") for n in self.STUDENTS])
            report = run(server, self.source)
            self.assertEqual(counts(report, "allergies"), {"rows": 30, "written": 1, "unchanged": 29})
            self.assertEqual(self.touched(), {"student:9/allergies": 1})
            before = server.counters()
            self.client.call("MGET", *["allergies:%d" % n for n in self.STUDENTS])
            after = server.counters()
            self.assertEqual(after["l1_hits"] - before["l1_hits"], 29)
            self.stop()

    def test_replacing_touches_those_whose_records_go(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            self.start(server, folder)
            write(self.source, patients=[(n, "Ana") for n in self.STUDENTS],
                  allergies=[(n, 7, "food") for n in self.STUDENTS if n not in (4, 17)])
            report = run(server, self.source, "--full", "--replace")
            self.assertEqual(counts(report, "allergies"), {"rows": 28, "unchanged": 28, "missing": 2, "erased": 2})
            self.assertEqual(self.touched(), {"student:4/allergies": 1, "student:17/allergies": 1})
            self.stop()


def late_and_twice(path, count):
    """Rows that have to wait, or come before, in lines of their own: records before their students, students known by
    a merge only, chains of merges, equal and different duplicates, and records of nobody."""
    rows = []
    for n in range(count):
        late, gone = "late%d" % n, "gone%d" % n
        rows += [allergy(late, "a%d" % n), allergy(gone, "b%d" % n), allergy(gone, "b%d" % n, "8"),
                 allergy("nobody%d" % n, "c"), ("merges", {"student": gone, "id": "into", "into": late})]
        if n > 0 and n % 3 == 0:
            rows.append(("merges", {"student": late, "id": "into", "into": "late%d" % (n - 1)}))
    rows += [("students", {"id": "late%d" % n, "first_name": "Late"}) for n in range(count)]
    rows += rows[::5]
    return lines(path, *rows)


class BrokenOff(unittest.TestCase):
    """kill -9 at random points, and the same import again: the end is that of an undisturbed one."""

    ROUNDS = 4
    DICE = random.Random(20)

    @classmethod
    def setUpClass(cls):
        cls.folder = vc.temp_dir()
        cls.path = cls.folder.__enter__()
        vc.sample(cls.path / "in", 8000 // vc.SLOW)
        late_and_twice(cls.path / "in" / "early.ndjson", 2000 // vc.SLOW)
        with vc.Server() as server:
            run(server, cls.path / "in", code=6)
            cls.expected = exported(server)

    @classmethod
    def tearDownClass(cls):
        cls.folder.__exit__(None, None, None)

    def begin_import(self, server, *args):
        return subprocess.Popen([vc.VITALCACHE, "--port", str(server.port), "import", *(args or [self.path / "in"])],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def shares(self):
        """Of all records: each later than the one before, so that every death finds some more."""
        for n in range(self.ROUNDS):
            yield (n + self.DICE.random()) / self.ROUNDS

    def wait_until(self, server, importer, is_reached):
        """Until that holds of how many records the server has, or the import has ended."""
        with server.client() as client:
            while importer.poll() is None:
                health = resp.flatten(client.call("HEALTH"))
                if is_reached(next(value for name, value in health.items() if name.endswith("records"))):
                    return

    def wait_for(self, server, importer, share):
        """Until the server has that share of all records, or the import has ended."""
        self.wait_until(server, importer, lambda records: records >= share * len(self.expected))

    def test_the_importer_dies(self):
        with vc.Server() as server:
            for share in self.shares():
                importer = self.begin_import(server)
                self.wait_for(server, importer, share)
                importer.kill()
                importer.wait()
            run(server, self.path / "in", code=6)
            self.assertTrue(exported(server) == self.expected)  # a difference of so many would take minutes to print

    def write_less(self, everybody):
        """A full import of these ids, and another: every third student is missing, some of them with their records
        there, and of others some records are."""
        gone = set(everybody[::3])
        contradictory = set(everybody[::60])
        both = [(n, code, "food") for n in everybody for code in (7, 8)]
        some = [each for each in both if each[0] not in gone - contradictory and (each[0] % 5 > 0 or each[1] == 8)]
        return (write(self.path / "all", patients=[(n, "Ana") for n in everybody], allergies=both),
                write(self.path / "less", patients=[(n, "Ana") for n in everybody if n not in gone], allergies=some))

    def test_the_importer_dies_while_it_removes(self):
        everybody = range(3000 // vc.SLOW)
        everything, less = self.write_less(everybody)
        full = [less, "--full", "--replace"]
        with vc.Server() as server:
            run(server, everything)
            before = len(exported(server))
            report = run(server, *full, code=6)
            expected = exported(server)
            self.assertEqual(report["kept_students"], len(everybody[::60]))
        with vc.Server() as server:
            run(server, everything)
            for share in self.shares():
                importer = self.begin_import(server, *full)
                most = before - share * (before - len(expected))
                self.wait_until(server, importer, lambda records, most=most: records <= most)
                importer.kill()
                importer.wait()
            run(server, *full, code=6)
            self.assertTrue(exported(server) == expected)  # a difference of so many would take minutes to print

    def test_the_server_dies(self):
        with vc.Server() as server:
            for share in self.shares():
                importer = self.begin_import(server)
                self.wait_for(server, importer, share)
                server.kill()
                self.assertIn(importer.wait(30 * vc.SLOW), (6, 3))
                server.start()
            run(server, self.path / "in", code=6)
            self.assertTrue(exported(server) == self.expected)  # a difference of so many would take minutes to print


if __name__ == "__main__":
    unittest.main()
