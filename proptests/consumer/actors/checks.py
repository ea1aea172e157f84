"""Checks of session messages at BSD, validator, cloud and user, in the order of chapters 8 and 11.

An actor here is what its checks need and no more: `World` is what all share, and each class adds its own state. Nothing
is sent: a check gives what the message means, or refuses by the first clause that does not hold.
"""

import hashlib
from dataclasses import dataclass, field

from .. import cloud as cloud_log
from .. import ledger as ledger_rules
from .. import mapping, transactions
from ..certificates import require_permission
from ..contracts import Facts, verdict
from ..json_text import read_record
from ..presentation import encode
from ..refusal import Refused, require
from ..registry import policy_digest
from ..schnorr import demand
from ..votes import certificate_digest

LONGEST_LIFE = 86_400_000
BEHIND, AHEAD = 7, 8
STAGE = {
    "t_initial": "initial", "outcome": "initial", "t_block": "block", "vote": "block", "t_valid": "valid",
    "receipt": "valid", "read_request": "read", "read_response": "read", "grant": "read", "revoke": "read",
    "erase": "read", "answer": "read",
}  # fmt: skip


@dataclass
class World:
    """What an actor knows: `published` are certificates by name, `validators` a ValidatorSet."""

    group: object
    network: str
    trust: object
    registry: object
    validators: object = None
    ledger: object = None
    published: dict = field(default_factory=dict)
    cloud_keeper: object = None
    audit_keeper: object = None


def _versions(world, *structs):
    for each in structs:
        require("ENC-03", each["version"] == 1)
    for each in structs:
        require("GRP-04", each["suite"] == world.group.number)


def _check_life(header, now):
    require("INI-06", header["issued"] <= now < header["expires"] <= header["issued"] + LONGEST_LIFE)


def _check_tid(header):
    found = transactions.derive_tid(header["user"], header["nonce"], header["ciphertext"])
    require("INI-02", header["tid"] == found)


def _check_recipient(world, header, bsd):
    require("INI-04", header["recipient"] == bsd and header["network"] == world.network)


def _check_claim(certificate, header):
    require("KEY-09", certificate["subject"] == header["user"] and certificate["role"] == header["role"])


def _may_read(contracts, role):
    require_permission("read", role)
    require("INI-11", all(role in contract["readers"] for contract in contracts))


def check_grants(world, header, grants, contracts, now):
    """INI-11 on the first wrapped keys."""
    require("INI-11", transactions.grants_digest(grants) == header["grants"])
    readers = [grant["reader"] for grant in grants]
    require("INI-11", all(a.encode() < b.encode() for a, b in zip(readers, readers[1:])))
    require("INI-11", header["user"] in readers)
    for reader in readers:
        require("INI-11", reader in world.published)
        try:
            body = world.trust.verify(world.published[reader], now, as_of=header["issued"])
            _may_read(contracts, body["role"])
        except Refused as refused:
            raise Refused("INI-11", cause=refused.clause, place=reader) from None


@dataclass
class Bsd(World):
    """`taken` are tids, `records` digests of (patient, bytes) that count as used."""

    name: str = "bsd"
    taken: set = field(default_factory=set)
    records: set = field(default_factory=set)
    closed: bool = False

    def check_initial(self, message, peer, height, now):
        """(template, contracts, canonical values, local verdict) of a TInitial; `peer` is the session's certificate."""
        header = message["header"]
        _versions(self, header)
        require("INI-05", (header["user"], header["role"]) == (peer["subject"], peer["role"]))
        require_permission("submit", header["role"])
        _check_recipient(self, header, self.name)
        _check_life(header, now)
        _check_tid(header)
        require("INI-03", header["tid"] not in self.taken)
        require("AUD-05", not self.closed)
        encoded = encode("InitialHeader", header)
        demand("INI-01", self.group, peer["signing_key"], "t-initial", encoded, message["signature"])
        require("INI-09", transactions.ciphertext_digest(message["ciphertext"]) == header["ciphertext"])
        record = self._opened(message)
        resource = read_record(record)
        template, contracts = self.registry.policy(header["template"], header["contracts"], height)
        canonical = mapping.map_record(resource, template)
        require("INI-08", mapping.commitments(message["record_key"], template, canonical) == header["commitments"])
        require("INI-07", self.reuse(header["patient"], record) not in self.records)
        check_grants(self, header, message["grants"], contracts, now)
        return template, contracts, canonical, local_verdict(header, template, contracts, canonical)

    @staticmethod
    def reuse(patient, record):
        """What tells equal bytes for one patient; nobody else sees it."""
        return patient, hashlib.sha256(record).digest()

    def _opened(self, message):
        header = message["header"]
        try:
            return transactions.decrypt_record(
                message["record_key"], header["user"], header["nonce"], message["ciphertext"]
            )
        except Refused as refused:
            raise Refused("INI-10", cause=refused.clause) from None

    def check_receipt(self, receipt, keeper, submission):
        """Of the cloud that it knows (`keeper`), for a submission that awaits one: its leaf is for what was sent."""
        keeper.check_head(receipt["head"])
        leaf, valid = receipt["leaf"], submission.valid
        stored = {
            "initial": valid["initial"], "user": valid["user"], "user_signature": valid["user_signature"],
            "block": valid["block"], "acknowledgement": valid["body"]["acknowledgement"],
            "height": valid["body"]["height"],
        }  # fmt: skip
        require("CLD-02", leaf["kind"] == "record" and leaf["content"] == cloud_log.stored_digest(stored))
        cloud_log.check_leaf(receipt["head"]["head"], receipt["leaf"], receipt["inclusion"])


def local_verdict(header, template, contracts, canonical):
    """The clause that refuses the record, or None, from all attributes that contracts name."""
    indices = transactions.opened_indices(template, contracts)
    items = {
        template["attributes"][i]["name"]: mapping.decode_canonical(template["attributes"][i], canonical[i])
        for i in indices
    }
    return verdict(contracts, Facts(items, header["role"], header["issued"], header["patient"]))


@dataclass
class Validator(World):
    """`voted` maps tids to the digest of the T_block voted on."""

    name: str = "validator"
    voted: dict = field(default_factory=dict)

    def check_block(self, message, peer, newest, now, voted=False):
        """The clause of the first rule that does not hold, or None; `newest` is the height of the newest block.

        A T_block that was voted on before is checked as far as BLK-07.
        """
        body, header = message["body"], message["initial"]
        _versions(self, body, header)
        require("BLK-03", body["network"] == self.network and body["validators"] == self.validators.digest)
        require("BLK-01", body["bsd"] == peer["subject"] and peer["role"] == "bsd")
        encoded = encode("BlockBody", body)
        demand("BLK-01", self.group, peer["signing_key"], "t-block", encoded, message["signature"])
        user = self.trust.verify(message["user"], now)
        _check_claim(user, header)
        initial = encode("InitialHeader", header)
        demand("BLK-02", self.group, user["signing_key"], "t-initial", initial, message["user_signature"])
        require("BLK-02", body["initial"] == transactions.initial_digest(header) and body["tid"] == header["tid"])
        require_permission("submit", header["role"])
        _check_tid(header)
        _check_recipient(self, header, body["bsd"])
        _check_life(header, now)
        require("BLK-04", newest - BEHIND <= body["height"] <= newest + AHEAD)
        require("BLK-07", self.voted.get(body["tid"]) in (None, transactions.block_digest(body)))
        if voted:
            return None
        template, contracts = self.registry.policy(header["template"], header["contracts"], body["height"])
        require("CON-01", body["policy"] == policy_digest(template, contracts))
        require("SEA-04", body["seal"] != bytes(32))
        items = transactions.check_openings(header, template, contracts, message["openings"])
        return verdict(contracts, Facts(items, header["role"], header["issued"], header["patient"]))


@dataclass
class Cloud(World):
    """`stored` maps tids to (StoredRecord, {reader: WrappedKey}); `erased` are tids."""

    name: str = "cloud"
    stored: dict = field(default_factory=dict)
    erased: set = field(default_factory=set)
    revoked: dict = field(default_factory=dict)

    def check_valid(self, message, peer, now):
        """The StoredRecord of a TValid."""
        body, header, block = message["body"], message["initial"], message["block"]
        acknowledgement = message["acknowledgement"]
        _versions(self, body, header, block)
        require("VAL-01", body["bsd"] == peer["subject"] and peer["role"] == "bsd" and body["cloud"] == self.name)
        encoded = encode("ValidBody", body)
        demand("VAL-01", self.group, peer["signing_key"], "t-valid", encoded, message["signature"])
        require("CLD-07", body["tid"] not in self.stored and body["tid"] not in self.erased)
        user = self.trust.verify(message["user"], now, as_of=header["issued"])
        _check_claim(user, header)
        initial = encode("InitialHeader", header)
        demand("VAL-02", self.group, user["signing_key"], "t-initial", initial, message["user_signature"])
        require("VAL-02", body["tid"] == header["tid"] == block["tid"])
        _check_tid(header)
        _check_recipient(self, header, body["bsd"])
        self._check_acknowledgement(body, header, block, acknowledgement)
        require("VAL-04", acknowledgement["body"]["ballot"] == "true")
        self.validators.check_certificate(acknowledgement)
        held = self._final(body["height"])
        require("VAL-05", held is not None and ledger_rules.header_digest(held["closed"]["header"]) == body["header"])
        entry = {"kind": "decision", "body": {"certificate": acknowledgement}}
        ledger_rules.check_inclusion(held["closed"]["header"], entry, message["inclusion"])
        require("SEA-04", body["seals"] != bytes(32))
        require("VAL-06", transactions.ciphertext_digest(message["ciphertext"]) == header["ciphertext"])
        _, contracts = self._named_policy(header)
        check_grants(self, header, message["grants"], contracts, now)
        return {
            "initial": header, "user": message["user"], "user_signature": message["user_signature"], "block": block,
            "acknowledgement": body["acknowledgement"], "height": body["height"],
        }  # fmt: skip

    def _check_acknowledgement(self, body, header, block, acknowledgement):
        vote = acknowledgement["body"]
        block_digest = transactions.block_digest(block)
        require("VAL-03", body["block"] == block_digest)
        require("VAL-03", block["initial"] == transactions.initial_digest(header))
        require("VAL-03", body["acknowledgement"] == certificate_digest(acknowledgement))
        require("VAL-03", vote["tid"] == body["tid"] and vote["block"] == block_digest)
        require("VAL-03", vote["policy"] == block["policy"] and vote["height"] == block["height"])

    def _final(self, height):
        return self.ledger.in_force()[height - 1].block if self.ledger.is_final(height) else None

    def _named_policy(self, header):
        """The versions that a header names, in force or not."""
        named = [(c["id"], c["version"]) for c in header["contracts"]]
        return None, [c for c in self.registry.contracts if (c["id"], c["version"]) in named]

    def _record(self, tid):
        require("CLD-02", tid in self.stored or tid in self.erased)
        require("CLD-12", tid not in self.erased)
        return self.stored[tid]

    def check_read(self, request, peer):
        record, keys = self._record(request["tid"])
        require_permission("read", peer["role"])
        require("CLD-09", peer["subject"] in keys)
        return record, keys[peer["subject"]]

    def _check_owner(self, clause, kind, message, peer, record):
        body = message["body"]
        require(clause, body["owner"] == peer["subject"] == record["initial"]["user"] and body["cloud"] == self.name)
        if kind == "revoke":
            require(clause, body["reader"] != body["owner"])
        encoded = encode(kind.capitalize() + "Body", body)
        demand(clause, self.group, peer["signing_key"], kind, encoded, message["signature"])

    def _check_advances(self, body, reader):
        last = self.revoked.get((body["tid"], reader))
        require("CLD-16", last is None or body["issued"] > last)

    def check_grant(self, message, peer, now):
        body = message["body"]
        _versions(self, body)
        record, _ = self._record(body["tid"])
        require_permission("grant", peer["role"])
        self._check_owner("CLD-10", "grant", message, peer, record)
        reader = body["key"]["reader"]
        self._check_advances(body, reader)
        certificate = self.trust.verify(message["reader"], now)
        require("KEY-09", certificate["subject"] == reader)
        _, contracts = self._named_policy(record["initial"])
        _may_read(contracts, certificate["role"])

    def check_revoke(self, message, peer):
        body = message["body"]
        _versions(self, body)
        record, keys = self._record(body["tid"])
        require_permission("grant", peer["role"])
        self._check_owner("CLD-11", "revoke", message, peer, record)
        self._check_advances(body, body["reader"])
        require("CLD-09", body["reader"] in keys)

    def check_erase(self, message, peer, now):
        body = message["body"]
        _versions(self, body)
        record, _ = self._record(body["tid"])
        require("CLD-13", body["cloud"] == self.name)
        encoded, approving = encode("EraseBody", body), []
        for approval in message["approvals"]:
            certificate = self.trust.verify(approval["authority"], now)
            demand("CLD-13", self.group, certificate["signing_key"], "erase", encoded, approval["signature"])
            approving.append(certificate)
        names = {c["subject"] for c in approving}
        require("CLD-13", len(approving) == 2 == len(names) and peer["subject"] in names)
        administrators = [c for c in approving if c["role"] == "administrator"]
        owner = record["initial"]["user"]
        require("CLD-13", len(administrators) == 2 or len(administrators) == 1 and owner in names)


@dataclass
class User(World):
    """A reader: `client` remembers the cloud's head, `agreement` is its agreement scalar."""

    name: str = "user"
    client: object = None
    agreement: int = 0

    def check_read_response(self, response, request, anchor, now):
        """The record's bytes. `request` is the open ReadRequest, `anchor` the newest final anchor of the cloud or None."""
        record, proof = response["record"], response["proof"]
        header, leaf, head = record["initial"], proof["leaf"], proof["head"]["head"]
        self.client.check_head(proof["head"], proof["extends_remembered"]["path"])
        require("CLD-02", leaf["kind"] == "record" and leaf["tid"] == request["tid"])
        require("CLD-02", leaf["content"] == cloud_log.stored_digest(record))
        cloud_log.check_leaf(head, leaf, proof["inclusion"])
        cloud_log.check_anchored(head, anchor, proof["anchored"], proof["extends_anchored"]["path"])
        owner = self.trust.verify(record["user"], now, as_of=header["issued"])
        _check_claim(owner, header)
        encoded = encode("InitialHeader", header)
        demand("CLD-14", self.group, owner["signing_key"], "t-initial", encoded, record["user_signature"])
        require("CLD-14", header["tid"] == request["tid"])
        require("CLD-14", transactions.ciphertext_digest(response["ciphertext"]) == header["ciphertext"])
        require("AED-01", response["key"]["reader"] == self.name)
        key = transactions.unwrap_key(self.group, header["tid"], response["key"], self.agreement)
        plain = transactions.decrypt_record(key, header["user"], header["nonce"], response["ciphertext"])
        self._check_commitments(header, key, plain)
        return plain

    def _check_commitments(self, header, key, plain):
        named = header["template"]
        found = [t for t in self.registry.templates if {"id": t["id"], "version": t["version"]} == named]
        require("CLD-15", found)
        try:
            canonical = mapping.map_record(read_record(plain), found[0])
        except Refused as refused:
            raise Refused("CLD-15", cause=refused.clause) from None
        require("CLD-15", mapping.commitments(key, found[0], canonical) == header["commitments"])
