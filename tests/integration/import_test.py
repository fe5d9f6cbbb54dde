#!/usr/bin/python3
"""What `vitalcache import` brings in, counted in the served records themselves (not in the command's own words): our
small made-up sets always; the public data sets where their folder is (VITALCACHE_TEST_DATA, else ../shared/data)."""
import collections
import csv
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

Counts = collections.namedtuple("Counts", "patients deceased allergies severe moderate mild unknown conditions active "
                                "immunizations")
OURS = {
    "school-12": Counts(12, 1, 8, 2, 2, 1, 3, 8, 5, 10),  # 9 allergies, one of them an orphan's
    "old-columns-4": Counts(4, 0, 3, 0, 0, 0, 3, 3, 2, 0),
}
# As the data's README counts them.
PUBLIC = {
    "nebraska-111": Counts(111, 11, 90, 7, 20, 7, 56, 4428, 803, 1774),
    "massachusetts-1159": Counts(1159, 159, 959, 58, 249, 123, 529, 0, 0, 16648),
    "california-1000": Counts(1000, 93, 1339 - 781, 0, 0, 0, 1339 - 781, 20512, 3269, 0),
    "small-27": Counts(27, 2, 40, 0, 17, 5, 18, 438, 140, 29),
}
BATCH = 100


def patient_ids(folder):
    with open(folder / "patients.csv", newline="", encoding="utf-8") as file:
        return [row.get("Id") or row["ID"] for row in csv.DictReader(file)]


class Import(unittest.TestCase):
    maxDiff = None

    def served(self, client, kind, ids):
        """Each student's value of a type, nil refused."""
        for at in range(0, len(ids), BATCH):
            for reply in client.call("MGET", *("%s:%s" % (kind, name) for name in ids[at : at + BATCH])):
                self.assertIsNotNone(reply, kind)
                yield json.loads(reply)

    def count(self, server, folder):
        ids = patient_ids(folder)
        with server.client() as client:
            students = list(self.served(client, "student", ids))
            allergies = [a for each in self.served(client, "allergies", ids) for a in each]
            conditions = [c for each in self.served(client, "conditions", ids) for c in each]
            vaccinations = [v for each in self.served(client, "vaccinations", ids) for v in each]
        severity = collections.Counter(allergy["severity"] for allergy in allergies)
        return Counts(len(students), sum("deceased" in student for student in students), len(allergies),
                      severity["SEVERE"], severity["MODERATE"], severity["MILD"], severity["UNKNOWN"], len(conditions),
                      sum(condition["status"] == "active" for condition in conditions), len(vaccinations))

    def check_set(self, folder, expected):
        with vc.Server() as server:
            vc.vitalcache(server, "import", folder, check=False)
            self.assertEqual(self.count(server, folder), expected, folder.name)
            imported = server.counters()["database_imported"]
            vc.vitalcache(server, "import", folder, check=False)
            self.assertEqual(server.counters()["database_imported"], imported, "importing twice changed something")
            self.assertEqual(self.count(server, folder), expected, "%s, imported twice" % folder.name)

    def test_our_sets(self):
        for name, expected in OURS.items():
            with self.subTest(name):
                self.check_set(vc.ROOT / "tests" / "data" / name, expected)

    def test_public_sets(self):
        folder = vc.data_folder()
        if folder is None:
            self.skipTest("the public data sets are not here (VITALCACHE_TEST_DATA)")
        for name, expected in PUBLIC.items():
            with self.subTest(name):
                self.check_set(folder / "synthea-csv" / name, expected)

    def test_quoted_fields_and_names_survive(self):
        folder = vc.ROOT / "tests" / "data" / "school-12"
        with vc.Server() as server:
            vc.vitalcache(server, "import", folder, check=False)
            with server.client() as client:
                names = {name: json.loads(client.call("GET", "student:" + name)) for name in ("s-03", "s-04", "s-10")}
                milk = json.loads(client.call("GET", "allergies:s-04"))
                hepatitis = json.loads(client.call("GET", "vaccinations:s-01"))
        self.assertEqual((names["s-03"]["first_name"], names["s-03"]["last_name"]), ("Agustín", "Núñez"))
        self.assertEqual((names["s-04"]["first_name"], names["s-04"]["last_name"]), ('Mary "Molly"', "O'Neil, Jr."))
        self.assertEqual(names["s-10"]["last_name"], "Berg\nHansen")
        self.assertEqual((milk[0]["display"], milk[0]["status"]), ("Cow's milk, and what is made of it", "inactive"))
        self.assertEqual(hepatitis[0]["code"], "08")

    def test_only_touched_students_become_stale(self):
        """After an import that changes one student, the others' entries still answer from memory."""
        with vc.temp_dir() as folder, vc.Server() as server:
            vc.sample(folder, 50)
            vc.vitalcache(server, "import", folder)
            with server.client() as client:
                keys = ["allergies:%d" % n for n in range(1, 51)]
                client.call("MGET", *keys)
                head = (folder / "allergies.csv").read_text().split("\n", 1)[0]
                changed = folder / "changed"
                changed.mkdir()
                row = {name: "" for name in head.split(",")}
                row.update(START="2026-01-05", PATIENT="7", CODE="91935009", SYSTEM="SNOMED-CT", DESCRIPTION="Peanut",
                           TYPE="allergy", CATEGORY="food", SEVERITY1="SEVERE")
                (changed / "allergies.csv").write_text(head + "\n" + ",".join(row.values()) + "\n")
                vc.vitalcache(server, "import", changed)
                before = server.counters()
                client.call("MGET", *keys)
                after = server.counters()
                self.assertIn(b"2026-01-05", client.call("GET", "allergies:7"))
        self.assertEqual(after["l1_hits"] - before["l1_hits"], 49)
        self.assertEqual(after["database_reads"] - before["database_reads"], 1)


if __name__ == "__main__":
    unittest.main()
