#!/usr/bin/python3
"""`make run` as a stranger types it (but for the port and the folder): the server comes up, an empty database gets the
sample once, DATA is imported, the commands it suggests work, and Ctrl-C ends it cleanly."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402


class Door:
    """A `make run` under way."""

    def __init__(self, port, store, *more, script="run"):
        self.process = subprocess.Popen(
            [str(vc.ROOT / "scripts" / script), str(port), str(store), *map(str, more)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=vc.ROOT, start_new_session=True)
        self.log = vc.Log(self.process.stdout)

    def ready(self):
        assert self.log.wait_for("Ctrl-C stops", 60) is not None, self.log.text()

    def interrupt(self):
        """What a terminal's Ctrl-C does: SIGINT to the whole group of processes."""
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(30)
        self.log.thread.join()
        return code


class RunCase:
    """Doors that are shut at the end, whatever happens."""

    script = "run"

    def setUp(self):
        self.held = vc.Port()
        self.addCleanup(self.held.release)
        self.doors = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for door in self.doors:
            if door.process.poll() is None:
                os.killpg(door.process.pid, signal.SIGKILL)
                door.process.wait()

    def open(self, store, *more):
        door = Door(self.held.number, store, *more, script=self.script)
        self.doors.append(door)
        return door

    def client(self):
        return resp.Client(("127.0.0.1", self.held.number))


OTHER_BUILD = vc.SLOW > 1 or vc.BUILD != vc.ROOT / "build" / "release"


@unittest.skipIf(OTHER_BUILD, "make run uses the release build")
class Run(RunCase, unittest.TestCase):
    def test_first_and_second_time(self):
        with vc.temp_dir() as folder:
            door = self.open(folder / "store")
            door.ready()
            with self.client() as client:
                self.assertEqual(client.call("DBSIZE"), 1000)
                allergies = json.loads(client.call("GET", "allergies:42"))
                self.assertIn("SEVERE", [allergy["severity"] for allergy in allergies])
                client.call("ERASE", "STUDENT", "7")
            for line in door.log.text().split("\n"):
                if line.startswith("  ") and "Ctrl-C" not in line:
                    subprocess.run(line.split(), check=True, cwd=vc.ROOT, capture_output=True, timeout=30)
            self.assertEqual(door.interrupt(), 0, door.log.text())
            again = self.open(folder / "store")
            again.ready()
            with self.client() as client:
                self.assertEqual(client.call("DBSIZE"), 999, "the sample is not brought back over what was erased")
            self.assertEqual(again.interrupt(), 0, again.log.text())

    def test_own_files(self):
        with vc.temp_dir() as folder:
            door = self.open(folder / "store", vc.ROOT / "tests" / "data" / "school-12")
            door.ready()
            self.assertIn("GET allergies:s-01", door.log.text())
            with self.client() as client:
                self.assertEqual(client.call("DBSIZE"), 12)
            self.assertEqual(door.interrupt(), 0, door.log.text())

    def test_port_in_use_is_said(self):
        with vc.temp_dir() as folder, vc.Server() as other:
            self.held.release()
            self.held = other.port_held
            door = self.open(folder / "store")
            self.assertNotEqual(door.process.wait(30), 0)
            door.log.thread.join()
            self.assertIn("in use", door.log.text())

    def test_data_that_is_not_there_is_said(self):
        with vc.temp_dir() as folder:
            door = self.open(folder / "store", "/nowhere/at/all")
            self.assertNotEqual(door.process.wait(30), 0)
            door.log.thread.join()
            self.assertIn("/nowhere/at/all", door.log.text())


    def test_an_older_database_says_what_to_type(self):
        with vc.temp_dir() as folder:
            made = subprocess.run([vc.BUILD / "tests" / "format1_make", folder / "store", "1"], text=True, check=True,
                                  input='{"table":"students","row":{"student":"1","id":"1","first_name":"A"}}\n',
                                  capture_output=True, timeout=60)
            self.assertEqual(made.stdout.strip(), "1")
            door = self.open(folder / "store")
            self.assertNotEqual(door.process.wait(30), 0)
            door.log.thread.join()
            command = door.log.text().split("\n")[-1].strip()
            self.assertIn("upgrade --data", command)
            subprocess.run(command.split(), check=True, cwd=vc.ROOT, capture_output=True, timeout=60)
            again = self.open(folder / "store")
            again.ready()
            with self.client() as client:
                self.assertEqual(client.call("DBSIZE"), 1)
            self.assertEqual(again.interrupt(), 0, again.log.text())


if __name__ == "__main__":
    unittest.main()
