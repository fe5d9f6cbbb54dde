#!/usr/bin/python3
"""The vitalcache command against a real server: what it prints for programs, each exit code, and what it says of bad
input."""
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

STUDENT = {"first_name": "Ada", "last_name": "Byron", "birth_date": "2012-03-04", "gender": "F"}
OK, REFUSED, USAGE, CONNECT, NOT_FOUND, CONFLICT, PARTIAL = range(7)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = vc.Server("--threads", "2")
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        try:
            assert cls.server.stop() == 0, cls.server.all_logs()
            cls.server.check_reports()
        finally:
            cls.server.clean()

    def run_it(self, *args, code=OK, stdin=None, said=""):
        done = vc.vitalcache(self.server, *args, check=False, stdin=stdin)
        self.assertEqual(done.returncode, code, "%s\n%s%s" % (args, done.stdout, done.stderr))
        if code == OK:
            self.assertRegex(done.stderr, "^%s$" % said)
        elif code not in (NOT_FOUND, PARTIAL):  # these two are answers
            self.assertNotEqual(done.stderr, "", "an error says what is wrong")
        return done

    def put_student(self, name):
        return self.run_it("put", "student:" + name, json.dumps(STUDENT), "--if", "NEW").stdout

    def test_write_and_read(self):
        self.put_student("w")
        self.assertEqual(json.loads(self.run_it("get", "student:w").stdout)["last_name"], "Byron")
        self.assertEqual(json.loads(self.run_it("--json", "get", "allergies:w").stdout), [])
        self.run_it("put", "visits:w", "-", "--if", "FORCE",
                    stdin='[{"id":"v","date":"2026-01-05T08:00:00Z","kind":"nurse"}]')
        several = json.loads(self.run_it("mget", "student:w", "visits:w").stdout)
        self.assertEqual(len(several), 2)
        self.run_it("invalidate", "key", "visits:w")
        self.run_it("invalidate", "all")
        self.run_it("explain", "visits:w")
        self.run_it("erase", "visits:w", "--if", "FORCE")
        self.run_it("erase", "student", "w", said="erased from .* Not reached(.|\n)*")
        self.run_it("get", "student:w", code=NOT_FOUND)

    def test_for_people(self):
        self.put_student("people")
        said = self.run_it("--human", "get", "student:people").stdout
        self.assertIn("Byron", said)
        self.assertFalse(said.lstrip().startswith("{"), said)

    def test_people_are_told_what_an_erasure_does_not_reach(self):
        self.put_student("gone")
        done = vc.vitalcache(self.server, "--human", "erase", "student", "gone")
        for word in ("free pages", "`vitalcache compact`", "backups", "exports", "rejects"):
            self.assertIn(word, done.stderr)
        done = vc.vitalcache(self.server, "--human", "erase", "student", "gone", check=False)
        self.assertEqual((done.returncode, done.stderr), (NOT_FOUND, ""))

    def test_stats_and_health_are_json(self):
        self.assertIn("l1_hits", json.loads(self.run_it("stats").stdout))
        self.assertEqual(json.loads(self.run_it("health").stdout)["status"], "ok")
        self.assertEqual(json.loads(self.run_it("health", "--deep").stdout)["database"]["damaged"], 0)

    def test_refused(self):
        for args in (["get", "nonsense:1"], ["get", "allergies"], ["put", "allergies:nobody", "[]", "--if", "FORCE"],
                     ["put", "student:x", "no json", "--if", "NEW"], ["invalidate", "type", "nonsense"],
                     ["get", "allergies:1", "--after", "nonsense"]):
            with self.subTest(args):
                self.run_it(*args, code=REFUSED)

    def test_usage(self):
        for args in ([], ["nonsense"], ["get"], ["get", "a:1", "b:2"], ["get", "--nonsense", "a:1"],
                     ["put", "student:x", "{}"], ["import"], ["import", "/nowhere/at/all"],
                     ["sample", "--students", "many"], ["--port", "http", "stats"]):
            with self.subTest(args):
                self.run_it(*args, code=USAGE)

    def test_a_slip_is_met_with_the_nearest(self):
        self.assertIn("get", self.run_it("gte", "a:1", code=USAGE).stderr)

    def test_conflict(self):
        self.put_student("c")
        self.run_it("put", "student:c", json.dumps(STUDENT), "--if", "NEW", code=CONFLICT)

    def test_cannot_connect(self):
        held = vc.Port()
        self.addCleanup(held.release)
        done = subprocess.run([vc.VITALCACHE, "--port", str(held.number), "stats"], capture_output=True, text=True,
                              timeout=30 * vc.SLOW, check=False)
        self.assertEqual(done.returncode, CONNECT, done.stderr)
        self.assertIn(str(held.number), done.stderr)

    def test_import_says_what_it_left_out(self):
        done = self.run_it("import", vc.ROOT / "tests" / "data" / "school-12", code=PARTIAL)
        self.assertIn("allergies.csv", done.stdout + done.stderr)
        self.assertNotIn("gone-99", done.stdout + done.stderr, "an id in a report")

    def test_import_of_files_that_are_none_of_ours(self):
        with vc.temp_dir() as folder:
            (folder / "patients.csv").write_text("these,are,not\nour,columns,1\n")
            done = vc.vitalcache(self.server, "import", folder, check=False)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("patients.csv", done.stderr + done.stdout)
            (folder / "patients.csv").write_bytes(b"\x00\xff\xfe" * 100)
            self.run_it("import", folder, code=USAGE)
        self.run_it("health")  # and the server goes on

    def test_sample_is_the_same_for_the_same_seed(self):
        with vc.temp_dir() as folder:
            for name, seed in (("a", 7), ("b", 7), ("c", 8)):
                vc.sample(folder / name, 30, seed)
            texts = {name: [path.read_bytes() for path in sorted((folder / name).iterdir())] for name in "abc"}
        self.assertEqual(len(texts["a"]), 4)
        self.assertEqual(texts["a"], texts["b"])
        self.assertNotEqual(texts["a"], texts["c"])

    def test_help_and_version_need_no_server(self):
        for args in (["--help"], ["--version"], ["get", "--help"]):
            done = subprocess.run([vc.VITALCACHE, *args], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, OK, args)
            self.assertNotEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
