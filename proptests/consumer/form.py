"""The form of a test's input (chapter 20): what each member is, and what is drawn."""

import re

from .primitives import PREFIX

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
ROLES = ("doctor", "assistant", "administrator", "bsd", "validator", "cloud", "custodian")


class Malformed(Exception):
    """An input that is not of its kind's form: nothing that the protocol judges."""


class NotJudged(Exception):
    """A test of a known kind that this program does not judge, for the reason given."""


def _demand(condition, problem):
    if not condition:
        raise Malformed(problem)


def octets(value):
    _demand(isinstance(value, str) and _HEX.fullmatch(value), "no lower-case hexadecimal digits")
    return bytes.fromhex(value)


def exactly(length):
    """Bytes of one length."""

    def read(value):
        data = octets(value)
        _demand(len(data) == length, f"{len(data)} bytes where {length} stand")
        return data

    return read


def number(value):
    _demand(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64, "no number below 2^64")
    return value


def string(value):
    _demand(isinstance(value, str), "no string")
    return value


def flag(value):
    _demand(isinstance(value, bool), "neither true nor false")
    return value


def role(value):
    _demand(value in ROLES, "no role")
    return value


def tag(value):
    """A label of chapter 3, without what all labels begin with."""
    _demand(string(value).startswith(PREFIX), "no label of a tag")
    return value[len(PREFIX) :]


def opt(read):
    return lambda value: None if value is None else read(value)


def several(read):
    def read_all(value):
        _demand(isinstance(value, list), "no array")
        return [read(each) for each in value]

    return read_all


class Given:
    """The members of an object, as attributes."""

    def __init__(self, members):
        self.__dict__.update(members)


def record(**readers):
    """An object with exactly these members."""

    def read(value):
        _demand(isinstance(value, dict), "no object")
        _demand(set(value) == set(readers), f"members {sorted(value)} where {sorted(readers)} stand")
        out = {}
        for name, reader in readers.items():
            try:
                out[name] = reader(value[name])
            except Malformed as problem:
                raise Malformed(f"{name}: {problem}") from None
        return Given(out)

    return read


def one_of(**readers):
    """An object with one member, whose name says what it is: (name, value)."""

    def read(value):
        _demand(isinstance(value, dict) and len(value) == 1, "no object with one member")
        ((name, member),) = value.items()
        _demand(name in readers, f"unknown {name}")
        return name, readers[name](member)

    return read


class Drawn:
    """Random bytes, in the order of the draws."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        _demand(self.at + n <= len(self.data), "too little is drawn")
        self.at += n
        return self.data[self.at - n : self.at]

    def scalar(self, group):
        return group.draw(self.take)

    def end(self):
        _demand(self.at == len(self.data), "more is drawn than used")


def drawn(value):
    return Drawn(octets(value))
