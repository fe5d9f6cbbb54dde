"""The house rules, one function each. A rule gets the project and yields (path, name, line, what is wrong); `name` is
what allowed.txt calls the exception (a function, or empty for the whole file)."""
import ast
import collections
import re
import subprocess

LAYERS = ["base", "monitoring", "database", "invalidation", "cache", "warming", "net"]
IMPORT_MAY_USE = {"base", "monitoring", "database", "import"}  # beside the server: no layer may use it
CLI_MAY_USE = IMPORT_MAY_USE | {"cli"}
ASIDE = {"import": IMPORT_MAY_USE, "cli": CLI_MAY_USE}
LIBRARIES = ("event2/", "lmdb.h", "yaml.h", "yajl/", "msgpack", "csv.h", "xxhash.h", "zlib.h", "hiredis/",
             "libpq-fe.h", "cmocka.h")
STATE_MAY_LIVE_IN = ("net/main.c", "cli/main.c", "base/log.c", "monitoring/counters.c", "base/mem.c")

RULES = {}


def rule(name):
    def register(function):
        RULES[name] = function
        return function

    return register


# ---- sizes ----

@rule("file-length")
def file_length(project):
    for c in project.c_files:
        limit = 150 if c.path.endswith(".h") else 600
        count = len(c.lines) - 1
        if count > limit:
            yield c.path, "", limit + 1, "%d lines; at most %d" % (count, limit)


def functions_where(project, excess):
    for c in project.c_files:
        for function in c.functions():
            problem = excess(c, function)
            if problem:
                yield c.path, function.name, function.first, "%s: %s" % (function.name, problem)


@rule("function-length")
def function_length(project):
    return functions_where(project, lambda c, f: f.length > 60 and "%d lines; at most 60" % f.length)


@rule("parameters")
def parameters(project):
    return functions_where(project, lambda c, f: f.parameters > 5 and "%d parameters; at most 5" % f.parameters)


@rule("nesting")
def nesting(project):
    return functions_where(project, lambda c, f: c.nesting(f) > 3 and "nests %d deep; at most 3" % c.nesting(f))


@rule("goto")
def one_exit(project):
    """goto serves one clean-up exit; a second label is a second exit."""
    def excess(c, f):
        labels = set(re.findall(r"\bgoto\s+(\w+)", c.body_of(f)))
        return len(labels) > 1 and "goto to several labels (%s); one exit at most" % ", ".join(sorted(labels))

    return functions_where(project, excess)


# ---- includes ----

def include_rank(written, own):
    if written == own:
        return 0
    if written.startswith('"'):
        return 1
    return 2 if written[1:].startswith(LIBRARIES) else 3


@rule("include-order")
def include_order(project):
    """Own header, lower modules, libraries, system; a blank line between. Tables (.def) may be anywhere."""
    for c in project.c_files:
        own = '"%s.h"' % c.path[:-2] if c.path.endswith(".c") else ""
        seen = [(number, written) for number, written in c.includes() if not written.endswith('.def"')]
        if own in [written for _, written in seen] and seen[0][1] != own:
            yield c.path, "", seen[0][0], "its own header %s comes first" % own
        for (above, first), (number, second) in zip(seen, seen[1:]):
            step = include_rank(second, own) - include_rank(first, own)
            blank = any(not line.strip() for line in c.lines[above : number - 1])
            if step < 0:
                yield c.path, "", number, "%s belongs above %s (own, ours, libraries, system)" % (second, first)
            elif step > 0 and not blank:
                yield c.path, "", number, "a blank line belongs above %s" % second


@rule("layers")
def layers(project):
    for c in project.c_files:
        folder = c.path.split("/")[0]
        for number, written in c.includes():
            used = written[1:-1].split("/")[0]
            if used not in LAYERS + [*ASIDE, "tests", "bench"] or not written.startswith('"'):
                continue
            upward = folder in LAYERS and (used not in LAYERS or LAYERS.index(used) > LAYERS.index(folder))
            if upward or (folder in ASIDE and used not in ASIDE[folder]):
                yield c.path, "", number, "%s/ may not include %s: it stands above" % (folder, written)


# ---- headers ----

@rule("include-guard")
def include_guard(project):
    for c in project.c_files:
        if c.path.endswith(".h"):
            guard = re.sub(r"\W", "_", c.path).upper()
            if "#ifndef %s\n#define %s\n" % (guard, guard) not in "\n".join(c.lines):
                yield c.path, "", 1, "its include guard is %s" % guard


@rule("contract")
def contract(project):
    """Each prototype in a header has its comment above; prototypes that follow one another without a blank line share
    one."""
    for c in project.c_files:
        if c.path.endswith(".h") and not c.path.startswith("tests/"):
            for tag in c.prototypes():
                if not documented(c, tag.line):
                    yield c.path, tag.name, tag.line, "%s has no contract comment" % tag.name


def documented(c, line):
    """Walks up over the lines of this prototype's group to a comment."""
    for number in range(line - 1, 0, -1):
        text, code = c.lines[number - 1].strip(), c.code_lines[number - 1].strip()
        if text and not code:
            return True
        if not text or code.startswith("#") or code in ("{", "}", "};"):
            return False
    return False


@rule("one-type")
def one_opaque_type(project):
    """A header makes one opaque type; another one has a header of its own."""
    for c in project.c_files:
        if c.path.endswith(".h"):
            opaque = re.findall(r"^struct (\w+);", c.code, re.M)
            made = [name for name in opaque if re.search(r"\b%s_(create|open)\(" % name, c.code)]
            if len(made) > 1:
                yield c.path, "", 1, "makes several opaque types: %s" % ", ".join(made)


@rule("widest-header")
def widest_header(project):
    """Only base is for everyone: a header above it that many files include has become the house's lobby."""
    files = [c for c in product(project) if c.path.endswith(".c")]
    users = collections.Counter(written for c in files for _, written in c.includes())
    for written, count in users.items():
        if len(files) >= 10 and count > 0.35 * len(files) and written[0] == '"' and not written.startswith('"base/'):
            yield written.strip('"'), "", 1, "included by %d of %d files" % (count, len(files))


@rule("prefix")
def prefix(project):
    """A public function carries the name of its file (or of the family that the file belongs to)."""
    for c in project.c_files:
        if not c.path.endswith(".h") or c.path.startswith("tests/"):
            continue
        stem = c.path.split("/")[-1][:-2]
        words = stem.split("_")
        families = {"_".join(words[:n]) for n in range(1, len(words) + 1)}
        families |= {family[:-1] for family in families if family.endswith("s")}
        for tag in c.prototypes():
            if not any(re.match(family + r"\d*(_|$)", tag.name) for family in families):
                yield c.path, tag.name.split("_")[0] + "_", tag.line, "%s does not begin with %s_" % (tag.name, stem)


# ---- state ----

@rule("exported-variable")
def exported_variable(project):
    for c in product(project):
        for tag in c.variables():
            text = declaration(c, tag.line)
            if not is_constant(text, tag.name) and (text.startswith("extern") or not re.match(r"static|_Thread", text)):
                yield c.path, tag.name, tag.line, "%s is an exported, mutable variable" % tag.name


@rule("file-state")
def file_state(project):
    for c in product(project):
        for tag in c.variables():
            text = declaration(c, tag.line)
            if text.startswith("static") and not is_constant(text, tag.name) and c.path not in STATE_MAY_LIVE_IN:
                yield c.path, tag.name, tag.line, "%s: state at file scope lives in main, log and counters" % tag.name


def product(project):
    return [c for c in project.c_files if not c.path.startswith(("tests/", "bench/"))]


def declaration(c, line):
    """The file-scope declaration that a line is part of, without bodies and initialiser. It begins at column 0."""
    first = line
    while first > 1 and not re.match(r"[A-Za-z_]", c.code_lines[first - 1]):
        first -= 1
    text = " ".join(part.strip() for part in c.code_lines[first - 1 : line + 3])
    return re.split(r"[=;]", re.sub(r"\{[^{}]*\}", "", text), maxsplit=1)[0].strip()


def is_constant(text, name):
    """Const itself: `const int x`, `char *const x`, but not `const char *x`."""
    before = re.split(r"\b%s\b" % re.escape(name), text)[0]
    return bool(re.search(r"\bconst\b", before.rsplit("*", 1)[-1]))


# ---- words ----

def forbidden(project, files, pattern, problem):
    for path, text in files:
        for number, line in enumerate(text.split("\n"), 1):
            found = re.search(pattern, line)
            if found:
                yield path, "", number, problem % found.group(0)


def code_texts(project, wanted):
    return [(c.path, c.code) for c in project.c_files if wanted(c.path)]


@rule("left-over")
def left_over(project):
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "(?i:place" + "holder)"])
    return forbidden(project, project.texts(".lock"), r"\b(%s)\b" % marks, "%r is left over")


@rule("sleep")
def no_sleep_in_tests(project):
    """A test awaits the event; time itself is an argument."""
    files = [(path, text) for path, text in project.texts() if path.startswith(("tests/", "scripts/"))
             and not path.startswith("tests/lint/") and not path.endswith(".md")]
    return forbidden(project, files, r"\b(usleep|nanosleep|sleep) ?\(?\s*[\d.$]|\btime\.sleep\b", "%r: await the event")


@rule("memory-door")
def memory_door(project):
    files = code_texts(project, lambda path: path.split("/")[0] in LAYERS + [*ASIDE] and path != "base/mem.c")
    return forbidden(project, files, r"(?<![\w.>])(malloc|calloc|realloc|strdup|strndup|free)\(",
                     "%r: memory goes through base/mem.h")


@rule("clock-door")
def clock_door(project):
    files = code_texts(project, lambda path: path.split("/")[0] in LAYERS + ["import"] and path != "base/clock.c")
    return forbidden(project, files, r"(?<![\w.>])(clock_gettime|gettimeofday|time)\(", "%r: time is an argument")


@rule("unsafe-call")
def unsafe_call(project):
    files = code_texts(project, lambda path: True)
    return forbidden(project, files, r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|rand)\(",
                     "%r has a bounded or checked counterpart")


@rule("assert-door")
def assert_door(project):
    files = [(c.path, "\n".join(c.lines)) for c in product(project)]
    return forbidden(project, files, r"<assert\.h>", "%r: promises use VC_ASSERT, which is always compiled in")


# ---- text files ----

@rule("white-space")
def white_space(project):
    for path, text in project.texts():
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield path, "", text.count("\n") + 1, "ends with exactly one newline"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield path, "", number, "white space at the end of the line"
            if "\t" in line and not path.endswith("Makefile") and not path.startswith("tests/data/"):
                yield path, "", number, "a tab"


@rule("long-line")
def long_line(project):
    for path, text in project.texts():
        if path.endswith((".c", ".h", ".def", ".py", ".cmake", "CMakeLists.txt")) or path.startswith("scripts/"):
            for number, line in enumerate(text.split("\n"), 1):
                if len(line) > 120 and "http" not in line:
                    yield path, "", number, "%d columns; at most 120" % len(line)


@rule("binary")
def binary(project):
    """Sources only: nothing built, nothing vendored."""
    for path, data in project.files.items():
        if path.startswith("tests/fuzz/corpus/"):
            continue
        if b"\0" in data or not is_utf8(data):
            yield path, "", 1, "not a text file"
        if len(data) > 400_000:
            yield path, "", 1, "%d bytes: too large to be written by hand" % len(data)


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@rule("lock-file")
def lock_file(project):
    for path, text in project.texts():
        if path.endswith("package-lock.json") and '"resolved"' in text:
            yield path, "", 1, "names a registry's address: npm install with omit-lockfile-registry-resolved"


@rule("scripts")
def scripts_parse(project):
    for path, text in project.texts():
        if text.startswith("#!/usr/bin/env bash"):
            done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
            if done.returncode:
                yield path, "", 1, done.stderr.strip().split("\n")[0]
        elif re.match(r"#!.*python", text) and not text.startswith("#!/usr/bin/python3\n"):
            yield path, "", 1, "Debian's own /usr/bin/python3, which sees Debian's packages"
        if path.endswith(".py") or text.startswith("#!/usr/bin/python3\n"):
            yield from python_problems(path, text)


def python_problems(path, text):
    """What does not parse, and what is imported and never used."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield path, "", error.lineno or 1, "not Python: %s" % error.msg
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = (alias.asname or alias.name).split(".")[0]
                if len(re.findall(r"\b%s\b" % name, text)) < 2:
                    yield path, name, node.lineno, "imports %s and does not use it" % name


# ---- the tree and the manual ----

@rule("mirror")
def mirror(project):
    """tests/unit/<folder>/<name>_test.c tests <folder>/<name>."""
    for path in project.files:
        match = re.fullmatch(r"tests/unit/(.+)_test\.c", path)
        if match and not any(other.startswith(match.group(1) + ".") for other in project.files):
            yield path, "", 1, "there is no %s.c or .h that it could test" % match.group(1)


def manual(project):
    return [(path, text) for path, text in project.texts() if path.endswith(".md")]


@rule("places-named")
def places_named(project):
    """Every path/file.c:function of the manual is there (and `file` alone, too)."""
    names = {(c.path, tag.name) for c in project.c_files for tag in c.tags}
    for path, text in manual(project):
        for number, line in enumerate(text.split("\n"), 1):
            for file, name in re.findall(r"`([a-z_]+/[\w/]+\.(?:c|h|def|yaml|py|pml))(?::(\w+))?`", line):
                if file not in project.files:
                    yield path, "", number, "there is no %s" % file
                elif name and (file, name) not in names and not defines(project, file, name):
                    yield path, "", number, "there is no %s in %s" % (name, file)


def defines(project, file, name):
    """Also macros, tables, types and rules of models count as a place."""
    return re.search(r"\b%s\b" % re.escape(name), project.files[file].decode()) is not None


@rule("protocol-manual")
def protocol_manual(project):
    """docs/PROTOCOL.md has a transcript of every command and the meaning of every error word."""
    commands, path = "net/commands.def", "docs/PROTOCOL.md"
    if commands not in project.files or path not in project.files:
        return
    text = project.files[path].decode()
    played = "\n".join(re.findall(r"^```vitalcache\n(.*?)^```", text, re.M | re.S)).upper()
    for name in re.findall(r'^(?:COMMAND\(\w+, |REFUSED\()"([A-Z ]+)"', project.files[commands].decode(), re.M):
        if not re.search(r"^> %s\b" % name, played, re.M):
            yield path, name, 1, "no transcript shows %s" % name
    words = set(re.findall(r'^ERROR\(\w+, "(\w+)"', project.files.get("base/errors.def", b"").decode(), re.M))
    for word in sorted(words):
        if "`%s`" % word not in text:
            yield path, word, 1, "does not say what the error word `%s` means" % word


@rule("counted")
def counted(project):
    """Every row of the counters' tables is counted somewhere: a figure that stays 0 misleads."""
    readers = ("net/cmd_stats.c", "net/info.c")
    code = b"\n".join(text for path, text in project.files.items()
                      if path.endswith(".c") and not path.startswith("tests/") and path not in readers)
    for path, prefix in (("monitoring/counters.def", "COUNTER"), ("monitoring/type_counters.def", "TYPE_COUNTER")):
        table = project.files.get(path, b"").decode()
        for name in re.findall(r"^%s\((\w+)," % prefix, table, re.M):
            if not re.search(rb"\b%s_%s\b" % (prefix.encode(), name.encode()), code):
                yield path, name, 1, "nothing counts %s" % name


@rule("links")
def links(project):
    folders = {"/".join(path.split("/")[:n]) for path in project.files for n in range(1, path.count("/") + 1)}
    for path, text in manual(project):
        for number, line in enumerate(text.split("\n"), 1):
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", line):
                full = resolve(path, target)
                if full not in project.files and full not in folders:
                    yield path, "", number, "links to %s, which is not there" % target


def resolve(path, target):
    parts = path.split("/")[:-1]
    for part in target.rstrip("/").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@rule("format")
def clang_format(project):
    if not project.c_files or not project.has_format:
        return
    command = ["clang-format", "--dry-run", "--ferror-limit=1"] + [c.path for c in project.c_files]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    for path, line in sorted(set(re.findall(r"^([^:\n]+):(\d+):\d+: .*clang-format-violations", done.stderr, re.M))):
        yield path, "", int(line), "not as clang-format writes it: make format"
