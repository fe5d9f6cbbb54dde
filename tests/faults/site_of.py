"""What every scenario stands on: a PostgreSQL with a small school in it, vitalcached before it, fault_proxy on the ways
between them, and fault_driver at both ends."""
import contextlib
import json
import os
import pathlib
import subprocess

import pg
import pg_site
import vc
from proxy import Proxy

DRIVER = str(vc.BUILD / "tests" / "fault_driver")
ROLE, ROLE_PASSWORD = "node", "the node's"
KEYS, MISSING = 200, 10
THREADS, POOL = 2, 4

TABLES = """
CREATE TABLE students (id bigint PRIMARY KEY);
CREATE TABLE allergies (student_id bigint NOT NULL REFERENCES students ON DELETE CASCADE, n int NOT NULL,
                        version bigint NOT NULL, PRIMARY KEY (student_id, n)) PARTITION BY RANGE (student_id);
CREATE TABLE allergies_low PARTITION OF allergies FOR VALUES FROM (1) TO (100);
CREATE TABLE allergies_high PARTITION OF allergies FOR VALUES FROM (100) TO (100000);
CREATE TABLE conditions (student_id bigint PRIMARY KEY REFERENCES students ON DELETE CASCADE,
                         version bigint NOT NULL);
INSERT INTO students SELECT generate_series(1, %d);
INSERT INTO allergies SELECT id, n, 1 FROM students, generate_series(1, 2) AS n;
INSERT INTO conditions SELECT id, 1 FROM students;
ANALYZE;
""" % KEYS

TYPES = """
tables:
  students:
    postgres: {relations: [{name: public.students, student: id}]}
  allergies:
    postgres: {relations: [{name: public.allergies, student: student_id}]}
  conditions:
    postgres: {relations: [{name: public.conditions, student: student_id}]}
types:
  student:
    key: student:{student}
    id: int
    shape: one
    table: students
    postgres: {fetch: "SELECT id AS student, id::text AS id FROM public.students WHERE id = ANY ($1)"}
  allergies:
    id: int
    shape: list
    table: allergies
    postgres:
      fetch: >
        SELECT student_id AS student, n::text AS id, version FROM public.allergies WHERE student_id = ANY ($1)
        ORDER BY n
  conditions:
    id: int
    shape: list
    table: conditions
    postgres: {fetch: "SELECT student_id AS student, '1' AS id, version FROM public.conditions
                       WHERE student_id = ANY ($1)"}
  strict:
    id: int
    shape: list
    table: allergies
    bound: 0s
    postgres:
      fetch: >
        SELECT student_id AS student, n::text AS id, version FROM public.allergies WHERE student_id = ANY ($1)
        ORDER BY n
  summary:
    id: int
    shape: composite
    parts:
      student: {type: student}
      allergies: {type: allergies}
      conditions: {type: conditions}
"""


class Failure(Exception):
    """What a scenario found wrong."""


class Meaningless(Failure):
    """The scenario did not do what it is for, so that nothing follows from it."""


def need(holds, what):
    if not holds:
        raise Failure(what)


class Driver:
    """fault_driver, told by lines."""

    def __init__(self, nodes, writer_dsns, admin_dsn, options):
        words = [DRIVER, "--admin", admin_dsn, "--keys", str(KEYS), "--missing", str(MISSING)]
        for node in nodes:
            words += ["--node", "127.0.0.1:%d" % node.port]
        for dsn in writer_dsns:
            words += ["--writer", dsn]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-")] + ([str(value)] if value is not True else [])
        self.process = subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline()
        assert line.startswith(word), "fault_driver said %r" % line
        return line.split()[1:]

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.expect("ok")

    def wait(self, seconds, values=0):
        """Until so many seconds have passed, and so many more values have been read."""
        self("await", values, seconds)

    def counts(self):
        names = ("values", "unavailable", "others", "commits", "unknown")
        return dict(zip(names, map(int, self("counts"))))

    def finish(self):
        self.process.stdin.write("finish\n")
        self.process.stdin.flush()
        report = json.loads(self.process.stdout.readline())
        assert self.process.wait(60) == 0
        return report

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Site:
    """One scenario's world; `with Site(scenario, …)` builds it."""

    def __init__(self, scenario, options, env=None):
        self.scenario = scenario
        self.options = options
        self.env = env
        self.stack = contextlib.ExitStack()
        self.proxies = {}
        self.replicas = []
        self.nodes = []
        self.driver = None
        self.cluster = None

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exception):
        self.stack.close()

    # ---- building

    def build(self):
        scenario = self.scenario
        self.folder = pathlib.Path(self.stack.enter_context(vc.temp_dir()))
        self.types = self.folder / "types.yaml"
        self.types.write_text(TYPES)
        self.cluster = self.stack.enter_context(pg.Cluster(**scenario.settings))
        self.cluster.psql(TABLES)
        self.cluster.create_role(ROLE, ROLE_PASSWORD)
        self.cluster.psql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + ROLE)
        self.setup()
        for number in range(scenario.replicas):
            self.replicas.append(self.stack.enter_context(self.cluster.replica("standby%d" % number)))
        for name in scenario.proxied:
            self.proxies[name] = self.stack.enter_context(Proxy(("127.0.0.1", self.cluster.port)))
        scenario.prepare(self)
        for number in range(scenario.nodes):
            self.nodes.append(self.stack.enter_context(self.server(number)))
        self.idle_files = [self.open_files(node) for node in self.nodes]
        self.driver = Driver(self.nodes, scenario.writer_dsns(self), scenario.admin_dsn(self),
                             dict(self.driver_options(), **scenario.driver))
        self.stack.callback(self.driver.kill)

    def setup(self):
        """vitalcache db setup: as an operator does."""
        pg_site.db("setup", self.cluster.dsn(socket=True), self.types, "--role", ROLE)

    def driver_options(self):
        return {"readers": 4, "writers": 4, "pipeline": 16, "write_pause": 20, "deadline": 4000 * vc.SLOW,
                "seed": self.options.seed}

    def dsn(self, link=None, cluster=None, **words):
        """As the node connects: directly, or through the proxy `link`."""
        cluster = cluster or self.cluster
        port = self.proxies[link].address[1] if link in self.proxies else cluster.port
        return pg.conninfo(host="127.0.0.1", port=port, user=ROLE, password=ROLE_PASSWORD, dbname="postgres", **words)

    def server(self, number):
        scenario = self.scenario
        postgres = dict({"dsn": self.dsn("fills"), "dsn_direct": self.dsn("polls"), "pool_size": POOL,
                         "acquire_timeout": "500ms", "connect_timeout": "500ms", "statement_timeout": "1s",
                         "read_timeout": "1s"}, **scenario.postgres(self))
        config = {"server": {"threads": THREADS}, "types": {"files": [str(self.types)]},
                  "database": {"kind": "postgres", "postgres": postgres},
                  "freshness": dict({"node": "node%d" % number}, **scenario.freshness)}
        return vc.Server(config=json.dumps(config), env=self.env)

    # ---- what can be seen

    @staticmethod
    def open_files(node):
        return len(os.listdir("/proc/%d/fd" % node.process.pid))

    def counters(self):
        """Of all nodes that run, added."""
        total = {}
        for node in self.nodes:
            for name, value in node.counters().items():
                if isinstance(value, int):
                    total[name] = total.get(name, 0) + value
        return total

    def sessions(self):
        return self.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (ROLE,))[0][0]
