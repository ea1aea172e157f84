"""The kinds of tests: for each its form, and what has to come out (chapter 20).

A kind is a function of (group, given) that gives the output, bytes where hexadecimal digits stand, or refuses.
"""

KINDS = {}
# What this program does not judge, and why. Whatever else is not judged is a finding.
NOT_JUDGED = {"run by work": "validators here do not mine: closing by work is checked by `block` alone"}


def kind(name, **members):
    """Registers the function for a kind whose input has these members."""
    from ..form import record

    def register(function):
        KINDS[name] = (record(**members), function)
        return function

    return register


def load():
    from . import keys, primitives, public, records, runs, sessions  # noqa: F401

    return KINDS
