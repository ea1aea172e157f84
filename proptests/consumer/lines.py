"""The protocol of lines: one question in, one answer out (chapter 20, "Lines")."""

import json

from .answers import answer

LONGEST = 16 * 2**20


def _malformed(number, problem):
    return {"tcId": number, "result": "malformed", "clause": None, "output": None, "problem": problem}


def respond(line):
    if len(line) > LONGEST:
        return _malformed(0, "a line of more than 16 MiB")
    try:
        question = json.loads(line)
        number, kind, suite = question["tcId"], question["kind"], question["suite"]
        return {"tcId": number, **answer(kind, suite, question["input"])}
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        return _malformed(0, f"no question: {problem}")


def serve(source, sink):
    for line in source:
        sink.write(json.dumps(respond(line), separators=(",", ":")) + "\n")
        sink.flush()
