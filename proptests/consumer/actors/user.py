"""The user: submits records, asks the cloud (chapters 7, 8, 11 and the machines of chapter 13)."""

from .. import mapping, transactions
from ..cloud import statement_digest
from ..json_text import read_record
from ..presentation import encode
from ..refusal import require
from ..schnorr import sign
from .checks import LONGEST_LIFE
from .node import Node

OUTCOME_WAIT, ANSWER_WAIT, ATTEMPTS = 120_000, 10_000, 3


class _Awaited:
    """Something said that awaits an answer: what is said again, until when, and how often it was said."""

    def __init__(self, peer, kind, body, until):
        self.peer, self.kind, self.body, self.until, self.attempts = peer, kind, body, until, 1


class User(Node):
    def __init__(self, world, identity, agreement, bsd, cloud):
        super().__init__(world, identity, agreement)
        self.bsd, self.cloud = bsd, cloud
        self.submissions, self.requests, self.record_keys = {}, {}, {}

    def timers(self):
        return [each.until for each in [*self.submissions.values(), *self.requests.values()]]

    def on_time(self):
        for awaited, wait in ((self.submissions, OUTCOME_WAIT), (self.requests, ANSWER_WAIT)):
            for key, each in list(awaited.items()):
                if self.now < each.until:
                    continue
                if each.attempts == ATTEMPTS:
                    del awaited[key]
                    continue
                each.attempts, each.until = each.attempts + 1, self.now + wait
                self.again(each)

    def again(self, each):
        if each.kind == "read_request":
            each.body = {**each.body, "remembered": self._remembered()}
        self.say(each.peer, each.kind, each.body, again=True)

    def _remembered(self):
        known = self.world.client.remembered
        return known["size"] if known else 0

    # --- commands

    def on_submit(self, value):
        """`value` has the record's bytes and the names of readers beside the submitter."""
        group, body = self.world.group, self.identity.body
        resource = read_record(value.record)
        height = self.world.ledger.tip.number + 1
        templates = [t for t in self.world.registry.templates_at(height) if t["resource"] == resource["resourceType"]]
        require("TPL-01", templates)
        template = templates[0]
        contracts = self.world.registry.contracts_at(height, template["id"])
        canonical = mapping.map_record(resource, template)
        record_key, nonce = self.drawn.take(32), self.drawn.take(32)
        ciphertext = transactions.encrypt_record(record_key, self.name, nonce, value.record)
        ciphertext_digest = transactions.ciphertext_digest(ciphertext)
        tid = transactions.derive_tid(self.name, nonce, ciphertext_digest)
        grants = [
            self.wrap(tid, reader, record_key) for reader in sorted({self.name, *value.readers}, key=str.encode)
        ]
        header = {
            "version": 1, "suite": group.number, "tid": tid, "user": self.name, "role": body["role"],
            "recipient": self.bsd, "network": self.world.network, "patient": mapping.patient_of(resource),
            "template": _reference(template), "contracts": [_reference(c) for c in contracts],
            "commitments": mapping.commitments(record_key, template, canonical), "ciphertext": ciphertext_digest,
            "grants": transactions.grants_digest(grants), "issued": self.now, "expires": self.now + LONGEST_LIFE,
            "nonce": nonce,
        }  # fmt: skip
        signature = sign(group, self.identity.signing, "t-initial", encode("InitialHeader", header))
        message = {
            "header": header, "signature": signature, "record_key": record_key, "grants": grants,
            "ciphertext": ciphertext,
        }  # fmt: skip
        self.submissions[tid] = _Awaited(self.bsd, "t_initial", message, self.now + OUTCOME_WAIT)
        self.record_keys[tid] = record_key
        self.say(self.bsd, "t_initial", message)

    def wrap(self, tid, reader, record_key):
        require("INI-11", reader in self.world.published)
        certificate = self.world.trust.verify(self.world.published[reader], self.now)
        ephemeral = self.drawn.scalar(self.world.group)
        return transactions.wrap_key(self.world.group, tid, reader, certificate["agreement_key"], record_key, ephemeral)

    def on_read(self, value):
        """`value` has the tid."""
        nonce = self.drawn.take(32)
        body = {"tid": value.tid, "nonce": nonce, "remembered": self._remembered()}
        self._request("read_request", nonce, body)

    def _statement(self, tid, **more):
        return {"version": 1, "suite": self.world.group.number, "tid": tid, **more, "issued": self.now}

    def _signed(self, kind, body):
        name = kind.capitalize() + "Body"
        return sign(self.world.group, self.identity.signing, kind, encode(name, body))

    def on_grant(self, value):
        """`value` has the tid and the reader's name."""
        require("CLD-10", value.tid in self.record_keys)
        key = self.wrap(value.tid, value.reader, self.record_keys[value.tid])
        body = self._statement(value.tid, owner=self.name, cloud=self.cloud, key=key)
        message = {"body": body, "signature": self._signed("grant", body), "reader": self.world.published[value.reader]}
        self._request("grant", statement_digest("grant", message), message)

    def on_revoke(self, value):
        body = self._statement(value.tid, owner=self.name, cloud=self.cloud, reader=value.reader)
        message = {"body": body, "signature": self._signed("revoke", body)}
        self._request("revoke", statement_digest("revoke", message), message)

    def approve(self, body):
        """An approval of an EraseBody."""
        return {"authority": self.identity.certificate, "signature": self._signed("erase", body)}

    def on_erase(self, value):
        """`value` has the EraseBody and the approvals of both authorities."""
        message = {"body": value.body, "approvals": value.approvals}
        self._request("erase", statement_digest("erase", message), message)

    def _request(self, kind, name, body):
        self.requests[name] = _Awaited(self.cloud, kind, body, self.now + ANSWER_WAIT)
        self.say(self.cloud, kind, body)

    # --- answers

    def take_outcome(self, outcome, peer, _):
        require("HSK-02", peer["subject"] == self.bsd)
        require("STA-01", outcome["tid"] in self.submissions)
        del self.submissions[outcome["tid"]]

    def take_answer(self, answer, peer, _):
        require("HSK-02", peer["subject"] == self.cloud)
        each = self.requests.get(answer["request"])
        require("CLD-08", each is not None and each.body.get("body", each.body)["tid"] == answer["tid"])
        del self.requests[answer["request"]]

    def take_read_response(self, response, peer, _):
        require("HSK-02", peer["subject"] == self.cloud)
        name = response["nonce"]
        each = self.requests.get(name)
        require("CLD-08", each is not None and each.kind == "read_request")
        require("CLD-08", each.body["tid"] == response["record"]["initial"]["tid"])
        mine = [a for _, a in self.world.ledger.anchors() if (a["kind"], a["keeper"]) == ("cloud", self.cloud)]
        self.world.check_read_response(response, each.body, mine[-1] if mine else None, self.now)
        self.world.client.remembered = response["proof"]["head"]["head"]
        del self.requests[name]


def _reference(policy):
    return {"id": policy["id"], "version": policy["version"]}
