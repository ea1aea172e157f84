"""The audit log and its replay from public data (chapter 12)."""

from . import cloud, merkle
from .presentation import encode
from .primitives import digest
from .refusal import Refused, require
from .schnorr import demand
from .votes import certificate_digest


def start_digest(network, bsd):
    return digest("audit start", encode("AuditStart", {"version": 1, "network": network, "bsd": bsd}))


def entry_digest(entry):
    return digest("audit entry", encode("AuditEntry", entry))


def head_digest(head):
    return digest("audit head", encode("AuditHead", head))


class Keeper:
    """The names and key by which a BSD's audit heads are known."""

    def __init__(self, group, network, name, public):
        self.group, self.network, self.name, self.public = group, network, name, public

    def check_head(self, signed):
        head = signed["head"]
        require("AUD-02", head["version"] == 1 and head["suite"] == self.group.number)
        require("AUD-02", head["network"] == self.network and head["bsd"] == self.name)
        demand("AUD-02", self.group, self.public, "audit head", encode("AuditHead", head), signed["signature"])


class Replay:
    """One audit. `ledger` is fresh; the refusal that stops it has a place {"kind": index}."""

    def __init__(self, ledger, cloud_keeper, audit_keeper):
        self.ledger, self.cloud, self.bsd = ledger, cloud_keeper, audit_keeper
        self.records, self.erased, self.leaf_digests = set(), set(), []

    def run(self, blocks, leaves, cloud_heads, entries, audit_heads, now):
        """Everything is oldest first. What is consistent is counted by `counts`."""
        for block in blocks:
            self._at({"block": block["closed"]["header"]["height"]}, self.ledger.take, block, now)
        self.decisions = self.ledger.decisions()
        self.final = self.ledger.decisions(final_only=True)
        self._cloud_log(leaves, cloud_heads)
        self._audit_log(entries, audit_heads)
        self.log_is_closed = self._end(leaves, cloud_heads, entries, audit_heads)
        self.entries, self.leaves = entries, leaves

    def counts(self):
        ballots = [certificate["body"]["ballot"] for _, certificate in self.decisions.values()]
        terminals = [entry["terminal"] for entry in self.entries]
        return {
            "blocks": self.ledger.tip.number, "final_blocks": self.ledger.final,
            "decided_true": ballots.count("true"), "decided_false": ballots.count("false"),
            "anchors": len(self.ledger.anchors()), "leaves": len(self.leaves),
            "records": len(self.records - self.erased), "erased": len(self.erased), "entries": len(self.entries),
            **{name: terminals.count(name) for name in ("committed", "rejected", "deferred", "aborted")},
            "closed": self.log_is_closed,
        }  # fmt: skip

    @staticmethod
    def _at(place, check, *arguments):
        try:
            return check(*arguments)
        except Refused as refused:
            refused.place = refused.place or place
            raise

    def _cloud_log(self, leaves, heads):
        pending, before = list(heads), None
        for index in range(len(leaves) + 1):
            if index:
                self._at({"cloud_leaf": index - 1}, self._leaf, leaves[index - 1], index - 1)
            while pending and pending[0]["head"]["size"] <= index:
                signed = pending.pop(0)
                self._at({"cloud_head": signed["head"]["size"]}, self._cloud_head, signed, before, index)
                before = signed["head"]
        if pending:
            raise Refused("CLD-01", place={"cloud_head": pending[0]["head"]["size"]})

    def _leaf(self, leaf, index):
        tid, kind = leaf["tid"], leaf["kind"]
        require("CLD-02", leaf["sequence"] == index)
        if kind == "record":
            require("AUD-06", tid in self.final and self.final[tid][1]["body"]["ballot"] == "true")
            require("CLD-07", tid not in self.records or tid in self.erased)
        else:
            require("AUD-06", tid in self.records)
        require("CLD-12", tid not in self.erased)
        if kind == "record":
            self.records.add(tid)
        if kind == "erase":
            self.erased.add(tid)
        self.leaf_digests.append(cloud.leaf_digest(leaf))

    def _cloud_head(self, signed, before, count):
        self.cloud.check_head(signed)
        head = signed["head"]
        require("CLD-04", before is None or head["size"] >= before["size"] and head["time"] >= before["time"])
        require("CLD-01", head["size"] == count and head["root"] == merkle.root(self.leaf_digests))

    def _audit_log(self, entries, heads):
        self.last, self.closed, self.tids = start_digest(self.bsd.network, self.bsd.name), False, set()
        pending = list(heads)
        for index in range(len(entries) + 1):
            if index:
                self._at({"audit_entry": index - 1}, self._entry, entries[index - 1], index - 1)
            while pending and pending[0]["head"]["count"] <= index:
                signed = pending.pop(0)
                self._at({"audit_head": signed["head"]["count"]}, self._audit_head, signed, index)
        if pending:
            self._at({"audit_head": pending[0]["head"]["count"]}, self._audit_head, pending[0], len(entries))

    def _audit_head(self, signed, count):
        self.bsd.check_head(signed)
        head = signed["head"]
        require("AUD-05", head["count"] == count and not self.closed)
        require("AUD-02", head["last"] == self.last)
        self.closed = head["state"] == "closed"

    def _entry(self, entry, index):
        require("AUD-05", not self.closed)
        require("AUD-01", entry["sequence"] == index and entry["previous"] == self.last)
        require("AUD-04", entry["tid"] not in self.tids)
        self._agrees(entry)
        self.tids.add(entry["tid"])
        self.last = entry_digest(entry)

    def _agrees(self, entry):
        tid, terminal = entry["tid"], entry["terminal"]
        if entry["decision"] is not None:
            require("AUD-06", tid in self.decisions)
            certificate = self.decisions[tid][1]
            require("AUD-06", certificate_digest(certificate) == entry["decision"])
            require("AUD-06", certificate["body"]["block"] == entry["block"])
        if terminal == "committed":
            require("AUD-06", entry["decision"] is not None)
            require("AUD-06", tid in self.final and self.final[tid][1]["body"]["ballot"] == "true")
            require("AUD-06", tid in self.records and entry["seal"] is not None)
        if terminal in ("rejected", "aborted"):
            require("AUD-06", tid not in self.decisions or self.decisions[tid][1]["body"]["ballot"] != "true")
            require("AUD-06", tid not in self.records)
        if terminal == "deferred":
            require("AUD-06", tid not in self.records or entry["decision"] is not None)

    def _end(self, leaves, cloud_heads, entries, audit_heads):
        newest = cloud_heads[-1]["head"] if cloud_heads else None
        if (newest["size"] if newest else 0) != len(leaves):
            raise Refused("CLD-01", place={"cloud_head": newest["size"]} if newest else None)
        newest = audit_heads[-1]["head"] if audit_heads else None
        if (newest["count"] if newest else 0) != len(entries):
            raise Refused("AUD-05", place={"audit_head": newest["count"]} if newest else None)
        cloud_digests = {cloud.head_digest(signed["head"]) for signed in cloud_heads}
        audit_digests = {head_digest(signed["head"]) for signed in audit_heads}
        newest_anchor = None
        for height, anchor in self.ledger.anchors():
            if anchor["kind"] == "cloud" and anchor["keeper"] == self.cloud.name:
                if anchor["head"] not in cloud_digests:
                    raise Refused("CLD-05", place={"cloud_anchor": height})
            elif anchor["kind"] == "audit" and anchor["keeper"] == self.bsd.name:
                if anchor["head"] not in audit_digests:
                    raise Refused("AUD-03", place={"audit_anchor": height})
                newest_anchor = anchor
        closed = newest is not None and newest["state"] == "closed" and newest_anchor is not None
        closed = closed and newest_anchor["head"] == head_digest(newest)
        if closed:
            self._closed(leaves, entries)
        return closed

    def _closed(self, leaves, entries):
        """AUD-04 for a log that is closed."""
        for height, certificate in self.decisions.values():
            if certificate["body"]["tid"] not in self.tids:
                raise Refused("AUD-04", place={"decision": height})
        kept = {entry["tid"] for entry in entries if entry["terminal"] in ("committed", "deferred")}
        for index, leaf in enumerate(leaves):
            if leaf["kind"] == "record" and leaf["tid"] not in kept:
                raise Refused("AUD-04", place={"cloud_leaf": index})
