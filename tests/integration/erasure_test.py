#!/usr/bin/python3
"""What ERASE STUDENT leaves behind: a text that stands in no other student's records is written, read in all ways by
several connections, and erased; then all memory of the server is searched for it, but for the pages of the database
file that are mapped into it: those are the file's, and `vitalcache compact` leaves them behind."""
import json
import pathlib
import re
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

ID = "erased-7731"
OTHER_ID = "merged-7731"  # of the same person
NAME = "Zq7varnishski"
MARKS = (NAME + '"x', json.dumps(NAME + '"x')[1:-1])  # as msgpack and the database have it; as JSON has it
LARGE = 5000                                        # characters: more than a page of the database holds
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
    mark = MARKS[0]
    rows = [{"student": ID, "id": "v%d" % n, "date": "2026-01-0%d" % (n % 9 + 1), "reason": mark,
             "resource": json.dumps({"resourceType": "Encounter", "id": "v%d" % n, "note": mark})} for n in range(200)]
    others = [{"student": "1", "id": "o%d" % n, "date": "2026-01-05", "reason": "o" * 100} for n in range(2000)]
    client.call("PUT", "student:" + ID, json.dumps({"first_name": mark, "last_name": mark}), "IF", "NEW")
    client.call("PUT", "allergies:" + ID, json.dumps([{"id": "a", "display": mark}]), "IF", "NEW")
    large = [{"id": "a", "display": mark + "." * LARGE + mark}]
    client.call("PUT", "allergies:" + ID, json.dumps(large), "IF", "FORCE")
    client.call("IMPORT", "visits", json.dumps(rows))
    client.call("IMPORT", "merges", json.dumps([{"student": OTHER_ID, "id": "into", "into": ID}]))
    client.call("IMPORT", "visits", json.dumps(others + [dict(rows[0], id="w")]))
    for wrong in ([{"id": "a", "severity": mark}], [{"id": "a", "onset": mark}]):
        assert isinstance(client.ask("PUT", "allergies:" + ID, json.dumps(wrong), "IF", "FORCE"), resp.Error)


def read_all(client):
    for form in ("json", "msgpack", "json"):
        client.call("CLIENT", "FORMAT", form)
        for name in TYPES * 2:
            assert client.call("GET", "%s:%s" % (name, ID)) == client.call("GET", "%s:%s" % (name, OTHER_ID))
        client.call("MGET", *("%s:%s" % (name, ID) for name in TYPES))
    client.send_raw(b"get visits:%s\r\n" % ID.encode())
    client.read()


def read_until(server, stop, faults):
    """Reads of all types, made void before, so that they go to the database."""
    try:
        with server.client() as client:
            while not stop.is_set():
                client.call("INVALIDATE", "STUDENT", ID)
                for name in TYPES:
                    client.call("GET", "%s:%s" % (name, ID))
    except Exception as fault:  # noqa: BLE001  # carried to the main thread, which fails with it
        faults.append(fault)


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
            for mark in MARKS:
                self.assertGreater(count_in_memory(server, mark.encode()), 200, "a search that finds nothing")
            clients[1].call("ERASE", "STUDENT", ID)
            for mark in MARKS:
                self.assertEqual(count_in_memory(server, mark.encode()), 0, mark)
            self.assertEqual(count_in_memory(server, NAME.encode()), 0, "parts of it")
            self.assertEqual(server.counters()["tiers.l1.entries"], 0)
            for client in clients:
                client.close()
            subscriber.close()

    def test_reads_under_way_put_nothing_back(self):
        with vc.Server("--threads", "3") as server, server.client() as client:
            client.call("PUT", "student:1", json.dumps({"first_name": "Other"}), "IF", "NEW")
            for _ in range(5):
                write_all(client)
                stop, faults = threading.Event(), []
                readers = [threading.Thread(target=read_until, args=(server, stop, faults)) for _ in range(4)]
                for reader in readers:
                    reader.start()
                read_all(client)
                client.call("ERASE", "STUDENT", ID)
                stop.set()
                for reader in readers:
                    reader.join()
                self.assertEqual(faults, [])
                self.assertEqual(count_in_memory(server, NAME.encode()), 0)


if __name__ == "__main__":
    unittest.main()
