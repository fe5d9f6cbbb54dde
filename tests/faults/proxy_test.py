#!/usr/bin/python3
"""Each fault of fault_proxy, between a client and a server of the test's own."""
import contextlib
import pathlib
import select
import socket
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib" / "python")]

import vc  # noqa: E402
from proxy import Proxy  # noqa: E402

PATIENCE = 20 * vc.SLOW


class Echo:
    """Answers each line with `re: ` and the line; keeps all that it got."""

    def __init__(self, path=None):
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(path or ("127.0.0.1", 0))
        self.listener.listen()
        self.address = path or self.listener.getsockname()
        self.got = b""
        self.changed = threading.Condition()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                with self.changed:
                    self.got += data
                    self.changed.notify_all()
                connection.sendall(b"re: " + data)

    def await_bytes(self, wanted):
        with self.changed:
            assert self.changed.wait_for(lambda: wanted in self.got, PATIENCE), (wanted, self.got)


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.server = Echo()
        self.stack.callback(self.server.listener.close)
        self.proxy = self.stack.enter_context(Proxy(self.server.address))

    def client(self, address=None):
        address = address or self.proxy.address
        client = self.stack.enter_context(socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET))
        client.settimeout(PATIENCE)
        client.connect(address)
        return client

    def ask(self, client, text):
        client.sendall(text)
        return self.read(client, len(text) + 4)

    def read(self, client, count):
        data = b""
        while len(data) < count and (more := client.recv(count - len(data))):
            data += more
        return data

    def broken(self, client):
        """Whether the connection is at its end, with nothing more to read."""
        try:
            return client.recv(1) == b""
        except ConnectionResetError:
            return True

    @staticmethod
    def silent(client):
        """Nothing has come, after all that the proxy had to do was done."""
        return not select.select([client], [], [], 0)[0]

    def test_passes(self):
        first, second = self.client(), self.client()
        self.assertEqual(self.ask(first, b"one\n"), b"re: one\n")
        self.assertEqual(self.ask(second, b"two\n"), b"re: two\n")
        self.assertEqual(self.ask(first, b"x" * 1000000)[:8], b"re: xxxx")
        self.assertEqual(self.proxy.state()[:2], (2, 1000008))

    def test_the_end_of_either_side_arrives(self):
        client = self.client()
        self.assertEqual(self.ask(client, b"one\n"), b"re: one\n")
        client.shutdown(socket.SHUT_WR)
        self.assertTrue(self.broken(client))

    def test_unix_sockets(self):
        with vc.temp_dir() as folder:
            server = Echo(str(folder / "server"))
            with contextlib.closing(server.listener), Proxy(server.address, str(folder / "proxy")) as proxy:
                self.assertEqual(self.ask(self.client(proxy.address), b"one\n"), b"re: one\n")

    def test_delay_of_each_way(self):
        client = self.client()
        for way in ("up", "down"):
            self.proxy("pass")
            self.proxy("delay", 120, way)
            began = time.monotonic()
            self.assertEqual(self.ask(client, b"one\n"), b"re: one\n")
            self.assertGreaterEqual(time.monotonic() - began, 0.12)

    def test_cut_upwards_holds_until_healed(self):
        client = self.client()
        self.ask(client, b"one\n")
        self.proxy("cut", "up")
        client.sendall(b"two\n")
        other = self.client()
        other.sendall(b"three\n")
        self.proxy.state()
        self.assertEqual(self.server.got, b"one\n")
        self.assertTrue(self.silent(client))
        self.proxy("pass")
        self.assertEqual(self.read(client, 8), b"re: two\n")
        self.assertEqual(self.read(other, 10), b"re: three\n")

    def test_cut_downwards_lets_requests_arrive(self):
        client = self.client()
        self.proxy("cut", "down")
        client.sendall(b"one\n")
        self.server.await_bytes(b"one\n")
        self.proxy.state()
        self.assertTrue(self.silent(client))
        self.proxy("pass")
        self.assertEqual(self.read(client, 8), b"re: one\n")

    def test_a_cut_hides_the_end_as_well(self):
        client = self.client()
        self.ask(client, b"one\n")
        self.proxy("cut")
        client.close()
        self.assertEqual(self.proxy.state().connections, 1)

    def test_reset_breaks_all(self):
        clients = [self.client(), self.client()]
        for client in clients:
            self.ask(client, b"one\n")
        self.proxy("reset")
        self.assertEqual([self.broken(client) for client in clients], [True, True])
        self.assertEqual(self.proxy.state().connections, 0)
        self.assertEqual(self.ask(self.client(), b"two\n"), b"re: two\n")

    def test_reset_in_the_middle_of_a_frame(self):
        client = self.client()
        self.proxy("reset-after", 5, "down")
        client.sendall(b"one\n")
        self.assertEqual(self.read(client, 5), b"re: o")
        self.assertTrue(self.broken(client))
        client = self.client()
        self.proxy("reset-after", 2, "up")
        client.sendall(b"TWO\n")
        self.server.await_bytes(b"TW")
        self.assertNotIn(b"TWO", self.server.got)

    def test_commit_lost_is_carried_out(self):
        client, other = self.client(), self.client()
        self.proxy("commit-lost")
        self.assertEqual(self.ask(client, b"UPDATE\n"), b"re: UPDATE\n")
        client.sendall(b"COMMIT\n")
        self.assertTrue(self.broken(client))
        self.server.await_bytes(b"COMMIT\n")
        self.assertEqual(self.ask(other, b"UPDATE\n"), b"re: UPDATE\n")

    def test_commit_eaten_is_not(self):
        client = self.client()
        self.proxy("commit-eaten")
        self.ask(client, b"UPDATE\n")
        client.sendall(b"COMMIT\n")
        self.assertTrue(self.broken(client))
        self.assertEqual(self.server.got, b"UPDATE\n")

    def test_refuses_and_accepts(self):
        client = self.client()
        self.ask(client, b"one\n")
        self.proxy("refuse")
        self.assertTrue(self.broken(self.client()))
        self.assertEqual(self.ask(client, b"two\n"), b"re: two\n")
        self.proxy("accept")
        self.assertEqual(self.ask(self.client(), b"three\n"), b"re: three\n")

    def test_without_a_server_connections_break(self):
        self.server.listener.close()
        with vc.temp_dir() as folder, Proxy(str(folder / "nobody")) as proxy:
            self.assertTrue(self.broken(self.client(proxy.address)))

    def test_says_what_it_does_not_know(self):
        for words in (("fly",), ("delay", "soon"), ("cut", "sideways"), ("reset-after", "5"),
                      ("reset-after", "x", "up")):
            with self.assertRaises(AssertionError):
                self.proxy(*words)


if __name__ == "__main__":
    unittest.main()
