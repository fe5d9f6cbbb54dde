"""A test program that is driven by lines on its standard input, and says lines on both outputs; all are kept."""
import subprocess

import pg
import vc


class Program:
    """`with Program(words)`: it has said "ready"; at the end it must exit with 0, and no sanitizer may have spoken."""

    def __init__(self, words):
        self.name = words[0].rsplit("/", 1)[-1]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = vc.Log(self.process.stdout)
        self.log = vc.Log(self.process.stderr)
        self.line_number("^ready$", 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.process.stdin.close()
            code = self.process.wait(pg.PATIENCE)
        finally:
            self.process.kill()
            self.said.thread.join()
            self.log.thread.join()
        assert not vc.SANITIZER.search(self.log.text()), self.log.text()
        assert code == 0 or kind is not None, "exit code %s\n%s" % (code, self.log.text())

    def line_number(self, pattern, skip):
        """How many lines it has said, up to the next one like this; it is waited for."""
        number = self.said.wait_for(pattern, pg.PATIENCE, skip)
        assert number is not None, "%s ended:\n%s" % (self.name, self.log.text())
        return number

    def send(self, *fields):
        self.process.stdin.write(("\t".join(fields) + "\n").encode())
        self.process.stdin.flush()
