"""The servers that bench/speed compares, pinned to cores of their own, and the load generator that drives them all."""
import contextlib
import csv
import getpass
import io
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lib" / "python"))
import resp  # noqa: E402
import vc  # noqa: E402

PROGRAMS = vc.BUILD / "bench"
KEYS = 10_000
KEY_BYTES = len("allergies:000000000000")
CLOCK_OF_PROCESS = 2  # how Linux numbers the clocks of other processes: clock_getcpuclockid(3)
DESCRIPTORS = 256  # of a server or the load generator, besides connections


def first_of_its_core(processor):
    """Whether a processor is a core's first; the others of the core are slower while it works."""
    siblings = pathlib.Path("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % processor)
    return not siblings.exists() or int(re.match(r"\d+", siblings.read_text())[0]) == processor


class Cores:
    """Which cores the server runs on, and which the client. `server` is a list: its threads may use all of these."""

    def __init__(self, threads=1):
        cores = sorted(os.sched_getaffinity(0), key=lambda core: (not first_of_its_core(core), core))
        self.server = cores[:threads]
        self.client = cores[threads] if len(cores) > threads else cores[-1]
        self.shared = self.client in self.server

    def on_server(self, command):
        return ["taskset", "-c", ",".join(map(str, self.server))] + command

    def on_client(self, command):
        return ["taskset", "-c", str(self.client)] + command


def allow_connections(count):
    """Raises the limit of open files for this process and those it starts. How many connections it allows: `count`, or
    fewer where the system does not let us."""
    wanted = count + DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return count
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        return count
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted), hard))
        return min(count, hard - DESCRIPTORS)


class Server:
    """One server process on a port of its own, awaited until it serves. Subclasses say how it is started."""

    name = None
    protocol = "resp"

    def __init__(self, cores, value=512, keys=KEYS, megabytes=1024, connections=2000, threads=1, touches=10_000):
        self.cores, self.value, self.keys, self.megabytes = cores, value, keys, megabytes
        self.connections, self.threads, self.touches = connections, threads, touches
        self.folder = tempfile.TemporaryDirectory(prefix="vitalcache-bench-")
        self.held = vc.Port()
        self.port = self.held.number
        self.process = subprocess.Popen(
            cores.on_server(self.command()), cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.log = vc.Log(self.process.stdout)
        self.await_port()

    def command(self):
        raise NotImplementedError

    def await_port(self):
        assert self.log.wait_for(self.ready, 30) is not None, "%s does not start:\n%s" % (self.name, self.log.text())

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.resume()
        self.process.terminate()
        self.process.wait()
        self.held.release()
        self.folder.cleanup()

    def pause(self):
        """Takes the server off its core until resume(): what it does of its own accord is not to slow the others."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def resident(self):
        """Bytes of memory."""
        with open("/proc/%d/statm" % self.process.pid) as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self):
        """Processor time that the process has taken so far, to the nanosecond."""
        return time.clock_gettime((~self.process.pid << 3) | CLOCK_OF_PROCESS)

    def load(self, **options):
        """Runs the load generator; its report. Options as in `load --help`, with _ for -; True: a flag."""
        return run_load(self.port, self.cores, protocol=self.protocol, server_pid=self.process.pid,
                        **dict({"keys": self.keys, "value": self.value}, **options))

    def fill(self):
        """Every key once, as a cache before it gets them: written, or for vitalcached read from its source."""
        self.load(command="set", in_order=True, requests=self.keys, pipeline=64, connections=8)

    def get(self, number):
        """The value of one key, by a client of our own."""
        return self.call("GET", "allergies:%012d" % number)

    def client(self):
        return resp.Client(("127.0.0.1", self.port), 30.0)

    def call(self, *words):
        with self.client() as client:
            return client.call(*words)

    def accounted(self):
        """Bytes of memory that the server says it uses for what it holds."""
        return int(re.search(rb"used_memory:(\d+)", self.call("INFO", "memory"))[1])


class Vitalcached(Server):
    """bench_server: vitalcached as it is shipped, before a synthetic source that is polled every 250 ms."""

    name = "vitalcached"
    ready = vc.READY

    def command(self):
        return [str(PROGRAMS / "bench_server"), "--port", str(self.port), "--threads", str(self.threads), "--value",
                str(self.value), "--touches", str(self.touches), "--cache.l1.max_bytes", "%dMB" % self.megabytes,
                "--cache.l1.ttl", "1d", "--server.max_clients", str(self.connections)]

    def fill(self):
        self.load(command="get", in_order=True, requests=self.keys, pipeline=64, connections=8)

    def counters(self):
        return resp.flatten(self.call("STATS"))


class Redis(Server):
    """Debian's redis-server without persistence, as a cache."""

    name = "redis-server"
    ready = "Ready to accept"

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--maxclients", str(self.connections)]


    def redis_benchmark(self, connections, pipeline, requests):
        """The same requests by Redis's own load generator. It opens its connections within the time that we can look
        at, and that costs the server, too: so what a run of few requests costs is taken off."""
        few = requests // 8
        costs = []
        for count in (few, requests):
            before = self.processor_seconds()
            done = subprocess.run(self.cores.on_client(
                ["redis-benchmark", "-p", str(self.port), "-c", str(connections), "-P", str(pipeline), "-n", str(count),
                 "-r", str(self.keys), "--csv", "GET", "allergies:__rand_int__"]),
                capture_output=True, text=True, check=True, timeout=600)
            costs.append(self.processor_seconds() - before)
        row = list(csv.DictReader(io.StringIO(done.stdout)))[0]
        return {"rate": float(row["rps"]), "p50_us": 1000 * float(row["p50_latency_ms"]),
                "cpu_us": 1e6 * (costs[1] - costs[0]) / (requests - few)}


class RedisExpiring(Redis):
    """The same, its values with an expiry, as vitalcached's and memcached's have one."""

    name = "redis-server, with expiry"

    def fill(self):
        self.load(command="set", expires=True, in_order=True, requests=self.keys, pipeline=64, connections=8)


class Memcached(Server):
    """Debian's memcached."""

    name = "memcached"
    protocol = "memcached"

    def command(self):
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", str(self.threads), "-m",
                str(self.megabytes), "-c", str(self.connections), "-u", getpass.getuser()]

    def await_port(self):
        vc_wait_for_port(self)

    @contextlib.contextmanager
    def asked(self, command):
        with socket.create_connection(("127.0.0.1", self.port), 30) as plain, plain.makefile("rb") as replies:
            plain.sendall(command + b"\r\n")
            yield replies

    def get(self, number):
        with self.asked(b"get allergies:%012d" % number) as replies:
            return replies.read(int(replies.readline().split()[-1]))

    def accounted(self):
        with self.asked(b"stats") as replies:
            return next(int(line.split()[2]) for line in replies if line.startswith(b"STAT bytes "))


class EpollPeer(Server):
    """The least that a server can be: bench/epoll_peer.c."""

    name = "bare epoll"
    ready = "ready"

    def command(self):
        return [str(PROGRAMS / "epoll_peer"), str(self.port), str(self.keys), str(self.value)]

    def fill(self):
        pass


def vc_wait_for_port(server):
    """memcached says nothing when it is ready: it is once it takes a connection."""
    while True:
        assert server.process.poll() is None, "%s does not start:\n%s" % (server.name, server.log.text())
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            return
        except ConnectionRefusedError:
            continue


def load_command(port, cores, **options):
    command = [str(PROGRAMS / "load"), "--port", str(port)]
    for name, value in options.items():
        if value is not None and value is not False:
            command.append("--" + name.replace("_", "-"))
            command += [] if value is True else [str(value)]
    return cores.on_client(command)


def run_load(port, cores, **options):
    done = subprocess.run(load_command(port, cores, **options), capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, "the load generator failed: " + done.stderr
    return json.loads(done.stdout)


class Idle:
    """So many connections that each had one request answered and are idle now. `with` closes them at its end."""

    def __init__(self, server, count):
        self.process = subprocess.Popen(
            load_command(server.port, server.cores, protocol=server.protocol, keys=1, value=0, connections=count,
                         hold=True), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        assert self.process.stdout.readline(), "not all connections could be opened"
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
