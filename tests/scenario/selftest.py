#!/usr/bin/python3
"""The runner's own test, without a server: it must see what does not match."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("run", str(HERE / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)
import resp  # noqa: E402
import shapes  # noqa: E402

TOKEN = "v1-00112233445566ff-2a"


class Text(unittest.TestCase):
    def test_escapes(self):
        self.assertEqual(run.unescape(r"a\r\n\x00\xff\\n\"é"), b"a\r\n\x00\xff\\n\"" + "é".encode())

    def test_substitution(self):
        self.assertEqual(run.substitute(r"{t} {x*3} {unknown} \{t}", {"t": "1"}), r"1 xxx {unknown} \{t}")

    def test_words(self):
        self.assertEqual(run.words_of(r'''PUT k:1 '{"a":1}' "\x00\"q" IF  NEW ""'''),
                         [b"PUT", b"k:1", b'{"a":1}', b'\0"q', b"IF", b"NEW", b""])

    def test_patterns(self):
        for text, seen, fits in [("<token>", TOKEN, True), ("<token>", "v1-00-2a", False), ("<int>!", "-12!", True),
                                 ("a<any>z", "a..z", True), ("a<any>z", "a..", False), ("a.c", "abc", False),
                                 (r"\<int>", "<int>", True), ("<word>", "two words", False)]:
            with self.subTest(text):
                self.assertEqual(run.pattern_of(text, False).fullmatch(seen.encode()) is not None, fits)

    def test_an_unknown_pattern_is_an_error(self):
        with self.assertRaises(run.Mismatch):
            run.pattern_of("<nonsense>", False)


class Replies(unittest.TestCase):
    def matches(self, expected, seen):
        player = run.Player(None, False)
        return player.lines_match(expected, seen), player.memory

    def test_lines(self):
        self.assertTrue(self.matches(["a", "<...>", "d"], ["a", "b", "c", "d"])[0])
        self.assertTrue(self.matches(["<...>"], [])[0])
        self.assertFalse(self.matches(["a"], ["a", "b"])[0])
        self.assertFalse(self.matches(["a", "b"], ["a"])[0])
        self.assertFalse(self.matches(["a", "<...>", "d"], ["a", "b"])[0])

    def test_what_was_remembered_must_come_back(self):
        found, memory = self.matches(["<token:t>", "{t}"], [TOKEN, TOKEN])
        self.assertTrue(found)
        self.assertEqual(memory, {"t": TOKEN})
        self.assertFalse(self.matches(["<token:t>", "{t}"], [TOKEN, TOKEN + "0"])[0])

    def test_what_was_remembered_outlives_lines_left_out(self):
        self.assertEqual(self.matches(["<token:t>", "<...>", "{t}", "<...>"], [TOKEN, "x", TOKEN, "y"]),
                         (True, {"t": TOKEN}))

    def test_nothing_is_remembered_of_a_mismatch(self):
        self.assertEqual(self.matches(["<token:t>", "x"], [TOKEN, "y"])[1], {})

    def test_replies_are_printed_as_redis_cli_prints_them(self):
        reply = [1, None, b"a\"\n\xff", resp.Simple("OK"), resp.Error("ERR no"), [],
                 [[b"x"], resp.Map([(b"k", [1, 2])])]]
        self.assertEqual(resp.tty(reply), "\n".join([
            "1) (integer) 1", "2) (nil)", r'3) "a\"\n\xff"', "4) OK", "5) (error) ERR no", "6) (empty array)",
            '7) 1) 1) "x"', '   2) 1# "k" => ', "         1) (integer) 1", "         2) (integer) 2"]))


class ReplyShapes(unittest.TestCase):
    def test_shapes(self):
        for text, reply, fits in [
                ("ok", resp.Simple("OK"), True), ("ok", resp.Simple("PONG"), False), ("bulk|nil", None, True),
                ("bulk|nil", 1, False), ("[bulk int]", [b"a", 1], True), ("[bulk int]", [b"a"], False),
                ("[int ...]", [], True), ("[int ...]", [1, b"a"], False), ("map", [b"a", 1], True),
                ("map", [b"a"], False), ("int", True, False),
                ("[bulk|nil|error|[bulk|nil map] ...]", [None, resp.Error("E"), [None, resp.Map()]], True),
                ("[bulk|nil|error|[bulk|nil map] ...]", [[None, 1]], False)]:
            with self.subTest("%s %r" % (text, reply)):
                self.assertEqual(shapes.Shape(text).fits(reply), fits)


class Files(unittest.TestCase):
    def test_a_document_gives_its_marked_blocks(self):
        with tempfile.TemporaryDirectory() as folder:
            document = pathlib.Path(folder) / "doc.md"
            document.write_text("# Title\n\n<!-- vitalcache\n=== server --threads 1\n> PING\n-->\nProse.\n\n"
                                "```vitalcache\n> GET a:1\n(nil)\n```\n\n```\n> not this\n```\n")
            head, steps = run.parse(document)
        self.assertEqual(head["server"], ["--threads", "1"])
        self.assertEqual([(step.verb, step.text) for step in steps],
                         [("command", "PING"), ("reply", []), ("command", "GET a:1"), ("reply", ["(nil)"])])

    def test_every_scenario_can_be_read(self):
        for path in sorted(HERE.glob("*.txt")):
            if path.name != "CMakeLists.txt":
                with self.subTest(path.name):
                    self.assertGreater(len(run.parse(path)[1]), 3)


if __name__ == "__main__":
    unittest.main()
