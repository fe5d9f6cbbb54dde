#!/usr/bin/python3
"""What nodes ask of the database: tags as C has them, the epoch and when it ends, touches, tokens, clean-up, and
whether what was read still holds."""
import contextlib
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402
import vc  # noqa: E402

CASES = [line.split("\t") for line in (vc.ROOT / "tests" / "data" / "tags.tsv").read_text().splitlines()
         if not line.startswith("#")]


def epoch(cluster, **words):
    return cluster.psql("SELECT epoch FROM vitalcache.vc_here()", **words)[0][0]


def begin(cluster, **words):
    return cluster.psql("SELECT vitalcache.vc_begin_epoch()", **words)[0][0]


class Asked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = pg.Cluster()
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.clean)
        pg_site.prepare(cls.cluster)

    # ---- tags

    def built(self, text):
        """The bytes that SQL builds for a tag's text form."""
        subject, id, table = re.fullmatch(r"(?:(\w+):(.*?))?/?([^/:]*)", text).groups() if "/" in text else (
            *text.split(":"), "") if ":" in text else (None, None, text)
        call, words = (("vc_tag_all()", ()) if text == "*" else ("vc_tag_table(%s)", (table,)) if subject is None else
                       ("vc_tag_student(%s, %s)", (id, table)) if subject == "student" else
                       ("vc_tag_container(%s, %s, %s)", (subject, id, table)))
        return bytes(self.cluster.psql("SELECT vitalcache." + call, words)[0][0]).hex()

    def test_tags_are_the_same_in_c_and_sql(self):
        for text, expected in CASES:
            with self.subTest(text[:40]):
                self.assertEqual(self.built(text), expected)

    def test_tags_of_triggers_are_the_same(self):
        cluster = self.cluster
        cluster.psql("ALTER TABLE urgent_notes NO INHERIT notes; ALTER TABLE notes ALTER student_id TYPE text;"
                     "ALTER TABLE notes RENAME TO n; INSERT INTO vitalcache.vc_watch VALUES"
                     " ('public.n', 'allergies', 'student', 'student_id'); SELECT vitalcache.vc_cover()")
        students = [(text[8:-len("/allergies")], tag) for text, tag in CASES if text.endswith("/allergies")]
        self.assertGreater(len(students), 5)
        for student, tag in students + [("z" * 513, None)]:
            cluster.psql("INSERT INTO n VALUES (%s)", (student,))
            touched = cluster.psql("SELECT tag FROM vitalcache.vc_touch WHERE xid ="
                                   " (SELECT xmin::text::xid8 FROM n WHERE student_id = %s)", (student,))
            self.assertEqual([bytes(row[0]).hex() for row in touched], [tag] if tag else [], student[:40])
        cluster.psql("DELETE FROM vitalcache.vc_watch WHERE relation = 'public.n'; SELECT vitalcache.vc_cover();"
                     "DROP TABLE n; ALTER TABLE urgent_notes RENAME TO notes; SELECT vitalcache.vc_cover()")

    def test_parts_that_are_too_long_are_refused(self):
        with self.assertRaisesRegex(Exception, "at most 512 bytes, not 513"):
            self.cluster.psql("SELECT vitalcache.vc_tag_student(repeat('x', 513), 't')")

    # ---- invalidation and tokens

    def test_invalidate(self):
        watcher = pg_site.Watcher(self.cluster)
        current, xid = self.cluster.psql(
            "SELECT i.* FROM vitalcache.vc_invalidate(ARRAY[vitalcache.vc_tag_all(), vitalcache.vc_tag_student('7'),"
            " vitalcache.vc_tag_student('7')]) AS i")[0]
        self.assertEqual(watcher.seen(), {"*", "student:7"})
        self.assertEqual(current, epoch(self.cluster))
        rows = self.cluster.psql("SELECT count(*) FROM vitalcache.vc_touch WHERE xid = %s::text::xid8", (xid,))
        self.assertEqual(rows, [(2,)])

    def test_tokens_name_the_epoch_and_the_transaction(self):
        with contextlib.closing(self.cluster.connect(autocommit=False)) as writer, writer.cursor() as cursor:
            cursor.execute("SELECT vitalcache.vc_token(), pg_current_xact_id()::text::bigint")
            token, xid = cursor.fetchone()
        self.assertEqual(token, "v1-%016x-%x" % (epoch(self.cluster), xid))

    def test_without_a_node_there_are_no_tokens(self):
        self.cluster.psql("DELETE FROM vitalcache.vc_alive")
        self.assertIsNone(epoch(self.cluster))
        for call in ("vc_token()", "vc_invalidate(ARRAY[vitalcache.vc_tag_all()])"):
            with self.assertRaises(Exception) as caught:
                self.cluster.psql("SELECT vitalcache." + call)
            self.assertEqual(caught.exception.pgcode, "VC001")
        begin(self.cluster)

    def test_beat(self):
        self.cluster.psql("SELECT vitalcache.vc_beat('a'), vitalcache.vc_beat('b'); SELECT vitalcache.vc_beat('a')")
        self.assertEqual(self.cluster.psql("SELECT * FROM vitalcache.vc_beat ORDER BY node"), [("a", 2), ("b", 1)])

    # ---- the epoch

    def test_of_two_nodes_one_begins_it(self):
        self.cluster.psql("DELETE FROM vitalcache.vc_alive")
        first, second = self.cluster.connect(autocommit=False), self.cluster.connect()
        with contextlib.closing(first), contextlib.closing(second), first.cursor() as cursor:
            cursor.execute("SELECT vitalcache.vc_begin_epoch()")
            begun = cursor.fetchone()[0]
            command = [str(self.cluster.binaries / "psql"), "-XAtc", "SELECT vitalcache.vc_begin_epoch()"]
            other = subprocess.Popen(command + [self.cluster.dsn(socket=True)], stdout=subprocess.PIPE, text=True)
            pg.wait_for(lambda: self.cluster.psql("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] == 1, "wait")
            first.commit()
            self.assertEqual(int(other.communicate()[0]), begun)
        self.assertEqual(begin(self.cluster), begun)
        self.assertGreater(begun, 0)

    def test_touches_of_another_databases_future_go(self):
        self.cluster.psql("DELETE FROM vitalcache.vc_alive;"
                          "INSERT INTO vitalcache.vc_touch VALUES ('x', '999999999'), ('y', '1')")
        begin(self.cluster)
        self.assertEqual(self.cluster.psql("SELECT count(*) FROM vitalcache.vc_touch WHERE xid = '999999999'"), [(0,)])

    # ---- what was read, and the floor

    def snapshot(self):
        return self.cluster.psql("SELECT snapshot FROM vitalcache.vc_here()")[0][0]

    def unmodified(self, *reads):
        """reads: (tags as text, snapshot)"""
        owners, tags = [], []
        for n, (texts, _) in enumerate(reads, 1):
            owners += [n] * len(texts)
            tags += [bytes.fromhex(self.built(text)) for text in texts]
        rows = self.cluster.psql("SELECT * FROM vitalcache.vc_unmodified(%s::int[], %s::bytea[], %s) ORDER BY n",
                                 (owners, tags, [snapshot for _, snapshot in reads]))
        self.assertEqual([row[0] for row in rows], list(range(1, len(reads) + 1)))
        return [row[1] for row in rows]

    def test_what_still_holds(self):
        cluster = self.cluster
        before = self.snapshot()
        with contextlib.closing(cluster.connect(autocommit=False)) as writer, writer.cursor() as cursor:
            cursor.execute("INSERT INTO allergies (student_id) VALUES (1)")
            during = self.snapshot()
            mine, other = ["student:1/allergies", "allergies", "*"], ["student:2/allergies", "allergies", "*"]
            self.assertEqual(self.unmodified((mine, before), (mine, during)), [True, True])  # nobody sees it yet
            writer.commit()
        after = self.snapshot()
        self.assertEqual(self.unmodified((mine, before), (mine, during), (mine, after), (other, before), ([], before)),
                         [False, False, True, True, True])
        cluster.psql("SELECT vitalcache.vc_invalidate(ARRAY[vitalcache.vc_tag_table('allergies')])")
        self.assertEqual(self.unmodified((mine, after), (other, after), (["student:2/visits"], after)),
                         [False, False, True])

    def test_lists_of_tags_are_looked_through(self):
        """A statement that writes rows of several students touches them in one row, which no index finds by tag."""
        cluster, many = self.cluster, "INSERT INTO allergies (student_id) VALUES (1), (2), (1)"
        before = self.snapshot()
        one, two, three = ([tag] for tag in ("student:1/allergies", "student:2/allergies", "student:3/allergies"))
        with contextlib.closing(cluster.connect(autocommit=False)) as writer, writer.cursor() as cursor:
            cursor.execute(many)
            during = self.snapshot()
            self.assertEqual(self.unmodified((one, before), (two, during)), [True, True])
            cluster.psql("SELECT pg_current_xact_id()")
            running = self.snapshot()  # it has what came after the writer, and not the writer
            writer.commit()
        after = self.snapshot()
        self.assertEqual(self.unmodified((one, before), (two, before), (three + two, during), (one, running),
                                         (three, before), (three, running), (one, after), ([], before)),
                         [False] * 4 + [True] * 4)
        for _ in range(31):
            cluster.psql(many)
        self.assertEqual(self.unmodified((three, before), (three, after)), [True, True])
        cluster.psql(many)
        with self.subTest("more lists than are looked through: whatever was touched may be ours"):
            self.assertEqual(self.unmodified((three, before), (three, after)), [False, True])

    def test_the_floor(self):
        cluster = self.cluster
        old = self.snapshot()
        cluster.psql("INSERT INTO allergies (student_id) VALUES (3)")
        new = self.snapshot()
        cluster.psql("INSERT INTO allergies (student_id) VALUES (5)")
        self.assertEqual(cluster.psql("SELECT vitalcache.vc_clean(%s)", (new,)), [(True,)])
        self.assertEqual(cluster.psql("SELECT vitalcache.vc_clean(%s)", (new,)), [(False,)])  # it is as high already
        self.assertEqual(cluster.psql("SELECT vitalcache.vc_clean(%s)", (old,)), [(False,)])  # it never sinks
        kept = {pg_site.text(row[0]) for row in cluster.psql("SELECT * FROM vitalcache.vc_touched(NULL, 1000)")}
        self.assertEqual(kept, {"student:5/allergies"})
        untouched = ["student:77/allergies"]
        self.assertEqual(self.unmodified((untouched, old), (untouched, new)), [False, True])
        with self.subTest("a snapshot with a writer running below the floor"):
            xmax = int(new.split(":")[1])
            self.assertEqual(self.unmodified((untouched, "%d:%d:%d" % (xmax - 1, xmax + 9, xmax - 1))), [False])
        future = "%d:%d:" % (xmax + 10 ** 6, xmax + 10 ** 6)
        self.assertEqual(cluster.psql("SELECT vitalcache.vc_clean(%s)", (future,)), [(False,)])

    def test_one_cleans_at_a_time(self):
        with contextlib.closing(self.cluster.connect(autocommit=False)) as one, one.cursor() as cursor:
            cursor.execute("SELECT vitalcache.vc_clean(%s)", (self.snapshot(),))
            self.cluster.psql("SELECT pg_current_xact_id()")
            self.assertEqual(self.cluster.psql("SELECT vitalcache.vc_clean(%s)", (self.snapshot(),)), [(False,)])

    def test_at_most_so_many(self):
        before = self.snapshot()
        self.cluster.psql("SELECT vitalcache.vc_invalidate(array_agg(vitalcache.vc_tag_table('t' || i)))"
                          " FROM generate_series(1, 50) AS i")
        self.assertEqual(len(self.cluster.psql("SELECT * FROM vitalcache.vc_touched(%s, 20)", (before,))), 20)
        self.assertEqual(len(self.cluster.psql("SELECT * FROM vitalcache.vc_touched(%s, 200)", (before,))), 50)

    def test_questions_are_answered_by_indexes(self):
        cluster = self.cluster
        cluster.psql("SELECT vitalcache.vc_invalidate(array_agg(vitalcache.vc_tag_student(i::text, 'bulk')))"
                     " FROM generate_series(1, 20000) AS i; ANALYZE vitalcache.vc_touch")
        before = self.snapshot()
        read = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = 'vc_touch'"
        with contextlib.closing(cluster.connect(autocommit=False)) as node, node.cursor() as cursor:
            cursor.execute("SELECT * FROM vitalcache.vc_touched(%s, 200001)", (before,))
            cursor.execute("SELECT * FROM vitalcache.vc_unmodified('{1,1}', ARRAY[vitalcache.vc_tag_all(),"
                           " vitalcache.vc_tag_student('1', 'bulk')], ARRAY[%s])", (before,))
            cursor.execute(read)
            self.assertEqual(cursor.fetchone()[0], 0)


class Ends(unittest.TestCase):
    """Each way for a history to end, or to be another one."""

    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.stack = stack

    def cluster(self, **settings):
        cluster = self.stack.enter_context(pg.Cluster(**settings))
        pg_site.prepare(cluster)
        return cluster

    def test_a_clean_restart_goes_on_a_crash_does_not(self):
        cluster = self.cluster(fsync="on")
        first = epoch(cluster)
        cluster.restart()
        self.assertEqual(epoch(cluster), first)
        cluster.kill9()
        cluster.start()
        self.assertIsNone(epoch(cluster))
        self.assertEqual(cluster.psql("SELECT is_primary, epoch FROM vitalcache.vc_poll()"), [(True, None)])
        self.assertNotIn(begin(cluster), (None, first))

    def test_a_dump_restored(self):
        cluster = self.cluster()
        first = epoch(cluster)
        cluster.create_database("copy")
        dump = pg.run(cluster.binaries / "pg_dump", cluster.dsn(socket=True))
        done = subprocess.run([str(cluster.binaries / "psql"), "-Xqv", "ON_ERROR_STOP=1",
                               cluster.dsn(socket=True, database="copy")], input=dump, text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIsNone(epoch(cluster, database="copy"))
        self.assertEqual(epoch(cluster), first)
        self.assertNotIn(begin(cluster, database="copy"), (None, first))
        self.assertEqual(set(pg_site.state(cluster, database="copy").values()), {None})  # another one's signatures
        cluster.psql("SELECT vitalcache.vc_resign()", database="copy")
        self.assertEqual(pg_site.state(cluster, database="copy"), {})
        watcher = pg_site.Watcher(cluster, database="copy")
        cluster.psql("INSERT INTO allergies (student_id) VALUES (1)", database="copy")
        self.assertEqual(watcher.seen(), {"student:1/allergies"})

    def test_the_history_dropped_and_restored(self):
        cluster = self.cluster()
        cluster.psql("CREATE TABLE vitalcache.other (LIKE vitalcache.vc_touch INCLUDING ALL);"
                     "ALTER TABLE vitalcache.vc_touch RENAME TO gone; ALTER TABLE vitalcache.other RENAME TO vc_touch")
        self.assertIsNone(epoch(cluster))

    def test_replicas_and_promotion(self):
        cluster = self.cluster()
        first = epoch(cluster)
        standby = self.stack.enter_context(cluster.replica())
        cluster.wait_for_replay(standby)
        self.assertEqual(standby.psql("SELECT is_primary, epoch, floor IS NOT NULL, version FROM vitalcache.vc_poll()"),
                         [(False, first, True, 2)])
        self.assertEqual(standby.psql("SELECT epoch FROM vitalcache.vc_here_replica()"), [(first,)])
        self.assertEqual(cluster.psql("SELECT epoch FROM vitalcache.vc_here_replica()"), [(None,)])
        with self.assertRaisesRegex(Exception, "recovery"):
            epoch(standby)
        standby.promote()
        self.assertIsNone(epoch(standby))
        self.assertEqual(epoch(cluster), first)
        self.assertNotIn(begin(standby), (None, first))
        self.assertEqual(standby.psql("SELECT timeline FROM vitalcache.vc_epoch"), [("00000002",)])

    def test_synchronous_is_told(self):
        cluster = self.cluster()
        self.assertEqual(cluster.psql("SELECT synchronous FROM vitalcache.vc_poll()"), [(False,)])
        with cluster.replica() as standby:
            cluster.synchronous(standby.name)
            self.assertEqual(cluster.psql("SELECT synchronous FROM vitalcache.vc_poll()"), [(True,)])
            cluster.synchronous()


if __name__ == "__main__":
    unittest.main()
