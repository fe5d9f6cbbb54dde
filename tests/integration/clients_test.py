#!/usr/bin/python3
"""Clients that are many, greedy or slow: what they cost, and that the others are served. All by counts and limits. A
pipeline of VC_PIPELINE_BYTES bytes is streamed (default 48 MB; 1 GB in `make soak`)."""
import contextlib
import os
import pathlib
import re
import resource
import socket
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

KIB, MIB = 1 << 10, 1 << 20
SANITIZED = vc.SLOW > 1  # whose memory is the sanitizer's
PIPELINE = int(os.environ.get("VC_PIPELINE_BYTES", 4 * MIB if SANITIZED else 48 * MIB))
IDLE = 1000 if SANITIZED else 10000
WARM = 200
OURS = 300  # descriptors of this process that are no connections
PONG = b"+PONG\r\n"


def info(client):
    """INFO's lines, numbers as numbers."""
    lines = client.call("INFO").decode().splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return {name: int(value) if value.isdigit() else value for name, value in found.items()}


def most_resident(server):
    status = pathlib.Path("/proc/%d/status" % server.process.pid).read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * KIB


def connected(client, count):
    """Waits until there are so many connections, in as many questions as it takes; INFO then."""
    while True:
        facts = info(client)
        if facts["connected_clients"] == count:
            return facts


class Idle(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.count = min(IDLE, hard - OURS)

    def connect(self, server, stack, count):
        """Half of them say something, and are answered, before they are idle."""
        for number in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30 * vc.SLOW))
            if number % 2 == 0:
                sock.sendall(b"PING\r\n" if number % 4 == 0 else resp.encode("MGET", *["student:1"] * 10))
                self.assertGreater(len(sock.recv(4096)), 0)

    def test_ten_thousand(self):
        config = "server: {max_clients: 11000, threads: 2}\n"
        with vc.Server(config=config) as server, server.client() as client, contextlib.ExitStack() as stack:
            self.assertEqual(client.call("PING"), resp.Simple("PONG"))  # its own memory is what it will be
            self.connect(server, stack, WARM)
            before, resident = connected(client, 1 + WARM), server.memory()
            self.assert_sums_up(client, before["used_memory_clients"])
            self.connect(server, stack, self.count - WARM)
            after, grown = connected(client, 1 + self.count), server.memory() - resident
            more = self.count - WARM
            accounted = after["used_memory_clients"] - before["used_memory_clients"]
            print("%d idle connections: %d bytes each by the accounts, %d resident" % (
                more, accounted // more, grown // more), file=sys.stderr)
            self.assertLess(accounted, more * 2 * KIB)
            if not SANITIZED:
                self.assertLess(grown, more * 4 * KIB)
                self.assertLess(accounted, grown)  # nothing is accounted that is not there
            self.assertEqual(client.call("PING"), resp.Simple("PONG"))
            stack.close()
            self.assertLess(connected(client, 1)["used_memory_clients"], 64 * KIB)

    def assert_sums_up(self, client, accounted):
        """Each client's share, but for the reply that tells it, is in the account, and nothing else is."""
        lines = client.call("CLIENT", "LIST").decode().splitlines()
        total, replies = (sum(int(re.search(name + r"=(\d+)", line)[1]) for line in lines)
                          for name in (" tot-mem", " omem"))
        self.assertEqual(len(lines), 1 + WARM)
        self.assertEqual(total - replies, accounted)

    def test_as_many_as_there_are_descriptors(self):
        """The limit cannot be raised here, by root neither."""
        wrap = ["prlimit", "--nofile=300:300"]
        if os.geteuid() == 0:
            wrap = ["setpriv", "--bounding-set=-sys_resource", *wrap]
        with vc.Server("--threads", "1", wrap=wrap) as server, contextlib.ExitStack() as stack:
            self.assertIn("fewer clients than server.max_clients", server.log.text())
            client = stack.enter_context(server.client())
            most = info(client)["maxclients"]
            self.assertEqual(most, 300 - 128)
            self.connect(server, stack, most - 1)
            with server.client() as late:
                self.assertEqual(late.read(), resp.Error("LIMIT max number of clients reached (server.max_clients)"))
            self.assertEqual(client.call("PING"), resp.Simple("PONG"))


class Greedy(unittest.TestCase):
    def test_a_pipeline_without_end(self):
        """The others, of the same worker, have their turns all the while; the server holds a turn's worth of it."""
        word = b"x" * (16 * KIB)
        block = resp.encode("GET", "student:none") * 64 + resp.encode("ECHO", word)
        reply_length = 64 * len(b"$-1\r\n") + len(b"$%d\r\n\r\n" % len(word)) + len(word)
        blocks = PIPELINE // len(block)
        turns = "limits: {client_turn_words: 64}\n"
        with vc.Server("--threads", "1", config=turns) as server, server.client() as other, \
                server.client() as greedy:
            self.assertIsNone(other.call("GET", "student:none"))
            peak = most_resident(server)
            sender = threading.Thread(target=lambda: [greedy.sock.sendall(block * 8) for _ in range(blocks // 8)])
            receiver = threading.Thread(target=self.receive, args=(greedy.sock, blocks // 8 * 8 * reply_length))
            self.received, most, answers = 0, 0, 0
            sender.start()
            receiver.start()
            while receiver.is_alive():
                most = max(most, info(other)["used_memory_clients"])
                answers += 1
            sender.join()
            stats = server.counters()
            print("%d MB streamed: %d answers to another meanwhile, %d turns given up, clients held %d KB" % (
                PIPELINE // MIB, answers, stats["turns_given_up"], most // KIB), file=sys.stderr)
            self.assertEqual(self.received, blocks // 8 * 8 * reply_length)
            self.assertGreaterEqual(stats["turns_given_up"], blocks)  # two words a GET: two turns a block, or more
            self.assertGreater(answers, PIPELINE // MIB // 4)
            self.assertLess(most, 2 * MIB)
            if not SANITIZED:
                self.assertLess(most_resident(server) - peak, 8 * MIB)
            self.assertEqual(greedy.call("PING"), resp.Simple("PONG"))

    def receive(self, sock, length):
        while self.received < length:
            got = len(sock.recv(MIB))
            if got == 0:
                return
            self.received += got

    def test_all_together(self):
        """Sixteen clients begin requests that are more than all may hold: so many are closed that the rest is not."""
        limit = 8000000
        limits = "limits: {client_memory: 8MB, client_input: 4MB, client_output: 4MB, bulk: 2MB}\n"
        begun = b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % MIB + b"x" * (MIB - 1)
        with vc.Server("--threads", "2", config=limits) as server, server.client() as other, \
                contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for _ in range(16)]
            for client in clients:
                with contextlib.suppress(ConnectionError):
                    client.send_raw(begun)
                facts = info(other)
                self.assertLess(facts["used_memory_clients"], limit + 4 * MIB)
            survivors = sum(self.ends_well(client) for client in clients)
            facts = info(other)
            self.assertEqual(facts["evicted_clients"], len(clients) - survivors)
            self.assertGreaterEqual(survivors, 3)
            self.assertGreater(facts["evicted_clients"], 3)
            self.assertIsNotNone(server.log.wait_for("all together hold more than limits.client_memory", 30 * vc.SLOW))

    @staticmethod
    def ends_well(client):
        """Whether the client gets the reply to what it has begun."""
        try:
            client.send_raw(b"x\r\n")
            return len(client.read()) == MIB
        except (resp.Closed, ConnectionError):
            return False


class Slow(unittest.TestCase):
    def never_reads(self, server):
        """A client that sends requests until nothing more is taken; how many bytes that were."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.connect(("127.0.0.1", server.port))
        sock.settimeout(1 * vc.SLOW)
        block = resp.encode("ECHO", b"x" * (16 * KIB)) * 16
        sent = 0
        with contextlib.suppress(TimeoutError, ConnectionError):
            while True:
                sent += sock.send(block)
        return sock, sent

    def test_it_is_paused_then_closed(self):
        with vc.Server("--threads", "1", config="limits: {client_output_stall: 2s}\n") as server, \
                server.client() as other:
            sock, sent = self.never_reads(server)
            with sock:
                self.assertLess(sent, 64 * MIB)  # the kernel's buffers
                self.assertLess(info(other)["used_memory_clients"], 2 * MIB)
                self.assertIsNotNone(server.log.wait_for("it took nothing of what waited for it", 30 * vc.SLOW))
                stats = server.counters()
                self.assertGreaterEqual(stats["output_pauses"], 1)
                self.assertEqual(stats["connections_stalled"], 1)
                self.assertLess(stats["bytes_received"], sent + KIB)
                self.assertLess(connected(other, 1)["used_memory_clients"], 64 * KIB)

    def test_a_subscriber_that_never_reads(self):
        limits = "limits: {subscriber_output: 64KB}\n"
        tags = ",".join('"student:%d"' % number for number in range(2000))
        with vc.Server("--threads", "1", config=limits) as server, server.client() as other, socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(resp.encode("SUBSCRIBE", "invalidations"))
            sock.recv(1)
            published = 0
            while other.call("PUBLISH", "invalidations", '{"tags":[%s]}' % tags) == 1:
                published += 1
                self.assertLess(published, 10000)
            self.assertGreater(published, 1)
            self.assertEqual(server.counters()["connections_overflowed"], 1)
            self.assertIsNotNone(server.log.wait_for("limit=hard", 30 * vc.SLOW))


if __name__ == "__main__":
    unittest.main()
