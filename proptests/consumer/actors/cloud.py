"""The cloud: stores, serves, grants, revokes and erases, and its log (chapter 11)."""

from .. import cloud as cloud_log
from .. import merkle
from ..presentation import encode
from ..refusal import Refused, code, require
from ..schnorr import sign
from .node import Node


class Cloud(Node):
    hears = ("blocks_from",)

    def __init__(self, world, identity, agreement):
        super().__init__(world, identity, agreement)
        self.leaves, self.digests, self.head, self.heads = [], [], None, {}
        self.receipts, self.ciphertexts, self.places, self.carried = {}, {}, {}, set()

    def check_sender(self, kind, peer):
        require("ROL-04", (peer["role"] == "bsd") == (kind in ("t_valid", "receipt")))

    def _append(self, kind, tid, content):
        leaf = {"sequence": len(self.leaves), "kind": kind, "tid": tid, "content": content, "time": self.now}
        self.leaves.append(leaf)
        self.digests.append(cloud_log.leaf_digest(leaf))
        head = {
            "version": 1, "suite": self.world.group.number, "network": self.world.network, "cloud": self.name,
            "size": len(self.leaves), "root": merkle.root(self.digests), "time": self.now,
        }  # fmt: skip
        signature = sign(self.world.group, self.identity.signing, "cloud head", encode("CloudHead", head))
        self.head = {"head": head, "signature": signature}
        self.heads[cloud_log.head_digest(head)] = head
        return leaf

    def _inclusion(self, place):
        return {"index": place, "path": merkle.inclusion(place, self.digests)}

    def take_t_valid(self, message, peer, _):
        tid = message["body"]["tid"]
        try:
            stored = self.world.check_valid(message, peer, self.now)
        except Refused as refused:
            if refused.clause == "CLD-07":
                self.say(peer["subject"], "receipt", self.receipts[tid])
            raise
        self.drawn.take(32)
        leaf = self._append("record", tid, cloud_log.stored_digest(stored))
        self.world.stored[tid] = (stored, {key["reader"]: key for key in message["grants"]})
        self.ciphertexts[tid], self.places[tid] = message["ciphertext"], leaf["sequence"]
        self.receipts[tid] = {"head": self.head, "leaf": leaf, "inclusion": self._inclusion(leaf["sequence"])}
        self.say(peer["subject"], "receipt", self.receipts[tid])
        self.publish("cloud_head", self.head)

    # --- requests of users

    def _judged(self, check, peer, request, tid):
        """What `check` gives; a refusal is answered, and what was carried out before is so again without effect."""
        try:
            return check()
        except Refused as refused:
            clause = None if request in self.carried else refused.clause
            self._answer(peer, request, tid, clause)
            raise

    def _answer(self, peer, request, tid, clause=None):
        decision = "refused" if clause else "committed"
        body = {"request": request, "tid": tid, "decision": decision, "reason": code(clause)}
        self.say(peer["subject"], "answer", body)

    def take_read_request(self, request, peer, _):
        tid = request["tid"]
        stored, key = self._judged(lambda: self.world.check_read(request, peer), peer, request["nonce"], tid)
        place, size = self.places[tid], len(self.digests)
        anchored, extends = self._anchored()
        remembered = request["remembered"] if request["remembered"] <= size else 0
        proof = {
            "head": self.head, "extends_remembered": {"path": merkle.consistency(remembered, self.digests)},
            "anchored": anchored, "extends_anchored": {"path": extends}, "leaf": self.leaves[place],
            "inclusion": self._inclusion(place),
        }  # fmt: skip
        response = {"nonce": request["nonce"], "record": stored, "key": key, "ciphertext": self.ciphertexts[tid]}
        self.say(peer["subject"], "read_response", {**response, "proof": proof})

    def _anchored(self):
        """The newest anchored head and the path from it, when there is one."""
        mine = [a for _, a in self.world.ledger.anchors() if (a["kind"], a["keeper"]) == ("cloud", self.name)]
        if not mine:
            return None, []
        return self.heads.get(mine[-1]["head"]), merkle.consistency(mine[-1]["size"], self.digests)

    def _carry_out(self, kind, content, tid, peer):
        """The leaf of a signed statement, the answer, the new head."""
        self._append(kind, tid, content)
        if kind != "grant":
            self.carried.add(content)
        self._answer(peer, content, tid)
        self.publish("cloud_head", self.head)

    def take_grant(self, message, peer, _):
        body = message["body"]
        content = cloud_log.statement_digest("grant", message)
        self._judged(lambda: self.world.check_grant(message, peer, self.now), peer, content, body["tid"])
        self.world.stored[body["tid"]][1][body["key"]["reader"]] = body["key"]
        self._carry_out("grant", content, body["tid"], peer)

    def take_revoke(self, message, peer, _):
        body = message["body"]
        content = cloud_log.statement_digest("revoke", message)
        self._judged(lambda: self.world.check_revoke(message, peer), peer, content, body["tid"])
        del self.world.stored[body["tid"]][1][body["reader"]]
        self.world.revoked[body["tid"], body["reader"]] = body["issued"]
        self._carry_out("revoke", content, body["tid"], peer)

    def take_erase(self, message, peer, _):
        body = message["body"]
        content = cloud_log.statement_digest("erase", message)
        self._judged(lambda: self.world.check_erase(message, peer, self.now), peer, content, body["tid"])
        del self.world.stored[body["tid"]], self.ciphertexts[body["tid"]]
        self.world.erased.add(body["tid"])
        self._carry_out("erase", content, body["tid"], peer)
