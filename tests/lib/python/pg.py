"""Real PostgreSQL for the tests: clusters of their own in temporary folders, run by a user who is not root, awaited by
events, killed, stopped, continued, replicated and promoted; and Debian's pgbouncer before them.

    with pg.Cluster() as cluster:
            cluster.psql("CREATE TABLE t (n int)")
            dsn = cluster.dsn()                        # a conninfo string over TCP; cluster.dsn(socket=True)
            with cluster.replica() as standby: ...
"""
import atexit
import contextlib
import fcntl
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import psycopg2

import vc

SUPERUSER = "postgres"
PASSWORD = "superuser's own 'secret'"
READY = r"database system is ready to accept (read-only )?connections"
PATIENCE = 60 * vc.SLOW  # seconds after which something that must happen is said not to have happened
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_prepared_transactions": "10",
    "wal_level": "logical",
    "wal_receiver_status_interval": "1",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "lc_messages": "C.UTF-8",
}
HBA = """\
local all         all              trust
local replication all              trust
host  all         all 127.0.0.1/32 scram-sha-256
host  replication all 127.0.0.1/32 scram-sha-256
"""


def newest_binaries():
    def version(path):
        return int(re.sub(r"\D", "", path.parent.name) or 0)

    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=version)
    assert found, "no PostgreSQL below /usr/lib/postgresql (scripts/setup check)"
    return found[-1]


def runner():
    """Who runs the servers: PostgreSQL refuses root, so the package's user does when the tests run as root."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def as_runner(command, dies_with_us=False):
    """The command line that runs `command` as runner(); its process takes the place of setpriv's."""
    line = ["setpriv"]
    if os.getuid() == 0:
        line += ["--reuid", str(runner().pw_uid), "--regid", str(runner().pw_gid), "--clear-groups"]
    if dies_with_us and threading.current_thread() is threading.main_thread():
        line += ["--pdeathsig", "QUIT"]  # of the thread that starts it: a test that is killed leaves no server behind
    return line + [str(part) for part in command] if len(line) > 1 else [str(part) for part in command]


def run(*command):
    """Runs one of PostgreSQL's tools (or another) as runner(); its output. The tool's words are in the error."""
    done = subprocess.run(as_runner(command), capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
    assert done.returncode == 0, "%s: exit code %d\n%s%s" % (command, done.returncode, done.stdout, done.stderr)
    return done.stdout


def own_folder(prefix):
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    give(path)
    return path


def give(path):
    if os.getuid() == 0:
        os.chown(path, runner().pw_uid, runner().pw_gid)


def template():
    """A fresh cluster's files, made once per machine and version: initdb takes longer than most tests."""
    binaries = newest_binaries()
    folder = pathlib.Path(tempfile.gettempdir()) / ("vitalcache-test-pg-%d" % os.getuid())
    folder.mkdir(exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), "%s is somebody else's" % folder
    os.chmod(folder, 0o755)
    made = folder / ("template-1-" + binaries.parent.name)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make_template(binaries, made)
    return made


def make_template(binaries, made):
    work = own_folder("vitalcache-test-initdb-")
    try:
        secret = work / "password"
        secret.write_text(PASSWORD + "\n")
        give(secret)
        run(binaries / "initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username=" + SUPERUSER,
            "--auth=scram-sha-256", "--pwfile=" + str(secret), "--wal-segsize=4", work / "data")
        with open(work / "data" / "postgresql.conf", "a") as conf:
            conf.write("include 'test.conf'\n")
        copy_tree(work / "data", made)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def copy_tree(source, target):
    """All or nothing, owners and modes kept."""
    part = str(target) + ".part"
    shutil.rmtree(part, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), part], check=True)
    os.rename(part, target)


def quoted(value):
    """A value of a conninfo string."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def conninfo(**words):
    return " ".join("%s=%s" % (name, quoted(value)) for name, value in words.items() if value is not None)


def wait_for(holds, what, seconds=PATIENCE):
    """Asks until holds() is true: for what PostgreSQL announces by no event."""
    end = time.monotonic() + seconds
    pace = threading.Event()  # never set: it only spares the machine some of the questions
    while not holds():
        assert time.monotonic() < end, "not within %s s: %s" % (seconds, what)
        pace.wait(0.01)


class Process:
    """A server with its log; children are found below it, since PostgreSQL's are process group leaders of their own."""

    def __init__(self, command, ready):
        self.process = subprocess.Popen(as_runner(command, dies_with_us=True), stdin=subprocess.DEVNULL, cwd="/",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self.log = vc.Log(self.process.stderr)
        atexit.register(self.kill9)
        if self.log.wait_for(ready, PATIENCE) is None:
            raise AssertionError("%s ended before it was ready:\n%s" % (command[0], self.log.text()))

    def running(self):
        return self.process.poll() is None

    def children(self):
        path = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(path) as file:
            return [int(pid) for pid in file.read().split()]
        return []

    def signal_all(self, number):
        """First the parent, so that it starts no child that would be missed."""
        if not self.running():
            return
        os.kill(self.process.pid, signal.SIGSTOP if number == signal.SIGKILL else number)
        for pid in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL:
            os.kill(self.process.pid, number)

    def kill9(self):
        self.signal_all(signal.SIGKILL)
        self.wait()

    def wait(self):
        self.process.wait(PATIENCE)
        self.log.thread.join(PATIENCE)
        atexit.unregister(self.kill9)


class Cluster:
    """A PostgreSQL of its own. `with Cluster() as cluster:` starts it; at the end nothing of it is left.
    settings: postgresql.conf (name=value); hba: lines put before the usual ones of pg_hba.conf."""

    def __init__(self, hba="", tls=False, name="primary", **settings):
        self.binaries = newest_binaries()
        self.name = name
        self.folder = own_folder("vitalcache-test-pg-")
        self.data = self.folder / "data"
        self.held = vc.Port()
        self.port = self.held.number
        self.settings = dict(SETTINGS, port=self.port, unix_socket_directories=self.folder, cluster_name=name)
        self.settings.update(settings)
        self.hba = hba + HBA
        self.tls = tls
        self.server = None
        self.logs = []

    def __enter__(self):
        try:
            self.make_files()
            self.start()
        except BaseException:
            self.clean()
            raise
        return self

    def __exit__(self, *exception):
        self.clean()

    def clean(self):
        if self.server is not None and self.server.running():
            self.server.kill9()
        self.held.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- files

    def make_files(self):
        copy_tree(template(), self.data)
        self.make_own_files()

    def make_own_files(self):
        if self.tls:
            self.make_certificate()
            self.settings.update(ssl="on", ssl_cert_file=self.folder / "server.crt",
                                 ssl_key_file=self.folder / "server.key")
        self.write("pg_hba.conf", self.hba)
        self.write_settings()

    def write(self, name, text):
        path = self.data / name
        path.write_text(text)
        give(path)

    def write_settings(self):
        self.write("test.conf", "".join("%s = %s\n" % (name, "'" + str(value).replace("'", "''") + "'")
                                        for name, value in self.settings.items()))

    def make_certificate(self):
        """ca.crt signs server.crt, which names localhost and 127.0.0.1."""
        def openssl(*words):
            run("openssl", *words)

        folder = self.folder
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *key, "-days", "30", "-subj", "/CN=test CA", "-keyout", folder / "ca.key",
                "-out", folder / "ca.crt")
        openssl("req", "-new", *key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", folder / "server.key", "-out", folder / "server.csr")
        openssl("x509", "-req", "-days", "30", "-in", folder / "server.csr", "-CA", folder / "ca.crt", "-CAkey",
                folder / "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-out", folder / "server.crt")
        os.chmod(folder / "server.key", 0o600)
        os.chmod(folder, 0o755 if os.getuid() == 0 else 0o700)

    # ---- life

    def start(self):
        self.server = Process([self.binaries / "postgres", "-D", self.data], READY)
        self.logs.append(self.server.log)

    def stop(self, mode="fast"):
        """smart, fast or immediate; awaits the end."""
        number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        os.kill(self.server.process.pid, number)
        self.server.wait()

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def kill9(self):
        """The power cord, as far as processes feel it: none of them runs another instruction."""
        self.server.kill9()

    def pause(self):
        """SIGSTOP of all its processes: the kernel still accepts connections and acknowledges bytes."""
        self.server.signal_all(signal.SIGSTOP)

    def resume(self):
        for pid in self.server.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        os.kill(self.server.process.pid, signal.SIGCONT)

    def log(self):
        return "\n".join(log.text() for log in self.logs)

    def configure(self, **settings):
        """Changes settings (None: the default again) and, when it runs, reloads: in force for every connection made
        after the return. What needs a restart is left to the caller."""
        self.settings.update(settings)
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self.write_settings()
        if self.server is not None and self.server.running():
            self.reload()

    def configure_hba(self, lines):
        """Puts `lines` before the usual ones of pg_hba.conf, in place of those put there before."""
        self.write("pg_hba.conf", lines + HBA)
        self.reload()

    def reload(self):
        skip = len(self.server.log.lines)
        os.kill(self.server.process.pid, signal.SIGHUP)
        # It reads its files before it accepts another connection.
        assert self.server.log.wait_for("received SIGHUP", PATIENCE, skip) is not None, self.log()

    # ---- SQL

    def dsn(self, socket=False, user=SUPERUSER, password=PASSWORD, database="postgres", **words):
        """A conninfo string; `words` are further ones (sslmode=…, sslrootcert=…, application_name=…)."""
        host = {"host": self.folder} if socket else {"host": "127.0.0.1", "password": password}
        return conninfo(**{**host, "port": self.port, "user": user, "dbname": database, **words})

    def connect(self, autocommit=True, **words):
        """A psycopg2 connection over the socket: for transactions that a test holds open."""
        connection = psycopg2.connect(self.dsn(socket=True, **words))
        connection.autocommit = autocommit
        return connection

    def psql(self, sql, parameters=None, **words):
        """The rows (tuples of Python values) of the last statement of `sql`, each statement committed."""
        with contextlib.closing(self.connect(**words)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def psql_file(self, path, **words):
        """Runs a script with the real psql (meta-commands work); stops at the first error."""
        command = [self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", str(path)]
        done = subprocess.run([*map(str, command), self.dsn(socket=True, **words)], capture_output=True, text=True)
        assert done.returncode == 0, "%s: %s" % (path, done.stderr)
        return done.stdout

    def create_database(self, name):
        self.psql('CREATE DATABASE "%s"' % name)

    def create_role(self, name, password, options=""):
        """A role that logs in; its password is kept as SCRAM."""
        self.psql('CREATE ROLE "%s" LOGIN %s PASSWORD %%s' % (name, options), (password,))

    def connections(self, application=None):
        """How many clients are connected (those of psql() itself left out)."""
        return self.psql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND"
                         " pid <> pg_backend_pid() AND coalesce(application_name = %s, true)", (application,))[0][0]

    def wait_for_connections(self, count, application=None):
        wait_for(lambda: self.connections(application) == count, "%d connections" % count)

    # ---- replication

    def replica(self, name="standby", **settings):
        """A streaming replica, to be used as `with`. Its application_name (synchronous_standby_names) is its name."""
        return Replica(self, name, **settings)

    def synchronous(self, *names):
        """Commits wait for these replicas from now on (for none: no longer); they must be running."""
        self.configure(synchronous_standby_names="FIRST %d (%s)" % (len(names), ", ".join(names)) if names else "")
        self.flush()  # the replicas report at once
        wait_for(lambda: {row[0] for row in self.psql(
            "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")} == set(names),
            "synchronous replicas %s" % (names,))

    def flush(self):
        """Ends the log with a commit of its own, so that earlier ones that nobody waited for are sent as well."""
        self.psql("BEGIN; SET LOCAL synchronous_commit = local; SELECT pg_logical_emit_message(true, '', ''); COMMIT")

    def wait_for_replay(self, replica):
        """Until the replica shows all that is committed here now."""
        self.flush()
        position = self.psql("SELECT pg_current_wal_flush_lsn()")[0][0]
        wait_for(lambda: replica.psql("SELECT pg_last_wal_replay_lsn() >= %s", (position,))[0][0], "replay")


class Replica(Cluster):
    """Made from `primary` by pg_basebackup, streams from it."""

    def __init__(self, primary, name, **settings):
        super().__init__(name=name, **settings)
        self.primary = primary

    def make_files(self):
        source = conninfo(host=self.primary.folder, port=self.primary.port, user=SUPERUSER, application_name=self.name)
        run(self.binaries / "pg_basebackup", "--no-sync", "--checkpoint=fast", "--wal-method=stream",
            "--write-recovery-conf", "-D", self.data, "-d", source)
        self.make_own_files()

    def promote(self):
        """Awaits that it accepts writes."""
        assert self.psql("SELECT pg_promote(true, %s)", (PATIENCE,))[0][0], self.log()

    def follow(self, primary):
        """Streams from another primary from now on."""
        self.psql("ALTER SYSTEM SET primary_conninfo = %s", (conninfo(
            host=primary.folder, port=primary.port, user=SUPERUSER, application_name=self.name),))
        self.reload()


class PgBouncer:
    """Debian's pgbouncer before a cluster. Roles are let in without a password, as the cluster's socket does."""

    def __init__(self, cluster, mode="transaction", pool_size=2, **settings):
        self.cluster = cluster
        self.folder = own_folder("vitalcache-test-bouncer-")
        self.held = vc.Port()
        self.port = self.held.number
        self.settings = dict({
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": mode, "default_pool_size": pool_size, "admin_users": SUPERUSER}, **settings)
        self.server = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.clean()
            raise
        return self

    def __exit__(self, *exception):
        self.clean()

    def start(self):
        ini = self.folder / "pgbouncer.ini"
        target = conninfo(host=self.cluster.folder, port=self.cluster.port, user=SUPERUSER)
        ini.write_text("[databases]\n* = %s\n[pgbouncer]\n" % target +
                       "".join("%s = %s\n" % item for item in self.settings.items()))
        give(ini)
        self.server = Process(["/usr/sbin/pgbouncer", ini], "process up")

    def clean(self):
        if self.server is not None and self.server.running():
            self.server.kill9()
        self.held.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, user=SUPERUSER, database="postgres", **words):
        return conninfo(**dict({"host": "127.0.0.1", "port": self.port, "user": user, "dbname": database}, **words))
