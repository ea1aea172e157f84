"""The server database: T_initial, votes, the decision, T_valid, receipts and the audit log (chapters 6, 8, 9, 12, 13)."""

from .. import audit, mapping, transactions
from .. import ledger as ledger_rules
from ..merkle import inclusion
from ..presentation import encode
from ..refusal import Refused, code, require
from ..registry import policy_digest
from ..schnorr import sign
from ..sealing import SealChain, seal_digest
from ..votes import Count, certificate_digest, decide
from .node import Node

ATTEMPT, ATTEMPTS, FINALITY = 4000, 3, 60_000


class _Submission:
    """One tid. `state` is that of the submission machine."""

    def __init__(self, tid, user):
        self.tid, self.user, self.state = tid, user, "AwaitingVotes"
        self.until, self.attempts, self.keys = None, 1, []
        self.message = self.block = self.count = self.verdict = self.certificate = self.valid = None
        self.seal = self.height = self.outcome = self.silent = None


class Bsd(Node):
    hears = ("blocks_from",)

    def __init__(self, world, identity, agreement, cloud, custodian, drawn):
        super().__init__(world, identity, agreement)
        self.cloud, self.submissions = cloud, {}
        key = world.published[custodian]["body"]["agreement_key"]
        ephemeral = drawn.scalar(world.group)
        self.chain = SealChain(world.group, self.name, custodian, key, ephemeral)
        self.reuse_key = drawn.take(32)
        self.entries, self.last, self.closed = [], audit.start_digest(world.network, self.name), False

    def timers(self):
        return [s.until for s in self.submissions.values() if s.until is not None]

    def on_time(self):
        for each in list(self.submissions.values()):
            if each.until is not None and self.now >= each.until:
                getattr(self, "_expired_" + each.state)(each)

    # --- T_initial

    def take_t_initial(self, message, peer, key):
        header = message["header"]
        try:
            height = self.world.ledger.tip.number + 1
            template, contracts, canonical, verdict = self.world.check_initial(message, peer, height, self.now)
        except Refused as refused:
            if refused.clause == "INI-03":
                known = self.submissions[header["tid"]]
                if known.outcome:
                    self.say(known.user, "outcome", known.outcome)
            else:
                self.say(peer["subject"], "outcome", _outcome(header["tid"], "refused", code(refused.clause), 0))
            raise
        each = _Submission(header["tid"], peer["subject"])
        each.message, each.verdict = message, verdict
        seal = seal_digest(self.chain.seal(each.tid, "initial", [key]))
        each.seal = seal
        each.block = {
            "version": 1, "suite": self.world.group.number, "tid": each.tid, "bsd": self.name,
            "network": self.world.network, "validators": self.world.validators.digest, "height": height,
            "initial": transactions.initial_digest(header), "policy": policy_digest(template, contracts), "seal": seal,
            "issued": self.now,
        }  # fmt: skip
        each.openings = [
            {"index": i, "opening": mapping.opening(message["record_key"], i), "value": canonical[i]}
            for i in transactions.opened_indices(template, contracts)
        ]
        each.count = Count(self.world.validators, each.block, transactions.block_digest(each.block))
        each.record = self.world.reuse(header["patient"], transactions.decrypt_record(
            message["record_key"], header["user"], header["nonce"], message["ciphertext"]
        ))  # fmt: skip
        each.certificate_of_user = self.newest[each.user].session.peer
        signature = sign(self.world.group, self.identity.signing, "t-block", encode("BlockBody", each.block))
        each.t_block = {
            "body": each.block, "signature": signature, "initial": header, "user": self.world.published[each.user],
            "user_signature": message["signature"], "openings": each.openings,
        }  # fmt: skip
        self.submissions[each.tid] = each
        self.world.taken.add(each.tid)
        self.world.records.add(each.record)
        each.until = self.now + ATTEMPT
        for validator in self.world.validators.members:
            self._ask(each, validator, again=False)

    def _ask(self, each, validator, again):
        self.say(validator, "t_block", each.t_block, again=again, on_key=each.keys.append)

    # --- votes

    def take_vote(self, vote, peer, key):
        require("VOT-01", vote["validator"] == peer["subject"])
        tid = vote["body"]["tid"]
        require("VOT-03", tid in self.submissions)
        each = self.submissions[tid]
        each.count.decided = each.state != "AwaitingVotes"
        each.count.take(vote, peer["subject"])
        each.keys.append(key)
        found = each.count.acknowledgement()
        if found:
            self._decide(each, *found)

    def _expired_AwaitingVotes(self, each):
        if each.attempts == ATTEMPTS:
            self._decide(each, "timeout", None)
            return
        each.attempts, each.until = each.attempts + 1, self.now + ATTEMPT
        for validator in self.world.validators.members:
            if validator not in each.count.votes:
                self._ask(each, validator, again=True)

    def _decide(self, each, acknowledgement, certificate):
        decision, clause = decide(acknowledgement, each.verdict is None)
        if certificate and decision != "defer":
            each.certificate = certificate
            each.state = "AwaitingFinality" if decision == "accept" else "AwaitingRejection"
            each.until = self.now + FINALITY
            self.publish("decision", certificate)
        elif decision == "reject":
            self._end(each, "rejected", code(each.verdict), 0)
        else:
            self._end(each, "deferred", code(clause), 0)

    # --- finality

    def in_force(self):
        ledger = self.world.ledger
        final = ledger.decisions(final_only=True)
        for each in list(self.submissions.values()):
            if each.state in ("AwaitingFinality", "AwaitingRejection") and each.tid in final:
                self._final(each, *final[each.tid])

    def _final(self, each, height, certificate):
        own, there = each.certificate["body"], certificate["body"]
        if (own["ballot"], own["reason"]) != (there["ballot"], there["reason"]):
            self._end(each, "deferred", code("ACK-05"), height, certificate)
        elif each.state == "AwaitingRejection":
            self._end(each, "rejected", there["reason"], height, certificate)
        else:
            self._promote(each, height, certificate)

    def _promote(self, each, height, certificate):
        seal = seal_digest(self.chain.seal(each.tid, "block", each.keys))
        each.seal, each.keys, each.height, each.certificate = seal, [], height, certificate
        block = self.world.ledger.in_force()[height - 1].block
        header, entries = block["closed"]["header"], block["entries"]
        index = next(i for i, e in enumerate(entries) if e["body"].get("certificate") == certificate)
        path = inclusion(index, [ledger_rules.entry_digest(e) for e in entries])
        body = {
            "version": 1, "suite": self.world.group.number, "tid": each.tid, "bsd": self.name, "cloud": self.cloud,
            "block": transactions.block_digest(each.block), "acknowledgement": certificate_digest(certificate),
            "height": height, "header": ledger_rules.header_digest(header), "seals": seal, "issued": self.now,
        }  # fmt: skip
        each.valid = {
            "body": body,
            "signature": sign(self.world.group, self.identity.signing, "t-valid", encode("ValidBody", body)),
            "initial": each.message["header"], "user": each.t_block["user"],
            "user_signature": each.message["signature"], "block": each.block, "acknowledgement": certificate,
            "inclusion": {"index": index, "path": path}, "grants": each.message["grants"],
            "ciphertext": each.message["ciphertext"],
        }  # fmt: skip
        each.state, each.attempts, each.until = "AwaitingReceipt", 1, self.now + ATTEMPT
        self.say(self.cloud, "t_valid", each.valid)

    def _expired_AwaitingFinality(self, each):
        self._end(each, "deferred", code("LED-08"), 0)

    def _expired_AwaitingRejection(self, each):
        self._end(each, "rejected", each.certificate["body"]["reason"], 0)

    def _expired_AwaitingReceipt(self, each):
        if each.attempts == ATTEMPTS:
            self._end(each, "deferred", code("ACK-02"), each.height, each.certificate)
            return
        each.attempts, each.until = each.attempts + 1, self.now + ATTEMPT
        self.say(self.cloud, "t_valid", each.valid, again=True)

    def take_receipt(self, receipt, peer, _):
        require("KEY-09", peer["subject"] == self.cloud)
        each = self.submissions.get(receipt["leaf"]["tid"])
        require("STA-01", each is not None and each.state == "AwaitingReceipt")
        self.world.check_receipt(receipt, self.world.cloud_keeper, each)
        self._end(each, "committed", 0, each.height, each.certificate)

    # --- the end

    def _end(self, each, decision, reason, height, final=None):
        """One audit entry and one outcome. `final` is the certificate in the ledger that ended it, if one did."""
        each.state, each.until, each.keys = decision.capitalize(), None, []
        if decision != "committed" and each.valid is None:
            self.world.records.discard(each.record)
        each.outcome = _outcome(each.tid, decision, reason, height)
        entry = {
            "sequence": len(self.entries), "previous": self.last, "tid": each.tid, "terminal": decision,
            "reason": reason, "block": transactions.block_digest(each.block),
            "decision": certificate_digest(final) if final else None, "seal": each.seal, "time": self.now,
        }  # fmt: skip
        self.entries.append(entry)
        self.last = audit.entry_digest(entry)
        self._publish_head("open")
        self.say(each.user, "outcome", each.outcome)

    def on_close(self, _):
        open_ones = [each for each in self.submissions.values() if each.outcome is None]
        require("AUD-05", not self.world.closed and not open_ones)
        self.world.closed = True
        self._publish_head("closed")

    def _publish_head(self, state):
        head = {
            "version": 1, "suite": self.world.group.number, "network": self.world.network, "bsd": self.name,
            "count": len(self.entries), "last": self.last, "state": state, "time": self.now,
        }  # fmt: skip
        signature = sign(self.world.group, self.identity.signing, "audit head", encode("AuditHead", head))
        self.publish("audit_head", {"head": head, "signature": signature})


def _outcome(tid, decision, reason, height):
    return {"tid": tid, "decision": decision, "reason": reason, "height": height}
