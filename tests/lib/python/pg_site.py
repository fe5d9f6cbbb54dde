"""A PostgreSQL with tables of a school in it, watched by vitalcache: what the tests of its SQL stand on."""
import pathlib
import subprocess

import vc

TABLES = """
CREATE TABLE students (id bigint PRIMARY KEY, school int, name text);
CREATE TABLE allergies (id serial PRIMARY KEY, student_id bigint REFERENCES students ON DELETE CASCADE, code text);
CREATE TABLE visits (id int, student_id bigint, on_day int, note text) PARTITION BY RANGE (on_day);
CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM (0) TO (100);
CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM (100) TO (200);
CREATE TABLE notes (student_id bigint, note text);
CREATE TABLE urgent_notes (urgency int) INHERITS (notes);
CREATE INDEX ON students (school);
CREATE INDEX ON allergies (student_id);
CREATE INDEX ON visits (student_id);
CREATE INDEX ON notes (student_id);
CREATE INDEX ON urgent_notes (student_id);
INSERT INTO students SELECT i, i % 2, 'name' FROM generate_series(1, 9) AS i;
"""
TYPES = """
subjects:
  school:
tables:
  students:
    postgres: {relations: [{name: public.students, student: id}]}
  allergies:
    postgres: {relations: [{name: public.allergies, student: student_id}]}
  visits:
    postgres: {relations: [{name: public.visits, student: student_id}]}
  notes:
    postgres: {relations: [{name: public.notes, student: student_id}]}
  roster:
    postgres: {relations: [{name: public.students, school: school}, {name: public.notes}]}
types:
  student:
    shape: one
    table: students
    postgres: {fetch: "SELECT id::text AS student, name FROM students WHERE id = ANY($1)"}
  allergies:
    shape: list
    table: allergies
    postgres: {fetch: "SELECT student_id::text AS student, code FROM allergies WHERE student_id = ANY($1)"}
  visits:
    shape: list
    table: visits
    postgres: {fetch: "SELECT student_id::text AS student, note FROM visits WHERE student_id = ANY($1)"}
  notes:
    shape: list
    table: notes
    postgres: {fetch: "SELECT student_id::text AS student, note FROM notes WHERE student_id = ANY($1)"}
  roster:
    shape: list
    table: roster
    id: int
    key: "roster:{school}"
    postgres: {fetch: "SELECT school::text, id, name FROM students WHERE school = ANY($1)"}
"""


def db(what, dsn, types, *flags, check=True):
    """Runs `vitalcache db`; types: the text of a file of them, or a path."""
    command = [vc.VITALCACHE, "db", what, "--dsn", dsn, *flags]
    with vc.temp_dir() as folder:
        if types is not None:
            path = types if isinstance(types, pathlib.Path) else folder / "types.yaml"
            if path is not types:
                path.write_text(types)
            command += ["--types", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert not vc.SANITIZER.search(done.stderr), done.stderr
    assert not check or done.returncode == 0, "%s: exit code %d\n%s%s" % (
        command, done.returncode, done.stdout, done.stderr)
    return done


def prepare(cluster, *flags, tables=TABLES, types=TYPES, database="postgres"):
    """Makes the tables, sets vitalcache up and begins the first epoch."""
    cluster.psql(tables, database=database)
    db("setup", cluster.dsn(socket=True, database=database), types, *flags)
    cluster.psql("SELECT vitalcache.vc_begin_epoch()", database=database)


def state(cluster, **words):
    """What is not in order: {relation: problem (None: it has changed)}."""
    return dict(cluster.psql("SELECT DISTINCT relation, problem FROM vitalcache.vc_state()", **words))


def text(tag):
    """The text form of a tag's bytes (docs/FRESHNESS.md, 3.3)."""
    tag = bytes(tag)
    kind, parts, rest = tag[0], [], tag[1:]
    while rest:
        length = int.from_bytes(rest[:2], "big")
        parts.append(rest[2:2 + length].decode())
        rest = rest[2 + length:]
    assert parts[0] == "", "no tenant has a name yet"
    names = [part for part in parts[1:] if part]
    return {1: "student:%s/%s", 2: "student:%s", 3: "%s", 4: "*", 5: "%s:%s/%s"}[kind] % tuple(names)


class Watcher:
    """What a node sees: the touches that have become visible since it looked last."""

    def __init__(self, cluster, **words):
        self.cluster = cluster
        self.words = words
        self.snapshot = None
        self.seen()

    def seen(self):
        """The set of tags, as text."""
        with self.cluster.connect(autocommit=False, **self.words) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT snapshot FROM vitalcache.vc_poll()")
            now = cursor.fetchone()[0]
            cursor.execute("SELECT * FROM vitalcache.vc_touched(%s, 200001)", (self.snapshot,))
            tags = {text(row[0]) for row in cursor.fetchall()}
        connection.close()
        self.snapshot = now
        return tags
