#!/usr/bin/python3
"""What a node knows of a real PostgreSQL: touches of commits however long they ran, histories, triggers that go and
come back, hints, heartbeats, clean-up, gaps. The node is truth_drive: its provider of truth and nothing else."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import vc  # noqa: E402

DRIVE = vc.BUILD / "tests" / os.environ.get("VC_TRUTH_DRIVE", "truth_drive")
BOUND = 1000 * vc.SLOW  # milliseconds
LIFE = 3600 * 1000
SCHEMA = """
CREATE TABLE students (student_id text PRIMARY KEY, name text);
CREATE TABLE allergies (student_id text NOT NULL, substance text);
INSERT INTO students SELECT n::text, 'name ' || n FROM generate_series(1, 20) AS n;
"""
WATCH = """
INSERT INTO vitalcache.vc_watch (relation, table_name, subject, column_name) VALUES
    ('public.students', 'students', 'student', 'student_id'),
    ('public.allergies', 'allergies', 'student', 'student_id');
SELECT vitalcache.vc_cover();
"""


def tags_of(student, table="allergies"):
    """What an entry of that student's records of a table carries."""
    return ["student:%s/%s" % (student, table), "student:%s/students" % student, "student:%s" % student, table,
            "students", "*"]


class Node:
    """A truth_drive; `with` stops it. ask() is one command and its answer."""

    def __init__(self, dsn, name="a", heartbeat="auto", life=LIFE, check=False):
        self.process = subprocess.Popen([str(DRIVE), dsn, name, heartbeat, str(life), "1" if check else "0"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        code = self.process.wait(pg.PATIENCE)
        self.reader.join(pg.PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        assert kind is not None or code == 0, "exit code %d\n%s" % (code, "".join(self.log))

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        assert answer or self.process.poll() is None, "".join(self.log)
        return answer

    def state(self):
        condition, epoch, position, heartbeats, troubles, sqlstate = (self.ask("state") + " ").split(" ")[:6]
        return {"condition": condition, "epoch": int(epoch), "position": int(position),
                "heartbeats": heartbeats == "1", "troubles": int(troubles), "sqlstate": sqlstate}

    def counter(self, name):
        return int(self.ask("counter", name))

    def fresh(self, name, bound=BOUND):
        return self.ask("fresh", name, bound)

    def wait_for(self, holds, what):
        def answers():
            os.sched_yield()
            return holds(self)
        try:
            pg.wait_for(answers, what)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.ask("state"), "".join(self.log))) from None

    def wait_for_polls(self, count=2):
        """Two: the first that ends may have been sent before."""
        goal = self.counter("polls") + count
        self.wait_for(lambda n: n.counter("polls") >= goal, "%d polls" % count)

    def wait_for_verdict(self, name, verdict):
        self.wait_for(lambda n: n.fresh(name) == verdict, "%s %s" % (name, verdict))

    def keep(self, name, *tags):
        """Keeps an entry that is fresh and stays so: reads again while what happened before is still being noticed."""
        def read_again(node):
            node.ask("keep", name, *tags)
            node.wait_for_polls()
            return node.fresh(name) == "fresh"
        self.wait_for_polls()
        self.wait_for(read_again, "an entry that is fresh")


def install(cluster):
    for name in ("pg_setup.sql", "pg_triggers.sql"):
        cluster.psql((vc.ROOT / "database" / name).read_text())
    cluster.psql(WATCH)


class Case(unittest.TestCase):
    """With a cluster of its own for each test."""
    settings = {}

    def setUp(self):
        self.cluster = self.enterContext(pg.Cluster(**self.settings))
        self.cluster.psql(SCHEMA)
        install(self.cluster)

    def enterContext(self, context):  # of unittest in Python 3.11 and newer, and in the sanitizers' lanes
        result = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return result

    def node(self, name="a", dsn=None, **options):
        return self.enterContext(Node(dsn or self.cluster.dsn(socket=True), name, **options))

    def polling(self, name="a", **options):
        node = self.node(name, **options)
        node.wait_for(lambda n: n.state()["condition"] == "polling", "the first poll")
        return node


class SharedCase(Case):
    """With one cluster for all tests of the class, which leave it as they have found it."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster().__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        cls.cluster.psql(SCHEMA)
        install(cls.cluster)

    def setUp(self):
        self.cluster.psql("TRUNCATE allergies; SELECT vitalcache.vc_resign()")  # a truncated table is another one


class Touches(SharedCase):
    def test_a_commit_makes_what_it_touches_old_and_nothing_else(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        node.keep("two", *tags_of(2))
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'nuts')")
        node.wait_for_verdict("one", "touched")
        self.assertEqual(node.fresh("two"), "fresh")
        node.keep("one", *tags_of(1))
        self.assertEqual(node.fresh("one", 0), "uncertified")
        self.assertEqual(node.counter("histories"), 1)

    def test_a_student_changes_hands(self):
        node = self.polling()
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'nuts')")
        node.keep("one", *tags_of(1))
        node.keep("two", *tags_of(2))
        self.cluster.psql("UPDATE allergies SET student_id = '2'")
        node.wait_for_verdict("one", "touched")
        node.wait_for_verdict("two", "touched")

    def test_a_long_transaction_counts_when_it_commits_and_only_then(self):
        node = self.polling()
        with contextlib.closing(self.cluster.connect(autocommit=False)) as long, long.cursor() as cursor:
            cursor.execute("INSERT INTO allergies VALUES ('1', 'nuts')")
            node.keep("during", *tags_of(1))
            for n in range(30):  # its transaction id falls ever further behind
                self.cluster.psql("UPDATE students SET name = 'x' WHERE student_id = '%d'" % (2 + n % 9))
            node.wait_for_polls()
            self.assertEqual(node.fresh("during"), "fresh")
            long.commit()
            node.wait_for_verdict("during", "touched")
            node.keep("after", *tags_of(1))

    def test_a_prepared_transaction_counts_when_it_commits(self):
        node = self.polling()
        self.cluster.psql("BEGIN; INSERT INTO allergies VALUES ('1', 'nuts'); PREPARE TRANSACTION 'later'")
        node.keep("one", *tags_of(1))
        node.wait_for_polls()
        self.assertEqual(node.fresh("one"), "fresh")
        self.cluster.psql("COMMIT PREPARED 'later'")
        node.wait_for_verdict("one", "touched")

    def test_more_open_transactions_than_a_snapshot_keeps(self):
        node = self.polling()
        with contextlib.ExitStack() as stack:
            for n in range(70):
                one = stack.enter_context(contextlib.closing(self.cluster.connect(autocommit=False)))
                one.cursor().execute("INSERT INTO allergies VALUES ('%d', 'nuts')" % (100 + n))
                last = one
            node.wait_for_polls()
            histories, gaps = node.counter("histories"), node.counter("poll_gaps")
            self.cluster.psql("INSERT INTO allergies VALUES ('1', 'nuts')")
            last.commit()
            node.wait_for_polls()
            self.assertEqual(node.state()["condition"], "polling")
            self.assertEqual((node.counter("histories"), node.counter("poll_gaps")), (histories, gaps))
        node.wait_for_polls(3)
        node.keep("one", *tags_of(1))

    def test_invalidate_makes_a_token_and_holds_at_once(self):
        node = self.polling()
        other = self.polling("b")
        node.keep("one", *tags_of(1))
        other.keep("one", *tags_of(1))
        answer = node.ask("touch", "student:1")
        self.assertRegex(answer, r"^v1-%016x-[0-9a-f]+ [01]$" % node.state()["epoch"])
        self.assertEqual(node.fresh("one"), "touched")
        other.wait_for_verdict("one", "touched")
        other.wait_for(lambda n: n.counter("hints_received") == 1, "a hint")
        node.wait_for(lambda n: n.counter("hints_sent") == 1, "the hint's being sent")
        self.assertEqual(node.counter("hints_received"), 0)
        node.keep("one", *tags_of(1))

    def test_many_tags_at_once(self):
        node = self.polling()
        other = self.polling("b")
        other.keep("one", *tags_of(1))
        self.assertTrue(node.ask("touch", *("student:%d/allergies" % n for n in range(1, 400))).startswith("v1-"))
        other.wait_for_verdict("one", "touched")
        self.assertEqual(self.cluster.psql("SELECT count(*) FROM vitalcache.vc_touch")[0][0] >= 399, True)

    def test_more_touches_than_can_be_had_in_time(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        self.cluster.psql("INSERT INTO allergies SELECT (100 + n)::text, 'nuts' FROM generate_series(1, 600000) AS n")
        node.wait_for_verdict("one", "touched")  # everything is
        node.keep("one", *tags_of(1))

    def test_forged_hints_cost_a_read_and_nothing_else(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        self.cluster.psql("NOTIFY vitalcache, 'nonsense'; NOTIFY vitalcache, ''; NOTIFY other, 'x'")
        node.wait_for(lambda n: n.counter("hints_refused") == 2, "refused hints")
        self.assertEqual(node.fresh("one"), "fresh")


class Rights(Case):
    def test_a_role_that_may_do_no_more_than_it_must(self):
        self.cluster.create_role("node", "secret")
        node = self.enterContext(Node(self.cluster.dsn(socket=True, user="node")))
        node.wait_for(lambda n: n.state()["condition"] == "forbidden", "that it may not poll")
        self.assertEqual(node.state()["sqlstate"], "42501")
        for statement, in self.cluster.psql("SELECT * FROM vitalcache.vc_grants('node')"):
            self.cluster.psql(statement)
        node.wait_for(lambda n: n.state()["condition"] == "polling", "polls")
        node.keep("one", *tags_of(1))
        self.cluster.psql("ALTER TABLE allergies DISABLE TRIGGER ALL; ALTER TABLE allergies ENABLE TRIGGER ALL;"
                          "SELECT vitalcache.vc_cover(); UPDATE vitalcache.vc_signature SET signature = 'old'")
        node.wait_for_verdict("one", "touched")
        node.keep("one", *tags_of(1))  # it has signed the tables anew
        self.assertTrue(node.ask("touch", "student:1").startswith("v1-"))


class Histories(Case):
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s"}

    def test_files_from_before_bring_no_old_copy_back(self):
        """A copy of the stopped server's files has the epoch's name, and gives its transaction ids once more."""
        self.polling().ask("state")
        self.cluster.stop()
        saved = self.cluster.folder / "saved"
        pg.copy_tree(self.cluster.data, saved)
        self.cluster.start()
        node = self.polling("b")
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'of a time that never was')")
        node.wait_for_polls()
        node.keep("one", *tags_of(1))
        self.cluster.stop()
        shutil.rmtree(self.cluster.data)
        saved.rename(self.cluster.data)
        node.wait_for(lambda n: n.state()["condition"] != "polling", "loss of the server")
        self.cluster.start()
        node.wait_for(lambda n: n.state()["condition"] == "polling", "the server")
        node.wait_for_polls()
        self.assertEqual(node.fresh("one"), "touched")
        node.keep("one", *tags_of(1))

    def test_after_kill_9_a_new_history_begins(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        before = node.state()["epoch"]
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'lost perhaps')")
        self.cluster.kill9()
        node.wait_for(lambda n: n.state()["condition"] == "unreachable", "loss of the server")
        self.cluster.start()
        node.wait_for(lambda n: n.state()["condition"] == "polling" and n.state()["epoch"] != before, "another epoch")
        self.assertEqual(node.fresh("one"), "other-epoch")
        node.keep("one", *tags_of(1))

    def test_a_clean_restart_goes_on(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        before = node.state()["epoch"]
        self.cluster.restart()
        node.wait_for_polls()
        self.assertEqual(node.state()["epoch"], before)
        node.wait_for_verdict("one", "fresh")

    def test_a_stopped_node_polls_before_it_answers(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        node.process.send_signal(signal.SIGSTOP)
        with contextlib.closing(self.cluster.connect()) as client, client.cursor() as cursor:
            cursor.execute("INSERT INTO allergies VALUES ('1', 'nuts')")
            cursor.execute("SELECT pg_sleep(%s)", (BOUND / 1000 + 0.1,))
        polls = node.process.send_signal(signal.SIGCONT)
        self.assertIn(node.fresh("one"), ("uncertified", "touched"))
        node.wait_for_verdict("one", "touched")
        self.assertIsNone(polls)

    def test_a_stopped_server_certifies_nothing(self):
        node = self.polling()
        node.keep("one", *tags_of(1))
        self.cluster.pause()
        try:
            node.wait_for_verdict("one", "uncertified")
            node.wait_for(lambda n: n.state()["condition"] == "slow", "a late poll")
        finally:
            self.cluster.resume()
        node.wait_for_verdict("one", "fresh")

    def test_a_standby_answers_no_poll(self):
        self.cluster.psql("SELECT pg_create_physical_replication_slot('s')")
        with self.cluster.replica() as standby:
            node = self.enterContext(Node(standby.dsn(socket=True)))
            node.wait_for(lambda n: n.state()["condition"] == "standby", "that it is a standby")
            self.assertEqual(node.counter("polls"), 0)
            before = self.cluster.psql("SELECT id FROM vitalcache.vc_epoch")
            standby.promote()
            node.wait_for(lambda n: n.state()["condition"] == "polling", "its promotion")
            self.assertNotEqual([(node.state()["epoch"],)], before)

    def test_without_the_schema_nothing_is_polled_until_it_is_there(self):
        self.cluster.psql("DROP SCHEMA vitalcache CASCADE")
        node = self.node()
        node.wait_for(lambda n: n.state()["condition"] == "not-installed", "that nothing is installed")
        install(self.cluster)
        node.wait_for(lambda n: n.state()["condition"] == "polling", "polls")


class Tables(SharedCase):
    def test_a_disabled_trigger_withholds_its_table_only(self):
        node = self.polling()
        node.keep("allergies", *tags_of(1))
        node.keep("student", "student:1/students", "student:1", "students", "*")
        name = self.cluster.psql("SELECT tgname FROM pg_trigger WHERE tgrelid = 'allergies'::regclass"
                                 " AND tgname LIKE '%insert%' OR tgrelid = 'allergies'::regclass LIMIT 1")[0][0]
        self.cluster.psql('ALTER TABLE allergies DISABLE TRIGGER "%s"' % name)
        node.wait_for_verdict("allergies", "touched")
        node.wait_for(lambda n: n.state()["troubles"] > 0, "trouble")
        self.assertTrue(node.ask("trouble").startswith("allergies|public.allergies|"))
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'unseen')")
        node.wait_for_polls()
        node.ask("keep", "allergies", *tags_of(1))
        self.assertEqual(node.fresh("allergies"), "touched")
        self.assertEqual(node.fresh("student"), "fresh")
        self.cluster.psql('ALTER TABLE allergies ENABLE ALWAYS TRIGGER "%s"' % name)
        node.wait_for(lambda n: n.state()["troubles"] == 0, "order")
        node.keep("allergies", *tags_of(1))

    def test_a_trigger_away_between_two_polls_is_noticed_by_all(self):
        nodes = [self.polling("a"), self.polling("b")]
        for node in nodes:
            node.keep("one", *tags_of(1))
        nodes[1].process.send_signal(signal.SIGSTOP)  # it polls again when the other has signed the table anew
        self.cluster.psql("BEGIN; ALTER TABLE allergies DISABLE TRIGGER ALL; INSERT INTO allergies VALUES ('1', 'x');"
                          " ALTER TABLE allergies ENABLE TRIGGER ALL; SELECT vitalcache.vc_cover(); COMMIT")
        nodes[0].wait_for_verdict("one", "touched")
        nodes[0].wait_for(lambda n: self.cluster.psql("SELECT count(*) FROM vitalcache.vc_state()")[0][0] == 0, "order")
        nodes[1].process.send_signal(signal.SIGCONT)
        nodes[1].wait_for_verdict("one", "touched")
        nodes[1].keep("one", *tags_of(1))

    def test_entries_wait_for_the_check_of_definitions(self):
        node = self.polling(check=True)
        node.wait_for_polls()
        node.ask("keep", "one", *tags_of(1))
        node.wait_for_polls()
        self.assertEqual(node.fresh("one"), "touched")
        first = int(node.ask("round"))
        node.ask("checked", "allergies")
        node.keep("student", "student:1/students", "student:1", "students", "*")
        node.ask("keep", "one", *tags_of(1))
        self.assertEqual(node.fresh("one"), "touched")
        self.cluster.psql("CREATE VIEW v AS SELECT * FROM students;"
                          "INSERT INTO vitalcache.vc_watch VALUES ('public.v', 'students', NULL, NULL);"
                          "SELECT vitalcache.vc_cover()")
        node.wait_for(lambda n: int(n.ask("round")) > first, "another check")
        self.assertEqual(node.fresh("student"), "touched")
        node.ask("checked")
        node.keep("one", *tags_of(1))


class Heartbeats(Case):
    def test_a_synchronous_replica_confirms_polls(self):
        node = self.polling()
        self.assertEqual(node.ask("proved", 0), "1")
        with self.cluster.replica("standby") as standby:
            self.cluster.synchronous("standby")
            node.wait_for(lambda n: n.state()["heartbeats"], "heartbeats")
            node.wait_for(lambda n: n.ask("proved", BOUND) == "1", "a confirmed poll")
            self.assertEqual(node.ask("proved", 0), "0")
            self.assertGreater(self.cluster.psql("SELECT n FROM vitalcache.vc_beat WHERE node = 'a'")[0][0], 0)
            node.keep("one", *tags_of(1))
            standby.kill9()
            node.wait_for_verdict("one", "uncertified")  # the primary answers, and cannot commit
            self.assertEqual(node.ask("proved", BOUND), "0")
            self.assertIn("outcome is not known", node.ask("touch", "student:1"))
            self.assertIn(node.state()["condition"], ("slow", "unconfirmed", "failing", "unreachable"))
            self.cluster.configure(synchronous_standby_names=None)
            node.wait_for(lambda n: n.state()["condition"] == "polling" and not n.state()["heartbeats"], "polls")
            node.wait_for_verdict("one", "touched")
            node.keep("one", *tags_of(1))  # the transaction in doubt has ended

    def test_a_node_that_finds_a_deposed_primary_believes_nothing_of_it(self):
        """It has never polled the primary before, and no poll of this one is ever confirmed."""
        self.polling("before")
        self.cluster.configure(synchronous_standby_names="gone")
        try:
            node = self.node()
            node.wait_for(lambda n: n.ask("proved", BOUND) == "0", "proof is asked for")
            self.assertNotEqual(node.state()["condition"], "polling")
        finally:
            self.cluster.configure(synchronous_standby_names=None)

    def test_heartbeats_go_on_after_a_promotion(self):
        """The new primary has no replicas; but reads may still reach the old one, which must not be believed."""
        with self.cluster.replica("standby") as standby:
            self.cluster.synchronous("standby")
            ports = "%d,%d" % (self.cluster.port, standby.port)
            node = self.polling(dsn=pg.conninfo(host="127.0.0.1,127.0.0.1", port=ports, user=pg.SUPERUSER,
                                                password=pg.PASSWORD, dbname="postgres"))
            node.wait_for(lambda n: n.state()["heartbeats"], "heartbeats")
            before = node.state()["epoch"]
            self.cluster.kill9()
            standby.promote()
            node.wait_for(lambda n: n.state()["condition"] == "polling" and n.state()["epoch"] != before, "promotion")
            node.wait_for_polls()
            self.assertTrue(node.state()["heartbeats"])


class Upkeep(Case):
    def touches(self):
        return self.cluster.psql("SELECT count(*) FROM vitalcache.vc_touch")[0][0]

    def test_old_touches_are_cleaned_up_and_nobody_notices(self):
        nodes = [self.polling("a", life=300), self.polling("b", life=300)]
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'nuts')")
        self.assertGreater(self.touches(), 0)
        nodes[0].wait_for(lambda n: self.touches() == 0, "clean-up")
        for node in nodes:
            self.assertEqual(node.counter("poll_gaps"), 0)
            self.assertEqual(node.counter("histories"), 1)
            node.keep("one", *tags_of(1))

    def test_a_node_that_slept_through_a_clean_up_begins_anew(self):
        awake = self.polling("a", life=300)
        asleep = self.polling("b", life=300)
        asleep.keep("one", *tags_of(1))
        asleep.process.send_signal(signal.SIGSTOP)
        self.cluster.psql("INSERT INTO allergies VALUES ('1', 'nuts')")
        awake.wait_for(lambda n: self.touches() == 0, "clean-up")
        asleep.process.send_signal(signal.SIGCONT)
        asleep.wait_for(lambda n: n.counter("poll_gaps") == 1, "a gap")
        self.assertEqual(asleep.fresh("one"), "touched")
        asleep.keep("one", *tags_of(1))


if __name__ == "__main__":
    unittest.main()
