"""Runs scenarios, judges them, and counts the mutants that they kill."""
import os
import pathlib
import subprocess
import time
import traceback

import pg
import vc
from site_of import POOL, THREADS, Failure, Meaningless, Site, need

HERE = pathlib.Path(__file__).resolve().parent


def run_scenario(scenario, options, env=None):
    """The report of a run that found nothing; Failure otherwise."""
    began = time.monotonic()
    with Site(scenario, options, env) as site:
        site.driver.wait(1, 1000)
        before = site.counters()
        rounds = run_rounds(scenario, site, options, began)
        recover(scenario, site)
        after = site.counters()
        leaks = find_leaks(site)
        report = site.driver.finish()
    report["seconds"] = round(time.monotonic() - began, 1)
    report["rounds"] = rounds
    report["changes"] = {name: after[name] - before.get(name, 0) for name in after}
    judge(scenario, report, leaks)
    return report


def run_rounds(scenario, site, options, began):
    """Faults until enough has been read and enough time has passed; one at least."""
    rounds = 0
    while rounds == 0 or (scenario.repeats and (site.driver.counts()["values"] < options.reads
                                                or time.monotonic() - began < options.seconds)):
        scenario.round(site)
        rounds += 1
    left = options.reads - site.driver.counts()["values"]
    if left > 0:
        site.driver.wait(0, left)
    return rounds


def recover(scenario, site):
    """Without any help, each node answers again, and from its memory again."""
    scenario.heal(site)
    hits = site.counters()["l1_hits"]
    end = time.monotonic() + 20 * vc.SLOW
    while site.counters()["l1_hits"] - hits < scenario.hits_after:
        need(time.monotonic() < end, "20 s after the fault the nodes' memory does not answer")
        site.driver.wait(0.2, 100)


def find_leaks(site):
    """Words for each resource that there is more of than there may be."""
    leaks = []
    servers = 1 + len(site.replicas)
    for node, idle in zip(site.nodes, site.idle_files):
        most = idle + THREADS * POOL * servers + 6 + 8  # its pools, polls and writes, fault_driver's and our own
        if site.open_files(node) > most:
            leaks.append("a node has %d open files; at most %d were expected" % (site.open_files(node), most))
    most = len(site.nodes) * (THREADS * POOL + 3)
    try:
        pg.wait_for(lambda: site.sessions() <= most, "sessions", 5)
    except AssertionError:
        leaks.append("PostgreSQL has %d sessions of nodes; at most %d were expected" % (site.sessions(), most))
    return leaks


def judge(scenario, report, leaks):
    changes = report["changes"]
    need(report["violated"] == 0, "%s: %s" % (report["violations"], report["examples"]))
    need(not leaks, "; ".join(leaks))
    scenario.fits(report)
    if changes["l1_hits"] < report["values"] * scenario.hits_share:
        raise Meaningless("%d of %d values came from the nodes' memory: too few" % (
            changes["l1_hits"], report["values"]))
    for name in scenario.counted:
        if changes.get(name, 0) == 0:
            raise Meaningless("the fault was made, and %s counted nothing" % name)
    if report["commits"] == 0:
        raise Meaningless("no write succeeded")


def told(name, report):
    return "%-20s %s; %d from memory, %d unavailable, %d commits, %d unknown, slowest %d ms, %d rounds, %.0f s" % (
        name, report["summary"], report["changes"]["l1_hits"], report["unavailable"], report["commits"],
        report["unknown"], report["slowest_ms"], report["rounds"], report["seconds"])


def run_all(scenarios, options):
    """How many failed."""
    failed = reads = 0
    for scenario in scenarios:
        try:
            report = run_scenario(scenario, options)
            reads += report["values"]
            print(told(scenario.name, report), flush=True)
        except Exception as error:  # the others are worth running
            failed += 1
            print("%-20s FAILED (seed %d)" % (scenario.name, options.seed), flush=True)
            if isinstance(error, Failure):
                print("    " + str(error), flush=True)
            else:
                traceback.print_exc()
    print("faults: %d of %d scenarios hold; %d reads were checked" % (len(scenarios) - failed, len(scenarios), reads))
    return failed


# ---- mutants

def read_table(path):
    """[(mutant, where it must be caught, [scenarios])] of mutants.txt."""
    rows = []
    for line in path.read_text().splitlines():
        words = [word.strip() for word in line.split("#", 1)[0].split("|")]
        if len(words) == 3:
            rows.append((words[0], words[1], words[2].split()))
    return rows


def kills(mutant, scenario, options):
    """What the scenario said about a server without the rule; None: nothing."""
    try:
        run_scenario(scenario, options, env={"VITALCACHE_MUTANT": mutant})
        return None
    except Meaningless as failure:
        print("    %s, %s: %s" % (mutant, scenario.name, failure), flush=True)
        return None
    except Failure as failure:
        return str(failure)


def test_notices(mutant, test):
    """The same of a test of the follower alone (Class.name of truth_postgres_test.py)."""
    program = HERE.parent / "integration" / "truth_postgres_test.py"
    env = dict(os.environ, VITALCACHE_MUTANT=mutant, VC_TRUTH_DRIVE="truth_drive_mutants")
    done = subprocess.run(["/usr/bin/python3", str(program), test], env=env, capture_output=True, text=True)
    last = done.stderr.strip().rsplit("\n", 1)[-1]
    return "%s: %s" % (test, last) if last.startswith("FAILED (failures=") else None


def run_mutants(table, scenarios, options):
    """How many mutants of the table live."""
    vc.VITALCACHED = str(vc.BUILD / "bin" / "vitalcached_mutants")
    mine = [row for row in table if row[1] in ("campaign", "follower")]
    living = 0
    for mutant, where, names in mine:
        found = None
        for name in names:
            found = found or (kills(mutant, scenarios[name], options) if where == "campaign"
                              else test_notices(mutant, name))
        living += found is None
        print("%-24s %s" % (mutant, "LIVES" if found is None else "killed: " + found[:120]), flush=True)
    print("faults: %d / %d mutants killed" % (len(mine) - living, len(mine)))
    return living
