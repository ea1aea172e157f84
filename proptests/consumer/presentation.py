"""Codec of the presentation language (chapter 3), driven by the structures in `spec/generated/messages.md`.

A structure is a dict by field, a vector a list, an enum the name of its value, an opaque `bytes`, a Name or Text a
`str`, an absent optional `None`. A `select` is the structure of its case: the dict of its fields, or the value of the
type that the case names.
"""

import re
from functools import lru_cache
from pathlib import Path

from .groups import SUITES
from .refusal import Refused

LONGEST = 17 * 2**20
SPEC = Path(__file__).resolve().parents[2] / "spec"
_NAME = re.compile(rb"[\x21-\x7e]{1,64}")


def _require(condition, place=None):
    if not condition:
        raise Refused("ENC-01", place=place)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        _require(n <= len(self.data) - self.at)
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "big")


class Number:
    def __init__(self, width):
        self.width = width

    def read(self, reader, _outer):
        return reader.number(self.width)

    def write(self, value, _outer):
        return value.to_bytes(self.width, "big")


class SuiteNumber(Number):
    """A number that has a name in chapter 3; every other does not decode."""

    def read(self, reader, _outer):
        value = reader.number(2)
        _require(value in SUITES)
        return value


class Fixed:
    def __init__(self, length):
        self.length = length

    def read(self, reader, _outer):
        return reader.take(self.length)

    def write(self, value, _outer):
        if len(value) != self.length:
            raise ValueError(f"{len(value)} bytes where {self.length} stand")
        return bytes(value)


def _width(bound):
    return (bound.bit_length() + 7) // 8


class Opaque:
    def __init__(self, least, most):
        self.least, self.most = least, most

    def read(self, reader, _outer):
        length = reader.number(_width(self.most))
        _require(self.least <= length <= self.most)
        return reader.take(length)

    def write(self, value, _outer):
        if not self.least <= len(value) <= self.most:
            raise ValueError(f"{len(value)} bytes in a vector of {self.least} to {self.most}")
        return len(value).to_bytes(_width(self.most), "big") + bytes(value)


class NameString(Opaque):
    def read(self, reader, outer):
        value = super().read(reader, outer)
        _require(_NAME.fullmatch(value))
        return value.decode()

    def write(self, value, outer):
        return super().write(value.encode(), outer)


class TextString(Opaque):
    def read(self, reader, outer):
        try:
            return super().read(reader, outer).decode()
        except UnicodeDecodeError:
            raise Refused("ENC-01") from None

    def write(self, value, outer):
        return super().write(value.encode(), outer)


class Enum:
    def __init__(self, values):
        self.values = values
        self.names = {number: name for name, number in values.items()}

    def read(self, reader, _outer):
        number = reader.number(1)
        _require(number in self.names)
        return self.names[number]

    def write(self, value, _outer):
        return bytes([self.values[value]])


class Vector:
    def __init__(self, element, least, most):
        self.element, self.bytes = element, Opaque(least, most)

    def read(self, reader, outer):
        inner, out = Reader(self.bytes.read(reader, outer)), []
        while inner.at < len(inner.data):
            out.append(self.element.read(inner, outer))
        return out

    def write(self, value, outer):
        return self.bytes.write(b"".join(self.element.write(each, outer) for each in value), outer)


class Optional:
    def __init__(self, element):
        self.element = element

    def read(self, reader, outer):
        present = reader.number(1)
        _require(present in (0, 1))
        return self.element.read(reader, outer) if present else None

    def write(self, value, outer):
        return b"\0" if value is None else b"\1" + self.element.write(value, outer)


class Select:
    """The structure or type of the case that an earlier field of the same structure names."""

    def __init__(self, field, cases):
        self.field, self.cases = field, cases

    def read(self, reader, outer):
        return self.cases[outer[self.field]].read(reader, outer)

    def write(self, value, outer):
        return self.cases[outer[self.field]].write(value, outer)


class Struct:
    def __init__(self, fields):
        self.fields = fields

    def read(self, reader, _outer):
        out = {}
        for name, kind in self.fields:
            out[name] = kind.read(reader, out)
        return out

    def write(self, value, _outer):
        unknown = set(value) - {name for name, _ in self.fields}
        if unknown:
            raise KeyError(f"no field {sorted(unknown)[0]}")
        return b"".join(kind.write(value[name], value) for name, kind in self.fields)


class _Later:
    """A type by its name, looked up when it is used."""

    def __init__(self, name, types):
        self.name, self.types = name, types

    def read(self, reader, outer):
        return self.types[self.name].read(reader, outer)

    def write(self, value, outer):
        return self.types[self.name].write(value, outer)


_TOKEN = re.compile(r"\s+|/\*.*?\*/|(\w+(?:\^\d+-\d+)?|[{}()\[\]<>;,.]|\.\.)", re.S)


def _bound(text):
    match = re.fullmatch(r"(\d+)\^(\d+)-(\d+)", text)
    return int(match[1]) ** int(match[2]) - int(match[3]) if match else int(text)


class _Grammar:
    def __init__(self, text, types):
        self.tokens = [m[1] for m in _TOKEN.finditer(text) if m[1]]
        self.at, self.types = 0, types

    def next(self, *expected):
        token = self.tokens[self.at]
        if expected and token not in expected:
            raise SyntaxError(f"{token} where {' or '.join(expected)} stands, at token {self.at}")
        self.at += 1
        return token

    def peek(self):
        return self.tokens[self.at]

    def declarations(self):
        while self.at < len(self.tokens):
            kind = self.enum() if self.peek() == "enum" else self.struct()
            self.types[self.next()] = kind
            self.next(";")

    def enum(self):
        self.next("enum")
        self.next("{")
        values = {}
        while self.peek() != "}":
            if self.peek() == "(":
                self.next(), self.next("255"), self.next(")")
                continue
            name = self.next()
            self.next("(")
            values[name] = int(self.next())
            self.next(")")
            if self.peek() == ",":
                self.next()
        self.next("}")
        return Enum(values)

    def struct(self):
        self.next("struct")
        self.next("{")
        fields = []
        while self.peek() != "}":
            fields.append(self.field())
        self.next("}")
        return Struct(fields)

    def field(self):
        if self.peek() == "select":
            return self.select()
        if self.peek() == "enum":
            kind = self.enum()
            name = self.next()
        elif self.peek() == "optional":
            self.next(), self.next("<")
            kind = Optional(_Later(self.next(), self.types))
            self.next(">")
            name = self.next()
        else:
            kind, name = self.named()
        self.next(";")
        return name, kind

    def named(self):
        base, name = self.next(), self.next()
        if self.peek() == "[":
            self.next()
            kind = Fixed(_bound(self.next()))
            self.next("]")
        elif self.peek() == "<":
            self.next()
            least = _bound(self.next())
            self.next("."), self.next(".")
            most = _bound(self.next())
            self.next(">")
            kind = Opaque(least, most) if base == "opaque" else Vector(_Later(base, self.types), least, most)
        else:
            kind = _Later(base, self.types)
        return kind, name

    def select(self):
        self.next("select"), self.next("(")
        self.next(), self.next(".")
        chooser = self.next()
        self.next(")"), self.next("{")
        cases = {}
        while self.peek() != "}":
            self.next("case")
            name = self.next()
            # The presentation language writes a colon, which carries nothing.
            cases[name] = self.case()
        self.next("}")
        name = self.next()
        self.next(";")
        return name, Select(chooser, cases)

    def case(self):
        if self.peek() == "struct":
            kind = self.struct()
            self.next(";")
            return kind
        if self.tokens[self.at + 1] == ";":
            kind = _Later(self.next(), self.types)
            self.next(";")
            return kind
        fields = []
        while self.peek() not in ("case", "}"):
            fields.append(self.field())
        return Struct(fields)


def _primitives():
    return {
        "uint8": Number(1), "uint16": Number(2), "uint32": Number(4), "uint64": Number(8),
        "Height": Number(8), "Version": Number(4), "Time": Number(8), "Suite": SuiteNumber(2),
        "Digest": Fixed(32), "Signature": Opaque(0, 2**16 - 1),
        "Name": NameString(1, 64), "Text": TextString(0, 2**16 - 1),
    }  # fmt: skip


@lru_cache(maxsize=None)
def types():
    """Every type of the specification by its name."""
    found = _primitives()
    text = (SPEC / "generated" / "messages.md").read_text()
    for block in re.findall(r"```tls\n(.*?)```", text, re.S):
        _Grammar(block, found).declarations()
    return found


def encode(name, value):
    return types()[name].write(value, value)


def encode_vector(element, value, most=2**32 - 1):
    """A vector that stands in no structure of its own, with its length."""
    return Vector(types()[element], 0, most).write(value, None)


def decode(name, data, *, message=True):
    """The value of the one encoding; `message` compares the whole with the longest message first (ENC-04)."""
    if message and len(data) > LONGEST:
        raise Refused("ENC-04")
    reader = Reader(data)
    value = types()[name].read(reader, None)
    _require(reader.at == len(data))
    return value
