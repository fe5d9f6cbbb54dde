#!/usr/bin/python3
"""The lint's own test: a small tree that keeps every rule, and for each rule one that breaks this rule alone. A rule
without its bad example here is a failure, too."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("lint", str(HERE / "lint"))
lint = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
loader.exec_module(lint)

GOOD = {
    "cache/pot.h": """/* A pot. */
#ifndef CACHE_POT_H
#define CACHE_POT_H

#include "base/err.h"

struct pot;

/* Fills the pot. ERR_NOMEM: it is as before. Any thread. */
enum err pot_fill(struct pot *pot, int much);
void pot_empty(struct pot *pot);

#endif
""",
    "cache/pot.c": """#include "cache/pot.h"

#include "base/mem.h"

#include <lmdb.h>

#include <string.h>

static const char *const names[] = {"a", "b"};

static int count(int a, int b, int c, int d, int (*e)(int, int, int))
{
        for (int i = 0; i < a; i++) {
                if (b == i) {
                        while (c > 0)
                                c -= d;
                } else if (names[i] != NULL) {
                        return e(a, b, c);
                }
        }
        return 0;
}

enum err pot_fill(struct pot *pot, int much)
{
        enum err rc = much;

        if (count(much, 2, 3, 4, NULL) > 0)
                goto out;
        rc = OK;
out:
        return rc;
}
""",
    "base/err.h": """/* Errors. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#endif
""",
    "tests/unit/cache/pot_test.c": """#include "cache/pot.h"
""",
    "docs/MANUAL.md": """The [code](../cache/pot.c) begins at `cache/pot.c:pot_fill`.
""",
    "net/commands.def": """COMMAND(get, "GET", 2)
""",
    "docs/PROTOCOL.md": """```vitalcache
> GET pot:1
```
""",
    "scripts/go": """#!/usr/bin/env bash
echo go
""",
}

LONG_BODY = "        int x = 0;\n\n" + "        x++;\n" * 60 + "        (void)x;\n"
DEEP_BODY = """        if (a)
                while (a)
                        for (;;)
                                if (a)
                                        return;
"""
MANY = ", ".join("int p%d" % n for n in range(6))
FUNCTION = "\nstatic void extra(int a)\n{\n%s}\n"


def added(path, text):
    return {path: GOOD.get(path, "") + text}


def replaced(path, old, new):
    assert old in GOOD[path]
    return {path: GOOD[path].replace(old, new)}


BAD = {
    "file-length": added("cache/pot.c", "\n" + "/* x */\n" * 600),
    "function-length": added("cache/pot.c", FUNCTION % LONG_BODY),
    "parameters": added("cache/pot.c", "\nstatic void extra(%s)\n{\n        (void)p0;\n}\n" % MANY),
    "nesting": added("cache/pot.c", FUNCTION % DEEP_BODY),
    "goto": added("cache/pot.c", FUNCTION % "        goto one;\none:\n        goto two;\ntwo:\n        (void)a;\n"),
    "include-order": replaced("cache/pot.c", "#include <lmdb.h>\n\n#include <string.h>",
                              "#include <string.h>\n\n#include <lmdb.h>"),
    "layers": replaced("cache/pot.h", '#include "base/err.h"', '#include "base/err.h"\n#include "net/conn.h"'),
    "include-guard": {"cache/pot.h": GOOD["cache/pot.h"].replace("CACHE_POT_H", "POT_H")},
    "contract": replaced("cache/pot.h", "int much);\n", "int much);\n\n"),
    "one-type": replaced("cache/pot.h", "struct pot;\n",
                         "struct pot;\nstruct pot_lid;\n\n/* Makes one. Any thread. */\n"
                         "void pot_create(void);\nvoid pot_lid_create(void);\n"),
    "widest-header": {"cache/pot_%d.c" % n: '#include "cache/pot.h"\n' for n in range(9)},
    "prefix": replaced("cache/pot.h", "void pot_empty", "void pan_empty"),
    "exported-variable": added("cache/pot.c", "\nint loose = 3;\n"),
    "file-state": added("cache/pot.c", "\nstatic const char *last;\n"),
    "left-over": added("cache/pot.c", "\n/* TO" + "DO: more */\n"),
    "sleep": added("tests/unit/cache/pot_test.c", "\nstatic void wait_a_bit(void)\n{\n        usleep(10);\n}\n"),
    "memory-door": added("cache/pot.c", FUNCTION % "        free(names[a]);\n"),
    "clock-door": added("cache/pot.c", FUNCTION % "        a = (int)time(NULL);\n"),
    "unsafe-call": added("cache/pot.c", FUNCTION % "        a = atoi(names[a]);\n"),
    "assert-door": replaced("cache/pot.c", "#include <string.h>", "#include <assert.h>\n#include <string.h>"),
    "white-space": added("docs/MANUAL.md", "trailing \n"),
    "long-line": added("cache/pot.c", "/* " + "x" * 120 + " */\n"),
    "binary": {"docs/picture": b"\x89PNG\0\0"},
    "lock-file": {"tests/package-lock.json": '{"resolved": "somewhere"}\n'},
    "scripts": added("scripts/go", "if then fi (\n"),
    "mirror": {"tests/unit/cache/pan_test.c": '#include "cache/pot.h"\n'},
    "places-named": added("docs/MANUAL.md", "See `cache/pot.c:pot_lid`.\n"),
    "protocol-manual": added("net/commands.def", 'COMMAND(put, "PUT", 2)\n'),
    "counted": {"monitoring/counters.def": 'COUNTER(never, "is never counted")\n'},
    "links": added("docs/MANUAL.md", "A [lost link](LOST.md).\n"),
    "format": replaced("cache/pot.c", "return e(a, b, c);", "return e(a,b,c);"),
}


def findings(files, allowed=()):
    with tempfile.TemporaryDirectory(prefix="vitalcache-lint-") as folder:
        root = pathlib.Path(folder)
        files = dict(files)
        files[".clang-format"] = (HERE.parents[1] / ".clang-format").read_text()
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        return lint.check(lint.Project(root, sorted(files)), {tuple(entry): 1 for entry in allowed})


def main():
    problems = []
    clean = findings(GOOD)
    if clean:
        problems.append("the good tree has findings:\n  " + "\n  ".join(clean))
    for name in lint.rules.RULES:
        if name not in BAD:
            problems.append("%s: no bad example here" % name)
            continue
        seen = findings({**GOOD, **BAD[name]})
        others = [line for line in seen if "[%s]" % name not in line]
        if len(others) == len(seen):
            problems.append("%s: did not fire" % name)
        if others:
            problems.append("%s: its example breaks other rules too:\n  %s" % (name, "\n  ".join(others)))
    if findings({**GOOD, **BAD["nesting"]}, [("nesting", "cache/pot.c:extra")]):
        problems.append("an exception of allowed.txt is not honoured")
    if not findings(GOOD, [("nesting", "cache/pot.c:extra")]):
        problems.append("an exception that is not needed went unnoticed")
    for problem in problems:
        print(problem)
    print("%d of %d rules proved" % (len(lint.rules.RULES) - len(problems), len(lint.rules.RULES)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
