"""The protocol of lines: one question in, one answer out (chapter 20, "Lines")."""

import json

from .answers import answer

LONGEST = 16 * 2**20


def _malformed(problem):
    return {"tcId": 0, "result": "malformed", "clause": None, "output": None, "problem": problem}


def respond(line):
    if len(line) > LONGEST:
        return _malformed("a line of more than 16 MiB")
    try:
        question = json.loads(line)
        number, kind, suite, value = (question[member] for member in ("tcId", "kind", "suite", "input"))
        return {"tcId": number, **answer(kind, suite, value)}
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        return _malformed(f"no question: {problem}")


def _questions(source):
    """Lines of bytes; of a longer one no more than can be said to be too long."""
    while line := source.readline(LONGEST + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST)
        yield line.rstrip(b"\n") if len(line) <= LONGEST else line


def serve(source, sink):
    for line in _questions(source):
        sink.write(json.dumps(respond(line), separators=(",", ":")) + "\n")
        sink.flush()
