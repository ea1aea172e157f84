"""Verdicts: a refusal by a clause, and the codes of clauses (chapters 2 and 14)."""

PREFIXES = ("ENC GRP SIG KEM AED KEY ROL HSK SES SEA REC TPL CON INI BLK VAL VOT QUO ACK LED CLD AUD STA").split()
IGNORED = {"VOT-06", "ACK-01", "INI-03", "CLD-07", "CLD-16", "LED-07", "SES-03"}


class Refused(Exception):
    """An input that breaks `clause`; `cause` is the clause of chapter 3 behind a failed signature or opening."""

    def __init__(self, clause, cause=None, place=None):
        super().__init__(f"{clause}" + (f" because of {cause}" if cause else "") + (f" at {place}" if place else ""))
        self.clause, self.cause, self.place = clause, cause, place

    @property
    def ignored(self):
        return self.clause in IGNORED


def require(clause, condition, place=None):
    if not condition:
        raise Refused(clause, place=place)


def code(clause):
    """100 times the place of the prefix plus the number; None is no clause, 0."""
    if clause is None:
        return 0
    prefix, number = clause.split("-")
    return 100 * (PREFIXES.index(prefix) + 1) + int(number)
