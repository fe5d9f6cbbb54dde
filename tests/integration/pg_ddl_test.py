#!/usr/bin/python3
"""DDL behind a read's back. PostgreSQL lets a query with an older snapshot read a table that was truncated and filled
again, rewritten, renamed into place or attached since: it finds it empty, though no commit ever showed it so. A reply
must show what was there before, or what is there now."""
import contextlib
import json
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "python"))
import pg  # noqa: E402
import pg_site  # noqa: E402
import vc  # noqa: E402

FILL = """
INSERT INTO allergies (student_id, code) VALUES (1, 'old');
INSERT INTO visits VALUES (1, 1, 5, 'old');
INSERT INTO notes VALUES (1, 'old');
"""
CHANGES = {
    "truncated and loaded": ("TRUNCATE allergies; INSERT INTO allergies (student_id, code) VALUES (1, 'new')",
                             "allergies:1"),
    "rewritten": ("ALTER TABLE allergies ALTER code TYPE varchar(90)", "allergies:1"),
    "renamed into place": ("CREATE TABLE incoming (LIKE allergies); INSERT INTO incoming VALUES (1, 1, 'new');"
                           "DROP TABLE allergies; ALTER TABLE incoming RENAME TO allergies", "allergies:1"),
    "attached": ("CREATE TABLE incoming (LIKE visits); INSERT INTO incoming VALUES (1, 1, 7, 'new');"
                 "ALTER TABLE visits DETACH PARTITION visits_old; DROP TABLE visits_old;"
                 "ALTER TABLE visits ATTACH PARTITION incoming FOR VALUES FROM (0) TO (100)", "visits:1"),
}


class Ddl(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.cluster = stack.enter_context(pg.Cluster())
        pg_site.prepare(self.cluster)
        self.cluster.psql(FILL)
        types = pathlib.Path(stack.enter_context(vc.temp_dir())) / "types.yaml"
        types.write_text(pg_site.TYPES)
        config = {"types": {"files": [str(types)]}, "database": {"kind": "postgres", "postgres": {
            "dsn": self.cluster.dsn(), "read_timeout": "20s", "statement_timeout": "20s"}}}
        self.server = stack.enter_context(vc.Server(config=json.dumps(config)))

    def read(self, key, replies):
        with self.server.client() as client:
            replies.append(client.call("GET", key))

    def waiting(self):
        return self.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0]

    def read_behind(self, sql, key):
        """A read whose snapshot is older than the commit of `sql`, and whose query is younger."""
        replies = []
        with contextlib.closing(self.cluster.connect(autocommit=False)) as writer, writer.cursor() as cursor:
            cursor.execute(sql)
            reader = threading.Thread(target=self.read, args=(key, replies))
            reader.start()
            pg.wait_for(lambda: self.waiting() > 0, "the read to wait for the table")
            writer.commit()
            reader.join()
        return replies[0]


def make_test(sql, key):
    def test(self):
        reply = self.read_behind(sql, key)
        rows = json.loads(reply)
        self.assertEqual(len(rows), 1, rows)
        with self.server.client() as client:
            self.assertEqual(len(json.loads(client.call("GET", key))), 1)

    return test


for name, (change, changed) in CHANGES.items():
    setattr(Ddl, "test_" + name.replace(" ", "_"), make_test(change, changed))

if __name__ == "__main__":
    unittest.main()
