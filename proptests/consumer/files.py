"""Vector files, and what comes of asking every test in them (chapter 20, "A file" and "A test")."""

import json
import time

from .answers import answer
from .kinds import NOT_JUDGED

FILE = {"format", "kind", "suite", "numberOfTests", "tests"}
TEST = {"tcId", "comment", "flags", "fields", "input", "result", "clause", "output"}


class BadInput(Exception):
    """A file that is no vector file."""


def _demand(condition, path, problem):
    if not condition:
        raise BadInput(f"{path}: {problem}")


def read(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"{path}: {problem}") from None
    _demand(isinstance(value, dict) and set(value) == FILE, path, f"members other than {sorted(FILE)}")
    _demand(value["format"] == "bemr vectors 1", path, f"format {value['format']}")
    name = value["kind"] if value["suite"] == "every" else f"{value['kind']}-{value['suite']}"
    _demand(path.name == f"{name}.json", path, f"holds {name}")
    tests = value["tests"]
    _demand(value["numberOfTests"] == len(tests), path, "numberOfTests is not the number of tests")
    for place, test in enumerate(tests):
        whole = isinstance(test, dict) and set(test) == TEST
        _demand(whole, path, f"test {place + 1}: members other than {sorted(TEST)}")
        _demand(test["tcId"] == place + 1, path, f"test {place + 1} has tcId {test['tcId']}")
        _demand(test["result"] in ("valid", "invalid"), path, f"test {place + 1} has result {test['result']}")
    return value


def difference(test, found):
    """None when the answer is the one that the test has, or what it is instead."""
    expected = {member: test[member] for member in ("result", "clause", "output")}
    if expected == {member: found[member] for member in expected}:
        return None
    out = {"tcId": test["tcId"], "comment": test["comment"], "expected": test["clause"] or test["result"]}
    out["found"] = found["clause"] or found["problem"] or found["result"]
    if test["result"] == found["result"] == "valid":
        members = set(test["output"]) | set(found["output"])
        out["members"] = sorted(m for m in members if test["output"].get(m) != found["output"].get(m))
    return out


def _ask(kind, suite, value):
    """The answer; an error of this program is one that no test expects."""
    try:
        return answer(kind, suite, value)
    except Exception as error:
        return {"result": "failed", "clause": None, "output": None, "problem": repr(error)}


def check(path):
    """One row: how many tests there are, agreed, disagreed and were not judged, with the differences."""
    value, began = read(path), time.monotonic()
    row = {"file": path.name, "checked": len(value["tests"]), "agreed": 0, "disagreed": 0, "not_judged": 0}
    row |= {"reason": None, "listed": True, "differences": []}
    for test in value["tests"]:
        found = _ask(value["kind"], value["suite"], test["input"])
        if found["result"] == "unsupported":
            row["not_judged"] += 1
            row["reason"] = found["problem"]
            row["listed"] &= found["problem"] in NOT_JUDGED.values()
            continue
        other = difference(test, found)
        row["agreed" if other is None else "disagreed"] += 1
        if other is not None:
            row["differences"].append(other)
    row["seconds"] = round(time.monotonic() - began, 2)
    return row


def paths(directory):
    found = sorted(p for p in directory.glob("*.json") if not p.name.endswith(".schema.json"))
    if not found:
        raise BadInput(f"{directory}: no vector files")
    return found
