#!/usr/bin/python3
"""Two students who are one person, at a real server: both ids show the same records from the merge on, whatever was in
memory before; a write of one is seen at once through the other; a crash changes nothing of that; erasure takes both."""
import json
import pathlib
import random
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

STUDENT = {"first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"}
TYPES = ("student", "allergies", "visits", "summary")


def allergy(name):
    return {"id": name, "code": name, "display": name, "severity": "MILD"}


def ids(reply):
    return sorted(record["id"] for record in json.loads(reply))


class Merges(unittest.TestCase):
    def setUp(self):
        self.server = vc.Server()
        self.addCleanup(self.server.clean)
        self.server.start()
        self.client = self.server.client()
        self.addCleanup(lambda: self.client.close())
        for name in ("old", "new"):
            self.client.call("PUT", "student:" + name, json.dumps(STUDENT), "IF", "NEW")
            self.client.call("PUT", "allergies:" + name, json.dumps([allergy("of-" + name)]), "IF", "NEW")
        self.read_all()

    def read_all(self):
        """Every key of both, so that all of it is in memory."""
        return [[self.client.call("GET", "%s:%s" % (kind, name)) for kind in TYPES] for name in ("old", "new")]

    def merge(self):
        row = {"student": "old", "id": "into", "into": "new"}
        reply = resp.flatten(self.client.call("IMPORT", "merges", json.dumps([row])))
        self.assertEqual(reply["written"], 1)

    def assert_one_person(self):
        old, new = self.read_all()
        self.assertEqual(old, new)
        self.assertEqual(json.loads(old[0])["id"], "new")

    def test_both_ids_show_the_same(self):
        self.merge()
        self.assert_one_person()
        self.assertEqual(ids(self.client.call("GET", "allergies:old")), ["of-new", "of-old"])
        health = resp.flatten(self.client.call("HEALTH", "DEEP"))
        self.assertEqual((health["database.students"], health["database.damaged"]), (1, 0))

    def test_a_write_is_seen_through_the_other(self):
        self.merge()
        chance = random.Random(7)
        for number in range(200):
            written, read = chance.sample(("old", "new"), 2)
            name = "n%d" % number
            self.client.call("PUT", "allergies:" + written, json.dumps([allergy(name)]), "IF", "FORCE")
            self.assertEqual(ids(self.client.call("GET", "allergies:" + read)), [name])
            self.assertEqual(ids(self.client.call("GET", "allergies:" + written)), [name])
        self.client.call("INVALIDATE", "STUDENT", "new")
        self.assert_one_person()

    def test_subscribers_are_told_of_both(self):
        listener = self.server.client()
        self.addCleanup(listener.close)
        listener.call("SUBSCRIBE", "invalidations")
        self.merge()
        told = json.loads(listener.read()[2])
        self.assertEqual(sorted(told["tags"]), ["student:new", "student:old"])

    def test_a_crash_changes_nothing(self):
        self.merge()
        self.client.close()
        self.server.kill()
        self.server.start()
        self.client = self.server.client()
        self.assert_one_person()
        self.assertEqual(ids(self.client.call("GET", "allergies:old")), ["of-new", "of-old"])

    def test_an_export_of_one_has_both_and_the_merge(self):
        self.merge()
        before = self.read_all()
        for name in ("old", "new"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder, vc.Server() as other:
                lines = vc.vitalcache(self.server, "export", "--student", name).stdout
                file = pathlib.Path(folder, "one.ndjson")
                file.write_text(lines)
                tables = sorted(json.loads(line)["table"] for line in lines.splitlines())
                self.assertEqual(tables, ["allergies"] * 2 + ["merges"] + ["students"] * 2)
                vc.vitalcache(other, "import", file)
                with other.client() as client:
                    self.client.close()
                    self.client = client
                    self.assertEqual(self.read_all(), before)
                self.client = self.server.client()

    def test_erasure_takes_both(self):
        self.merge()
        with self.assertRaises(resp.Error):
            self.client.call("ERASE", "STUDENT", "old")
        self.client.call("ERASE", "STUDENT", "new")
        self.assertEqual(self.read_all(), [[None] * len(TYPES)] * 2)


if __name__ == "__main__":
    unittest.main()
