"""The ledger of one member: blocks, their checks, both ways to close them (chapter 10)."""

from dataclasses import dataclass, field

from . import merkle
from .presentation import encode
from .primitives import digest
from .refusal import Refused, require
from .votes import ValidatorSet

MOST_ENTRIES, AHEAD = 4096, 7_200_000


def header_digest(header):
    return digest("block header", encode("BlockHeader", header))


def entry_digest(entry):
    return digest("ledger entry", encode("Entry", entry))


def entries_root(entries):
    return merkle.root([entry_digest(entry) for entry in entries])


def genesis_digest(genesis):
    return digest("ledger genesis", encode("Genesis", genesis))


def check_genesis(genesis):
    """ENC-03, and LED-06 for a zero in the work rule."""
    require("ENC-03", genesis["version"] == 1)
    if genesis["rule"]["kind"] == "work":
        rule = genesis["rule"]["body"]["rule"]
        require("LED-06", any(rule["easiest"]["number"]))
        require("LED-06", all(rule[field] for field in ("interval", "window", "confirmations")))


def check_inclusion(header, entry, proof):
    """LED-13: `proof` is an InclusionProof."""
    found = merkle.verify_inclusion(header["root"], header["count"], entry_digest(entry), proof["index"], proof["path"])
    require("LED-13", found)


def scheduled_target(rule, number, before, times):
    """The target of block `number` of a chain; `before` is that of the block before, `times[i]` that of number i."""
    easiest = int.from_bytes(rule["easiest"]["number"], "big")
    if number == 1:
        return easiest
    if (number - 1) % rule["window"]:
        return before
    expected = rule["interval"] * rule["window"]
    actual = times[number - 1] - times[number - 1 - rule["window"]]
    actual = min(max(actual, expected // 4), 4 * expected)
    return min(max(before * actual // expected, 1), easiest)


@dataclass
class Held:
    """A block in the tree, or the genesis (without `block`)."""

    digest: bytes
    number: int
    time: int
    parent: object = None
    block: dict = None
    work: int = 0
    decisions: dict = field(default_factory=dict)

    @property
    def target(self):
        return int.from_bytes(self.block["closed"]["header"]["closing"]["body"]["work"]["target"]["number"], "big")

    def chain(self):
        """From the first block to this one."""
        out, at = [], self
        while at.parent is not None:
            out.append(at)
            at = at.parent
        return out[::-1]


def _tid(entry):
    return entry["body"]["certificate"]["body"]["tid"]


def _log(anchor):
    return anchor["kind"], anchor["keeper"]


class Ledger:
    def __init__(self, genesis, validators: ValidatorSet):
        self.genesis, self.validators = genesis, validators
        self.root = Held(genesis_digest(genesis), 0, genesis["start"])
        self.held, self.tip = {self.root.digest: self.root}, self.root
        self.final = 0

    @property
    def rule(self):
        return self.genesis["rule"]["kind"]

    @property
    def work_rule(self):
        return self.genesis["rule"]["body"]["rule"]

    def in_force(self):
        """Blocks in force, from height 1."""
        return self.tip.chain()

    def is_final(self, height):
        return 1 <= height <= self.final

    def decisions(self, final_only=False):
        """tid to (height, certificate) in the chain in force, in the order of blocks and entries."""
        out = {}
        for held in self.in_force()[: self.final if final_only else None]:
            for entry in held.block["entries"]:
                if entry["kind"] == "decision":
                    out[_tid(entry)] = (held.number, entry["body"]["certificate"])
        return out

    def anchors(self):
        """(height, Anchor) in final blocks, in order."""
        return [
            (held.number, entry["body"]["anchor"])
            for held in self.in_force()[: self.final]
            for entry in held.block["entries"]
            if entry["kind"] == "anchor"
        ]

    def _check_proposed(self, header, entries, now):
        """Steps 1 to 8: the parent."""
        require("ENC-03", header["version"] == 1)
        require("ENC-04", len(entries) <= MOST_ENTRIES)
        require("LED-07", header_digest(header) not in self.held)
        parent = self.held.get(header["previous"])
        require("LED-01", parent is not None)
        require("LED-01", header["network"] == self.genesis["network"])
        require("LED-12", self._holds_final(parent))
        require("LED-02", header["height"] == parent.number + 1)
        require("LED-09", parent.time < header["time"] <= now + AHEAD)
        closing = header["closing"]
        require("LED-04" if self.rule == "quorum" else "LED-05", closing["kind"] == self.rule)
        if self.rule == "quorum":
            require("LED-04", closing["body"]["validators"] == self.genesis["validators"])
        else:
            target = int.from_bytes(closing["body"]["work"]["target"]["number"], "big")
            require("LED-06", target == self.next_target(parent))
        return parent

    def next_target(self, parent):
        times = [self.root.time] + [held.time for held in parent.chain()]
        return scheduled_target(self.work_rule, parent.number + 1, parent.target if parent.block else None, times)

    def _holds_final(self, at):
        if self.final == 0:
            return True
        last = self.in_force()[self.final - 1]
        while at is not None and at.number > last.number:
            at = at.parent
        return at is last

    def _check_entries(self, header, entries, parent):
        """Steps 10 to 12."""
        require("LED-03", header["count"] == len(entries))
        require("LED-03", header["root"] == entries_root(entries))
        chain = [entry for held in parent.chain() for entry in held.block["entries"]]
        decided = {_tid(entry) for entry in chain if entry["kind"] == "decision"}
        for entry in entries:
            if entry["kind"] == "decision":
                require("LED-10", _tid(entry) not in decided)
                decided.add(_tid(entry))
        sizes = {}
        for entry in chain:
            if entry["kind"] == "anchor":
                anchor = entry["body"]["anchor"]
                sizes[_log(anchor)] = max(anchor["size"], sizes.get(_log(anchor), 0))
        for entry in entries:
            if entry["kind"] == "anchor":
                anchor = entry["body"]["anchor"]
                before = sizes.get(_log(anchor))
                same = anchor["kind"] == "audit"
                require("LED-14", before is None or anchor["size"] > before or same and anchor["size"] == before)
                sizes[_log(anchor)] = anchor["size"]

    def check_decisions(self, entries):
        """Step 14."""
        for entry in entries:
            if entry["kind"] == "decision":
                certificate = entry["body"]["certificate"]
                require("LED-11", certificate["body"]["network"] == self.genesis["network"])
                require("LED-11", certificate["body"]["validators"] == self.genesis["validators"])
                try:
                    self.validators.check_certificate(certificate)
                except Refused as refused:
                    raise Refused("LED-11", cause=refused.clause) from None

    def check_proposal(self, header, entries, now):
        """What a validator checks before it signs."""
        parent = self._check_proposed(header, entries, now)
        self._check_entries(header, entries, parent)
        self.check_decisions(entries)

    def check(self, block, now):
        """All steps for a block that arrives; the parent."""
        closed, entries = block["closed"], block["entries"]
        header = closed["header"]
        parent = self._check_proposed(header, entries, now)
        if self.rule == "work":
            require("LED-05", not closed["signatories"])
            target = int.from_bytes(header["closing"]["body"]["work"]["target"]["number"], "big")
            require("LED-05", int.from_bytes(header_digest(header), "big") < target)
        self._check_entries(header, entries, parent)
        if self.rule == "quorum":
            try:
                self.validators.check_signatories(closed["signatories"], "block close", header_digest(header))
            except Refused as refused:
                raise Refused("LED-04", cause=refused.clause) from None
        self.check_decisions(entries)
        return parent

    def take(self, block, now):
        parent = self.check(block, now)
        header = block["closed"]["header"]
        held = Held(header_digest(header), parent.number + 1, header["time"], parent, block)
        if self.rule == "work":
            held.work = parent.work + 2**256 // held.target
        self.held[held.digest] = held
        if self.rule == "quorum" or held.work > self.tip.work:
            self.tip = held
        confirmations = 0 if self.rule == "quorum" else self.work_rule["confirmations"]
        self.final = max(self.final, self.tip.number - confirmations)
        self._forget()
        return held

    def _forget(self):
        """Drops blocks of chains that lack a final block."""
        in_force = {held.digest for held in self.in_force()}
        for key, held in list(self.held.items()):
            if held.block and key not in in_force and not self._holds_final(held):
                del self.held[key]
