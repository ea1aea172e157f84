"""Validator sets, votes, quorum certificates and the decision (chapter 9)."""

from .presentation import encode
from .primitives import digest
from .refusal import code, require
from .schnorr import demand, sign


class ValidatorSet:
    """`members` maps names to signing keys."""

    def __init__(self, group, network, members):
        self.group, self.network = group, network
        self.members = dict(sorted(members.items(), key=lambda member: member[0].encode()))
        entries = [{"validator": name, "signing_key": key} for name, key in self.members.items()]
        self.encoded = encode("ValidatorSet", {"network": network, "members": entries})
        self.digest = digest("validator set", self.encoded)

    @property
    def quorum(self):
        return 2 * len(self.members) // 3 + 1

    def check_signatories(self, signatories, tag, message):
        """QUO-02, VOT-01, QUO-01, VOT-02 on the signatories of a certificate or of a block."""
        names = [s["validator"].encode() for s in signatories]
        require("QUO-02", all(a < b for a, b in zip(names, names[1:])))
        require("VOT-01", all(s["validator"] in self.members for s in signatories))
        require("QUO-01", len(signatories) >= self.quorum)
        for each in signatories:
            demand("VOT-02", self.group, self.members[each["validator"]], tag, message, each["signature"])

    def check_certificate(self, certificate):
        require("VOT-01", certificate["body"]["validators"] == self.digest)
        self.check_signatories(certificate["signatories"], "vote", encode("VoteBody", certificate["body"]))


def certificate_digest(certificate):
    return digest("quorum certificate", encode("QuorumCertificate", certificate))


def vote_body(block, block_digest, clause):
    """What a validator answers to a T_block body; `clause` is the first rule that does not hold, or None."""
    copied = {field: block[field] for field in ("version", "suite", "network", "validators", "tid", "policy", "height")}
    return {**copied, "block": block_digest, "ballot": "false" if clause else "true", "reason": code(clause)}


def make_vote(group, name, secret, body):
    return {"validator": name, "body": body, "signature": sign(group, secret, "vote", encode("VoteBody", body))}


class Count:
    """Votes on one T_block, as the BSD counts them."""

    def __init__(self, validators, block, block_digest):
        self.validators, self.block, self.block_digest = validators, block, block_digest
        self.votes, self.decided, self.evidence = {}, False, []

    def check(self, vote, peer):
        body, asked = vote["body"], self.block
        require("VOT-01", vote["validator"] == peer)
        require("VOT-03", body["tid"] == asked["tid"])
        require("VOT-01", vote["validator"] in self.validators.members)
        require("VOT-01", body["network"] == asked["network"] and body["validators"] == asked["validators"])
        require("VOT-03", body["version"] == asked["version"] and body["suite"] == asked["suite"])
        require("VOT-03", body["block"] == self.block_digest)
        require("VOT-05", body["height"] == asked["height"])
        require("VOT-04", body["policy"] == asked["policy"])
        key = self.validators.members[vote["validator"]]
        demand("VOT-02", self.validators.group, key, "vote", encode("VoteBody", body), vote["signature"])
        require("ACK-01", not self.decided)
        require("VOT-06", vote["validator"] not in self.votes)

    def take(self, vote, peer):
        self.check(vote, peer)
        self.votes[vote["validator"]] = vote

    def _tally(self):
        tally = {}
        for vote in self.votes.values():
            tally.setdefault((vote["body"]["ballot"], vote["body"]["reason"]), []).append(vote)
        return max(tally.values(), key=len, default=[])

    def acknowledgement(self):
        """("true" or "false", certificate), ("conflict", None), or None while votes are awaited."""
        most = self._tally()
        if len(most) >= self.validators.quorum:
            ordered = sorted(most, key=lambda v: v["validator"].encode())
            signatories = [{"validator": v["validator"], "signature": v["signature"]} for v in ordered]
            return most[0]["body"]["ballot"], {"body": most[0]["body"], "signatories": signatories}
        silent = len(self.validators.members) - len(self.votes)
        return ("conflict", None) if len(most) + silent < self.validators.quorum else None


def decide(acknowledgement, holds):
    """(decision, clause that explains a deferral) by the chapter's table."""
    if acknowledgement in ("true", "false"):
        agrees = (acknowledgement == "true") == holds
        return ("accept" if holds else "reject", None) if agrees else ("defer", "ACK-05")
    if not holds:
        return "reject", None
    return "defer", "ACK-04" if acknowledgement == "conflict" else "ACK-02"

