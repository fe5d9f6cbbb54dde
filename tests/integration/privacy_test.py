#!/usr/bin/python3
"""No patient data in any log line, metric or description: names and ids are planted in every place where a client
can put them, all the while the log is at its most talkative; afterwards nothing that the server has said of itself has
any of them. Errors may quote the key that the client itself sent, but never a value."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

PLANTED_ID = "zqxid7731"
PLANTED_NAME = "Zzyzxvarnishski"
STUDENT = {"first_name": PLANTED_NAME, "last_name": PLANTED_NAME, "birth_date": "2012-01-01", "gender": "F"}
ALLERGY = {"id": PLANTED_ID, "code": "1", "system": "S", "display": PLANTED_NAME, "type": "allergy", "category": "food",
           "severity": "MILD", "status": "active", "onset": "2020-01-01"}

COMMANDS = [
    ("PUT", "student:" + PLANTED_ID, json.dumps(STUDENT), "IF", "NEW"),
    ("PUT", "allergies:" + PLANTED_ID, json.dumps([ALLERGY]), "IF", "NEW"),
    ("PUT", "allergies:" + PLANTED_ID, json.dumps([ALLERGY]), "IF", "NEW"),                          # CONFLICT
    ("PUT", "allergies:" + PLANTED_ID, json.dumps([dict(ALLERGY, severity=PLANTED_NAME)]), "IF", "FORCE"),
    ("PUT", "allergies:" + PLANTED_ID, json.dumps([dict(ALLERGY, onset=PLANTED_NAME)]), "IF", "FORCE"),
    ("PUT", "allergies:" + PLANTED_ID, '[{"display":"%s"' % PLANTED_NAME, "IF", "FORCE"),             # cut JSON
    ("PUT", "allergies:unknown" + PLANTED_ID, json.dumps([ALLERGY]), "IF", "FORCE"),                  # NOSTUDENT
    ("PUT", "summary:" + PLANTED_ID, json.dumps(STUDENT), "IF", "FORCE"),                             # READONLY
    ("PUT", "allergies:" + PLANTED_ID, json.dumps([ALLERGY]), "IF", PLANTED_NAME),                    # BADTOKEN
    ("IMPORT", "allergies", json.dumps([dict(ALLERGY, student="orphan" + PLANTED_ID)])),
    ("IMPORT", "students", json.dumps([dict(STUDENT, birth_date=PLANTED_NAME, student=PLANTED_ID)])),
    ("GET", "allergies:" + PLANTED_ID),
    ("GET", "allergies:" + PLANTED_ID, "WITHMETA"),
    ("GET", "allergies:" + PLANTED_ID, "ALLOWSTALE", "looking for " + PLANTED_NAME),
    ("GET", PLANTED_NAME + ":" + PLANTED_ID),
    ("GET", PLANTED_ID),
    ("GET", "allergies:" + PLANTED_ID + "\x01"),
    ("GET", "allergies:" + PLANTED_ID, PLANTED_NAME),
    ("MGET", "allergies:" + PLANTED_ID, "nonsense:" + PLANTED_ID),
    ("EXPLAIN", "allergies:" + PLANTED_ID),
    ("SET", "allergies:" + PLANTED_ID, PLANTED_NAME),
    ("DEL", "allergies:" + PLANTED_ID),
    ("INVALIDATE", "STUDENT", PLANTED_ID),
    ("INVALIDATE", "TAG", "student:%s/%s" % (PLANTED_ID, PLANTED_NAME)),
    ("PUBLISH", "invalidations", json.dumps({"tags": ["student:%s" % PLANTED_ID]})),
    ("PUBLISH", PLANTED_NAME, PLANTED_ID),
    ("ACTOR", PLANTED_NAME),
    ("AUTH", PLANTED_NAME, PLANTED_ID),
    ("CLIENT", "SETNAME", PLANTED_NAME),
    ("CONFIG", "GET", PLANTED_NAME),
    ("CONFIG", "SET", PLANTED_NAME, PLANTED_ID),
    (PLANTED_NAME, PLANTED_ID),
    ("ERASE", "STUDENT", PLANTED_ID),
]
TOLD_OF_ITSELF = [("STATS",), ("INFO",), ("INFO", "everything"), ("HEALTH",), ("COMMAND",), ("CONFIG", "GET", "*")]
BROKEN = [b"*1\r\n$999999999999\r\n" + PLANTED_NAME.encode(), b"GET \"" + PLANTED_NAME.encode() + b"\r\n",
          b"*-7\r\n" + PLANTED_ID.encode(), b"*1\r\n+" + PLANTED_NAME.encode() + b"\r\n"]


class Privacy(unittest.TestCase):
    def assert_clean(self, what, text):
        for planted in (PLANTED_ID, PLANTED_NAME):
            self.assertNotIn(planted.lower(), text.lower(), what)

    def test_planted_names_and_ids_appear_nowhere(self):
        with vc.Server(config="log:\n  level: debug\n") as server:
            with server.client() as client:
                for command in COMMANDS:
                    reply = client.ask(*command)
                    if isinstance(reply, resp.Error):
                        self.check_error(command, reply)
                for bytes_ in BROKEN:
                    with server.client() as broken:
                        broken.send_raw(bytes_)
                        broken.sock.shutdown(1)
                        self.assertRaises(resp.Closed, lambda c=broken: [c.fill() for _ in range(100)])
            with server.client() as client:
                for command in TOLD_OF_ITSELF:
                    reply = client.ask(*command)
                    self.assertNotIsInstance(reply, resp.Error, command)
                    self.assert_clean(command, resp.raw(reply))
            server.stop()
            self.assertGreater(len(server.log.lines), 0)
            self.assert_clean("the log", server.all_logs())

    def check_error(self, command, error):
        """An error may quote the client's own key; the name that stood in a value is never repeated."""
        sent_as_value = command[0] in ("PUT", "IMPORT") and PLANTED_NAME in command[2]
        if sent_as_value:
            self.assertNotIn(PLANTED_NAME.lower(), error.text.lower(), command)
        if command[0] == "MGET":
            self.assertNotIn(PLANTED_ID, error.text, command)


if __name__ == "__main__":
    unittest.main()
