"""The validator: votes, what waits for a block, and closing by quorum (chapters 8, 9 and 10)."""

from .. import audit, cloud, transactions
from .. import ledger as ledger_rules
from ..refusal import Refused, require
from ..schnorr import demand, sign
from ..votes import make_vote, vote_body
from .node import PAUSE, Node

GATHERING, TURN, MOST_DECISIONS = 200, 2000, 65_536


class Validator(Node):
    hears = ("decision", "cloud_head", "audit_head", "proposal", "closing", "blocks_from")

    def __init__(self, world, identity, agreement):
        super().__init__(world, identity, agreement)
        self.votes, self.decisions, self.anchors = {}, {}, {}
        self.since = self.turn = self.signed = None
        self.signatures, self.greatest, self.replied = {}, (0, None), {}

    # --- votes

    def take_t_block(self, message, peer, _):
        newest = self.world.ledger.tip.number
        tid = message["body"]["tid"]
        known = self.votes.get(tid)
        clause = self.world.check_block(message, peer, newest, self.now, voted=known is not None)
        if known is None:
            block_digest = transactions.block_digest(message["body"])
            body = vote_body(message["body"], block_digest, clause)
            known = make_vote(self.world.group, self.name, self.identity.signing, body)
            self.votes[tid], self.world.voted[tid] = known, block_digest
        self.say(peer["subject"], "vote", known)

    # --- what waits

    def hear_decision(self, _, certificate):
        tid = certificate["body"]["tid"]
        require("LED-10", tid not in self.world.ledger.decisions() and tid not in self.decisions)
        require("ENC-04", len(self.decisions) < MOST_DECISIONS)
        self.world.ledger.check_decisions([{"kind": "decision", "body": {"certificate": certificate}}])
        self.decisions[tid] = certificate
        self._something_waits()

    def hear_cloud_head(self, _, signed):
        self.world.cloud_keeper.check_head(signed)
        head = signed["head"]
        self._anchor("cloud", head["cloud"], head["size"], cloud.head_digest(head))

    def hear_audit_head(self, _, signed):
        self.world.audit_keeper.check_head(signed)
        head = signed["head"]
        self._anchor("audit", head["bsd"], head["count"], audit.head_digest(head))

    def _newest_anchor(self, kind):
        held = [entry["body"]["anchor"] for each in self.world.ledger.in_force() for entry in each.block["entries"]
                if entry["kind"] == "anchor" and entry["body"]["anchor"]["kind"] == kind]  # fmt: skip
        return held[-1] if held else None

    def _anchor(self, kind, keeper, size, head):
        anchor = {"kind": kind, "keeper": keeper, "size": size, "head": head}
        before = [a for a in (self.anchors.get(kind), self._newest_anchor(kind)) if a is not None]
        if anchor in before:
            return
        require("CLD-04", all(_follows(anchor, a) for a in before))
        self.anchors[kind] = anchor
        self._something_waits()

    def _something_waits(self):
        if self.since is None:
            self.since, self.turn = self.now, 0

    # --- turns

    @property
    def height(self):
        return self.world.ledger.tip.number + 1

    def timers(self):
        return [] if self.since is None else [self._starts(self.turn)]

    def _starts(self, turn):
        return self.since + GATHERING + TURN * turn

    def on_time(self):
        if self.since is None or self.now < self._starts(self.turn):
            return
        turn = (self.now - self.since - GATHERING) // TURN
        names = list(self.world.validators.members)
        self.turn = turn + 1
        if names[(self.height + turn) % len(names)] == self.name:
            self._propose()

    def _entries(self):
        anchors = [self.anchors[kind] for kind in ("cloud", "audit") if kind in self.anchors]
        decisions = [self.decisions[tid] for tid in sorted(self.decisions)][: ledger_rules.MOST_ENTRIES - len(anchors)]
        return [{"kind": "decision", "body": {"certificate": c}} for c in decisions] + [
            {"kind": "anchor", "body": {"anchor": a}} for a in anchors
        ]

    def _propose(self):
        if self.signed is None:
            entries = self._entries()
            if not entries:
                self.since = None
                return
            tip = self.world.ledger.tip
            header = {
                "version": 1, "network": self.world.network, "height": self.height, "previous": tip.digest,
                "time": max(self.now, tip.time + 1), "root": ledger_rules.entries_root(entries),
                "count": len(entries), "proposer": self.name,
                "closing": {"kind": "quorum", "body": {"validators": self.world.validators.digest}},
            }  # fmt: skip
            try:
                self.world.ledger.check_proposal(header, entries, self.now)
                self._sign(header, entries)
            except Refused:
                return
        self.publish("proposal", self._proposal())
        self._close()

    def _proposal(self):
        header, entries = self.signed
        return {"header": header, "entries": entries, "signatory": self.signatures[self.name]}

    def _sign(self, header, entries):
        """LED-15, then this validator's signature on the header's digest."""
        found, height = ledger_rules.header_digest(header), header["height"]
        require("LED-15", height > self.greatest[0] or (height, found) == self.greatest)
        signature = sign(self.world.group, self.identity.signing, "block close", found)
        self.greatest, self.signed = (height, found), (header, entries)
        self.signatures[self.name] = {"validator": self.name, "signature": signature}
        self._something_waits()

    def _check_signatory(self, signatory, header):
        members = self.world.validators.members
        require("VOT-01", signatory["validator"] in members)
        key = members[signatory["validator"]]
        demand("VOT-02", self.world.group, key, "block close", header, signatory["signature"])

    def hear_proposal(self, address, proposal):
        header, entries = proposal["header"], proposal["entries"]
        found = ledger_rules.header_digest(header)
        self._check_signatory(proposal["signatory"], found)
        if self.signed is None or ledger_rules.header_digest(self.signed[0]) != found:
            try:
                self.world.ledger.check_proposal(header, entries, self.now)
            except Refused as refused:
                if refused.clause == "LED-01":
                    self.ask(address)
                elif refused.clause in ("LED-07", "LED-12"):
                    self.hear_blocks_from(address, header["height"])
                raise
            try:
                self._sign(header, entries)
            except Refused:
                at = self.replied.get(address)
                if self.signed is not None and (at is None or self.now >= at + PAUSE):
                    self.replied[address] = self.now
                    self.tell(address, "proposal", self._proposal())
                raise
        self.signatures[proposal["signatory"]["validator"]] = proposal["signatory"]
        own = self.signatures[self.name]
        self.tell(address, "closing", {"height": header["height"], "header": found, "signatory": own})
        self._close()

    def hear_closing(self, _, closing):
        require("STA-01", self.signed is not None and closing["height"] == self.height)
        require("VOT-01", closing["signatory"]["validator"] in self.world.validators.members)
        found = ledger_rules.header_digest(self.signed[0])
        require("STA-01", closing["header"] == found)
        self._check_signatory(closing["signatory"], found)
        self.signatures[closing["signatory"]["validator"]] = closing["signatory"]
        self._close()

    def _close(self):
        if len(self.signatures) < self.world.validators.quorum:
            return
        header, entries = self.signed
        signatories = [self.signatures[name] for name in sorted(self.signatures, key=str.encode)]
        block = {"closed": {"header": header, "signatories": signatories}, "entries": entries}
        self.world.ledger.take(block, self.now)
        self.publish("block", block)
        self.in_force()

    def in_force(self):
        self.signed, self.signatures, self.since = None, {}, None
        decided = self.world.ledger.decisions()
        self.decisions = {tid: c for tid, c in self.decisions.items() if tid not in decided}
        for kind, anchor in list(self.anchors.items()):
            newest = self._newest_anchor(kind)
            if anchor == newest or newest is not None and not _follows(anchor, newest):
                del self.anchors[kind]
        if self.decisions or self.anchors:
            self._something_waits()


def _follows(anchor, before):
    """LED-14: a greater size, or for an audit log the same."""
    return anchor["size"] > before["size"] or anchor["kind"] == "audit" and anchor["size"] == before["size"]
