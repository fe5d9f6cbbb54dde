"""A made-up population as FHIR R4 bulk data (NDJSON, a file a type), with resources of the size and shape that Synthea
writes: for measuring, at any size. Equal arguments make equal files."""
import json
import pathlib
import random
import uuid

CONDITIONS = [("44054006", "Diabetes mellitus type 2 (disorder)"), ("195967001", "Asthma (disorder)"),
              ("38341003", "Hypertensive disorder, systemic arterial (disorder)"),
              ("444814009", "Viral sinusitis (disorder)"), ("160903007", "Full-time employment (finding)"),
              ("10509002", "Acute bronchitis (disorder)"), ("128613002", "Seizure disorder (disorder)")]
VACCINES = [("140", "Influenza, seasonal, injectable, preservative free"), ("08", "Hep B, adolescent or pediatric"),
            ("03", "MMR"), ("21", "varicella"), ("20", "DTaP"), ("49", "Hib (PRP-OMP)"), ("10", "IPV")]
ALLERGENS = [("91935009", "Allergy to peanuts", "mild"), ("300913006", "Shellfish allergy", "severe"),
             ("91934008", "Allergy to nut", "moderate"), ("232347008", "Dander (animal) allergy", None)]
PER_PATIENT = {"AllergyIntolerance": 1, "Condition": 7, "Immunization": 12}
TAG = {"tag": [{"system": "https://example.org/tags", "code": "made-up"}]}


def concept(system, code, display):
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def status(kind, code):
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/" + kind, "code": code}]}


def identifier(code, display, system, value):
    return {"type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", code, display), "system": system,
            "value": value}


class Population:
    def __init__(self, seed=1):
        self.random = random.Random(seed)

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def date(self):
        return "%d-%02d-%02d" % (self.random.randint(1950, 2024), self.random.randint(1, 12),
                                 self.random.randint(1, 28))

    def instant(self):
        return "%sT%02d:%02d:19-05:00" % (self.date(), self.random.randint(0, 23), self.random.randint(0, 59))

    def patient(self, patient):
        us_core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
        return {
            "resourceType": "Patient", "id": patient,
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">%s</div>" % ("." * 300)},
            "extension": [
                {"url": us_core + kind, "extension": [
                    {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238",
                                                           "code": code, "display": text}},
                    {"url": "text", "valueString": text}]}
                for kind, code, text in [("race", "2106-3", "White"),
                                         ("ethnicity", "2186-5", "Not Hispanic or Latino")]] + [
                {"url": us_core + "birthsex", "valueCode": "F"},
                {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                 "valueAddress": {"city": "Boston", "state": "Massachusetts", "country": "US"}}],
            "identifier": [
                identifier("MR", "Medical Record Number", "http://hospital.example.org", self.id()),
                identifier("SS", "Social Security Number", "http://hl7.org/fhir/sid/us-ssn", "999-00-0000"),
                identifier("DL", "Driver's License", "urn:oid:2.16.840.1.113883.4.3.25", "S99900000"),
                identifier("PPN", "Passport Number", "http://example.org/passportNumber", "X00000000X")],
            "name": [{"use": "official", "family": "Made%d" % self.random.randint(0, 9999), "given": ["Up"]}],
            "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}], "gender": "female",
            "birthDate": self.date(),
            "address": [{"line": ["1 Example Street"], "city": "Boston", "state": "Massachusetts",
                         "postalCode": "02108", "country": "US"}],
            "multipleBirthBoolean": False,
            "communication": [{"language": concept("urn:ietf:bcp:47", "en-US", "English")}], "meta": TAG}

    def allergy(self, patient):
        code, display, severity = self.random.choice(ALLERGENS)
        resource = {
            "resourceType": "AllergyIntolerance", "id": self.id(),
            "clinicalStatus": status("allergyintolerance-clinical", "active"),
            "verificationStatus": status("allergyintolerance-verification", "confirmed"),
            "type": "allergy", "category": ["food"], "criticality": "low",
            "code": concept("http://snomed.info/sct", code, display), "patient": {"reference": "Patient/" + patient},
            "recordedDate": self.instant(), "meta": TAG}
        if severity is not None:
            resource["reaction"] = [{"manifestation": [concept("http://snomed.info/sct", "247472004", "Wheal")],
                                     "severity": severity}]
        return resource

    def condition(self, patient):
        code, display = self.random.choice(CONDITIONS)
        return {
            "resourceType": "Condition", "id": self.id(), "clinicalStatus": status("condition-clinical", "active"),
            "verificationStatus": status("condition-ver-status", "confirmed"),
            "code": concept("http://snomed.info/sct", code, display), "subject": {"reference": "Patient/" + patient},
            "encounter": {"reference": "Encounter/" + self.id()}, "onsetDateTime": self.instant(),
            "recordedDate": self.instant(), "meta": TAG}

    def immunization(self, patient):
        code, display = self.random.choice(VACCINES)
        return {
            "resourceType": "Immunization", "id": self.id(), "status": "completed",
            "vaccineCode": concept("http://hl7.org/fhir/sid/cvx", code, display),
            "patient": {"reference": "Patient/" + patient}, "encounter": {"reference": "Encounter/" + self.id()},
            "occurrenceDateTime": self.instant(), "primarySource": True, "meta": TAG}


def write(folder, resources, seed=1):
    """Writes about so many resources into `folder`, as bulk data comes: a file a type, each patient's together.
    Returns how many there are."""
    population = Population(seed)
    makers = {"Patient": population.patient, "AllergyIntolerance": population.allergy,
              "Condition": population.condition, "Immunization": population.immunization}
    patients = max(1, resources // (1 + sum(PER_PATIENT.values())))
    ids = [population.id() for _ in range(patients)]
    written = 0
    for kind, make in makers.items():
        with open(pathlib.Path(folder) / (kind + ".ndjson"), "w", encoding="utf-8") as out:
            for patient in ids:
                for _ in range(PER_PATIENT.get(kind, 1)):
                    out.write(json.dumps(make(patient), separators=(",", ":")) + "\n")
                    written += 1
    return written
