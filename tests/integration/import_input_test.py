#!/usr/bin/python3
"""What `vitalcache import` reads and shows, with real files, pipes and a terminal: folders in folders, gzip, standard
input, rejects that are mended and imported again, progress."""
import fcntl
import gzip
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

SCHOOL = vc.ROOT / "tests" / "data" / "school-12"
PATIENTS = "Id,BIRTHDATE,FIRST,LAST\n1,2012-06-16,Ana,Soto\n2,2012-06-17,Bao,Lee\n"
ALLERGIES = "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"
FHIR = ('{"resourceType":"Patient","id":"f1","name":[{"family":"Ruiz"}]}\n'
        '{"resourceType":"AllergyIntolerance","id":"a1","patient":{"reference":"Patient/f1"},'
        '"code":{"coding":[{"system":"http://snomed.info/sct","code":"91935009","display":"Allergy to peanut"}]}}\n')


def tables(done):
    return {each["table"]: each for each in json.loads(done.stdout)["tables"]}


class Inputs(unittest.TestCase):
    maxDiff = None

    def test_folders_of_all_formats_at_once(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            deep = folder / "a" / "b"
            deep.mkdir(parents=True)
            with gzip.open(deep / "packed", "wt") as file:  # by its content, not by its name
                file.write((SCHOOL / "patients.csv").read_text())
            shutil.copy(SCHOOL / "conditions.csv", deep)
            (folder / "bulk.ndjson").write_text(FHIR)
            (folder / "careplans.csv").write_text("Id,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n")
            (folder / ".patients.csv").write_text(PATIENTS)
            done = vc.vitalcache(server, "import", folder)
            self.assertEqual({name: each["written"] for name, each in tables(done).items()},
                             {"students": 13, "allergies": 1, "conditions": 8})
            self.assertEqual([each["why"] for each in json.loads(done.stdout)["skipped"]],
                             ["Synthea's careplans are not kept"])
            with server.client() as client:
                self.assertIn(b"Ruiz", client.call("GET", "student:f1"))
                self.assertIsNone(client.call("GET", "student:1"))

    def test_all_files_of_an_export_may_be_named(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            (folder / "patients.csv").write_text(PATIENTS)
            (folder / "careplans.csv").write_text("Id,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n")
            (folder / "Immunization.ndjson").write_text("")
            done = vc.vitalcache(server, "import", *sorted(folder.iterdir()))
            self.assertEqual(len(json.loads(done.stdout)["skipped"]), 2)
            done = vc.vitalcache(server, "import", folder / "careplans.csv", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("nothing to import: %s: Synthea's careplans are not kept" % (folder / "careplans.csv"),
                          done.stderr)

    def test_standard_input_packed_or_not(self):
        with vc.Server() as server:
            done = vc.vitalcache(server, "import", "-", stdin=PATIENTS)
            self.assertEqual(tables(done)["students"]["written"], 2)
            packed = gzip.compress(PATIENTS.encode())[:-1]
            done = subprocess.run([vc.VITALCACHE, "--port", str(server.port), "import", "-"], input=packed,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"standard input: its gzip data ends too early, at byte %d" % len(packed), done.stderr)

    def test_an_encounter_of_csv_is_a_visit(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            (folder / "patients.csv").write_text(PATIENTS)
            (folder / "encounters.csv").write_text(
                "Id,START,STOP,PATIENT,ORGANIZATION,ENCOUNTERCLASS,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION\n"
                "e1,2020-01-02T03:04:05Z,2020-01-02T03:19:05Z,1,o1,ambulatory,185345009,Symptom,10509002,Bronchitis\n")
            vc.vitalcache(server, "import", folder)
            with server.client() as client:
                visit, = json.loads(client.call("GET", "visits:1"))
        self.assertEqual((visit["id"], visit["date"], visit["kind"], visit["reason"], visit["other"]),
                         ("e1", "2020-01-02T03:04:05Z", "ambulatory", "Bronchitis", {"ORGANIZATION": "o1"}))

    def test_csv_says_facts_and_the_types_rules_what_follows(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            (folder / "patients.csv").write_text(PATIENTS)
            (folder / "allergies.csv").write_text(ALLERGIES + "2019-01-01,,1,e,716186003,No known allergy (situation)\n"
                                                  "2019-01-01,2020-01-01,2,e,91935009,Allergy to peanut\n")
            (folder / "conditions.csv").write_text(
                ALLERGIES + "2019-01-01,,1,e,195967001,Asthma (disorder)\n"
                "2019-01-01,,1,e,160903007,Full-time employment (finding)\n"
                "2019-01-01,2019-02-01,1,e,10509002,Acute bronchitis (disorder)\n")
            vc.vitalcache(server, "import", folder)
            with server.client() as client:
                allergies = [json.loads(client.call("GET", "allergies:%d" % n))[0] for n in (1, 2)]
                conditions = json.loads(client.call("GET", "conditions:1"))
        self.assertEqual([(each.get("no_known"), each["severity"], each["status"]) for each in allergies],
                         [(True, "NONE", "active"), (None, "UNKNOWN", "inactive")])
        self.assertEqual({each["display"].split()[0]: (each["chronic"], each["status"]) for each in conditions},
                         {"Asthma": (True, "active"), "Full-time": (False, "active"), "Acute": (False, "resolved")})

    def test_files_that_may_hold_records_and_cannot_be_read_stop_it_before_anything_is_sent(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            (folder / "a.csv").write_text(PATIENTS)
            (folder / "b.csv").write_bytes(PATIENTS.encode("utf-16"))
            done = vc.vitalcache(server, "import", folder, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("b.csv: it is UTF-16; save it as UTF-8", done.stderr)
            with server.client() as client:
                self.assertIsNone(client.call("GET", "student:1"))


class Rejects(unittest.TestCase):
    def test_what_is_mended_goes_in_and_what_is_not_comes_back(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            source, first, second = folder / "in", folder / "first.ndjson", folder / "second.ndjson"
            source.mkdir()
            (source / "patients.csv").write_text(PATIENTS)
            (source / "allergies.csv").write_text(
                ALLERGIES + "soon,,1,e,91935009,Allergy to peanut\n"  # line 2
                '2019-01-01,,1,e,300913006,Shell"fish allergy\n'  # line 3
                "2019-01-01,,nobody,e,300913006,Shellfish allergy\n"  # line 4
                "2019-01-01,,2,e,300913006,Shellfish allergy\n")
            done = vc.vitalcache(server, "import", source, "--rejects", first, check=False)
            self.assertEqual(done.returncode, 6)
            self.assertEqual(json.loads(done.stdout)["rejects"], {"file": str(first), "count": 3})
            self.assertEqual(first.stat().st_mode & 0o7777, 0o600)
            lines = [json.loads(line) for line in first.read_text().splitlines()]
            self.assertEqual(sorted((each["line"], each["reason"]) for each in lines),
                             [(2, "instant"), (3, "quotes"), (4, "unknown-student")])
            self.assertNotIn("nobody", done.stdout + done.stderr)
            again = vc.vitalcache(server, "import", source, "--rejects", first, check=False)
            self.assertEqual(again.returncode, 2)
            self.assertIn("is there already; name another file for the rejects", again.stderr)
            first.write_text(first.read_text().replace("soon", "2018-05").replace('Shell\\"fish', "Shellfish"))
            done = vc.vitalcache(server, "import", first, "--rejects", second, check=False)
            self.assertEqual(tables(done)["allergies"]["written"], 2)
            self.assertEqual(json.loads(second.read_text())["reason"], "unknown-student")
            with server.client() as client:
                codes = [each["code"] for each in json.loads(client.call("GET", "allergies:1"))]
        self.assertEqual(sorted(codes), ["300913006", "91935009"])


class Terminal(unittest.TestCase):
    def run_on_terminal(self, server, columns, *args):
        """The exit code, and what a terminal of that width got."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([vc.VITALCACHE, "--port", str(server.port), "import", *map(str, args)],
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            shown += piece
        os.close(ours)
        return process.wait(), shown.decode()

    def test_a_bar_fits_the_terminal_and_is_cleared(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            vc.sample(folder, 4000)
            code, shown = self.run_on_terminal(server, 60, folder)
            self.assertEqual(code, 0)
            self.assertRegex(shown, r"\r +\d+% \[=*>? *\] \d+ rows/s  \S+ left  \w+")
            self.assertTrue(all(len(line) < 60 for line in shown.split("\r")), shown)
            self.assertRegex(shown, r"\r +\r$")
            code, shown = self.run_on_terminal(server, 60, folder, "--json")
            self.assertEqual((code, shown), (0, ""))


if __name__ == "__main__":
    unittest.main()
