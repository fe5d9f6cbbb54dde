#!/usr/bin/python3
"""Everything that can be wrong at start: a message that says what and where and what would be right, a non-zero exit
code, no traceback of a sanitizer, and nothing left behind that hinders the next start."""
import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402


class Start(unittest.TestCase):
    def setUp(self):
        self.server = None

    def tearDown(self):
        if self.server:
            self.server.clean()

    def refused(self, *args, says, **options):
        """The start is refused with a message that has all of `says`; returns it."""
        self.server = vc.Server(*args, **options)
        return self.start_is_refused(self.server, says)

    def start_is_refused(self, server, says):
        with self.assertRaises(vc.StartFault) as caught:
            server.start()
        fault = caught.exception
        self.assertGreater(fault.code, 0, fault.log)  # below 0: killed by a signal
        self.assertLess(fault.code, 64, fault.log)
        self.assertIsNone(vc.SANITIZER.search(fault.log), fault.log)
        for text in says:
            self.assertIn(text, fault.log)
        return fault.log

    def test_port_in_use(self):
        self.server = vc.Server()
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.server.port))
            other.listen()
            self.start_is_refused(self.server, [str(self.server.port), "in use"])
        self.server.start()  # and nothing of the first attempt hinders the second
        self.assertEqual(self.server.stop(), 0)

    def test_port_of_another_vitalcached(self):
        with vc.Server() as first:
            second = vc.Server()
            self.addCleanup(second.clean)
            second.port = first.port
            self.start_is_refused(second, [str(first.port), "in use"])

    def test_database_locked_by_another_process(self):
        with vc.Server() as first:
            second = vc.Server(data=first.data)
            self.addCleanup(second.clean)
            self.start_is_refused(second, [str(first.data), str(first.process.pid)])

    def test_data_folder_under_a_file(self):
        with vc.temp_dir() as folder:
            (folder / "file").write_text("")
            self.refused(data=folder / "file" / "data", says=[str(folder / "file")])

    @unittest.skipIf(os.getuid() != 0 or not os.path.exists("/usr/bin/setpriv"), "needs root and setpriv")
    def test_data_folder_without_permission(self):
        with vc.temp_dir() as folder:
            folder.chmod(0o755)
            (folder / "closed").mkdir(mode=0o700)
            wrap = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            self.server = vc.Server(data=folder / "closed" / "data", wrap=wrap)
            os.chmod(self.server.own, 0o755)
            if not self.readable_by_all(vc.VITALCACHED):
                self.skipTest("the build folder is not readable by others")
            self.start_is_refused(self.server, ["ermission"])

    @staticmethod
    def readable_by_all(path):
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", path],
                              check=False)
        return done.returncode == 0

    def test_damaged_database(self):
        with vc.temp_dir() as folder:
            (folder / "data.mdb").write_bytes(b"this is not a database " * 1000)
            self.refused(data=folder, says=[str(folder)])

    def test_configuration_that_is_not_yaml(self):
        self.refused(config="cache:\n  l1: [1, 2\n", says=["test.yaml:", ":"])

    def test_unknown_key_names_the_nearest(self):
        text = self.refused(config="cache:\n  l1:\n    max_byte: 64MB\n", says=["test.yaml:3:", "max_bytes"])
        self.assertRegex(text, r"test\.yaml:3:\d+")

    def test_value_without_its_unit(self):
        text = self.refused(config="cache:\n  l1:\n    ttl: 60\n", says=["test.yaml:3:", "ttl"])
        self.assertRegex(text, r"60s|unit")

    def test_value_out_of_range(self):
        self.refused(config="cache:\n  l1:\n    shards: 3\n", says=["test.yaml:3:", "shards"])

    def test_configuration_file_that_is_not_there(self):
        self.refused("--config", "/nowhere/at/all.yaml", says=["/nowhere/at/all.yaml"])

    def test_unknown_flag_names_the_nearest(self):
        self.refused("--thread", "2", says=["--thread", "--threads"])

    def test_flag_without_value(self):
        self.refused("--threads", says=["--threads"])

    def test_bad_port(self):
        for port in ("http", "-1", "70000", "7379x"):
            with self.subTest(port):
                self.refused("--port", port, says=["port", port])
                self.server.clean()

    def test_bad_environment(self):
        self.refused(env={"CACHE_L1_MAX_SIZE": "many"}, says=["CACHE_L1_MAX_SIZE", "many"])

    def test_stale_lock_of_a_killed_server_does_not_hinder(self):
        self.server = vc.Server()
        self.server.start()
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.stop(), 0)


class ClosedStreams(unittest.TestCase):
    def test_no_file_takes_the_place_of_a_closed_stream(self):
        """What is meant for a standard stream must never go to the database. (The log's is left, to see the start.)"""
        with vc.Server(wrap=["sh", "-c", 'exec "$0" "$@" <&- >&-']) as server:
            places = [os.readlink("/proc/%d/fd/%d" % (server.process.pid, fd)) for fd in (0, 1)]
            self.assertEqual(places, ["/dev/null"] * 2)


class Tools(unittest.TestCase):
    """The flags that start nothing."""

    def run_program(self, *args):
        return subprocess.run([vc.VITALCACHED, *args], capture_output=True, text=True, timeout=30 * vc.SLOW,
                              check=False)

    def test_help_names_every_flag(self):
        done = self.run_program("--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        for flag in ("--config", "--port", "--data", "--threads", "--check-config", "--print-config"):
            self.assertIn(flag, done.stdout)

    def test_what_cannot_be_written_is_a_failure(self):
        for flag in ("--help", "--version", "--check-config", "--print-config"):
            with self.subTest(flag), open("/dev/full", "w") as full:
                done = subprocess.run([vc.VITALCACHED, flag], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=30 * vc.SLOW, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("standard output", done.stderr)

    def test_check_config_of_the_shipped_configuration(self):
        self.assertEqual(self.run_program("--check-config").returncode, 0)

    def test_check_config_finds_faults(self):
        with vc.temp_dir() as folder:
            path = folder / "bad.yaml"
            path.write_text("server:\n  prot: 1\n")
            done = self.run_program("--check-config", "--config", str(path))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("%s:2:" % path, done.stderr + done.stdout)

    def test_print_config_shows_origins(self):
        done = self.run_program("--print-config", "--port", "1234")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"1234.*command line")


if __name__ == "__main__":
    unittest.main()
