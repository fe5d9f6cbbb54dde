"""What the lint knows of a C file: its text without comments and strings, its functions (universal-ctags says where
they begin and end), how deep they nest, its includes and its prototypes."""
import re
import subprocess

TOKEN = re.compile(r"[A-Za-z_]\w*|[{}();:?,]|->|\S")
CONTROL = {"if", "for", "while", "switch"}


def blank_out(text):
    """The text with comments and the insides of strings turned into spaces; every other character keeps its place."""
    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + re.sub(r"[^\n]", "_", found[1:-1]) + found[-1]
        return re.sub(r"[^\n]", " ", found)

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


class Function:
    def __init__(self, name, first, last, signature):
        self.name = name
        self.first = first
        self.last = last
        self.signature = signature

    @property
    def length(self):
        return self.last - self.first + 1

    @property
    def parameters(self):
        """How many there are, from ctags' signature; a function pointer's own do not count."""
        inner = self.signature.strip()[1:-1]
        while re.search(r"\([^()]*\)", inner):
            inner = re.sub(r"\([^()]*\)", "", inner)
        return 0 if inner.strip() in ("", "void") else inner.count(",") + 1


class Tag:
    """One line of ctags' output."""

    def __init__(self, line):
        parts = line.rstrip("\n").split("\t")
        self.name, self.path = parts[0], parts[1]
        self.fields = dict(part.split(":", 1) for part in parts[4:] if ":" in part)
        self.kind = parts[3]
        self.line = int(self.fields["line"])
        self.end = int(self.fields.get("end", self.line))


def tags_of(root, paths):
    """{path: [Tag]} of C files: functions, prototypes and file-scope variables."""
    if not paths:
        return {}
    command = ["ctags", "-f", "-", "--sort=no", "--languages=C", "--langmap=C:.c.h", "--kinds-C=fpvx",
               "--fields=KneSk", "--excmd=number", "-I", "MUST_CHECK", "-I", "VC_UNUSED", "-L", "-"]
    done = subprocess.run(command, cwd=root, input="\n".join(paths), capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        tag = Tag(line)
        found.setdefault(tag.path, []).append(tag)
    return found


class CFile:
    def __init__(self, path, text, tags):
        self.path = path
        self.lines = text.split("\n")
        self.code = blank_out(text)
        self.code_lines = self.code.split("\n")
        self.tags = tags

    def functions(self):
        return [Function(t.name, t.line, t.end, t.fields.get("signature", "()")) for t in self.tags
                if t.kind in ("f", "function")]

    def prototypes(self):
        return [t for t in self.tags if t.kind in ("p", "prototype")]

    def variables(self):
        return [t for t in self.tags if t.kind in ("v", "variable", "x", "externvar")]

    def includes(self):
        """(line number, how it is written) of each include, in order."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'#\s*include\s+(["<][^">]+[">])', line)
            if match:
                yield number, match.group(1)

    def body_of(self, function):
        return "\n".join(self.code_lines[function.first - 1 : function.last])

    def nesting(self, function):
        body = self.body_of(function)
        return Nesting(body[body.find("{") :]).deepest


class Nesting:
    """How deep the control statements of a function body stand in one another. `else if` is no deeper than its `if`;
    a block without a keyword and an initialiser's braces do not count."""

    def __init__(self, body):
        code = re.sub(r"^\s*#.*?(?<!\\)$", "", body, flags=re.M)
        self.tokens = TOKEN.findall(code)
        self.at = 0
        self.deepest = 0
        self.statement(0)

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def skip_group(self, opening, closing):
        level = 0
        while self.peek():
            level += {opening: 1, closing: -1}.get(self.peek(), 0)
            self.at += 1
            if level == 0:
                return

    def is_control(self, token):
        following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
        return token in CONTROL or (token.endswith("FOREACH") and following == "(")

    def statement(self, depth):
        token = self.peek()
        if token == "{":
            self.at += 1
            while self.peek() and self.peek() != "}":
                self.statement(depth)
            self.at += 1
        elif self.is_control(token):
            self.control(token, depth + 1)
        elif token == "do":
            self.at += 1
            self.enter(depth + 1)
            self.simple()
        elif token in ("case", "default"):
            while self.peek() and self.peek() != ":":
                self.at += 1
            self.at += 1
        else:
            self.simple()

    def enter(self, depth):
        self.deepest = max(self.deepest, depth)
        self.statement(depth)

    def control(self, token, depth):
        self.at += 1
        self.skip_group("(", ")")
        self.enter(depth)
        while token == "if" and self.peek() == "else":
            self.at += 1
            if self.peek() == "if":
                self.at += 1
                self.skip_group("(", ")")
            self.enter(depth)

    def simple(self):
        """Anything to its ';', parentheses and initialisers passed over whole."""
        while self.peek() and self.peek() not in (";", "}"):
            if self.peek() == "(":
                self.skip_group("(", ")")
            elif self.peek() == "{":
                self.skip_group("{", "}")
            else:
                self.at += 1
        if self.peek() == ";":
            self.at += 1
