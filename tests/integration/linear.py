"""Is a history of operations on one register linearizable? (Herlihy and Wing, 1990; the search of Wing and Gong with
Lowe's memory of configurations, "Testing for linearizability", 2017.)

An operation took effect at one instant between its call and its return, and the effects in the order of these instants
explain every answer. The search takes, again and again, one operation that no other must precede, applies it to the
register, and goes back when no way is left; a set of (operations done, value) that failed once is not tried twice.
Whole histories are split by key first: a history is linearizable exactly when each key's is.

What an operation does to the register, and what it says of it:
    Read(value)              the register held `value`
    Write(value)             it holds `value` afterwards
    Swap(old, new)           it held `old` and holds `new` afterwards
An operation whose outcome is unknown (the server was killed) has no end: it took effect at any time after its call, or
never.
"""
import collections

NEVER = float("inf")


class Operation(collections.namedtuple("Operation", "key kind old new called returned")):
    """Times are numbers of one clock; `returned` is NEVER when the outcome is unknown."""

    def apply(self, value):
        """(possible, value afterwards)."""
        if self.kind == "write":
            return True, self.new
        return value == self.old, self.new if self.kind == "swap" else value


def read(key, value, called, returned):
    return Operation(key, "read", value, None, called, returned)


def write(key, value, called, returned=NEVER):
    return Operation(key, "write", None, value, called, returned)


def swap(key, old, new, called, returned=NEVER):
    return Operation(key, "swap", old, new, called, returned)


def violation(history, initial=None):
    """None when the history is linearizable, else a sentence that names the key."""
    by_key = collections.defaultdict(list)
    for operation in history:
        if operation.kind != "read" or operation.returned != NEVER:
            by_key[operation.key].append(operation)
    for key, operations in by_key.items():
        furthest = search(sorted(operations, key=lambda o: o.called), initial)
        if furthest is not None:
            return "%s: no order explains %r; %d of %d operations could be placed" % (
                key, furthest[1], furthest[0], len(operations))
    return None


def search(operations, initial):
    """None, or (how many could be placed, the operation that stood in the way of the deepest attempt)."""
    value, done, start = initial, 0, 0     # `done`: a bit for each operation; all below `start` are done
    failed = {(done, value)}
    trail = []                             # (operation's number, value before, start before)
    deepest = (0, operations[0] if operations else None)
    number = 0
    while True:
        if all_certain_done(operations, done, start):
            return None
        candidate = next_candidate(operations, done, start, number, value, failed)
        if candidate is not None:
            trail.append((candidate, value, start))
            _, value = operations[candidate].apply(value)
            done |= 1 << candidate
            failed.add((done, value))
            while done >> start & 1:
                start += 1
            number = start
            if len(trail) > deepest[0]:
                deepest = (len(trail), first_open(operations, done, start))
            continue
        if not trail:
            return deepest
        last, value, start = trail.pop()
        done &= ~(1 << last)
        number = last + 1


def first_open(operations, done, start):
    """The operation not yet done that returns first: it is the one that waits for its place."""
    waiting = [operations[n] for n in range(start, len(operations)) if not done >> n & 1]
    return min(waiting, key=lambda o: o.returned, default=None)


def all_certain_done(operations, done, start):
    return all(done >> n & 1 or operations[n].returned == NEVER for n in range(start, len(operations)))


def next_candidate(operations, done, start, number, value, failed):
    """The first operation from `number` on that nothing undone precedes, that fits, and leads to something new."""
    earliest = NEVER
    for n in range(start, len(operations)):
        operation = operations[n]
        if operation.called > earliest:
            return None
        if done >> n & 1:
            continue
        if n >= number:
            possible, after = operation.apply(value)
            if possible and (done | 1 << n, after) not in failed:
                return n
        earliest = min(earliest, operation.returned)
    return None
