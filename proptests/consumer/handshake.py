"""Handshake, key schedule and session records (chapter 5)."""

from dataclasses import dataclass

from . import certificates
from .presentation import decode, encode
from .primitives import decrypt, digest, encrypt, expand, extract
from .refusal import Refused, require
from .schnorr import demand, sign

LIFETIME, LONGEST_MESSAGE, MOST_RECORDS, MOST_SKIPPED, MOST_NONCES = 60_000, 17_825_729, 2**20, 1024, 4096
INITIATOR, RESPONDER = 1, 2
PLACES = {
    "initial": ("user", "bsd"), "block": ("bsd", "validator"), "valid": ("bsd", "cloud"), "read": ("user", "cloud"),
}  # fmt: skip
DIRECTIONS = {INITIATOR: "initiator_to_responder", RESPONDER: "responder_to_initiator"}
STAGES = {"handshake": 0, "initial": 1, "block": 2, "valid": 3, "read": 4}


def nonce(direction, stage, sequence):
    return bytes([direction, STAGES[stage], 0, 0]) + sequence.to_bytes(8, "big")


def _opaque(data):
    return len(data).to_bytes(2, "big") + data


def transcript1(hello, response_nonce, ephemeral):
    return digest("handshake transcript", b"\1" + encode("Hello", hello) + response_nonce + _opaque(ephemeral))


def transcript2(t1, certificate):
    return digest("handshake transcript", b"\2" + t1 + encode("Certificate", certificate))


def transcript3(t2, proof, certificate):
    return digest("handshake transcript", b"\3" + t2 + _opaque(proof) + encode("Certificate", certificate))


@dataclass
class Identity:
    """A principal's certificate and secret signing scalar."""

    certificate: dict
    signing: int

    @property
    def body(self):
        return self.certificate["body"]


class Schedule:
    """The keys that hang on `secret` and the transcripts."""

    def __init__(self, t1, shared):
        self.t1, self.shared, self.secret = t1, shared, extract(t1, shared)

    def proof_key(self, side):
        return expand(self.secret, f"handshake {side} proof key", self.t1)

    def confirmation(self, side, transcript):
        return expand(self.secret, f"handshake {side} confirmation", transcript)

    def session_id(self, t3):
        return expand(self.secret, "session id", t3)

    def chains(self, t3):
        forth = expand(self.secret, "chain initiator to responder", t3)
        return {INITIATOR: forth, RESPONDER: expand(self.secret, "chain responder to initiator", t3)}


def make_proof(schedule, side, group, identity, transcript):
    """The encrypted IdentityProof of one side."""
    proof = {
        "certificate": identity.certificate,
        "signature": sign(group, identity.signing, f"handshake {side} signature", transcript),
        "confirmation": schedule.confirmation(side, transcript),
    }
    direction = INITIATOR if side == "initiator" else RESPONDER
    key = schedule.proof_key(side)
    return encrypt(key, nonce(direction, "handshake", 0), schedule.t1, encode("IdentityProof", proof))


def open_proof(schedule, side, proof):
    direction = INITIATOR if side == "initiator" else RESPONDER
    try:
        plain = decrypt(schedule.proof_key(side), nonce(direction, "handshake", 0), schedule.t1, proof)
    except Refused as refused:
        raise Refused("HSK-09", cause=refused.clause) from None
    return decode("IdentityProof", plain)


def _packet(data, kind):
    packet = decode("Packet", data)
    require("SES-01", packet["kind"] != "record")
    require("ENC-02", packet["kind"] == kind)
    return packet["body"][kind]


def _packed(kind, body):
    return encode("Packet", {"kind": kind, "body": {kind: body}})


class Initiator:
    """AwaitingResponse. `hello_nonce` and `ephemeral` (a scalar) are what was drawn."""

    def __init__(self, trust, identity, purpose, peer, hello_nonce, ephemeral, now):
        require("HSK-07", peer != identity.body["subject"])
        require("ROL-04", certificates.PLACE[identity.body["role"]] == PLACES[purpose][0])
        self.trust, self.group, self.identity = trust, trust.group, identity
        self.purpose, self.peer, self.ephemeral, self.begun = purpose, peer, ephemeral, now
        self.hello = {
            "version": 1, "suite": self.group.number, "purpose": purpose, "nonce": hello_nonce,
            "ephemeral": self.group.encode(self.group.base_power(ephemeral)),
        }  # fmt: skip

    def packet(self):
        return _packed("hello", self.hello)

    def on_packet(self, data, now):
        """(finish packet, session)."""
        require("HSK-08", now < self.begun + LIFETIME)
        response = _packet(data, "response")
        shared = self.group.encode(self.group.power(self.group.decode(response["ephemeral"]), self.ephemeral))
        t1 = transcript1(self.hello, response["nonce"], response["ephemeral"])
        schedule = Schedule(t1, shared)
        proof = open_proof(schedule, "responder", response["proof"])
        body = self.trust.verify(proof["certificate"], now)
        require("HSK-07", body["subject"] != self.identity.body["subject"])
        require("HSK-02", body["subject"] == self.peer)
        require("ROL-04", certificates.PLACE[body["role"]] == PLACES[self.purpose][1])
        t2 = transcript2(t1, proof["certificate"])
        tag = "handshake responder signature"
        demand("HSK-03", self.group, body["signing_key"], tag, t2, proof["signature"])
        require("HSK-04", proof["confirmation"] == schedule.confirmation("responder", t2))
        t3 = transcript3(t2, response["proof"], self.identity.certificate)
        self.schedule, self.t2, self.t3 = schedule, t2, t3
        finish = {"proof": make_proof(schedule, "initiator", self.group, self.identity, t3)}
        session = Session(schedule.session_id(t3), schedule.chains(t3), self.purpose, INITIATOR, body)
        return _packed("finish", finish), session


class Responder:
    """AwaitingHello: nonces remembered. `answer` gives one AwaitingFinish for each hello."""

    def __init__(self, trust, identity):
        self.trust, self.identity, self.nonces = trust, identity, {}

    def on_packet(self, data, draw_nonce, draw_ephemeral, now):
        """(response packet, AwaitingFinish)."""
        group, hello = self.trust.group, _packet(data, "hello")
        require("HSK-01", hello["version"] == 1)
        require("HSK-01", hello["suite"] == group.number)
        require("ROL-04", certificates.PLACE[self.identity.body["role"]] == PLACES[hello["purpose"]][1])
        at = self.nonces.get(hello["nonce"])
        require("HSK-08", at is None or now >= at + LIFETIME)
        element = group.decode(hello["ephemeral"])
        self.nonces = {n: at for n, at in self.nonces.items() if now < at + LIFETIME}
        self.nonces[hello["nonce"]] = now
        if len(self.nonces) > MOST_NONCES:
            del self.nonces[next(iter(self.nonces))]
        response_nonce, ephemeral = draw_nonce(), draw_ephemeral()
        public = group.encode(group.base_power(ephemeral))
        t1 = transcript1(hello, response_nonce, public)
        schedule = Schedule(t1, group.encode(group.power(element, ephemeral)))
        t2 = transcript2(t1, self.identity.certificate)
        proof = make_proof(schedule, "responder", group, self.identity, t2)
        awaiting = AwaitingFinish(self.trust, self.identity, hello["purpose"], schedule, t2, proof, now)
        return _packed("response", {"nonce": response_nonce, "ephemeral": public, "proof": proof}), awaiting


@dataclass
class AwaitingFinish:
    trust: object
    identity: Identity
    purpose: str
    schedule: Schedule
    t2: bytes
    proof: bytes
    begun: int
    t3: bytes = b""

    def on_packet(self, data, now):
        require("HSK-08", now < self.begun + LIFETIME)
        finish = _packet(data, "finish")
        proof = open_proof(self.schedule, "initiator", finish["proof"])
        body = self.trust.verify(proof["certificate"], now)
        require("HSK-07", body["subject"] != self.identity.body["subject"])
        require("ROL-04", certificates.PLACE[body["role"]] == PLACES[self.purpose][0])
        t3 = self.t3 = transcript3(self.t2, self.proof, proof["certificate"])
        tag = "handshake initiator signature"
        demand("HSK-05", self.trust.group, body["signing_key"], tag, t3, proof["signature"])
        require("HSK-06", proof["confirmation"] == self.schedule.confirmation("initiator", t3))
        return Session(self.schedule.session_id(t3), self.schedule.chains(t3), self.purpose, RESPONDER, body)


def step(chain):
    """(record key, next chain key)."""
    return expand(chain, "record key"), expand(chain, "chain next")


class Session:
    """Established. `side` is INITIATOR or RESPONDER; chain keys and numbers by direction."""

    def __init__(self, identity, chains, purpose, side, peer):
        self.id, self.purpose, self.side, self.peer = identity, purpose, side, peer
        self.chains, self.last = dict(chains), {INITIATOR: 0, RESPONDER: 0}
        self.used = None

    def _use(self, header, key):
        """Hands on the key of the record that was just sent or opened: (SealedKey, key)."""
        names = {field: header[field] for field in ("session", "direction", "sequence")}
        self.used = ({**names, "peer": self.peer["subject"]}, key)

    def _header(self, direction, sequence):
        return {
            "session": self.id, "direction": DIRECTIONS[direction], "stage": self.purpose, "sequence": sequence,
        }  # fmt: skip

    def send(self, stage, message):
        """The packet of the next record."""
        require("SES-07", stage == self.purpose)
        require("ENC-04", len(message) <= LONGEST_MESSAGE)
        require("SES-05", self.last[self.side] < MOST_RECORDS)
        self.last[self.side] += 1
        key, self.chains[self.side] = step(self.chains[self.side])
        sequence = self.last[self.side]
        header = self._header(self.side, sequence)
        associated = encode("RecordHeader", header)
        ciphertext = encrypt(key, nonce(self.side, stage, sequence), associated, message)
        self._use(header, key)
        return _packed("record", {"header": header, "ciphertext": ciphertext})

    def on_packet(self, data):
        """The message of a record; a refused packet moves nothing."""
        packet = decode("Packet", data)
        require("ENC-02", packet["kind"] == "record")
        record = packet["body"]["record"]
        header, other = record["header"], INITIATOR + RESPONDER - self.side
        require("SES-06", header["session"] == self.id)
        require("SES-08", header["direction"] == DIRECTIONS[other])
        require("SES-07", header["stage"] == self.purpose)
        require("SES-03", header["sequence"] > self.last[other])
        require("SES-04", header["sequence"] <= self.last[other] + MOST_SKIPPED)
        require("SES-05", header["sequence"] <= MOST_RECORDS)
        chain = self.chains[other]
        for _ in range(header["sequence"] - self.last[other]):
            key, chain = step(chain)
        associated = encode("RecordHeader", header)
        try:
            message = decrypt(key, nonce(other, header["stage"], header["sequence"]), associated, record["ciphertext"])
        except Refused as refused:
            raise Refused("SES-02", cause=refused.clause) from None
        self.chains[other], self.last[other] = chain, header["sequence"]
        self._use(header, key)
        return message
