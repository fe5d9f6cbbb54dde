#!/usr/bin/python3
"""What ERASE STUDENT leaves behind: a text that stands in no other student's records is written, read in all ways by
several connections, and erased; then the server's own memory is searched for it."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

ID = "erased-7731"
MARK = 'Zq7"varnishski'            # as msgpack has it, and the database
MARK_JSON = json.dumps(MARK)[1:-1]  # as replies, requests and half of L1 have it
TYPES = ("student", "allergies", "conditions", "vaccinations", "visits", "summary")


def mappings(pid):
    """(name, bytes) of each readable part of a process's memory, the database file's own pages left out."""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            start, end, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            if rights[0] != "r" or name.startswith("[v") or name.endswith("data.mdb"):
                continue
            memory.seek(int(start, 16))
            yield name or "anonymous", memory.read(int(end, 16) - int(start, 16))


def count_in_memory(server, needle):
    return sum(data.count(needle) for _, data in mappings(server.process.pid))


def write_all(client):
    rows = [{"student": ID, "id": "v%d" % n, "date": "2026-01-0%d" % (n % 9 + 1), "reason": MARK} for n in range(200)]
    client.call("PUT", "student:" + ID, json.dumps({"first_name": MARK, "last_name": MARK}), "IF", "NEW")
    client.call("PUT", "allergies:" + ID, json.dumps([{"id": "a", "display": MARK}]), "IF", "NEW")
    client.call("PUT", "allergies:" + ID, json.dumps([{"id": "a", "display": MARK * 3}]), "IF", "FORCE")
    client.call("IMPORT", "visits", json.dumps(rows))
    for wrong in ([{"id": "a", "severity": MARK}], [{"id": "a", "onset": MARK}]):
        assert isinstance(client.ask("PUT", "allergies:" + ID, json.dumps(wrong), "IF", "FORCE"), resp.Error)


def read_all(client):
    for form in ("json", "msgpack", "json"):
        client.call("CLIENT", "FORMAT", form)
        for name in TYPES * 2:
            client.call("GET", "%s:%s" % (name, ID))
        client.call("MGET", *("%s:%s" % (name, ID) for name in TYPES))
    client.send_raw(b"get visits:%s\r\n" % ID.encode())
    client.read()


@unittest.skipIf(vc.SLOW > 1, "sanitizers keep freed memory as it was, to find its misuse")
class Erasure(unittest.TestCase):
    def test_memory_keeps_nothing_of_an_erased_student(self):
        with vc.Server("--threads", "3") as server:
            clients = [server.client() for _ in range(6)]
            subscriber = server.client()
            subscriber.call("SUBSCRIBE", "invalidations")
            clients[0].call("PUT", "student:1", json.dumps({"first_name": "Other"}), "IF", "NEW")
            write_all(clients[0])
            for client in clients:
                read_all(client)
            self.assertGreater(count_in_memory(server, MARK_JSON.encode()), 200, "a search that finds nothing")
            self.assertGreater(count_in_memory(server, b"visits:" + ID.encode() + b"\xdc"), 0)
            clients[1].call("ERASE", "STUDENT", ID)
            self.assertEqual(count_in_memory(server, MARK_JSON.encode()), 0)
            for name in TYPES:  # an entry of L1: its key, its value
                self.assertEqual(count_in_memory(server, b"%s:%s[" % (name.encode(), ID.encode())), 0)
                self.assertEqual(count_in_memory(server, b"%s:%s{" % (name.encode(), ID.encode())), 0)
                for head in b"\xdc", b"\x91", b"\x83", b"\x85":
                    self.assertEqual(count_in_memory(server, b"%s:%s%s" % (name.encode(), ID.encode(), head)), 0)
            self.assertEqual(server.counters()["tiers.l1.entries"], 0)
            for client in clients:
                client.close()
            subscriber.close()


if __name__ == "__main__":
    unittest.main()
