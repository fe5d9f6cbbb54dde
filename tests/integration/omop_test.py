#!/usr/bin/python3
"""A foreign schema by configuration alone (tests/data/omop.sql, omop.yaml): persons known by number, providers by UUID,
names by joins, a partitioned table, a schema that is not `public`. Read through a vitalcached with no more rights than
it needs; each commit is asked for by its token, so that what is cached must have become stale."""
import contextlib
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import resp  # noqa: E402
import vc  # noqa: E402

DATA = vc.ROOT / "tests" / "data"
TYPES = DATA / "omop.yaml"
PASSWORD = "reader"
ADA = "6f1a3f0e-5d5c-4a53-9a61-0d8f5b7c2e11"
LUIS = "0b9f6f2a-1111-4c0a-8f2e-9a4d3e2b1c00"
OF_PERSON = ("person", "conditions", "drugs", "measurements", "observations", "visits", "patient")
KEYS = ["%s:%d" % (name, person) for name in OF_PERSON for person in (1, 2)] + ["panel:" + ADA, "panel:" + LUIS]


def db(cluster, *words):
    return subprocess.run([vc.VITALCACHE, "db", *words, "--dsn", cluster.dsn(socket=True)], capture_output=True,
                          text=True, timeout=60 * vc.SLOW)


class Omop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(pg.Cluster())
        cls.cluster.psql_file(DATA / "omop.sql")
        cls.cluster.create_role("reader", PASSWORD)
        cls.cluster.psql("GRANT USAGE ON SCHEMA cdm TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA cdm TO reader;"
                         "ALTER DEFAULT PRIVILEGES IN SCHEMA cdm GRANT SELECT ON TABLES TO reader")
        done = db(cls.cluster, "setup", "--types", str(TYPES), "--role", "reader")
        assert done.returncode == 0 and list(json.loads(done.stdout)) == ["changes"], done  # and no remark
        cls.server = cls.enterClassContext(vc.Server(
            database="postgres", dsn=cls.cluster.dsn(user="reader", password=PASSWORD), types=TYPES))
        assert cls.server.log.wait_for("state=polling", pg.PATIENCE) is not None, cls.server.all_logs()

    def setUp(self):
        self.client = self.enterContext(self.server.client())

    def get(self, key, *more):
        value = self.client.call("GET", key, *more)
        return None if value is None else json.loads(value)

    def commit(self, sql):
        """The token of the transaction that runs `sql`."""
        with contextlib.closing(self.cluster.connect(autocommit=False)) as writer, writer, writer.cursor() as cursor:
            cursor.execute(sql)
            cursor.execute("SELECT vitalcache.vc_token()")
            return cursor.fetchone()[0]

    def after(self, sql, key):
        return self.get(key, "AFTER", self.commit(sql))

    def explain(self, key):
        fields = self.client.call("EXPLAIN", key)
        return dict(zip([name.decode() for name in fields[::2]], fields[1::2]))

    def fresh(self):
        """The keys of which a cached copy may answer."""
        return {key for key in KEYS if self.explain(key)["why"] == b"fresh"}

    def polls(self):
        health = self.client.call("HEALTH")
        freshness = health[health.index(b"freshness") + 1]
        return freshness[freshness.index(b"position") + 1]

    def await_poll(self):
        seen = self.polls()
        pg.wait_for(lambda: self.polls() >= seen + 2, "a poll that began after now")

    def stale_after(self, sql):
        """Which of all keys, cached before, may not answer any more once a poll has found the commit."""
        self.await_poll()  # what is read now is newer than any touch that a later poll finds
        pg.wait_for(lambda: [self.get(key) for key in KEYS] and self.fresh() == set(KEYS), "all is cached")
        self.cluster.psql(sql)
        self.await_poll()
        return set(KEYS) - self.fresh()

    def test_values(self):
        self.assertEqual(self.get("person:1"), {"person_id": 1, "gender": "FEMALE", "year_of_birth": 2011,
                                                "month_of_birth": 4, "day_of_birth": 30})
        self.assertEqual(self.get("person:2"), {"person_id": 2, "gender": "MALE", "year_of_birth": 2009})
        self.assertEqual(self.get("person:9007199254740993")["person_id"], 9007199254740993)
        self.assertEqual(self.get("drugs:1"), [{"id": 30, "name": "albuterol", "start": "2025-03-01", "quantity": 2.5,
                                                "sig": "2 puffs when needed"}])
        self.assertEqual(self.get("drugs:2"), [])
        self.assertEqual([(m["id"], m["value"]) for m in self.get("measurements:1")], [(51, 44.25), (50, 41.5)])
        self.assertEqual(self.get("panel:" + ADA), [{"id": 12, "person_id": 2, "start": "2025-05-01"},
                                                    {"id": 10, "person_id": 1, "start": "2025-03-01"}])

    def test_a_composite(self):
        patient = self.get("patient:1")
        self.assertEqual(patient["person"], self.get("person:1"))
        self.assertEqual([c["name"] for c in patient["conditions"]], ["Asthma"])
        self.assertEqual([m["id"] for m in patient["measurements"]], [51])
        self.assertEqual([v["provider"] for v in patient["visits"]], ["Dr. Luis Ortega", "Dr. Ada Brandt"])
        self.assertEqual([o["value"] for o in patient["observations"]], ["penicillin"])

    def test_who_is_not_there(self):
        for key in ("person:3", "patient:3", "drugs:3", "panel:00000000-0000-4000-8000-000000000000"):
            self.assertIsNone(self.get(key), key)
        for key in ("person:one", "person:01", "panel:1"):
            with self.assertRaises(resp.Error):
                self.get(key)

    def test_each_table_s_writes_are_seen(self):
        for insert, update, delete, key, field, changed in (
            ("INSERT INTO cdm.condition_occurrence VALUES (120, 2, 317009, '2024-01-01', NULL)",
             "UPDATE cdm.condition_occurrence SET condition_concept_id = 439224 WHERE condition_occurrence_id = 120",
             "DELETE FROM cdm.condition_occurrence WHERE condition_occurrence_id = 120",
             "conditions:2", "name", "Allergy to drug"),
            ("INSERT INTO cdm.drug_exposure VALUES (130, 2, 1154343, '2025-01-01', 1, 'once')",
             "UPDATE cdm.drug_exposure SET sig = 'twice' WHERE drug_exposure_id = 130",
             "DELETE FROM cdm.drug_exposure WHERE drug_exposure_id = 130", "drugs:2", "sig", "twice"),
            ("INSERT INTO cdm.observation VALUES (140, 2, 439224, '2025-01-01', 'latex')",
             "UPDATE cdm.observation SET value_as_string = 'nuts' WHERE observation_id = 140",
             "DELETE FROM cdm.observation WHERE observation_id = 140", "observations:2", "value", "nuts"),
            ("INSERT INTO cdm.measurement VALUES (150, 2, 3025315, '2025-12-01', 61)",
             "UPDATE cdm.measurement SET value_as_number = 62 WHERE measurement_id = 150",
             "DELETE FROM cdm.measurement WHERE measurement_id = 150", "measurements:2", "value", 62),
            ("INSERT INTO cdm.visit_occurrence VALUES (110, 2, 9202, '2025-12-01', '2025-12-01', '%s')" % LUIS,
             "UPDATE cdm.visit_occurrence SET visit_concept_id = 9201 WHERE visit_occurrence_id = 110",
             "DELETE FROM cdm.visit_occurrence WHERE visit_occurrence_id = 110", "visits:2", "kind", "Inpatient Visit"),
        ):
            with self.subTest(key):
                before = self.get(key)
                patient = self.get("patient:2")
                self.assertEqual(len(self.after(insert, key)), len(before) + 1)
                self.assertNotEqual(self.get("patient:2", "AFTER", self.commit("SELECT")), patient)
                self.assertEqual(self.after(update, key)[0][field], changed)
                self.assertEqual(self.after(delete, key), before)
                self.assertEqual(self.get("patient:2", "AFTER", self.commit("SELECT")), patient)

    def test_a_concept_s_name_is_everybody_s(self):
        self.assertEqual(self.get("conditions:1")[1]["name"], "Asthma")
        renamed = self.after("UPDATE cdm.concept SET concept_name = 'Asthma (disorder)' WHERE concept_id = 317009",
                             "conditions:1")
        self.assertEqual(renamed[1]["name"], "Asthma (disorder)")
        back = self.after("UPDATE cdm.concept SET concept_name = 'Asthma' WHERE concept_id = 317009", "patient:1")
        self.assertEqual(back["conditions"][0]["name"], "Asthma")

    def test_a_visit_is_its_person_s_and_its_provider_s(self):
        moved = "UPDATE cdm.visit_occurrence SET provider_uuid = '%s' WHERE visit_occurrence_id = 12"
        self.assertEqual([v["id"] for v in self.after(moved % LUIS, "panel:" + LUIS)], [12, 11])
        self.assertEqual([v["id"] for v in self.get("panel:" + ADA, "AFTER", self.commit("SELECT"))], [10])
        self.assertEqual([v["id"] for v in self.after(moved % ADA, "panel:" + ADA)], [12, 10])

    def test_a_person_comes_and_goes(self):
        self.assertIsNone(self.get("drugs:77"))
        self.assertEqual(self.after("INSERT INTO cdm.person VALUES (77, 8532, 2012)", "drugs:77"), [])
        self.assertIsNone(self.after("DELETE FROM cdm.person WHERE person_id = 77", "drugs:77"))

    def test_partitions(self):
        into = "INSERT INTO cdm.measurement_2024 VALUES (160, 2, 3025315, '2024-05-05', 55)"
        moved = "UPDATE cdm.measurement SET measurement_date = '2025-05-05' WHERE measurement_id = 160"
        out = "DELETE FROM cdm.measurement_2025 WHERE measurement_id = 160"
        self.assertEqual([m["id"] for m in self.after(into, "measurements:2")], [52, 160])
        self.assertEqual(self.after(moved, "measurements:2")[1]["date"], "2025-05-05")
        self.assertEqual([m["id"] for m in self.after(out, "measurements:2")], [52])

    def test_a_new_year_without_setup_is_read_through_and_with_it_kept_again(self):
        self.after("CREATE TABLE cdm.measurement_2026 PARTITION OF cdm.measurement"
                   " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')", "measurements:2")
        into = "INSERT INTO cdm.measurement_2026 VALUES (170, 2, 3025315, '2026-01-01', 63)"
        # No trigger tells of this write: what is right is right because nothing is answered from memory.
        self.assertEqual(self.after(into, "measurements:2")[0]["id"], 170)
        self.assertEqual(db(self.cluster, "status", "--types", str(TYPES)).returncode, 1)
        self.assertEqual(db(self.cluster, "setup", "--types", str(TYPES), "--role", "reader").returncode, 0)
        pg.wait_for(lambda: self.get("measurements:2") and self.explain("measurements:2")["why"] == b"fresh",
                    "it is kept again")
        self.assertEqual([m["id"] for m in self.after("DELETE FROM cdm.measurement_2026", "measurements:2")], [52])

    def test_what_one_write_makes_stale(self):
        self.assertEqual(
            self.stale_after("UPDATE cdm.drug_exposure SET sig = sig WHERE person_id = 1"), {"drugs:1", "patient:1"})
        self.assertEqual(self.stale_after("UPDATE cdm.visit_occurrence SET visit_end_date = visit_end_date"
                                          " WHERE visit_occurrence_id = 11"),
                         {"visits:1", "patient:1", "panel:" + LUIS})
        self.assertEqual(self.stale_after("UPDATE cdm.person SET day_of_birth = 29 WHERE person_id = 1"),
                         {"%s:1" % name for name in OF_PERSON})


class Teardown(unittest.TestCase):
    def test_setup_and_teardown_leave_the_schema_as_it_was(self):
        with pg.Cluster() as cluster:
            cluster.psql_file(DATA / "omop.sql")

            def dump():
                command = [cluster.binaries / "pg_dump", "--schema-only", cluster.dsn(socket=True)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                # Newer ones fence a script with a word that is another one each time.
                return [line for line in done.stdout.splitlines() if "restrict " not in line]

            before = dump()
            self.assertEqual(db(cluster, "setup", "--types", str(TYPES)).returncode, 0)
            self.assertNotEqual(dump(), before)
            self.assertEqual(db(cluster, "teardown").returncode, 0)
            self.assertEqual(dump(), before)


if __name__ == "__main__":
    unittest.main()
