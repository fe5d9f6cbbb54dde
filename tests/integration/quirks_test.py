#!/usr/bin/python3
"""The quirks of real exports, each by its name: what Synthea's CSV of any year and FHIR's bulk data, Bundles and
hand-written examples do, and what is served after they were imported. One server for all; every test has students of
its own."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import vc  # noqa: E402

PATIENTS = "Id,BIRTHDATE,DEATHDATE,FIRST,LAST\n"
OLD = "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"
NEW = ("START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,"
       "REACTION1,DESCRIPTION1,SEVERITY1,REACTION2,DESCRIPTION2,SEVERITY2\n")
SCT = "http://snomed.info/sct"


def concept(code, display=None, system=SCT):
    coding = {"system": system, "code": code}
    return {"coding": [dict(coding, display=display) if display else coding]}


def word(code):
    return {"coding": [{"code": code}]}


def patient(name, /, **more):
    return dict(resourceType="Patient", id=name, **more)


def allergy(name, student, **more):
    more.setdefault("code", concept("91935009"))
    return dict(resourceType="AllergyIntolerance", id=name, patient={"reference": "Patient/" + student}, **more)


def condition(name, student, **more):
    more.setdefault("code", concept("195967001", "Asthma (disorder)"))
    return dict(resourceType="Condition", id=name, subject={"reference": "Patient/" + student}, **more)


def vaccination(name, student, **more):
    made = dict(resourceType="Immunization", id=name, patient={"reference": "Patient/" + student}, status="completed",
                vaccineCode=concept("08", system="http://hl7.org/fhir/sid/cvx"), occurrenceDateTime="2013-04")
    made.update(more)
    return {key: value for key, value in made.items() if value is not None}


def lines(*resources):
    return "".join(json.dumps(each) + "\n" for each in resources)


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(vc.Server())

    def load(self, files, *args, code=0):
        """Imports a folder of these files; what the command said."""
        with vc.temp_dir() as folder:
            for name, content in files.items():
                (folder / name).write_text(content, newline="")
            done = vc.vitalcache(self.server, "import", folder, *args, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def get(self, key):
        with self.server.client() as client:
            reply = client.call("GET", key)
        return None if reply is None else json.loads(reply)

    def one(self, key):
        only, = self.get(key)
        return only

    def active_allergies(self, student):
        return [each["id"] for each in self.get("summary:" + student)["allergies"]]


class Csv(Case):
    def test_columns_are_found_by_name_in_any_case_and_order_and_some_are_missing(self):
        self.load({"a.csv": "last,ID,FIRST,Birthdate\nSoto,c1,Ana,2012-06-16\n",
                   "b.csv": "Id,BIRTHDATE,FIRST,MIDDLE,LAST,FIPS,ZIP,LAT\nc2,2012-06-16,Bao,B,Lee,1,02155,42.4\n"})
        self.assertEqual(self.get("student:c1"),
                         {"id": "c1", "first_name": "Ana", "last_name": "Soto", "birth_date": "2012-06-16"})
        self.assertEqual(self.get("student:c2")["middle_name"], "B")
        self.assertEqual(self.get("student:c2")["zip"], "02155")

    def test_allergies_have_6_columns_or_15(self):
        self.load({"p.csv": PATIENTS + "v1,2012,,Ana,Soto\n", "old.csv": OLD + "2012,,v1,e,1,Allergy to mould\n",
                   "new.csv": NEW + "2012,,v1,e,2,SNOMED-CT,Egg,allergy,food,271807003,Rash,MILD,,,\n"})
        self.assertEqual({each["code"]: each["severity"] for each in self.get("allergies:v1")},
                         {"1": "UNKNOWN", "2": "MILD"})

    def test_conditions_may_have_a_system_before_the_code(self):
        self.load({"p.csv": PATIENTS + "y1,2012,,Ana,Soto\n",
                   "conditions.csv": "START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION\n"
                                     "2012,,y1,e,http://snomed.info/sct,195967001,Asthma (disorder)\n"})
        self.assertEqual((self.one("conditions:y1")["code"], self.one("conditions:y1")["system"]),
                         ("195967001", "SNOMED-CT"))

    def test_vaccinations_may_lack_a_cost_and_keep_leading_zeros_and_either_form_of_date(self):
        self.load({"p.csv": PATIENTS + "i1,2012,,Ana,Soto\ni2,2012,,Bao,Lee\n",
                   "a.csv": "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2012-06-16,i1,e,08,Hep B\n",
                   "b.csv": "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST\n"
                            "2012-06-16T01:02:03Z,i2,e,08,Hep B,140.52\n"})
        self.assertEqual((self.one("vaccinations:i1")["code"], self.one("vaccinations:i1")["date"]),
                         ("08", "2012-06-16"))
        self.assertEqual(self.one("vaccinations:i2")["date"], "2012-06-16T01:02:03Z")

    def test_a_table_may_be_missing_altogether(self):
        self.load({"patients.csv": PATIENTS + "t1,2012,,Ana,Soto\n"})
        self.assertEqual(self.get("summary:t1")["allergies"], [])

    def test_two_spaces_stand_for_a_comma_and_other_tools_write_quotes(self):
        self.load({"p.csv": PATIENTS + 'q1,2012,,"Ana ""Anni""","Soto, Jr.\nof Lima"\r\n',
                   "immunizations.csv": "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"
                                        "2012,q1,e,08,Hep B  adolescent or pediatric\n"})
        self.assertEqual(self.one("vaccinations:q1")["display"], "Hep B  adolescent or pediatric")
        self.assertEqual((self.get("student:q1")["first_name"], self.get("student:q1")["last_name"]),
                         ('Ana "Anni"', "Soto, Jr.\nof Lima"))

    def test_an_empty_stop_means_still_active(self):
        self.load({"p.csv": PATIENTS + "s1,2012,,Ana,Soto\n",
                   "conditions.csv": OLD + "2012-01-02,,s1,e,1,Asthma\n2012-01-02,2012-02-03,s1,e,2,Otitis media\n"})
        self.assertEqual({each["code"]: each["status"] for each in self.get("conditions:s1")},
                         {"1": "active", "2": "resolved"})

    def test_a_stop_that_is_to_come_is_none_today(self):
        self.load({"p.csv": PATIENTS + "l1,2012,,Ana,Soto\n",
                   "allergies.csv": OLD + "2012-01-02,9999-12-31,l1,e,91935009,Allergy to peanut\n",
                   "conditions.csv": OLD + "2012-01-02,9999-12-31,l1,e,195967001,Asthma (disorder)\n"})
        summary = self.get("summary:l1")
        self.assertEqual([each["code"] for each in summary["allergies"] + summary["conditions"]],
                         ["91935009", "195967001"])

    def test_allergies_have_no_ids_and_are_the_same_at_every_import(self):
        files = {"p.csv": PATIENTS + "n1,2012,,Ana,Soto\n",
                 "allergies.csv": OLD + "2012,,n1,e,1,Egg\n2013,,n1,e,1,Egg\n"}
        self.load(files)
        first = self.get("allergies:n1")
        self.assertEqual(self.load(files)["tables"][1]["unchanged"], 2)
        self.assertEqual(self.get("allergies:n1"), first)
        self.assertEqual(len(first), 2)

    def test_an_empty_severity_is_unknown_and_the_worse_of_two_counts(self):
        self.load({"p.csv": PATIENTS + "w1,2012,,Ana,Soto\n", "allergies.csv": NEW +
                   "2012,,w1,e,1,Unknown,Egg,allergy,food,,,,,,\n"
                   "2012,,w1,e,2,Unknown,Nut,allergy,food,1,a,MILD,2,b,SEVERE\n"})
        self.assertEqual({each["code"]: each["severity"] for each in self.get("allergies:w1")},
                         {"1": "UNKNOWN", "2": "SEVERE"})

    def test_the_marker_that_allergies_exist_is_a_record(self):
        self.load({"p.csv": PATIENTS + "k1,2012,,Ana,Soto\n", "allergies.csv": NEW +
                   "2012,,k1,e,419199007,SNOMED-CT,Allergy to substance (finding),allergy,environment,,,,,,\n"})
        self.assertEqual(self.one("allergies:k1")["severity"], "UNKNOWN")

    def test_the_system_says_whose_code_it_is(self):
        self.load({"p.csv": PATIENTS + "r1,2012,,Ana,Soto\n", "allergies.csv": NEW +
                   "2012,,r1,e,7984,RxNorm,Penicillin V,allergy,medication,,,,,,\n"
                   "2012,,r1,e,1,Unknown,Mould,allergy,,,,,,,\n"})
        self.assertEqual({each["code"]: each["system"] for each in self.get("allergies:r1")},
                         {"7984": "RxNorm", "1": "Unknown"})

    def test_orphans_are_left_out_by_name_of_the_reason(self):
        said = self.load({"p.csv": PATIENTS + "o1,2012,,Ana,Soto\n",
                          "allergies.csv": OLD + "2012,,nobody,e,1,Egg\n2012,,o1,e,1,Egg\n"}, code=6)
        self.assertEqual([(each["reason"], each["count"]) for each in said["left_out"]], [("unknown-student", 1)])
        self.assertEqual(len(self.get("allergies:o1")), 1)

    def test_a_zip_may_be_a_float_or_empty(self):
        self.load({"p.csv": "Id,BIRTHDATE,FIRST,LAST,ZIP\nz1,2012,A,B,2155.0\nz2,2012,A,B,\n"})
        self.assertEqual(self.get("student:z1")["zip"], "02155")
        self.assertNotIn("zip", self.get("student:z2"))

    def test_findings_and_situations_are_no_illnesses_and_none_of_many_conditions_is_lost(self):
        rows = "".join("2012,,f1,e,%d,Disorder %d (disorder)\n" % (n, n) for n in range(28))
        self.load({"p.csv": PATIENTS + "f1,2012,,Ana,Soto\n", "conditions.csv": OLD + rows +
                   "2012,,f1,e,160903007,Full-time employment (finding)\n"
                   "2012,,f1,e,314529007,Medication review due (situation)\n"})
        self.assertEqual(len(self.get("conditions:f1")), 30)
        self.assertEqual({each["kind"] for each in self.get("summary:f1")["conditions"]}, {"disorder"})
        self.assertEqual(len(self.get("summary:f1")["conditions"]), 28)

    def test_names_are_utf8_and_have_digits(self):
        self.load({"p.csv": "\ufeff" + PATIENTS + "u1,2012,2013-01-02,Agustín529,Núñez593\n"})
        self.assertEqual(self.get("student:u1"), {"id": "u1", "first_name": "Agustín529", "last_name": "Núñez593",
                                                  "birth_date": "2012", "deceased": "2013-01-02"})


class Fhir(Case):
    def test_references_are_by_id_or_by_uuid_or_by_the_place_in_a_bundle(self):
        named = dict(allergy("a2", "x"), patient={"reference": "urn:uuid:0a1b"})
        self.load({"a.ndjson": lines(allergy("a1", "r1"), patient("r1")),
                   "b.json": json.dumps(bundle("transaction", {"fullUrl": "urn:uuid:9", "resource": named},
                                               {"fullUrl": "urn:uuid:0a1b", "resource": patient("r2")}), indent=2)})
        self.assertEqual(self.active_allergies("r1"), ["a1"])
        self.assertEqual(self.active_allergies("r2"), ["a2"])

    def test_a_low_criticality_is_no_severity_and_a_high_one_is_the_highest(self):
        reaction = [{"manifestation": [word("1")], "severity": "severe"}, {"manifestation": [word("2")]}]
        mild = [{"manifestation": [word("1")], "severity": "mild"}]
        self.load({"a.ndjson": lines(patient("c3"), allergy("low", "c3", criticality="low"),
                                     allergy("severe", "c3", criticality="low", reaction=reaction),
                                     allergy("high", "c3", criticality="high", reaction=mild))})
        self.assertEqual([(each["id"], each["severity"]) for each in self.get("allergies:c3")],
                         [("high", "LIFE_THREATENING"), ("severe", "SEVERE"), ("low", "UNKNOWN")])

    def test_no_part_of_a_concept_is_taken_for_granted(self):
        self.load({"a.ndjson": lines(patient("g1"), allergy("text", "g1", code={"text": "Peanut"}),
                                     allergy("bare", "g1", code={"coding": [{"display": "Egg"}]}),
                                     allergy("odd", "g1", clinicalStatus={"text": "inactive"},
                                             verificationStatus={"coding": [{"system": "urn:x", "code": "y"},
                                                                            {"code": "refuted"}]}))})
        self.assertEqual(self.active_allergies("g1"), ["bare", "text"])

    def test_refuted_and_erroneous_records_are_never_active_also_when_that_comes_later(self):
        self.load({"a.ndjson": lines(patient("e1"), allergy("a", "e1"), allergy("b", "e1"), condition("c", "e1"),
                                     vaccination("v", "e1"), allergy("never", "e1", verificationStatus=word("refuted"),
                                                                     clinicalStatus=word("active")))})
        self.assertEqual(self.active_allergies("e1"), ["a", "b"])
        self.load({"b.ndjson": lines(allergy("a", "e1", verificationStatus=word("entered-in-error")),
                                     allergy("b", "e1", verificationStatus=word("refuted"),
                                             clinicalStatus=word("active")),
                                     condition("c", "e1", verificationStatus=word("refuted")),
                                     vaccination("v", "e1", status="entered-in-error"))})
        summary = self.get("summary:e1")
        self.assertEqual((summary["allergies"], summary["conditions"], summary["vaccinations"]), ([], [], []))
        self.assertEqual({each["id"]: each["status"] for each in self.get("allergies:e1")},
                         {"a": "entered-in-error", "b": "refuted", "never": "refuted"})
        self.assertEqual(self.get("vaccinations:e1"), [])

    def test_no_known_allergy_is_a_record_and_nobody_asked_is_none(self):
        self.load({"a.ndjson": lines(patient("k3"), patient("k4"), allergy("nka", "k3", code=concept("716186003")))})
        self.assertEqual((self.one("allergies:k3")["no_known"], self.one("allergies:k3")["severity"]), (True, "NONE"))
        self.assertEqual(self.get("allergies:k4"), [])

    def test_offsets_are_kept_as_they_were_written(self):
        self.load({"a.ndjson": lines(patient("d1"), condition("c", "d1", onsetDateTime="2013-02-03T23:30:00.5-05:00"),
                                     vaccination("v", "d1", occurrenceDateTime="2013-02-03T23:30:00+00:00"))})
        self.assertEqual(self.one("conditions:d1")["onset"], "2013-02-03T23:30:00.5-05:00")
        self.assertEqual(self.one("vaccinations:d1")["date"], "2013-02-03T23:30:00+00:00")

    def test_ages_and_words_stand_in_place_of_dates(self):
        age = {"value": 12, "unit": "years"}
        self.load({"a.ndjson": lines(patient("w3"), condition("a", "w3", abatementAge=age, onsetString="long ago"),
                                     condition("b", "w3", abatementString="in spring", severity={"text": "moderate"},
                                               stage=[{"summary": {"text": "II"}}]))})
        first, second = sorted(self.get("conditions:w3"), key=lambda each: each["id"])
        self.assertEqual((first["end_age"], first["onset_text"], first["status"]), (age, "long ago", "resolved"))
        self.assertEqual((second["end_text"], second["severity_text"], second["status"]),
                         ("in spring", "moderate", "resolved"))
        self.assertIn("II", json.dumps(second["stage"]))

    def test_dates_may_be_partial_and_have_extensions(self):
        self.load({"a.ndjson": lines(patient("p3", birthDate="2012", _birthDate={"extension": [{"url": "urn:x"}]}),
                                     condition("c", "p3", onsetDateTime="2013-04"))})
        self.assertEqual(self.get("student:p3")["birth_date"], "2012")
        self.assertEqual(self.one("conditions:p3")["onset"], "2013-04")

    def test_a_condition_without_a_status_is_active(self):
        self.load({"a.ndjson": lines(patient("a3"), condition("c", "a3"))})
        self.assertEqual([each["id"] for each in self.get("summary:a3")["conditions"]], ["c"])

    def test_a_patient_needs_no_name_and_may_be_dead_or_an_animal(self):
        species = {"url": "http://hl7.org/fhir/StructureDefinition/patient-animal", "extension": [
            {"url": "species", "valueCodeableConcept": {"coding": [{"display": "Dog"}]}}]}
        self.load({"a.ndjson": lines(patient("n3"), patient("n4", deceasedBoolean=True),
                                     patient("n5", extension=[species]))})
        self.assertEqual(self.get("student:n3"), {"id": "n3"})
        self.assertIs(self.get("student:n4")["deceased_flag"], True)
        self.assertEqual(self.get("student:n5")["species"], "Dog")

    def test_a_vaccination_may_have_its_date_in_words_and_one_not_given_is_none(self):
        self.load({"a.ndjson": lines(patient("v3"), vaccination("words", "v3", occurrenceDateTime=None,
                                                                occurrenceString="as a child"),
                                     vaccination("refused", "v3", status="not-done"))})
        self.assertEqual((self.one("vaccinations:v3")["id"], self.one("vaccinations:v3")["date_text"]),
                         ("words", "as a child"))
        self.assertEqual([each["id"] for each in self.get("summary:v3")["vaccinations"]], ["words"])
        self.assertEqual(self.one("vaccinations_not_given:v3")["id"], "refused")

    def test_bundles_of_every_type_nest_and_their_resources_may_lack_ids(self):
        for kind in ("transaction", "batch", "collection", "searchset", "document"):
            student = "b-" + kind
            bare = allergy("x", "y")
            bare["patient"]["reference"] = "urn:uuid:" + student
            del bare["id"]
            inner = bundle(kind, {"fullUrl": "urn:uuid:a-" + kind, "resource": bare},
                           {"fullUrl": "urn:uuid:" + student, "resource": {"resourceType": "Patient"}})
            with self.subTest(kind):
                self.load({"a.json": json.dumps(bundle("collection", {"resource": inner}))})
                self.assertEqual(self.active_allergies(student), ["a-" + kind])

    def test_a_contained_patient_is_a_student_of_its_own(self):
        inside = dict(allergy("in", "x"), contained=[patient("p", name=[{"family": "Soto"}])],
                      patient={"reference": "#p"})
        self.load({"a.ndjson": lines(inside)})
        self.assertEqual(self.get("student:in#p")["last_name"], "Soto")
        self.assertEqual(self.active_allergies("in#p"), ["in"])

    def test_an_id_that_two_publishers_use_is_told_apart_by_a_prefix(self):
        both = lines(patient("example", name=[{"family": "North"}]), allergy("a", "example"))
        self.load({"a.ndjson": both}, "--prefix", "north-")
        self.load({"a.ndjson": both.replace("North", "South")}, "--prefix", "south-")
        self.assertEqual(self.get("student:north-example")["last_name"], "North")
        self.assertEqual(self.get("student:south-example")["last_name"], "South")
        self.assertEqual(self.active_allergies("south-example"), ["a"])

    def test_types_that_are_not_kept_are_counted(self):
        said = self.load({"a.json": json.dumps(bundle("collection", {"resource": patient("t3")},
                                                      {"resource": {"resourceType": "Claim", "id": "c"}},
                                                      {"resource": {"resourceType": "Observation", "id": "o"}}))})
        self.assertEqual(said["ignored"], [{"kind": "Claim", "count": 1}, {"kind": "Observation", "count": 1}])

    def test_merged_patients_are_one_from_either_side_and_in_chains(self):
        def link(kind, other):
            return [{"type": kind, "other": {"reference": "Patient/" + other}}]

        self.load({"a.ndjson": lines(patient("m1", link=link("replaced-by", "m2")), patient("m2"), patient("m4"),
                                     patient("m3", link=link("replaces", "m2") + link("replaces", "m4")),
                                     allergy("a1", "m1"), allergy("a4", "m4"))})
        for name in ("m1", "m2", "m3", "m4"):
            self.assertEqual(self.get("student:" + name)["id"], "m3")
            self.assertEqual(self.active_allergies(name), ["a1", "a4"])

    def test_the_original_comes_back_with_its_numbers_and_escapes(self):
        text = ('{"resourceType":"AllergyIntolerance","id":"num","patient":{"reference":"Patient/o3"},'
                '"code":{"text":"caf\\u00e9 \\/ \\ud83d\\ude00 \\n"},"extension":[{"url":"a","valueDecimal":1.00},'
                '{"url":"b","valueDecimal":1e2},{"url":"c","valueInteger":123456789012345678901234567890}]}')
        self.load({"a.ndjson": lines(patient("o3")) + text + "\n"})
        done = vc.vitalcache(self.server, "export", "--originals", "--student", "o3")
        self.assertIn(text, done.stdout.splitlines())
        self.assertEqual(self.one("allergies:o3")["display"], "café / 😀 \n")


if __name__ == "__main__":
    unittest.main()
