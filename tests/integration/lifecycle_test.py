#!/usr/bin/python3
"""Signals and sockets: SIGTERM under load answers what was read and loses nothing acknowledged; SIGHUP takes over what
can be reloaded and refuses the rest by name; the Unix socket serves as TCP does."""
import json
import os
import pathlib
import signal
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

STUDENT = json.dumps({"first_name": "A", "last_name": "B", "birth_date": "2012-01-01", "gender": "F"})


def visits(reason):
    return json.dumps([{"id": "v", "date": "2026-01-01T00:00:00Z", "kind": "nurse", "reason": reason}])


class Terminate(unittest.TestCase):
    def test_answers_what_it_has_read(self):
        """A burst that arrives in one piece is read in one piece: once its first reply is here, the rest is owed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), vc.Server("--threads", "2") as server:
                with server.client() as client:
                    client.call("PUT", "student:1", STUDENT, "IF", "NEW")
                    burst = 50
                    client.send_raw(resp.encode("GET", "student:1") * burst)
                    client.read()
                    server.signal(number)
                    for _ in range(burst - 1):
                        self.assertIn(b"birth_date", client.read())
                    with self.assertRaises(resp.Closed):
                        client.read()
                self.assertEqual(server.wait(), 0)

    def test_loses_no_reply_to_a_client_whose_requests_nobody_reads(self):
        """What a closed connection has not read is answered with a reset, and the reset would throw away the replies
        that are still on their way to a client that reads slowly."""
        with vc.Server("--threads", "1") as server:
            with server.client() as client:
                client.call("PUT", "student:1", STUDENT, "IF", "NEW")
                reply = client.call("GET", "student:1")
                self.fill_pipe(client.sock, resp.encode("GET", "student:1") * 500)
                server.signal(signal.SIGTERM)
                self.assertIsNotNone(server.log.wait_for("info stopping", 30 * vc.SLOW))
                received = self.receive_all(client.sock)
            self.assertEqual(server.wait(), 0)
            frame = b"$%d\r\n%s\r\n" % (len(reply), reply)
            self.assertGreater(len(received), 0)
            self.assertTrue(received.endswith(frame), received[-2 * len(frame):])

    @staticmethod
    def fill_pipe(sock, data):
        """Sends until the server has stopped to read."""
        timeout = sock.gettimeout()
        sock.settimeout(0.2 * vc.SLOW)
        try:
            while True:
                sock.sendall(data)
        except TimeoutError:
            sock.settimeout(timeout)

    @staticmethod
    def receive_all(sock):
        received = bytearray()
        try:
            while True:
                data = sock.recv(65536)
                if not data:
                    break
                received += data
        except ConnectionResetError:
            pass
        return bytes(received)

    def test_writes_acknowledged_before_the_stop_are_there_after_it(self):
        server = vc.Server("--threads", "2")
        self.addCleanup(server.clean)
        server.start()
        with server.client() as client:
            for number in range(4):
                client.call("PUT", "student:%d" % number, STUDENT, "IF", "NEW")
        writers = [Writing(server, number) for number in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.under_way.wait(30 * vc.SLOW)
        self.assertEqual(server.stop(), 0, server.all_logs())
        for writer in writers:
            writer.join()
            self.assertIsNone(writer.fault)
        server.start()
        with server.client() as client:
            for writer in writers:
                found = int(json.loads(client.call("GET", writer.key))[0]["reason"])
                self.assertIn(found, (writer.last, writer.last + 1))
        self.assertEqual(server.stop(), 0)
        server.check_reports()

    def test_more_signals_do_not_make_it_a_failure(self):
        """A Ctrl-C reaches server and script, and the script then sends its own signal: whenever that comes."""
        for _ in range(3):
            with self.subTest(), vc.Server() as server:
                server.process.send_signal(signal.SIGINT)
                while server.process.poll() is None:
                    server.process.send_signal(signal.SIGTERM)
                self.assertEqual(server.process.returncode, 0)

    def test_idle_connections_do_not_hold_it_up(self):
        with vc.Server() as server:
            idle = [server.client() for _ in range(20)]
            half = server.client()
            half.send_raw(b"*2\r\n$3\r\nGET\r\n$100\r\nunfinished")
            idle[0].call("PING")
            self.assertEqual(server.stop(), 0)
            for client in idle + [half]:
                client.close()


class Writing(threading.Thread):
    """PUTs until it is cut off; knows the last value that was acknowledged."""

    def __init__(self, server, number):
        super().__init__()
        self.client = server.client()
        self.key = "visits:%d" % number
        self.last = 0
        self.under_way = threading.Event()
        self.fault = None

    def run(self):
        try:
            while True:
                self.client.call("PUT", self.key, visits(str(self.last + 1)), "IF", "FORCE")
                self.last += 1
                if self.last == 20:
                    self.under_way.set()
        except (resp.Closed, OSError):
            pass
        except resp.Error as error:
            if error.word != "UNAVAILABLE":
                self.fault = error
        finally:
            self.client.close()
            self.under_way.set()


class Reload(unittest.TestCase):
    def config_value(self, server, name):
        with server.client() as client:
            reply = client.call("CONFIG", "GET", name)
        return dict(resp.pairs(reply)).get(name.encode())

    def rewrite(self, server, text):
        (pathlib.Path(server.own) / "test.yaml").write_text(text)
        return server.reload()

    def test_takes_over_what_can_be_reloaded(self):
        with vc.Server(config="cache:\n  l1:\n    max_entries: 100\n") as server:
            before = self.config_value(server, "cache.l1.max_entries")
            self.rewrite(server, "cache:\n  l1:\n    max_entries: 200\n")
            after = self.config_value(server, "cache.l1.max_entries")
            self.assertNotEqual(before, after)
            self.assertIn(b"200", after)

    def test_a_bad_file_changes_nothing_and_the_server_goes_on(self):
        with vc.Server(config="cache:\n  l1:\n    max_entries: 100\n") as server:
            before = self.config_value(server, "cache.l1.max_entries")
            line = self.rewrite(server, "cache:\n  l1:\n    max_entries: nonsense\n")
            self.assertRegex(line, "error|warning")
            self.assertEqual(self.config_value(server, "cache.l1.max_entries"), before)

    def test_what_needs_a_restart_is_said(self):
        with vc.Server(config="cache:\n  l1:\n    shards: 16\n") as server:
            self.rewrite(server, "cache:\n  l1:\n    shards: 32\n")
            self.assertRegex(server.all_logs(), r"shards")
            with server.client() as client:
                self.assertEqual(client.call("PING"), "PONG")


class FullDatabase(unittest.TestCase):
    def test_refuses_writes_says_so_and_goes_on(self):
        with vc.Server("--database.map_size", "1MiB", "--database.map_size_max", "1MiB") as server:
            with server.client() as client:
                with self.assertRaises(resp.Error) as caught:
                    for number in range(10000):
                        client.call("PUT", "student:%d" % number, json.dumps({"note": "x" * 2000}), "IF", "NEW")
                self.assertEqual(caught.exception.word, "UNAVAILABLE")
                self.assertIn("map is full", caught.exception.text)
                self.assertIn(b"xxx", client.call("GET", "student:0"))
            self.assertIsNotNone(server.log.wait_for("error write failed error=MAP_FULL", 30 * vc.SLOW))


class UnixSocket(unittest.TestCase):
    def test_serves_as_tcp_does_and_is_gone_afterwards(self):
        with vc.temp_dir() as folder:
            path = str(folder / "vc.sock")
            with vc.Server("--socket", path) as server:
                with resp.Client(path) as client, server.client() as other:
                    client.call("PUT", "student:1", STUDENT, "IF", "NEW")
                    self.assertEqual(client.call("GET", "student:1"), other.call("GET", "student:1"))
                self.assertEqual(server.stop(), 0)
                self.assertFalse(os.path.exists(path))

    def test_a_socket_left_by_a_killed_server_does_not_hinder(self):
        with vc.temp_dir() as folder:
            path = str(folder / "vc.sock")
            with vc.Server("--socket", path) as server:
                server.kill()
                server.start()
                with resp.Client(path) as client:
                    self.assertEqual(client.call("PING"), "PONG")

    def test_a_file_in_its_place_is_not_touched(self):
        with vc.temp_dir() as folder:
            path = folder / "vc.sock"
            path.write_text("precious")
            server = vc.Server("--socket", path)
            self.addCleanup(server.clean)
            with self.assertRaises(vc.StartFault):
                server.start()
            self.assertEqual(path.read_text(), "precious")


if __name__ == "__main__":
    unittest.main()
