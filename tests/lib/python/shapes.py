"""Reply shapes as net/commands.def declares them, and whether a reply has one.

    ok simple bulk text int nil map push error any     [a b] an array of two     [a ...] any number of a     a|b either
"""
import re

import resp

KINDS = {
    "ok": lambda reply: isinstance(reply, resp.Simple) and reply == "OK",
    "simple": lambda reply: isinstance(reply, resp.Simple),
    "bulk": lambda reply: isinstance(reply, bytes),
    "text": lambda reply: isinstance(reply, bytes),
    "int": lambda reply: isinstance(reply, int) and not isinstance(reply, bool),
    "nil": lambda reply: reply is None,
    "map": lambda reply: isinstance(reply, resp.Map) or (type(reply) is list and len(reply) % 2 == 0),
    "push": lambda reply: isinstance(reply, list),
    "error": lambda reply: isinstance(reply, resp.Error),
    "any": lambda reply: True,
}


class Shape:
    """A parsed shape: `fits(reply)`."""

    def __init__(self, text):
        self.tokens = re.findall(r"\.\.\.|[\[\]|]|\w+", text)
        self.fits = self.either()
        assert not self.tokens, "%r goes on after its end" % text

    def either(self):
        choices = [self.item()]
        while self.tokens[:1] == ["|"]:
            self.tokens.pop(0)
            choices.append(self.item())
        return lambda reply: any(choice(reply) for choice in choices)

    def item(self):
        token = self.tokens.pop(0)
        if token != "[":
            return KINDS[token]
        items, repeats = [], False
        while self.tokens[0] != "]":
            if self.tokens[0] == "...":
                repeats = True
                self.tokens.pop(0)
            else:
                items.append(self.either())
        self.tokens.pop(0)
        return self.many(items[0]) if repeats else self.exactly(items)

    @staticmethod
    def exactly(items):
        return lambda reply: (isinstance(reply, list) and len(reply) == len(items)
                              and all(item(part) for item, part in zip(items, reply)))

    @staticmethod
    def many(item):
        return lambda reply: isinstance(reply, list) and all(item(part) for part in reply)


class Shapes:
    """The shapes of all commands, as the server's own COMMAND DOCS tells them."""

    def __init__(self, client):
        self.by_name = {}
        for name, docs in resp.pairs(client.call("COMMAND", "DOCS")):
            self.take(resp.plain(name), docs)

    def take(self, name, docs):
        docs = dict((resp.plain(key), value) for key, value in resp.pairs(docs))
        if "reply_shape" in docs:
            self.by_name[name.upper()] = Shape(resp.plain(docs["reply_shape"]))
        for sub, subdocs in resp.pairs(docs.get("subcommands", [])):
            self.take(resp.plain(sub).replace("|", " "), subdocs)

    def objection(self, words, reply):
        """None, or why a reply that is no error does not have the shape of its command."""
        name = words[0].decode("utf-8", "replace").upper()
        if len(words) > 1 and (both := name + " " + words[1].decode("utf-8", "replace").upper()) in self.by_name:
            name = both
        shape = self.by_name.get(name)
        if shape is None or isinstance(reply, resp.Error) or shape.fits(reply):
            return None
        return "a reply of %s that has not its declared shape: %r" % (name, reply)
