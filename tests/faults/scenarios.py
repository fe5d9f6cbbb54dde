"""The faults. A scenario says how its world differs from the ordinary one, and what one round of its fault is; what
every scenario must keep (no reply older than promised, none late, no leak, recovery without help, enough answered from
memory) is campaign.py's to judge."""
import contextlib
import itertools
import signal

import pg
import site_of
from site_of import Meaningless, need



def hosts(user, password, *ports, **words):
    """A conninfo string of several servers."""
    return pg.conninfo(host=",".join(["127.0.0.1"] * len(ports)), port=",".join(map(str, ports)), user=user,
                       password=password, dbname="postgres", **words)


class Scenario:
    """The ordinary world, without a fault."""
    name = "none"
    nodes = 1
    replicas = 0
    proxied = ()      # of: fills, polls, writers
    settings = {}     # postgresql.conf
    freshness = {}    # the nodes' configuration, beside the ordinary one
    driver = {}       # options of fault_driver
    counted = ()      # counters of the nodes that the fault must have moved
    hits_share = 0.2  # of the values: how much must have come from memory
    hits_after = 200  # reads answered from memory that show that all is well again
    repeats = True    # whether one round can follow another

    def prepare(self, site):
        """Before the nodes start."""

    def postgres(self, site):
        """database.postgres, beside the ordinary one."""
        return {}

    def writer_dsns(self, site):
        return [self.superuser(site, "writers")]

    def admin_dsn(self, site):
        return site.cluster.dsn(connect_timeout=5)

    @staticmethod
    def superuser(site, link=None, **words):
        port = site.proxies[link].address[1] if link in site.proxies else site.cluster.port
        return pg.conninfo(host="127.0.0.1", port=port, user=pg.SUPERUSER, password=pg.PASSWORD, dbname="postgres",
                           connect_timeout=2, **words)

    def round(self, site):
        site.driver.wait(1)

    def heal(self, site):
        for proxy in site.proxies.values():
            proxy("pass")

    def fits(self, report):
        """What else the report must say; raises Failure."""


class TwoNodes(Scenario):
    """Two nodes before one database, without a fault."""
    name = "two-nodes"
    nodes = 2


class Strict(Scenario):
    """Many reads with B = 0: each asks the database."""
    name = "strict"
    driver = {"strict": 40}
    hits_share = 0.1


class Tokens(Scenario):
    """Many reads AFTER the token of a write that has just been acknowledged, of writers that stay open while others
    come and go."""
    name = "tokens"
    driver = {"tokens": 50, "bound": 5000}

    def round(self, site):
        site.driver("mode", "0 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(0.4)|COMMIT")
        site.driver("mode", "1 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(0.6)|COMMIT")
        site.driver.wait(2)


# ---- the database goes away

class Kill(Scenario):
    """kill -9 of PostgreSQL, and a start; nothing that was acknowledged is lost."""
    name = "kill"
    counted = ("histories", "polls_failed")

    def round(self, site):
        site.cluster.kill9()
        site.driver.wait(0.3)
        site.cluster.start()
        site.driver.wait(1.5, 1000)


class KillAsync(Kill):
    """The same with synchronous_commit = off: acknowledged commits are lost, and their transaction ids used again."""
    name = "kill-async"
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
    driver = {"lossy": True, "tokens": 10}

    def round(self, site):
        site.driver("crash")
        super().round(site)
        site.driver("freeze")  # tokens of commits that are lost now stay in use
        super().round(site)
        site.driver("thaw")
        site.driver.wait(1, 500)


class StopPostgres(Scenario):
    """SIGSTOP and SIGCONT of all of PostgreSQL."""
    name = "stop-postgres"
    counted = ("polls_failed",)
    lengths = (1.2, 0.1, 3, 0.4)
    hits_share = 0.1

    def __init__(self):
        self.next_length = itertools.cycle(self.lengths)

    def round(self, site):
        site.cluster.pause()
        site.driver.wait(next(self.next_length))
        site.cluster.resume()
        site.driver.wait(1, 500)


class StopNode(Scenario):
    """SIGSTOP and SIGCONT of vitalcached: its proofs age meanwhile."""
    name = "stop-node"
    lengths = (1.5, 0.1, 3, 0.5)

    def __init__(self):
        self.next_length = itertools.cycle(self.lengths)

    def round(self, site):
        site.driver("stopped")
        site.nodes[0].signal(signal.SIGSTOP)
        site.driver.wait(next(self.next_length))
        site.nodes[0].signal(signal.SIGCONT)
        site.driver("continued")
        site.driver.wait(1, 500)


class KillNode(Scenario):
    """kill -9 of one node of two, and a start."""
    name = "kill-node"
    nodes = 2
    hits_share = 0.0  # its counters begin again

    def round(self, site):
        node = site.nodes[0]
        node.kill()
        site.driver.wait(0.2)
        node.start()
        site.driver.wait(0.5, 500)

    def fits(self, report):
        if report["lost"] == 0:
            raise Meaningless("no connection broke")


# ---- the network

class CutFills(Scenario):
    """Connections of reads break in the middle of a pipeline, at any byte."""
    name = "cut-fills"
    proxied = ("fills",)
    counted = ("pg_disconnects", "fills_failed")
    lengths = (100, 3000, 1, 777, 20000, 60)

    def __init__(self):
        self.next_length = itertools.cycle(self.lengths)

    def round(self, site):
        for way in ("down", "up"):
            site.proxies["fills"]("reset-after", next(self.next_length), way)
            site.driver.wait(0.2, 200)
        site.proxies["fills"]("reset")
        site.driver.wait(0.3, 200)


class CutPolls(Scenario):
    """Connections of polls break in the middle of an answer, are refused, and come back."""
    name = "cut-polls"
    proxied = ("polls",)
    counted = ("polls_failed",)

    def __init__(self):
        self.next_length = itertools.cycle((10, 500, 100, 2000))

    def round(self, site):
        proxy = site.proxies["polls"]
        proxy("reset-after", next(self.next_length), "down")
        site.driver.wait(0.5, 200)
        proxy("refuse")
        proxy("reset")
        site.driver.wait(0.5)
        proxy("accept")
        site.driver.wait(1, 500)


class OneWay(Scenario):
    """Bytes of one direction do not arrive: of polls, of reads, and after the cut all that was held comes at once."""
    name = "one-way"
    proxied = ("fills", "polls")
    counted = ("polls_failed", "pg_timeouts")
    hits_share = 0.1

    def __init__(self):
        self.next_cut = itertools.cycle(itertools.product(("polls", "fills"), ("down", "up")))

    def round(self, site):
        link, way = next(self.next_cut)
        site.proxies[link]("cut", way)
        site.driver.wait(1.8)
        site.proxies[link]("pass")
        site.driver.wait(1, 200)


class BothWays(Scenario):
    """PostgreSQL cannot be reached at all, though connections seem to stand."""
    name = "cut-all"
    proxied = ("fills", "polls")
    counted = ("polls_failed", "pg_timeouts", "l1_refused_uncertified")
    hits_share = 0.1

    def round(self, site):
        for proxy in site.proxies.values():
            proxy("cut")
        site.driver.wait(2.5)
        for proxy in site.proxies.values():
            proxy("pass")
        site.driver.wait(1.5, 500)

    def fits(self, report):
        need(report["unavailable"] > 0, "reads were answered without a database")


class LatePolls(Scenario):
    """Answers to polls are late: by more than their time-out; by less, and then none comes any more."""
    name = "late-polls"
    proxied = ("polls",)
    counted = ("polls_failed",)
    hits_share = 0.1

    def round(self, site):
        proxy = site.proxies["polls"]
        proxy("delay", 700, "down")
        site.driver.wait(1.2, 200)
        proxy("pass")
        proxy("delay", 350, "down")
        site.driver.wait(1.5, 200)
        proxy("refuse")
        proxy("reset")
        site.driver.wait(1.6, 200)
        proxy("pass")
        site.driver.wait(1.5)


class LateFills(Scenario):
    """Answers to reads arrive long after what they show was true."""
    name = "late-fills"
    proxied = ("fills",)
    driver = {"strict": 30}
    hits_share = 0.02

    def round(self, site):
        site.proxies["fills"]("delay", 600, "down")
        site.driver.wait(2)
        site.proxies["fills"]("pass")
        site.driver.wait(0.5)


class LateQuiet(Scenario):
    """The same, and so few writes that the snapshot of a read ends where that of a later poll does, while a transaction
    that the poll has seen was still open for the read."""
    name = "late-quiet"
    proxied = ("fills",)
    freshness = {"poll_interval": "50ms"}
    driver = {"writers": 2, "write_pause": 500, "keys": 24, "missing": 0, "readers": 8, "pipeline": 32}
    hits_share = 0.02

    def round(self, site):
        site.driver("mode", "0 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(0.7)|COMMIT")
        site.proxies["fills"]("delay", 350, "down")
        site.driver.wait(8)


class DirectDead(Scenario):
    """The way of the polls is dead while that of the reads lives: nothing may be answered from memory for long."""
    name = "direct-dead"
    proxied = ("polls",)
    counted = ("polls_failed", "l1_refused_uncertified")
    hits_share = 0.05

    def round(self, site):
        site.proxies["polls"]("refuse")
        site.proxies["polls"]("reset")
        site.driver.wait(1.5)
        before = site.counters()["l1_hits"]
        site.driver.wait(1, 200)
        need(site.counters()["l1_hits"] == before, "answered from memory without a certificate")
        site.proxies["polls"]("pass")
        site.driver.wait(1.5)


class CommitLost(Scenario):
    """Writers lose their connection in COMMIT: now it was carried out, now it was not."""
    name = "commit-lost"
    proxied = ("writers",)

    def round(self, site):
        for fault in ("commit-lost", "commit-eaten"):
            site.proxies["writers"](fault)
            site.driver.wait(0.4, 100)
            site.proxies["writers"]("pass")
            site.driver.wait(0.3, 100)

    def fits(self, report):
        if report["unknown"] == 0:
            raise Meaningless("no COMMIT was lost")


# ---- a slow database

class SlowPart(Scenario):
    """One table is locked: its statements time out, and so do the parts of composites that need it."""
    name = "slow-part"
    counted = ("pg_statement_errors",)

    def postgres(self, site):
        return {"statement_timeout": "400ms"}  # well before the node gives up the connection

    def round(self, site):
        site.driver("freeze")
        with contextlib.closing(site.cluster.connect(autocommit=False)) as holder, holder.cursor() as cursor:
            cursor.execute("LOCK TABLE conditions IN ACCESS EXCLUSIVE MODE")
            site.driver.wait(1.6)
            holder.rollback()
        site.driver("thaw")
        site.driver.wait(1, 500)


class Exhausted(Scenario):
    """More reads than connections, and those are slow: some get none in time."""
    name = "exhausted"
    driver = {"strict": 60, "readers": 8, "pipeline": 8}
    counted = ("pg_waits",)
    hits_share = 0.02

    def postgres(self, site):
        return {"pool_size": 1, "acquire_timeout": "100ms"}

    def round(self, site):
        site.driver("freeze")
        with contextlib.closing(site.cluster.connect(autocommit=False)) as holder, holder.cursor() as cursor:
            cursor.execute("LOCK TABLE allergies IN ACCESS EXCLUSIVE MODE")
            site.driver.wait(0.7)
            holder.rollback()
        site.driver("thaw")
        site.driver.wait(0.5, 200)


# ---- writers of all kinds

class Writers(Scenario):
    """Ways to commit, one scenario each: (who, SQL before, after, commit)."""
    modes = ()

    def round(self, site):
        for mode in self.modes:
            site.driver("mode", mode)
        site.driver.wait(2, 500)


class LongWriter(Writers):
    """Transactions that stay open for long, of some writers, while others commit around them."""
    name = "long-writers"
    modes = ("0 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(2.5)|COMMIT",
             "1 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(0.6)|COMMIT")


class Prepared(Writers):
    """PREPARE TRANSACTION, and COMMIT PREPARED later."""
    name = "prepared"
    modes = ("* BEGIN|PREPARE TRANSACTION 'w{writer}'; SELECT pg_sleep(0.3)|COMMIT PREPARED 'w{writer}'",)


class Bulk(Writers):
    """All keys of a writer in one transaction, by COPY."""
    name = "bulk"
    modes = ("bulk 0 BEGIN|SELECT vitalcache.vc_token()|COMMIT",)


class Serializable(Writers):
    """Writers at SERIALIZABLE and REPEATABLE READ."""
    name = "serializable"
    modes = ("0 BEGIN ISOLATION LEVEL SERIALIZABLE|SELECT vitalcache.vc_token()|COMMIT",
             "1 BEGIN ISOLATION LEVEL REPEATABLE READ|SELECT vitalcache.vc_token()|COMMIT")


class Subtransactions(Writers):
    """Changes made behind a SAVEPOINT."""
    name = "savepoints"
    modes = ("* BEGIN; SAVEPOINT s|RELEASE s|COMMIT",)


TRIGGERS_ON = ("DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgrelid::regclass AS r, tgname FROM pg_trigger "
               "WHERE tgname LIKE 'vc!_on!_%' ESCAPE '!' LOOP EXECUTE "
               "format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.r, t.tgname); END LOOP; END $$")
TRIGGERS_OFF = ("ALTER TABLE allergies DISABLE TRIGGER USER; ALTER TABLE allergies_low DISABLE TRIGGER USER; "
                "ALTER TABLE allergies_high DISABLE TRIGGER USER; ALTER TABLE conditions DISABLE TRIGGER USER; "
                "ALTER TABLE students DISABLE TRIGGER USER")


class TriggerCycle(Scenario):
    """Triggers are disabled, data is loaded and they are enabled again, between two polls, in one transaction."""
    name = "trigger-cycle"
    hits_share = 0.05

    def round(self, site):
        site.driver("mode", "0 BEGIN; SET LOCAL lock_timeout = '1s'; %s|%s|COMMIT" % (TRIGGERS_OFF, TRIGGERS_ON))
        site.driver.wait(1, 200)
        site.driver("mode", "0 BEGIN|SELECT vitalcache.vc_token()|COMMIT")
        site.driver.wait(1, 500)


class TriggerOff(Scenario):
    """Triggers are disabled, writers go on, and they are enabled again."""
    name = "trigger-off"
    hits_share = 0.05

    def round(self, site):
        site.cluster.psql(TRIGGERS_OFF)
        site.driver.wait(1.5, 200)
        site.cluster.psql(TRIGGERS_ON)
        site.driver.wait(1.5, 500)


class Flood(Scenario):
    """One transaction touches more than a poll takes."""
    name = "flood"
    hits_share = 0.05
    freshness = {"bound": "2500ms", "poll_timeout": "2s"}
    driver = {"bound": 2500, "write_pause": 5000}

    def round(self, site):
        site.driver("mode", "bulk 0 BEGIN; INSERT INTO vitalcache.vc_touch (tag) "
                    "SELECT int8send(i) FROM generate_series(1, 400000) AS i|SELECT vitalcache.vc_token()|COMMIT")
        site.driver.wait(12, 200)
        site.driver("mode", "* BEGIN|SELECT vitalcache.vc_token()|COMMIT")
        site.cluster.psql("DELETE FROM vitalcache.vc_touch WHERE octet_length(tag) = 8")


class Gap(Scenario):
    """Touches are cleaned up that a node, cut off for a while, has not seen."""
    name = "gap"
    proxied = ("polls",)
    hits_share = 0.05
    counted = ("poll_gaps",)

    def round(self, site):
        proxy = site.proxies["polls"]
        proxy("refuse")
        proxy("reset")
        site.driver.wait(1)
        site.cluster.psql("SELECT vitalcache.vc_clean(pg_current_snapshot()::text)")
        proxy("pass")
        site.driver.wait(1.5, 200)


class OtherVersion(Scenario):
    """The database is set up by another release: its polls mean nothing to this one."""
    name = "other-version"
    hits_share = 0.05
    counted = ("polls_failed",)

    def round(self, site):
        site.cluster.psql("UPDATE vitalcache.vc_version SET version = version + 1000")
        site.driver.wait(1.7, 200)
        before = site.counters()["l1_hits"]
        site.driver.wait(0.7, 200)
        need(site.counters()["l1_hits"] == before, "a database of another version was believed")
        site.cluster.psql("UPDATE vitalcache.vc_version SET version = version - 1000")
        site.driver.wait(1.5, 200)


class Restore(Scenario):
    """An older dump of the tables is restored with the triggers disabled, as pg_restore does it, and set up again."""
    name = "restore"
    hits_share = 0.05

    def round(self, site):
        cluster, script = site.cluster, site.folder / "restore.sql"
        tables = [word for table in ("students", "allergies*", "conditions") for word in ("-t", table)]
        dumped = pg.run(cluster.binaries / "pg_dump", "--data-only", "--disable-triggers", *tables,
                        cluster.dsn(socket=True))
        dumped = "\n".join(line for line in dumped.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))
        script.write_text("BEGIN;\nTRUNCATE students, allergies, conditions;\n%s\nCOMMIT;\n" % dumped)
        site.driver.wait(0.7, 300)
        site.driver("freeze")
        cluster.psql_file(script)
        site.driver("reread")
        site.driver("thaw")
        site.driver.wait(1, 500)
        site.setup()
        site.driver.wait(1, 500)


class Attach(Scenario):
    """A partition is replaced by another one, loaded beforehand: no row of the table is written."""
    name = "attach"
    hits_share = 0.05

    def round(self, site):
        site.driver("freeze")
        site.cluster.psql("""
            BEGIN;
            LOCK TABLE allergies, conditions IN ACCESS EXCLUSIVE MODE; -- in the readers' order: no deadlock
            CREATE TABLE incoming (LIKE allergies_low INCLUDING ALL);
            INSERT INTO incoming SELECT student_id, n, version + 1 FROM allergies_low;
            UPDATE conditions SET version = version + 1 WHERE student_id < 100;
            ALTER TABLE allergies DETACH PARTITION allergies_low;
            DROP TABLE allergies_low;
            ALTER TABLE incoming RENAME TO allergies_low;
            ALTER TABLE allergies ATTACH PARTITION allergies_low FOR VALUES FROM (1) TO (100);
            GRANT SELECT ON allergies_low TO %s;
            COMMIT""" % site_of.ROLE)
        site.driver("reread")
        site.driver("thaw")
        site.driver.wait(1.5, 500)
        site.setup()
        site.driver.wait(1, 500)


class Rename(Scenario):
    """Tables change places with others that had been loaded beforehand."""
    name = "rename"
    hits_share = 0.05

    def round(self, site):
        site.driver("freeze")
        site.cluster.psql("""
            BEGIN;
            LOCK TABLE students, allergies, conditions IN ACCESS EXCLUSIVE MODE; -- in the readers' order: no deadlock
            CREATE TABLE incoming (LIKE conditions INCLUDING ALL);
            INSERT INTO incoming SELECT student_id, version + 1 FROM conditions;
            UPDATE allergies SET version = version + 1;
            DROP TABLE conditions;
            ALTER TABLE incoming RENAME TO conditions;
            ALTER TABLE conditions ADD FOREIGN KEY (student_id) REFERENCES students ON DELETE CASCADE;
            GRANT SELECT ON conditions TO %s;
            COMMIT""" % site_of.ROLE)
        site.driver("reread")
        site.driver("thaw")
        site.driver.wait(1, 500)
        site.setup()
        site.driver.wait(1, 500)


# ---- hints

class Hints(Scenario):
    """Hints that are forged, garbage, or lost with the connection that listens."""
    name = "hints"
    nodes = 2
    proxied = ("polls",)
    counted = ("hints_refused",)

    def round(self, site):
        for payload in ("", "garbage", "AAAA", "////", "x" * 7000):
            site.cluster.psql("SELECT pg_notify('vitalcache', %s)", (payload,))
        site.cluster.psql("""SELECT pg_notify('vitalcache', encode(int2send(octet_length(t)::int2) || t, 'base64'))
                             FROM (SELECT vitalcache.vc_tag_student(i::text, 'allergies') AS t
                                   FROM generate_series(1, 40) AS i) AS tags""")
        site.driver.wait(0.5, 200)
        site.proxies["polls"]("reset")
        site.driver.wait(1, 200)


# ---- replicas

class Replica(Scenario):
    """A replica fills the cache, behind the primary, while transactions stay open there."""
    name = "replica"
    replicas = 1
    hits_share = 0.1
    modes = LongWriter.modes

    def postgres(self, site):
        return {"replicas": [site.dsn(cluster=site.replicas[0])]}

    def prepare(self, site):
        site.replicas[0].configure(recovery_min_apply_delay="150ms")

    def round(self, site):
        for mode in self.modes:
            site.driver("mode", mode)
        site.driver.wait(2, 500)


class ReplicaBehind(Replica):
    """A replica that is further behind than the bound: it may fill nothing that was touched."""
    name = "replica-behind"
    modes = ()

    def prepare(self, site):
        site.replicas[0].configure(recovery_min_apply_delay="3s")


class ReplicaQuiet(Replica):
    """So few writes that a replica's snapshot ends where the primary's does, while a transaction is open."""
    name = "replica-quiet"
    freshness = {"poll_interval": "50ms"}
    driver = {"writers": 2, "write_pause": 600, "keys": 24, "missing": 0}
    modes = ("0 BEGIN|SELECT vitalcache.vc_token(); SELECT pg_sleep(0.9)|COMMIT",)

    def prepare(self, site):
        site.replicas[0].configure(recovery_min_apply_delay="300ms")

    def round(self, site):
        super().round(site)
        site.driver.wait(6)


class ReplicaPolls(Scenario):
    """The way of the polls leads to a replica, far behind, when the primary does not answer: no certificate is its."""
    name = "replica-polls"
    replicas = 1
    proxied = ("polls",)
    counted = ("polls_failed",)
    hits_share = 0.01

    def prepare(self, site):
        site.replicas[0].configure(recovery_min_apply_delay="4s")

    def postgres(self, site):
        return {"dsn_direct": hosts(site_of.ROLE, site_of.ROLE_PASSWORD, site.proxies["polls"].address[1],
                                    site.replicas[0].port)}

    def round(self, site):
        site.proxies["polls"]("refuse")
        site.proxies["polls"]("reset")
        site.driver.wait(2.5, 200)
        site.proxies["polls"]("pass")
        site.driver.wait(2, 200)


class Promotion(Scenario):
    """The primary stops, its synchronous replica is promoted, and then the old one goes on, until it is fenced."""
    name = "promotion"
    replicas = 1
    proxied = ("writers",)
    repeats = False
    hits_share = 0.02
    counted = ("histories",)
    synchronous = True

    def postgres(self, site):
        dsn = hosts(site_of.ROLE, site_of.ROLE_PASSWORD, site.cluster.port, site.replicas[0].port,
                    target_session_attrs="read-write")
        return {"dsn": dsn, "dsn_direct": dsn}

    def prepare(self, site):
        if self.synchronous:
            site.cluster.synchronous("standby0")

    def writer_dsns(self, site):
        return [hosts(pg.SUPERUSER, pg.PASSWORD, site.replicas[0].port, site.proxies["writers"].address[1],
                      target_session_attrs="read-write", connect_timeout=2)]

    def admin_dsn(self, site):
        return self.writer_dsns(site)[0]  # whoever says what became of a write is fenced from the old primary, too

    def round(self, site):
        site.driver("crash")
        site.cluster.pause()
        site.proxies["writers"]("refuse")
        site.proxies["writers"]("reset")
        site.replicas[0].promote()
        site.cluster.resume()
        for _ in range(40):  # and somebody gives up waiting for the replica: that confirms nothing
            site.driver.wait(0.1)
            site.cluster.psql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        site.cluster.kill9()
        site.driver.wait(3)

    def heal(self, site):
        site.cluster = site.replicas[0]
        site.replicas = []


class PromotionAsync(Promotion):
    """The same with an asynchronous replica: the bound grows by the time until the old primary is fenced. That of
    strict reads would, too; the driver holds those to 0, so it sends none."""
    name = "promotion-async"
    synchronous = False
    driver = {"lossy": True, "bound": 1000 + 8000, "strict": 0}


# ---- a pooler

class Pooler(Kill):
    """Reads go through pgbouncer in transaction mode, and PostgreSQL is killed behind it."""
    name = "pooler"
    hits_share = 0.05  # pgbouncer takes its time to come back, and most of these few seconds with it

    def prepare(self, site):
        self.bouncer = site.stack.enter_context(pg.PgBouncer(site.cluster, pool_size=4, server_login_retry=1))

    def postgres(self, site):
        return {"dsn": self.bouncer.dsn(user=site_of.ROLE), "prepared": False}


class LongStops(StopPostgres):
    """SIGSTOP of PostgreSQL for up to 30 s (not among --all: named, or make soak)."""
    name = "stop-postgres-30s"
    lengths = (30, 10)
    hits_share = 0.02


def all_of_them(soak=False):
    """Every scenario that has a name of its own, in the order in which they stand here."""
    found, names = [], set()
    for kind in (value for value in globals().values() if isinstance(value, type) and issubclass(value, Scenario)):
        if kind.name not in names and (soak or kind is not LongStops):
            names.add(kind.name)
            found.append(kind())
    return found
