#!/usr/bin/python3
"""What nobody should send and somebody will: huge lines, endless nesting, bytes that are no text, zeros, bombs, streams
without an end. Each is told, the records around it come in, and the importer's memory stays bounded."""
import contextlib
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

MIB = 1 << 20
MOST_RESIDENT = 400 * MIB  # the longest value is 64 MiB, and is held twice while it grows
BLOCK = b"x" * MIB
PATIENTS = b"Id,BIRTHDATE,FIRST,LAST\n"
GOOD_CSV = b"good,2012,Ana,Soto\n"
GOOD_JSON = b'{"resourceType":"Patient","id":"good"}\n'
SANITIZED = vc.SLOW > 1  # whose memory is the sanitizer's


class Hostile(unittest.TestCase):
    maxDiff = None

    def feed(self, pieces, *args):
        """Imports what the pieces are, through a pipe; the exit code, the report (None: none came), what it said. Its
        memory is read from outside, as what a child took at most counts its parent's before it was begun."""
        with vc.Server() as server, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([vc.VITALCACHE, "--port", str(server.port), "import", "-", *args],
                                       stdin=subprocess.PIPE, stdout=out, stderr=err)
            most = 0
            try:
                for piece in pieces:
                    process.stdin.write(piece)
                    status = pathlib.Path("/proc/%d/status" % process.pid).read_text()
                    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
                    most = max(most, int(peak[1]) * 1024 if peak else 0)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has seen enough
            code = process.wait(120 * vc.SLOW)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            out.seek(0)
            err.seek(0)
            said, report = err.read().decode(), out.read()
            with server.client() as client:
                self.good = client.call("GET", "student:good") is not None
        self.assertFalse(vc.SANITIZER.search(said), said)
        if not SANITIZED:
            self.assertLess(most, MOST_RESIDENT)
        return code, json.loads(report) if report else None, said

    def assert_left_out(self, pieces, *reasons):
        """The good record came in, and these reasons, once each, are why others did not."""
        code, report, said = self.feed(pieces)
        self.assertEqual((code, said), (6, ""))
        self.assertEqual([(each["reason"], each["count"]) for each in report["left_out"]],
                         [(reason, 1) for reason in reasons])
        self.assertTrue(self.good)

    def test_a_line_of_100_megabytes(self):
        self.assert_left_out([b'{"resourceType":"Patient","id":"huge","name":[{"family":"'] + [BLOCK] * 100 +
                             [b'"}]}\n', GOOD_JSON], "too-long")
        self.assert_left_out([PATIENTS, b"huge,2012,"] + [BLOCK] * 100 + [b",z\n", GOOD_CSV], "too-long")
        self.assert_left_out([PATIENTS, b'huge,2012,"'] + [BLOCK] * 100 + [b",z\n", GOOD_CSV], "too-long")
        code, _, said = self.feed([BLOCK] * 100)
        self.assertEqual(code, 2)
        self.assertIn("its columns are not those of", said)

    def test_many_values_in_one(self):
        numbers = b"1," * (MIB // 2)
        self.assert_left_out([b'{"resourceType":"Patient","id":"many","x":['] + [numbers] * 60 + [b"1]}\n", GOOD_JSON],
                             "too-long")

    def test_nesting_without_end(self):
        self.assert_left_out([b'{"resourceType":"Patient","id":"deep","x":' + b"[" * 10000 + b"]" * 10000 + b"}\n",
                              GOOD_JSON], "too-deep")
        code, report, _ = self.feed([b'{"resourceType":'] + [b'{"a":' * 200000] * 10)
        self.assertEqual((code, {each["reason"] for each in report["left_out"]} <= {"too-deep", "json"}), (6, True))

    def test_bytes_that_are_no_text(self):
        self.assert_left_out([PATIENTS, b"bad,2012,Agust\xedn,Soto\n", GOOD_CSV], "encoding")
        self.assert_left_out([PATIENTS, b"bad,2012,A\0na,Soto\n", GOOD_CSV], "encoding")
        name = b'{"resourceType":"Patient","id":"bad","name":[{"family":"%s"}]}\n'
        self.assert_left_out([name % b"N\xfa", GOOD_JSON], "encoding")
        self.assert_left_out([name % b"N\0", GOOD_JSON], "json")

    def test_zeros_and_bombs(self):
        code, _, said = self.feed([bytes(MIB)] * 8)
        self.assertEqual(code, 2)
        self.assertIn("it is no text", said)
        self.assert_left_out([gzip.compress(PATIENTS + GOOD_CSV + b'huge,2012,"' + BLOCK * 200)], "too-long")

    def test_a_table_full_of_zeros_is_not_passed_over_in_a_folder(self):
        with vc.temp_dir() as folder, vc.Server() as server:
            (folder / "patients.csv").write_bytes(PATIENTS + GOOD_CSV)
            (folder / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
            vc.vitalcache(server, "import", folder)
            (folder / "allergies.csv").write_bytes(bytes(10000))
            done = vc.vitalcache(server, "import", folder, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("allergies.csv: it is called a table, and is no text; get the file again", done.stderr)

    def test_a_stream_of_any_length(self):
        rows = (b"".join(b"%d,2012,Ana,Soto\n" % n for n in range(at, at + 20000)) for at in range(0, 300000, 20000))
        code, report, _ = self.feed([PATIENTS, GOOD_CSV, *rows])
        self.assertEqual((code, report["tables"][0]["written"]), (0, 300001))
        self.assertEqual(self.feed([PATIENTS, GOOD_CSV] + [b"1\n" * MIB])[0], 6)
        self.assertTrue(self.good)


if __name__ == "__main__":
    unittest.main()
