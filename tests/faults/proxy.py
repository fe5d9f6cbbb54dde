"""fault_proxy between any two processes, told what to break:

    with Proxy(("127.0.0.1", 5432)) as proxy:
            connect to proxy.address; proxy("cut", "down")
"""
import collections
import subprocess

import vc

PROGRAM = str(vc.BUILD / "tests" / "fault_proxy")

State = collections.namedtuple("State", "connections up down faults")


def written(address):
    return address if isinstance(address, str) else "%s:%d" % address


class Proxy:
    """upstream: (host, port) or the path of a Unix socket. listen: likewise; else a port of its own."""

    def __init__(self, upstream, listen=None):
        self.held = vc.Port() if listen is None else None
        self.address = listen if listen is not None else ("127.0.0.1", self.held.number)
        self.upstream = upstream
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([PROGRAM, written(self.address), written(self.upstream)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), "fault_proxy did not start: %r" % line
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        if self.held is not None:
            self.held.release()
        assert code == 0, "fault_proxy ended with %s" % code

    def __call__(self, *words):
        """Tells it a command; in force when this returns."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer[:1] == ["ok"], "fault_proxy: %s: %s" % (words, answer)
        return answer[1:]

    def state(self):
        return State(*map(int, self("state")))
