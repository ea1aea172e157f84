"""The answer to one test (chapter 20): valid with an output, invalid with a clause, unsupported or malformed."""

from .form import Malformed, NotJudged
from .groups import SUITES, group
from .kinds import KINDS, NOT_JUDGED, load
from .refusal import Refused

EVERY = "every"


def plain(value):
    """A value as JSON: bytes as hexadecimal digits."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def _answer(result, clause=None, output=None, problem=None):
    return {"result": result, "clause": clause, "output": plain(output), "problem": problem}


def answer(kind, suite, value):
    load()
    if kind not in KINDS:
        return _answer("unsupported", problem=NOT_JUDGED.get(kind, f"the kind {kind} is not known"))
    if suite != EVERY and suite not in SUITES.values():
        return _answer("unsupported", problem=f"the suite {suite} is not known")
    read, judge = KINDS[kind]
    try:
        given = read(value)
        return _answer("valid", output=judge(None if suite == EVERY else group(suite), given))
    except Malformed as problem:
        return _answer("malformed", problem=str(problem))
    except NotJudged as reason:
        return _answer("unsupported", problem=str(reason))
    except Refused as refused:
        return _answer("invalid", clause=refused.clause)
