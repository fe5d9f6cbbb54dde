#!/usr/bin/python3
"""EXPORT gives each record once, in either format and however few at a time; what it gave, IMPORT takes, and then the
same is exported again; what it gave, ERASE ROWS takes away."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

TABLES = ("students", "allergies", "conditions", "vaccinations", "visits")
OTHERS = TABLES[1:]
STUDENTS = 30


def pieces(client, *words, count=None):
    """The raw lists of one export, to its end."""
    cursor = None
    while True:
        reply = client.call("EXPORT", *words, *(["FROM", cursor] if cursor else []),
                            *(["COUNT", count] if count else []))
        cursor = reply[0]
        yield reply[1]
        if cursor is None:
            return


def rows(client, *words, count=None):
    return [row for piece in pieces(client, *words, count=count) for row in json.loads(piece)]


def counts(reply):
    return {resp.plain(key): resp.plain(value) for key, value in resp.pairs(reply)}


def fill(server):
    folder = pathlib.Path(server.own) / "sample"
    vc.sample(folder, STUDENTS)
    vc.vitalcache(server, "import", folder)
    with server.client() as client:  # the sample has none
        client.call("IMPORT", "visits", json.dumps([
            {"student": row["student"], "id": "v%d" % number, "date": "2026-01-05", "kind": "nurse"}
            for row in rows(client, "students") for number in range(3)]))


class Export(unittest.TestCase):
    def test_every_record_comes_once_however_few_at_a_time(self):
        with vc.Server() as server, server.client() as client:
            fill(server)
            for table in TABLES:
                whole = rows(client, table)
                self.assertGreater(len(whole), 0, table)
                self.assertEqual(len({(row["student"], row["id"]) for row in whole}), len(whole))
                for count in (1, 7, len(whole)):
                    self.assertEqual(rows(client, table, count=count), whole)
            for student in {row["student"] for row in rows(client, "students")}:
                items = rows(client, "STUDENT", student, count=3)
                self.assertEqual(sum(item["table"] == "students" for item in items), 1)
                for table in TABLES:
                    self.assertEqual([item["row"] for item in items if item["table"] == table],
                                     [row for row in rows(client, table) if row["student"] == student])

    def test_there_and_back_in_both_formats(self):
        for form in ("json", "msgpack"):
            with self.subTest(form), vc.Server() as old, vc.Server() as new, old.client() as giver, \
                    new.client() as taker:
                fill(old)
                giver.call("CLIENT", "FORMAT", form)
                taker.call("CLIENT", "FORMAT", form)
                for table in TABLES:
                    given = list(pieces(giver, table, count=50))
                    for piece in given:
                        done = counts(taker.call("IMPORT", table, piece))
                        self.assertEqual((done["unchanged"], done["rejected"]), (0, []))
                        again = counts(giver.call("IMPORT", table, piece))
                        self.assertEqual((again["written"], again["rejected"]), (0, []))
                    self.assertEqual(list(pieces(taker, table, count=50)), given)

    def test_says_which_tables_it_leaves_out(self):
        both = "tables:\n  students: {schema: 1, fields: {name: text}}\n%s" \
               "types:\n  student: {shape: one, table: students}\n%s"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        own = pathlib.Path(folder.name)
        for name, text in (("before", both % ("  baths: {schema: 1, fields: {at: text}}\n",
                                              "  baths: {shape: list, table: baths}\n")),
                           ("now", both % ("", ""))):
            (own / (name + "-types.yaml")).write_text(text)
            (own / (name + ".yaml")).write_text("types:\n  files: [%s-types.yaml]\n" % name)
        with vc.Server("--config", own / "before.yaml", data=own / "db") as server, server.client() as client:
            client.call("PUT", "student:1", '{"name":"A"}', "IF", "NEW")
            client.call("PUT", "baths:1", '[{"id":"a","at":"x"},{"id":"b","at":"y"}]', "IF", "NEW")
            self.assertNotIn("not exported", vc.vitalcache(server, "export").stderr)
        with vc.Server("--config", own / "now.yaml", data=own / "db") as server, server.client() as client:
            done = vc.vitalcache(server, "export")
            self.assertIn("the table baths is not exported, as it is configured no more; its records: 2\n", done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 1)
            left = rows(client, "UNCONFIGURED", count=1)
            self.assertEqual([item["row"]["id"] for item in left], ["a", "b"])
            self.assertNotIn("not exported", vc.vitalcache(server, "export", "--table", "students").stderr)

    def test_what_was_exported_can_be_erased(self):
        with vc.Server() as server, server.client() as client:
            fill(server)
            someone = rows(client, "allergies")[0]["student"]
            for table in OTHERS:
                whole = rows(client, table)
                text = json.dumps(whole)
                expected = {"erased": len(whole), "absent": 0}
                dry = counts(client.call("ERASE", "ROWS", table, text, "DRYRUN"))
                self.assertEqual(rows(client, table), whole)
                wet = counts(client.call("ERASE", "ROWS", table, text))
                self.assertEqual({name: dry[name] for name in expected}, expected)
                self.assertEqual({name: wet[name] for name in expected}, expected)
                self.assertEqual(rows(client, table), [])
            self.assertEqual(client.call("GET", "allergies:" + someone), b"[]")


if __name__ == "__main__":
    unittest.main()
