"""Reading a record's bytes as JSON (chapter 7, "Reading a record").

Objects are dicts in document order, arrays lists, numbers `Literal`s that keep the bytes of the record.
"""

import re

from .refusal import Refused, require

RESOURCES = {
    "AllergyIntolerance", "Condition", "DiagnosticReport", "Immunization", "MedicationRequest", "Observation", "Patient",
}  # fmt: skip
MOST_BYTES, MOST_VALUES, MOST_LEVELS = 16_777_216, 1_048_576, 64

_TOKEN = re.compile(
    r'[ \t\n\r]*(?:(?P<string>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<word>true|false|null)|(?P<mark>[\[\]{},:])|\Z)"
)
_ESCAPE = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}


class Literal(str):
    """A number as it is written."""


def _tokens(text):
    """(kind, text of the token); anything that is no token breaks REC-02."""
    at, out = 0, []
    while True:
        match = _TOKEN.match(text, at)
        require("REC-02", match)
        if match.lastgroup is None:
            require("REC-02", match.end() == len(text))
            return out
        out.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()


def _check_grammar(tokens):
    """One JSON text, however deep, by an explicit stack of what closes each level."""
    stack, expect = [], "value"
    for kind, token in tokens:
        if kind != "mark":
            require("REC-02", expect in ("value", "first") or kind == "string" and expect in ("key", "first key"))
            expect = "colon" if expect in ("key", "first key") else "after"
        elif token in "[{":
            require("REC-02", expect in ("value", "first"))
            stack.append("]" if token == "[" else "}")
            expect = "first" if token == "[" else "first key"
        elif token in "]}":
            require("REC-02", stack and stack.pop() == token)
            require("REC-02", expect in ("after", "first" if token == "]" else "first key"))
            expect = "after"
        elif token == ":":
            require("REC-02", expect == "colon")
            expect = "value"
        else:
            require("REC-02", stack and expect == "after")
            expect = "key" if stack[-1] == "}" else "value"
    require("REC-02", expect == "after" and not stack)


def _check_size(tokens):
    depth, count = 0, 1
    for kind, token in tokens:
        if kind == "mark":
            if token in "[{":
                depth += 1
                require("REC-04", depth <= MOST_LEVELS)
            elif token in "]}":
                depth -= 1
            if token in "[{,":
                count += 1
                require("REC-05", count <= MOST_VALUES)


def _scalar(match):
    high, low, single, short = match.groups()
    if high:
        return chr(0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00)
    if single:
        number = int(single, 16)
        require("REC-02", not 0xD800 <= number < 0xE000)
        return chr(number)
    return _SHORT.get(short, short)


def _string(token):
    return _ESCAPE.sub(_scalar, token[1:-1])


class _Builder:
    """Values in document order: of an object, member by member, the key is decoded, compared, and its value walked."""

    def __init__(self, tokens):
        self.tokens = tokens

    def value(self, at):
        """(value, index after it)."""
        kind, token = self.tokens[at]
        if kind == "string":
            return _string(token), at + 1
        if kind == "number":
            return Literal(token), at + 1
        if kind == "word":
            return _WORDS[token], at + 1
        return self.array(at + 1) if token == "[" else self.object(at + 1)

    def array(self, at):
        out = []
        while self.tokens[at] != ("mark", "]"):
            value, at = self.value(at)
            out.append(value)
            at += self.tokens[at] == ("mark", ",")
        return out, at + 1

    def object(self, at):
        out = {}
        while self.tokens[at] != ("mark", "}"):
            key = _string(self.tokens[at][1])
            require("REC-03", key not in out)
            out[key], at = self.value(at + 2)
            at += self.tokens[at] == ("mark", ",")
        return out, at + 1


def parse(data):
    """Any JSON text by steps 1 to 5."""
    require("REC-05", len(data) <= MOST_BYTES)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("REC-01") from None
    tokens = _tokens(text)
    _check_grammar(tokens)
    _check_size(tokens)
    return _Builder(tokens).value(0)[0]


def read_record(data):
    """The resource in the record's bytes, or the refusal by the first clause that it breaks."""
    resource = parse(data)
    require("REC-06", isinstance(resource, dict))
    kind = resource.get("resourceType")
    require("REC-06", isinstance(kind, str) and not isinstance(kind, Literal) and kind in RESOURCES)
    return resource
