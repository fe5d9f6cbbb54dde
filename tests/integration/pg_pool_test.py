#!/usr/bin/python3
"""The pool of connections against real PostgreSQL and real pgbouncer: what works, and each way in which it can fail.
No request may go past its deadline, no connection may be left behind, and no password may be said."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import driven  # noqa: E402
import pg  # noqa: E402
import vc  # noqa: E402

DRIVE = str(vc.BUILD / "tests" / "pg_drive")
SECRET = "s3cret pass'word"
SLACK = 1500 * vc.SLOW  # milliseconds that a busy machine may add


class Done:
    """How an exchange ended, and its results by step."""

    def __init__(self, fields, results):
        self.status, self.failure, self.sqlstate = fields[2:5]
        self.unknown, self.stale = fields[5] == "1", fields[6] == "1"
        self.ms = int(fields[7])
        self.results = results

    def __repr__(self):
        return "Done(%s)" % ", ".join("%s=%r" % item for item in vars(self).items())


class Drive(driven.Program):
    """A pg_drive process: exchanges run by name."""

    def __init__(self, dsn, **settings):
        super().__init__([DRIVE, "dsn=" + dsn] + ["%s=%s" % item for item in settings.items()])
        self.count = 0

    def await_line(self, pattern, skip=0):
        return self.said.lines[self.line_number(pattern, skip) - 1].split("\t")

    def begin(self, *statements, deadline=20000, flags="-"):
        """Sends an exchange; its name. A statement is SQL, or (SQL, value, ...)."""
        self.count += 1
        name = "x%d" % self.count
        self.send("run", name, str(deadline), flags,
                  *("\x1f".join(s) if isinstance(s, tuple) else s for s in statements))
        return name

    def end(self, name):
        fields = self.await_line(r"^done\t%s\t" % name)
        lines = [line.split("\t") for line in self.said.lines]
        # a run repeated by the pool starts again at step 0
        results = {int(f[2]): tuple(f[3:]) for f in lines if f[0] == "result" and f[1] == name}
        return Done(fields, [results[step] for step in sorted(results)])

    def run(self, *statements, **how):
        return self.end(self.begin(*statements, **how))

    def value(self, *statements, **how):
        """The first value of the last statement, which must succeed."""
        done = self.run(*statements, **how)
        assert done.status == "OK" and done.results[-1][1] == "", done
        return done.results[-1][3]

    def state(self):
        skip = len(self.said.lines)
        self.send("state")
        return {name: int(value) for name, value in (word.split("=") for word in self.await_line("^state", skip)[1:])}


class Cutter:
    """A proxy of one cluster that can be told to cut a connection after so many more bytes, or to let nothing more
    through."""

    def __init__(self, cluster):
        self.target = ("127.0.0.1", cluster.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()  # guards `left`
        self.left = {"up": None, "down": None}  # bytes until the cut; None: no cut
        self.threads = []
        self.sockets = [self.listener]
        self.start(self.accept)

    def start(self, what, *args):
        thread = threading.Thread(target=what, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                self.sockets += [client, server]
                self.start(self.pass_on, client, server, "up")
                self.start(self.pass_on, server, client, "down")

    def pass_on(self, source, target, way):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                passed, cut = self.take(way, len(data))
                target.sendall(data[:passed])
                if cut:
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def take(self, way, count):
        """(how many of `count` bytes may pass, whether a cut is behind them). They are counted before they go: once the
        last has arrived the test goes on, and may want no cut any more."""
        with self.lock:
            left = self.left[way]
            if left is None:
                return count, False
            if left > count:
                self.left[way] = left - count
            return min(left, count), left <= count

    def cut(self, way, after):
        with self.lock:
            self.left = {"up": None, "down": None, way: after}

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(pg.PATIENCE)
        for each in self.sockets:
            each.close()


class PoolTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster().__enter__()
        cls.cluster.psql("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 10)")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def tearDown(self):
        self.cluster.wait_for_connections(0)  # whatever happened: none is left behind

    def drive(self, **settings):
        dsn = settings.pop("dsn", None) or self.cluster.dsn()
        return Drive(dsn, **settings)


class WorksTest(PoolTest):
    def test_several_statements_in_one_round_trip(self):
        with self.drive() as drive:
            done = drive.run("BEGIN", ("SELECT n FROM t WHERE n = ANY($1)", "{3,4}"), "SELECT 'x'", "COMMIT")
            self.assertEqual(done.results, [("PGRES_COMMAND_OK", "", "0", ""), ("PGRES_TUPLES_OK", "", "2", "3"),
                                            ("PGRES_TUPLES_OK", "", "1", "x"), ("PGRES_COMMAND_OK", "", "0", "")])
            self.assertEqual((done.status, done.unknown), ("OK", False))
            self.assertEqual(drive.state()["pg_exchanges"], 1)

    def test_a_session_has_our_settings(self):
        dsn = self.cluster.dsn(options="-c TimeZone=Asia/Tokyo -c work_mem=5MB")
        with self.drive(dsn=dsn, statement=1234, search_path="\"a b\\'c\", pg_catalog") as drive:
            for name, value in (("TimeZone", "UTC"), ("DateStyle", "ISO, MDY"), ("client_encoding", "UTF8"),
                                ("statement_timeout", "1234ms"), ("search_path", "\"a b\\'c\", pg_catalog"),
                                ("work_mem", "5MB"), ("application_name", "vitalcache")):
                self.assertEqual(drive.value("SHOW " + name), value)

    def test_hosts_by_name(self):
        dsn = self.cluster.dsn(host="no-such-host.invalid,localhost", port="1,%d" % self.cluster.port)
        with self.drive(dsn=dsn) as drive:
            self.assertEqual(drive.value("SELECT 1"), "1")

    def test_results_larger_than_any_buffer(self):
        with self.drive() as drive:
            done = drive.run("SELECT repeat('x', 1000) FROM generate_series(1, 20000)", "SELECT 1", flags="b")
            self.assertEqual([r[2] for r in done.results], ["20000", "1"])

    def test_more_than_the_network_takes_at_once(self):
        """The statements do not fit into the socket, and PostgreSQL answers before it has read them all."""
        with self.drive() as drive:
            texts = ["SELECT repeat('y', 100000), %d, '%s'" % (n, "z" * 100) for n in range(100)]
            for _ in range(3):
                done = drive.run(*texts)
                self.assertEqual((done.status, len(done.results)), ("OK", 100))

    def test_a_failed_part_fails_no_other(self):
        with self.drive() as drive:
            done = drive.run("BEGIN", "SAVEPOINT p", "SELECT 1", "SAVEPOINT p", "SELECT 1/0", "ROLLBACK TO p",
                             "SELECT 3", "COMMIT", flags="s")
            self.assertEqual([r[:2] for r in done.results][3:], [
                ("PGRES_COMMAND_OK", ""), ("PGRES_FATAL_ERROR", "22012"), ("PGRES_COMMAND_OK", ""),
                ("PGRES_TUPLES_OK", ""), ("PGRES_COMMAND_OK", "")])
            self.assertEqual((done.status, done.sqlstate), ("OK", "22012"))

    def test_what_follows_a_failure_is_skipped_and_the_transaction_rolled_back(self):
        with self.drive(size=1) as drive:
            done = drive.run("BEGIN", "INSERT INTO t VALUES (77)", "SELECT 1/0", "COMMIT")
            self.assertEqual([r[0] for r in done.results][2:], ["PGRES_FATAL_ERROR", "PGRES_PIPELINE_ABORTED"])
            self.assertEqual(drive.value("SELECT count(*) FROM t WHERE n = 77"), "0")
            state = drive.state()
            self.assertEqual((state["pg_left_open"], state["pg_connects"]), (1, 1))  # the same session went on

    def test_a_commit_that_fails_at_its_sync(self):
        self.cluster.psql("CREATE TABLE d (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        with self.drive(size=1) as drive:
            done = drive.run("INSERT INTO d VALUES (1), (1)")
            self.assertEqual((done.status, done.sqlstate, done.unknown), ("OK", "23505", False))
            self.assertEqual(drive.value("SELECT count(*) FROM d"), "0")
            done = drive.run("BEGIN", "INSERT INTO d VALUES (1), (1)", "COMMIT")
            self.assertEqual((done.results[2][1], done.sqlstate), ("23505", "23505"))
            self.assertEqual(drive.state()["pg_connects"], 1)

    def test_notifications_and_the_greeting(self):
        with self.drive(size=1, greeting="LISTEN news") as drive:
            drive.value("SELECT 1")
            self.cluster.psql("NOTIFY news, 'from another'")
            self.assertEqual(drive.await_line("^notify.*another")[1:], ["news", "from another"])
            drive.run("NOTIFY news, 'own'")
            self.assertEqual(drive.await_line("^notify.*own")[1:], ["news", "own"])

    def test_a_greeting_that_fails_is_a_failure_to_connect(self):
        with self.drive(greeting="SELECT * FROM nowhere") as drive:
            done = drive.run("SELECT 1")
            self.assertEqual((done.status, done.failure, done.sqlstate), ("ERR_UNAVAILABLE"[4:], "connect", "42P01"))

    def test_notices_reach_their_exchange(self):
        with self.drive() as drive:
            name = drive.begin("DO $$ BEGIN RAISE WARNING USING ERRCODE = '01ABC', MESSAGE = 'w'; END $$")
            self.assertEqual(drive.end(name).status, "OK")
            self.assertEqual(drive.await_line("^notice\t%s" % name)[2], "01ABC")


class PreparedTest(PoolTest):
    def prepared(self, drive):
        return int(drive.value("SELECT count(*) FROM pg_prepared_statements", flags="o"))

    def test_the_least_recently_used_one_is_deallocated(self):
        with self.drive(size=1, prepared_max=3) as drive:
            for n in range(10):
                self.assertEqual(drive.value("SELECT %d" % n), str(n))
            self.assertLessEqual(self.prepared(drive), 3)
            before = drive.state()["pg_prepares"]
            drive.run("SELECT 7", "SELECT 8", "SELECT 9")
            self.assertEqual(drive.state()["pg_prepares"], before)
            drive.run("SELECT 0")
            drive.run("SELECT 9", "SELECT 8")
            self.assertEqual(drive.state()["pg_prepares"], before + 1)  # 7, the oldest, made room for 0

    def test_an_exchange_of_more_statements_than_may_be_prepared(self):
        with self.drive(size=1, prepared_max=3) as drive:
            done = drive.run(*("SELECT %d" % n for n in range(9)))
            self.assertEqual([r[3] for r in done.results], [str(n) for n in range(9)])
            self.assertEqual(self.prepared(drive), 3)

    def test_a_preparation_that_was_skipped_is_made_again(self):
        with self.drive(size=1) as drive:
            done = drive.run("SELECT 1/0", "SELECT 'later'")
            self.assertEqual([r[0] for r in done.results], ["PGRES_FATAL_ERROR", "PGRES_PIPELINE_ABORTED"])
            self.assertEqual(drive.value("SELECT 'later'"), "later")

    def test_a_statement_that_cannot_be_prepared_says_why(self):
        with self.drive(size=1) as drive:
            for _ in range(2):
                done = drive.run("SELECT * FROM nowhere", "SELECT 5", flags="s")
                self.assertEqual([r[:2] for r in done.results], [("PGRES_FATAL_ERROR", "42P01"),
                                                                 ("PGRES_TUPLES_OK", "")])
            self.cluster.psql("CREATE TABLE nowhere (n int)")
            self.assertEqual(drive.run("SELECT * FROM nowhere").results[0][0], "PGRES_TUPLES_OK")
            self.cluster.psql("DROP TABLE nowhere")

    def test_the_same_statement_twice_and_its_preparation_skipped(self):
        """The first use stands behind a failure: it is skipped, with its preparation. The second one is not."""
        with self.drive(size=1) as drive:
            drive.send("run", "w", "20000", "-", "SELECT 1")
            drive.end("w")
            done = drive.run("BEGIN", "SELECT 1/0", "SELECT 'same'", "ROLLBACK", "SELECT 'same'", flags="s")
            self.assertEqual([r[1] for r in done.results], ["", "22012", "25P02", "", ""])
            self.assertEqual(drive.value("SELECT 'same'"), "same")

    def test_a_plan_that_no_longer_fits_is_made_again(self):
        with self.drive(size=1) as drive:
            self.cluster.psql("CREATE TABLE shape (a int); INSERT INTO shape VALUES (1)")
            drive.value("SELECT * FROM shape")
            self.cluster.psql("ALTER TABLE shape ALTER a TYPE text")
            done = drive.run("SELECT * FROM shape")
            self.assertEqual((done.sqlstate, done.stale), ("0A000", True))
            self.assertEqual(drive.value("SELECT * FROM shape"), "1")
            self.cluster.psql("DROP TABLE shape")

    def test_two_clients_behind_a_pooler_in_transaction_mode(self):
        """One server session for both: prepared statements of one would be missing, or taken, for the other."""
        with pg.PgBouncer(self.cluster, pool_size=1) as bouncer:
            with self.drive(dsn=bouncer.dsn(), prepared=0, session=0, size=2) as one, \
                    self.drive(dsn=bouncer.dsn(), prepared=0, session=0, size=2) as two:
                for n in range(20):
                    names = [(d, d.begin("BEGIN", "SELECT %d" % n, ("SELECT $1::int + 1", str(n)), "COMMIT",
                                         flags="s")) for d in (one, two, one, two)]
                    for drive, name in names:
                        done = drive.end(name)
                        self.assertEqual([r[3] for r in done.results], ["", str(n), str(n + 1), ""], done)
            # and that the pooler is one: with session settings it refuses us, in words that help
            with self.drive(dsn=bouncer.dsn(), prepared=0, session=1) as drive:
                self.assertEqual(drive.run("SELECT 1").failure, "connect")
                self.assertIn("session_settings", drive.await_line("^lost")[2])


class FailsTest(PoolTest):
    def test_closing_ends_what_runs_and_what_waits(self):
        with self.drive(size=1, statement=300) as drive:
            drive.value("SELECT 1")
            names = [drive.begin("SELECT pg_sleep(20)") for _ in range(2)]
            self.cluster.wait_for_connections(1)
            drive.state()
        self.assertEqual([(drive.end(n).failure, drive.end(n).unknown) for n in names],
                         [("closed", True), ("closed", False)])

    def test_statement_time_out(self):
        with self.drive(statement=100, size=1) as drive:
            done = drive.run("SELECT pg_sleep(30)")
            self.assertEqual((done.status, done.sqlstate), ("OK", "57014"))
            self.assertEqual(drive.value("SELECT 1"), "1")
            self.assertEqual(drive.state()["pg_connects"], 1)

    def test_a_statement_past_the_deadline(self):
        with self.drive(size=1, statement=600) as drive:
            done = drive.run("SELECT pg_sleep(3)", deadline=300)
            self.assertEqual((done.status, done.failure, done.unknown), ("UNAVAILABLE", "deadline", True))
            self.assertLess(done.ms, 300 + SLACK)
            self.assertEqual(drive.value("SELECT 1"), "1")  # on another connection

    def test_all_connections_busy(self):
        with self.drive(size=2, acquire=200) as drive:
            busy = [drive.begin("SELECT pg_sleep(%d)" % (1 + vc.SLOW)) for _ in range(2)]
            for _ in range(2):
                done = drive.run("SELECT 1")
                self.assertEqual((done.status, done.failure, done.unknown), ("BUSY", "exhausted", False))
                self.assertTrue(200 <= done.ms < 200 + SLACK, done)
            sooner = drive.run("SELECT 1", deadline=50)
            self.assertEqual((sooner.status, sooner.failure), ("UNAVAILABLE", "deadline"))
            self.assertEqual([drive.end(name).status for name in busy], ["OK", "OK"])
            self.assertEqual(drive.value("SELECT 2"), "2")
            self.assertEqual(drive.state()["pg_exhausted"], 2)

    def test_many_wait_for_few_in_their_order(self):
        with self.drive(size=1, acquire=20000) as drive:
            names = [drive.begin("SELECT %d" % n) for n in range(200)]
            self.assertEqual([drive.end(name).results[0][3] for name in names], [str(n) for n in range(200)])
            ended = [line.split("\t")[1] for line in drive.said.lines if line.startswith("done")]
            self.assertEqual(ended, names)
            self.assertEqual(drive.state()["pg_connects"], 1)

    def test_a_session_ended_by_an_administrator_while_idle(self):
        with self.drive(size=1) as drive:
            drive.value("SELECT 1")
            self.cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              " WHERE application_name = 'vitalcache'")
            self.assertEqual(drive.await_line("^lost")[1], "57P01")
            self.assertEqual(drive.value("SELECT 1"), "1")

    def test_a_session_ended_in_the_middle(self):
        with self.drive(size=1) as drive:
            name = drive.begin("SELECT pg_sleep(20)")
            self.terminate_sleepers()
            done = drive.end(name)
            self.assertEqual((done.status, done.failure, done.sqlstate, done.unknown),
                             ("UNAVAILABLE", "lost", "57P01", True))

    def test_a_read_is_run_again_once(self):
        with self.drive(size=1) as drive:
            name = drive.begin("SELECT pg_sleep(1), 4", flags="r")
            self.terminate_sleepers()
            self.assertEqual(drive.end(name).status, "OK")
            name = drive.begin("SELECT pg_sleep(20), 5", flags="r")
            self.terminate_sleepers()
            self.terminate_sleepers()
            self.assertEqual(drive.end(name).failure, "lost")

    def terminate_sleepers(self):
        """Each once; waits until there is one."""
        pg.wait_for(lambda: self.cluster.psql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = 'vitalcache' AND wait_event = 'PgSleep'"), "a sleeper")

    def test_too_many_connections(self):
        self.cluster.create_role("few", SECRET, "CONNECTION LIMIT 1")
        with self.drive(dsn=self.cluster.dsn(user="few", password=SECRET), size=3, acquire=5000) as drive:
            names = [drive.begin("SELECT pg_sleep(0.2)") for _ in range(4)]
            self.assertEqual([drive.end(name).status for name in names], ["OK"] * 4)  # on the one that there is
            self.assertEqual(drive.await_line("^lost")[1], "53300")

    def test_a_wrong_password_is_said_in_our_words_only(self):
        self.cluster.create_role("nurse", SECRET)
        with self.drive(dsn=self.cluster.dsn(user="nurse", password=SECRET)) as drive:
            self.assertEqual(drive.value("SELECT current_user"), "nurse")
        wrong = SECRET + " wrong"
        with self.drive(dsn=self.cluster.dsn(user="nurse", password=wrong)) as drive:
            done = drive.run("SELECT 1")
            self.assertEqual((done.status, done.failure, done.sqlstate), ("UNAVAILABLE", "connect", "28P01"))
        everything = drive.said.text() + drive.log.text()
        self.assertIn("password was refused", everything)
        self.assertNotIn("s3cret", everything)
        self.assertNotIn("nurse", everything)

    def test_scram_without_a_password(self):
        with self.drive(dsn=self.cluster.dsn(password="")) as drive:
            self.assertEqual(drive.run("SELECT 1").failure, "connect")
            self.assertIn("none was configured", drive.await_line("^lost")[2])

    def test_a_host_that_nobody_knows(self):
        with self.drive(dsn=self.cluster.dsn(host="no-such-host.invalid")) as drive:
            done = drive.run("SELECT 1", deadline=1000)  # however long the name service takes
            self.assertEqual((done.status, done.unknown), ("UNAVAILABLE", False))
            self.assertLess(done.ms, 1000 + SLACK)

    def test_a_database_that_is_not_there(self):
        with self.drive(dsn=self.cluster.dsn(database="nowhere")) as drive:
            self.assertEqual(drive.run("SELECT 1").sqlstate, "3D000")


class CutTest(PoolTest):
    """Connections cut after each number of bytes, in each direction: what is said of the outcome is true."""

    def committed(self, number):
        return self.cluster.psql("SELECT count(*) FROM t WHERE n = %s", (number,))[0][0] == 1

    def cut_everywhere(self, way, **settings):
        cutter = Cutter(self.cluster)
        endings = set()
        with Drive(self.cluster.dsn(port=cutter.port), size=1, **settings) as drive:
            for after in range(0, 500, 4):  # the last message, a Sync, has five bytes
                number = 1000 + after
                cutter.cut(way, None)
                pg.wait_for(lambda: drive.run("SELECT 1").status == "OK", "a connection")
                cutter.cut(way, after)
                done = drive.run("BEGIN", ("INSERT INTO t VALUES ($1::int)", str(number)), "COMMIT")
                self.cluster.wait_for_connections(1 if done.status == "OK" else 0)
                there = self.committed(number)
                if done.status == "OK":
                    self.assertTrue(there, after)
                else:
                    self.assertEqual((done.failure, done.unknown), ("lost", True), after)
                endings.add((done.status, there))
                self.cluster.psql("DELETE FROM t WHERE n >= 1000")
        cutter.close()
        return endings

    def test_on_the_way_to_postgresql(self):
        self.assertEqual(self.cut_everywhere("up", prepared=0), {("OK", True), ("UNAVAILABLE", True),
                                                                ("UNAVAILABLE", False)})

    def test_on_the_way_back(self):
        """The commit had arrived: that is why an unknown outcome must be said to be one."""
        self.assertEqual(self.cut_everywhere("down"), {("OK", True), ("UNAVAILABLE", True)})


class OwnClusterTest(unittest.TestCase):
    """Tests that stop, kill or freeze their server."""

    def setUp(self):
        self.cluster = self.enterContext(pg.Cluster())

    def test_frozen_server(self):
        with Drive(self.cluster.dsn(), size=2, connect=500, acquire=300) as drive:
            drive.value("SELECT 1")
            self.cluster.pause()
            done = drive.run("SELECT 1", deadline=400, flags="r")
            self.assertEqual((done.status, done.failure, done.unknown), ("UNAVAILABLE", "deadline", True))
            self.assertLess(done.ms, 400 + SLACK)
            for _ in range(3):
                done = drive.run("SELECT 1", deadline=5000)
                self.assertEqual((done.status, done.unknown), ("UNAVAILABLE", False))
                self.assertLess(done.ms, 300 + SLACK)
            self.cluster.resume()
            skip = len(drive.said.lines)
            drive.await_line("^opened", skip)
            self.assertEqual(drive.value("SELECT 2"), "2")
        self.cluster.wait_for_connections(0)

    def test_frozen_server_with_half_of_an_exchange_unsent(self):
        with Drive(self.cluster.dsn(), size=1) as drive:
            drive.value("SELECT 1")
            self.cluster.pause()
            done = drive.run(*["SELECT '%s'" % ("z" * 60000)] * 100, deadline=400, flags="o")
            self.assertEqual((done.status, done.failure, done.unknown), ("UNAVAILABLE", "deadline", True))
            self.assertLess(done.ms, 400 + SLACK)
            self.cluster.resume()
        self.cluster.wait_for_connections(0)

    def test_kill_9_and_restart(self):
        with Drive(self.cluster.dsn(), size=2) as drive:
            drive.value("SELECT 1")
            descriptors = os.listdir("/proc/%d/fd" % drive.process.pid)
            busy = drive.begin("SELECT pg_sleep(20)")
            self.cluster.wait_for_connections(1)
            self.cluster.kill9()
            done = drive.end(busy)
            self.assertEqual((done.failure, done.unknown), ("lost", True))
            self.assertEqual(drive.run("SELECT 1").failure, "connect")
            drive.await_line("^lost.*nobody listens")
            for _ in range(20):  # nobody waits for a server that is gone
                done = drive.run("SELECT 1")
                self.assertEqual((done.status, done.failure, done.unknown), ("UNAVAILABLE", "connect", False))
            skip = len(drive.said.lines)
            self.cluster.start()
            drive.await_line("^opened", skip)  # found by the pool itself
            self.assertEqual(drive.value("SELECT 2"), "2")
            self.assertEqual(os.listdir("/proc/%d/fd" % drive.process.pid), descriptors)
        self.cluster.wait_for_connections(0)

    def test_the_first_host_is_dead(self):
        """One that refuses is passed over by libpq; one that accepts and says nothing costs one connect time-out."""
        closed = vc.Port()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for port in (closed.number, silent.getsockname()[1]):
                dsn = pg.conninfo(host="127.0.0.1,127.0.0.1", port="%d,%d" % (port, self.cluster.port), user="postgres",
                                  password=pg.PASSWORD, dbname="postgres", target_session_attrs="read-write")
                with Drive(dsn, connect=500, acquire=3000, size=1) as drive:
                    drive.begin("SELECT 1")
                    drive.await_line("^opened")
                    self.assertEqual(drive.value("SELECT 2"), "2")
        closed.release()

    def test_the_primary_among_several(self):
        with self.cluster.replica() as standby:
            dsn = pg.conninfo(host="127.0.0.1,127.0.0.1", port="%d,%d" % (standby.port, self.cluster.port),
                              user="postgres", password=pg.PASSWORD, dbname="postgres", target_session_attrs="primary")
            with Drive(dsn) as drive:
                self.assertEqual(drive.value("SELECT pg_is_in_recovery()"), "f")
                skip = len(drive.said.lines)
                self.cluster.kill9()
                drive.await_line("^lost", skip)
                drive.begin("SELECT 1")
                drive.await_line("^lost.*target_session_attrs", skip)
                skip = len(drive.said.lines)
                standby.promote()
                drive.await_line("^opened", skip)
                self.assertEqual(drive.value("SELECT pg_is_in_recovery()"), "f")


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster(tls=True, hba="hostnossl all all 127.0.0.1/32 reject\n").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_the_servers_certificate_is_verified(self):
        dsn = self.cluster.dsn(sslmode="verify-full", sslrootcert=self.cluster.folder / "ca.crt")
        with Drive(dsn) as drive:
            self.assertEqual(drive.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t")
            done = drive.run(*("SELECT repeat('x', 30000), %d" % n for n in range(200)))
            self.assertEqual((done.status, len(done.results)), ("OK", 200))

    def test_the_certificate_is_compared_with_the_name(self):
        """Though libpq is given the address that was looked up."""
        def dsn(host, **words):
            return self.cluster.dsn(host=host, sslmode="verify-full", sslrootcert=self.cluster.folder / "ca.crt",
                                    **words)

        with Drive(dsn("localhost")) as drive:
            self.assertEqual(drive.value("SELECT 1"), "1")
        with Drive(dsn("another-name", hostaddr="127.0.0.1")) as drive:
            self.assertEqual(drive.run("SELECT 1").failure, "connect")
            self.assertIn("certificate was not accepted", drive.await_line("^lost")[2])

    def test_a_certificate_of_another_authority(self):
        with vc.temp_dir() as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-subj", "/CN=other", "-keyout", folder / "k", "-out", folder / "ca.crt"],
                           check=True, capture_output=True)
            with Drive(self.cluster.dsn(sslmode="verify-full", sslrootcert=folder / "ca.crt")) as drive:
                self.assertEqual(drive.run("SELECT 1").failure, "connect")
                self.assertIn("certificate was not accepted", drive.await_line("^lost")[2])

    def test_no_tls_where_it_is_wanted(self):
        with Drive(self.cluster.dsn(sslmode="disable")) as drive:
            self.assertEqual(drive.run("SELECT 1").sqlstate, "28000")


if __name__ == "__main__":
    unittest.main()
