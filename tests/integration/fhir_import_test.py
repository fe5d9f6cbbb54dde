#!/usr/bin/python3
"""What `vitalcache import` brings in from FHIR, counted in the served records themselves, and the originals that
`vitalcache export` gives back, compared with the files token by token: the public data sets, where their folder is
(VITALCACHE_TEST_DATA, else ../shared/data)."""
import collections
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

Counts = collections.namedtuple("Counts", "patients deceased allergies severe moderate mild unknown low conditions "
                                "active immunizations since_2015")
# As the data's README counts them.
SETS = {
    "fhir-ndjson/bulk-13": Counts(13, 3, 11, 0, 0, 0, 11, 11, 555, 107, 161, 112),
    "fhir-ndjson/bulk-allergies": Counts(349, 39, 311, 14, 85, 46, 166, 311, 0, 0, 0, 0),
    "fhir-ndjson/extracted-r4-2019": Counts(464, 89, 295, 0, 0, 0, 295, 295, 3403, 1603, 5528, 3043),
}
BUNDLES = Counts(4, 0, 17, 0, 0, 0, 17, None, 17, 7, 53, None)
KEPT = {"Patient": "students", "AllergyIntolerance": "allergies", "Condition": "conditions",
        "Immunization": "vaccinations", "Encounter": "visits"}
BATCH = 100


def exact(text):
    """JSON with every number as it is spelled."""
    return json.loads(text, parse_float=lambda digits: ("number", digits), parse_int=lambda digits: ("number", digits))


def resources_of(path):
    """The resources of a file that are kept: lines of NDJSON, or the entries of a Bundle."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        found = [exact(line) for line in text.splitlines()]
    else:
        found = [entry["resource"] for entry in exact(text)["entry"]]
    return [resource for resource in found if resource["resourceType"] in KEPT]


def by_name(resources):
    return {(resource["resourceType"], resource["id"]): resource for resource in resources}


def served(client, kind, ids):
    for at in range(0, len(ids), BATCH):
        for reply in client.call("MGET", *("%s:%s" % (kind, name) for name in ids[at : at + BATCH])):
            assert reply is not None, "one of the students is not there"
            yield json.loads(reply)


def count(server, ids):
    with server.client() as client:
        students = list(served(client, "student", ids))
        allergies, conditions, vaccinations = (
            [record for records in served(client, kind, ids) for record in records]
            for kind in ("allergies", "conditions", "vaccinations"))
    severity = collections.Counter(allergy["severity"] for allergy in allergies)
    return Counts(
        len(students), sum("deceased" in student for student in students), len(allergies), severity["SEVERE"],
        severity["MODERATE"], severity["MILD"], severity["UNKNOWN"],
        sum(allergy.get("criticality") == "low" for allergy in allergies), len(conditions),
        sum(condition["status"] == "active" for condition in conditions), len(vaccinations),
        sum(vaccination["date"] >= "2015" for vaccination in vaccinations))


class FhirImport(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.data = vc.data_folder()
        if self.data is None:
            self.skipTest("the public data sets are not here (VITALCACHE_TEST_DATA)")

    def check_originals(self, server, resources):
        """Every resource comes back, and nothing else does."""
        export = vc.vitalcache(server, "export", "--originals").stdout
        back = by_name(exact(line) for line in export.splitlines())
        self.assertEqual(back.keys(), by_name(resources).keys())
        for name, resource in by_name(resources).items():
            self.assertEqual(back[name], resource)

    def check_import(self, folder, resources, expected):
        ids = [resource["id"] for resource in resources if resource["resourceType"] == "Patient"]
        with vc.Server() as server:
            vc.vitalcache(server, "import", folder)
            counts = count(server, ids)
            self.assertEqual(counts, expected._replace(**{
                name: getattr(counts, name) for name, wanted in expected._asdict().items() if wanted is None}))
            self.check_originals(server, resources)
            imported = server.counters()["database_imported"]
            vc.vitalcache(server, "import", folder)
            self.assertEqual(server.counters()["database_imported"], imported, "importing twice changed something")

    def test_bulk_data(self):
        for name, expected in SETS.items():
            with self.subTest(name):
                folder = self.data / name
                resources = [each for path in sorted(folder.glob("*.ndjson")) for each in resources_of(path)]
                self.check_import(folder, resources, expected)

    def test_bundles(self):
        folder = self.data / "fhir-bundles"
        resources = [each for path in sorted(folder.glob("*.json")) for each in resources_of(path)]
        self.check_import(folder, resources, BUNDLES)


if __name__ == "__main__":
    unittest.main()
