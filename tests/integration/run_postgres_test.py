#!/usr/bin/python3
"""`make run DB=postgres` as a stranger types it: a PostgreSQL of its own with the sample, or the database that DSN
names; what psql writes is seen, the commands it suggests work, and Ctrl-C ends both."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import vc  # noqa: E402

import run_test  # noqa: E402  (next to this file)

TYPES = """
tables:
  students: {postgres: {relations: [{name: public.people, student: id}]}}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, id, name FROM public.people WHERE id = ANY($1)"}
"""


@unittest.skipIf(run_test.OTHER_BUILD, "make run uses the release build")
class RunPostgres(run_test.RunCase, unittest.TestCase):
    script = "run-postgres"

    def severities(self):
        with self.client() as client:
            return [allergy["severity"] for allergy in json.loads(client.call("GET", "allergies:42"))]

    def folder(self):
        """One that the user who runs PostgreSQL can enter."""
        folder = self.enterContext(vc.temp_dir())
        os.chmod(folder, 0o755)
        return folder

    def stop(self, door):
        self.assertEqual(door.interrupt(), 0, door.log.text())

    def test_first_and_second_time(self):
        store = self.folder() / "store"
        door = self.open(store)
        door.ready()
        self.assertEqual(self.severities(), ["SEVERE"])
        for line in door.log.text().split("\n"):
            if line.startswith("  "):
                subprocess.run(["bash", "-c", line], check=True, cwd=vc.ROOT, capture_output=True, timeout=30)
        pg.wait_for(lambda: self.severities() == ["LIFE_THREATENING"], "psql's write is seen", 5)
        self.stop(door)
        self.assertFalse((pathlib.Path(str(store) + "-postgres") / "data" / "postmaster.pid").exists())
        again = self.open(store)
        again.ready()
        self.assertEqual(self.severities(), ["LIFE_THREATENING"], "the data stays, and the sample is not put over it")
        self.stop(again)

    def test_after_it_was_killed(self):
        store = self.folder() / "store"
        door = self.open(store)
        door.ready()
        os.killpg(door.process.pid, signal.SIGKILL)
        door.process.wait(30)
        again = self.open(store)
        again.ready()
        self.assertEqual(self.severities(), ["SEVERE"])
        self.stop(again)
        self.assertFalse((pathlib.Path(str(store) + "-postgres") / "data" / "postmaster.pid").exists())

    def test_a_database_of_yours(self):
        with pg.Cluster() as cluster:
            cluster.create_database("empty")
            door = self.open(self.folder() / "store", cluster.dsn(database="empty"))
            door.ready()
            self.assertEqual(self.severities(), ["SEVERE"])
            self.stop(door)
            self.assertNotIn(pg.PASSWORD, door.log.text())
            self.assertEqual(cluster.psql("SELECT count(*) FROM students", database="empty"), [(1000,)])

    def test_a_schema_of_yours(self):
        folder = self.folder()
        (folder / "types.yaml").write_text(TYPES)
        with pg.Cluster() as cluster:
            cluster.psql("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (7, 'Seven')")
            door = self.open(folder / "store", cluster.dsn(socket=True), folder / "types.yaml")
            door.ready()
            with self.client() as client:
                self.assertEqual(json.loads(client.call("GET", "student:7")), {"id": 7, "name": "Seven"})
            self.stop(door)
            self.assertEqual(cluster.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), [(1,)])

    def refused(self, *more):
        door = self.open(self.folder() / "store", *more)
        self.assertNotEqual(door.process.wait(60), 0)
        door.log.thread.join()
        return door.log.text()

    def test_what_is_not_there_is_said(self):
        self.assertIn("/nowhere/at/all", self.refused("host=/nowhere/at/all"))
        self.assertIn("TYPES=/nowhere/at/all", self.refused("", "/nowhere/at/all"))

    def test_a_folder_with_spaces_is_refused(self):
        folder = self.folder() / "two words"
        folder.mkdir()
        door = self.open(folder / "store")
        self.assertEqual(door.process.wait(60), 2)
        door.log.thread.join()
        self.assertIn("choose another folder with STORE=", door.log.text())


if __name__ == "__main__":
    unittest.main()
