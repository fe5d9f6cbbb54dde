"""RESP2 and RESP3 for the tests: a plain client that hides nothing, and replies printed as redis-cli prints them.

Python values stand for replies one to one: Simple and Error for '+' and '-', bytes for a bulk string, int, float, bool,
None for nil, list, Push, and Map (a list of pairs, so that order and doubled names stay visible).
"""
import socket


class Simple(str):
    """A simple string: +OK."""


class Error(Exception):
    """An error reply. Two are equal when their texts are."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text

    @property
    def word(self):
        return self.text.split(" ", 1)[0]

    def __eq__(self, other):
        return isinstance(other, Error) and self.text == other.text

    def __hash__(self):
        return hash(self.text)


class Map(list):
    """A RESP3 map, as pairs."""

    def get(self, name):
        return next((value for key, value in self if key == name), None)


class Set(list):
    """A RESP3 set, in the order received."""


class Push(list):
    """A RESP3 push message."""


class Verbatim(bytes):
    """A RESP3 verbatim string, its three-letter format left out."""


class Closed(Exception):
    """The server has closed the connection."""


def encode(*words):
    """A command as a RESP array of bulk strings."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Client:
    """One connection. `call` sends and waits; `send` and `read` apart serve pipelines and broken frames."""

    def __init__(self, address, timeout=30.0):
        if isinstance(address, tuple):
            self.sock = socket.create_connection(address, timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(timeout)
            self.sock.connect(address)
        self.buffer = bytearray()
        self.taken = 0

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *words):
        self.sock.sendall(encode(*words))

    def send_raw(self, data):
        self.sock.sendall(data)

    def call(self, *words):
        """The reply; raises Error for an error reply."""
        reply = self.ask(*words)
        if isinstance(reply, Error):
            raise reply
        return reply

    def ask(self, *words):
        """The reply, errors included as values."""
        self.send(*words)
        return self.read()

    def fill(self):
        """Receives once; raises Closed at the end of the stream."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed()
        if self.taken:
            del self.buffer[: self.taken]
            self.taken = 0
        self.buffer += data

    def line(self):
        while True:
            end = self.buffer.find(b"\r\n", self.taken)
            if end >= 0:
                text = bytes(self.buffer[self.taken : end])
                self.taken = end + 2
                return text
            self.fill()

    def exactly(self, count):
        while len(self.buffer) - self.taken < count:
            self.fill()
        data = bytes(self.buffer[self.taken : self.taken + count])
        self.taken += count
        return data

    def read(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind in SCALARS:
            return SCALARS[kind](rest)
        if kind in (b"$", b"=", b"!"):
            return self.read_bulk(kind, int(rest))
        if kind in (b"*", b"~", b">"):
            return self.read_list(kind, int(rest))
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(rest)))
        raise AssertionError("not RESP: %r" % line)

    def read_bulk(self, kind, size):
        if size < 0:
            return None
        data = self.exactly(size + 2)
        assert data[-2:] == b"\r\n", "a bulk string that does not end in CRLF"
        if kind == b"!":
            return Error(data[:-2].decode())
        return Verbatim(data[4:-2]) if kind == b"=" else data[:-2]

    def read_list(self, kind, count):
        if count < 0:
            return None
        items = [self.read() for _ in range(count)]
        return {b">": Push, b"~": Set}.get(kind, list)(items)


SCALARS = {
    b"+": lambda rest: Simple(rest.decode()),
    b"-": lambda rest: Error(rest.decode()),
    b":": int,
    b",": float,
    b"#": lambda rest: rest == b"t",
    b"_": lambda rest: None,
}


def plain(value):
    """Replies as ordinary data: bytes decoded, maps as dicts."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Map):
        return {plain(key): plain(item) for key, item in value}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def pairs(value):
    """A map's pairs, whether it came as a RESP3 map or as RESP2's flat array."""
    return list(value) if isinstance(value, Map) else list(zip(value[0::2], value[1::2]))


def flatten(value, prefix=""):
    """Nested maps as {"a.b": number}: how STATS is compared, in RESP2 and RESP3."""
    flat = {}
    for key, item in pairs(value):
        name = prefix + plain(key)
        if isinstance(item, list):
            flat.update(flatten(item, name + "."))
        else:
            flat[name] = plain(item)
    return flat


def quoted(data):
    """As redis-cli quotes: C escapes, \\xNN for what is not printable ASCII."""
    named = {0x5C: "\\\\", 0x22: '\\"', 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b"}
    return '"' + "".join(named.get(c) or (chr(c) if 32 <= c < 127 else "\\x%02x" % c) for c in data) + '"'


def tty(value, prefix=""):
    """As `redis-cli --no-raw` prints a reply, without the last newline."""
    if value is None:
        return "(nil)"
    if isinstance(value, Error):
        return "(error) " + value.text
    if isinstance(value, bool):
        return "(true)" if value else "(false)"
    if isinstance(value, int):
        return "(integer) %d" % value
    if isinstance(value, float):
        return "(double) %s" % (int(value) if value == int(value) else repr(value))
    if isinstance(value, Simple):
        return str(value)
    if isinstance(value, Verbatim):
        return value.decode()
    if isinstance(value, bytes):
        return quoted(value)
    if isinstance(value, Map):
        return tty_map(value, prefix)
    return tty_list(value, prefix)


def tty_list(value, prefix):
    kinds = {Set: ("~", "set"), Push: (")", "push")}
    mark, name = kinds.get(type(value), (")", "array"))
    if not value:
        return "(empty %s)" % name
    width = len(str(len(value)))
    indent = prefix + " " * (width + 2)
    items = ["%*d%s %s" % (width, n, mark, tty(item, indent)) for n, item in enumerate(value, 1)]
    return ("\n" + prefix).join(items)


def tty_map(value, prefix):
    if not value:
        return "(empty hash)"
    width = len(str(len(value)))
    indent = prefix + " " * (width + 2)
    items = []
    for number, (key, item) in enumerate(value, 1):
        text = tty(item, indent)
        if "\n" in text:  # what takes several lines begins on one of its own
            text = "\n" + indent + text
        items.append("%*d# %s => %s" % (width, number, tty(key, indent), text))
    return ("\n" + prefix).join(items)


def raw(value):
    """As `redis-cli --raw` prints a reply."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Map):
        return "\n".join(raw(key) + " " + raw(item) for key, item in value)
    if isinstance(value, list):
        return "\n".join(raw(item) for item in value)
    return value.text if isinstance(value, Error) else str(value)
