#!/usr/bin/python3
"""mutants.txt against the rules that there are: each has one line, and what must notice it exists."""
import pathlib
import re
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def rules(name):
    return re.findall(r"^MUTANT_RULE\((\w+),", (ROOT / "database" / name).read_text(), re.M)


def rows():
    for line in (HERE / "mutants.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield [word.strip() for word in line.split("|")]


class Table(unittest.TestCase):
    def test_every_rule_has_its_line(self):
        self.assertEqual(sorted(row[0] for row in rows()), sorted(rules("mutants.def") + rules("server_mutants.def")))

    def test_what_must_notice_it_exists(self):
        scenarios = set(re.findall(r'^    name = "(.*)"', (HERE / "scenarios.py").read_text(), re.M))
        reads = (ROOT / "tests" / "mutants" / "reads").read_text()
        follower = (ROOT / "tests" / "integration" / "truth_postgres_test.py").read_text()
        exists = {
            "campaign": lambda rule, by: by and set(by.split()) <= scenarios,
            "follower": lambda rule, by: "def %s(" % by.split(".")[-1] in follower,
            "reads": lambda rule, by: '"%s"' % rule in reads,
            "sim": lambda rule, by: rule in rules("mutants.def"),  # sim.mutants leaves out all of these
            "unit": lambda rule, by: len(list(ROOT.glob("tests/unit/*/%s.c" % by))) == 1,
        }
        for rule, where, by in rows():
            with self.subTest(rule):
                self.assertTrue(exists[where](rule, by))


if __name__ == "__main__":
    unittest.main()
