"""Real processes for the tests: a vitalcached on a free port with a folder of its own, awaited by events, stopped by
process id, its log kept, and no sanitizer report ever overlooked."""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import resp

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("VC_BUILD", ROOT / "build" / "release"))
SLOW = int(os.environ.get("VC_LANE_SLOW", "1"))  # how many times slower this build may be
VITALCACHED = str(BUILD / "bin" / "vitalcached")
VITALCACHE = str(BUILD / "bin" / "vitalcache")
READY = re.compile(r"\binfo ready\b|\"event\":\"ready\"")
RELOADED = re.compile(r"\b(info|warning|error) reload")
SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|broken promise|SUMMARY: \w+San)")


class StartFault(Exception):
    """The server ended before it was ready."""

    def __init__(self, code, log):
        super().__init__("vitalcached ended with %s before it was ready:\n%s" % (code, log))
        self.code = code
        self.log = log


@contextlib.contextmanager
def temp_dir():
    path = tempfile.mkdtemp(prefix="vitalcache-test-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Port:
    """A port that no other test uses: below the ephemeral range, guarded by a locked file for as long as it is held.
    (Asking the kernel for a free one and letting go of it would race: the server shares its port by SO_REUSEPORT.)"""

    FIRST, LAST = 21000, 29999

    def __init__(self):
        folder = pathlib.Path(tempfile.gettempdir()) / ("vitalcache-test-ports-%d" % os.getuid())
        folder.mkdir(exist_ok=True)
        start = os.getpid() * 7 % (self.LAST - self.FIRST)
        for step in range(self.LAST - self.FIRST):
            number = self.FIRST + (start + step) % (self.LAST - self.FIRST)
            self.lock = open(folder / str(number), "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.lock.close()
                continue
            if self.is_free(number):
                self.number = number
                return
            self.lock.close()
        raise AssertionError("no free port")

    @staticmethod
    def is_free(number):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                return False
        return True

    def release(self):
        self.lock.close()


class Log:
    """Collects a stream's lines on a thread; lets tests await a line."""

    def __init__(self, stream):
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.collect, args=(stream,), daemon=True)
        self.thread.start()

    def collect(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, pattern, timeout, skip=0):
        """The number of lines up to the first after `skip` that matches; None when the stream ended before one did."""
        def found():
            return next((n for n, line in enumerate(self.lines[skip:], skip + 1) if re.search(pattern, line)), None)

        with self.changed:
            if not self.changed.wait_for(lambda: found() or self.ended, timeout):
                raise AssertionError("no %r within %s s in the log:\n%s" % (pattern, timeout, "\n".join(self.lines)))
            return found()

    def text(self):
        with self.changed:
            return "\n".join(self.lines)


class Server:
    """A vitalcached. `with Server() as server:` starts it, and at the end stops it and checks what it said.

    database="postgres": before the database that `dsn` names; `types` is the text of a file of record types, or the
    path of one."""

    def __init__(self, *args, data=None, env=None, config=None, wrap=(), database="lmdb", dsn=None, types=None):
        self.args = [str(arg) for arg in args]
        self.env = dict(os.environ, **(env or {}))
        self.own = tempfile.mkdtemp(prefix="vitalcache-test-")
        if database != "lmdb":
            self.args += ["--database.kind", database]
        if dsn is not None:
            self.args += ["--database.postgres.dsn", dsn]
        if types is not None:
            self.args += ["--types.files", self.types_path(types)]
        self.data = pathlib.Path(data or os.path.join(self.own, "data"))
        self.config = config
        self.wrap = list(wrap)
        self.port_held = Port()
        self.port = self.port_held.number
        self.process = None
        self.log = None
        self.logs = []
        self.expected_reports = False

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.clean()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.running():
                code = self.stop()
                assert code == 0 or kind is not None, "exit code %s; log:\n%s" % (code, self.all_logs())
            self.check_reports()
        finally:
            if kind is not None:
                print("---- the server's log ----\n" + self.all_logs(), file=sys.stderr)
            self.clean()

    def clean(self):
        if self.running():
            self.kill()
        self.port_held.release()
        shutil.rmtree(self.own, ignore_errors=True)

    def types_path(self, types):
        if isinstance(types, pathlib.Path):
            return str(types)
        path = pathlib.Path(self.own) / "types.yaml"
        path.write_text(types)
        return str(path)

    def command_line(self):
        line = self.wrap + [VITALCACHED, "--port", str(self.port), "--data", str(self.data)]
        if self.config is not None:
            path = pathlib.Path(self.own) / "test.yaml"
            path.write_text(self.config)
            line += ["--config", str(path)]
        return line + self.args

    def start(self):
        """Starts and awaits the log's `ready`. Raises StartFault when the server gives up."""
        self.process = subprocess.Popen(self.command_line(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=self.env, cwd=self.own)
        self.log = Log(self.process.stderr)
        self.logs.append(self.log)
        if self.log.wait_for(READY, 30 * SLOW) is None:
            code = self.process.wait()
            raise StartFault(code, self.log.text())

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit code, after which the log is complete."""
        code = self.process.wait(30 * SLOW)
        self.log.thread.join()
        return code

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def restart(self):
        code = self.stop()
        assert code == 0, "exit code %s; log:\n%s" % (code, self.all_logs())
        self.start()

    def reload(self):
        """SIGHUP, and the line that says what came of it."""
        skip = len(self.log.lines)
        self.signal(signal.SIGHUP)
        number = self.log.wait_for(RELOADED, 30 * SLOW, skip)
        assert number is not None, "the server ended on SIGHUP:\n" + self.all_logs()
        return self.log.lines[number - 1]

    def client(self):
        return resp.Client(("127.0.0.1", self.port), 30.0 * SLOW)

    def all_logs(self):
        return "\n".join(log.text() for log in self.logs)

    def check_reports(self):
        report = SANITIZER.search(self.all_logs())
        assert self.expected_reports or report is None, "a sanitizer or an assert spoke:\n" + self.all_logs()

    def counters(self):
        with self.client() as client:
            return resp.flatten(client.call("STATS"))

    def memory(self):
        """Resident bytes of the process."""
        with open("/proc/%d/statm" % self.process.pid) as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def vitalcache(server, *args, check=True, stdin=None):
    """Runs the vitalcache command against `server`; its CompletedProcess, output as text."""
    done = subprocess.run([VITALCACHE, "--port", str(server.port), *map(str, args)], capture_output=True, text=True,
                          input=stdin, timeout=120 * SLOW)
    assert not SANITIZER.search(done.stderr), done.stderr
    if check:
        assert done.returncode == 0, "%s: exit code %d\n%s%s" % (args, done.returncode, done.stdout, done.stderr)
    return done


def sample(folder, students=50, seed=1):
    subprocess.run([VITALCACHE, "sample", "--students", str(students), "--seed", str(seed), str(folder)], check=True,
                   capture_output=True, timeout=60 * SLOW)


def data_folder():
    """The folder of public data sets, or None where it is absent."""
    for place in (os.environ.get("VITALCACHE_TEST_DATA"), ROOT.parent / "shared" / "data"):
        if place and pathlib.Path(place).is_dir():
            return pathlib.Path(place)
    return None
