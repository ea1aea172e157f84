"""Kinds of chapter 20, "Sessions and seals"."""

from ..form import Malformed, drawn, exactly, number, octets, record, several, string
from ..handshake import DIRECTIONS, INITIATOR, RESPONDER, STAGES, Identity, Initiator, Responder, Session
from ..presentation import decode, types
from ..sealing import Custodian, seal_digest
from . import kind
from .keys import OWN, TRUST, trust_store


def enum(name):
    """A number of an enum of the tables, as the name of its value."""

    def read(value):
        names = types()[name].names
        if number(value) not in names:
            raise Malformed(f"no {name}")
        return names[value]

    return read


def _own(group, trust, own, now):
    """The principal of the own certificate, verified, and its agreement scalar."""
    certificate = decode("Certificate", own.certificate)
    trust.verify(certificate, now)
    return Identity(certificate, group.decode_scalar(own.signing)), group.decode_scalar(own.agreement)


def _handshake(hello, response, finish, schedule, t2, t3):
    chains = schedule.chains(t3)
    return {
        "hello": hello, "response": response, "finish": finish, "t1": schedule.t1, "t2": t2, "t3": t3,
        "shared": schedule.shared, "secret": schedule.secret, "session": schedule.session_id(t3),
        "initiator_to_responder": chains[INITIATOR], "responder_to_initiator": chains[RESPONDER],
    }  # fmt: skip


@kind(
    "initiator", own=OWN, trust=TRUST, now=number, purpose=enum("SessionType"), intended=string, drawn=drawn,
    answered=number, response=octets,
)  # fmt: skip
def _initiator(group, given):
    trust = trust_store(group, given.trust)
    identity, _ = _own(group, trust, given.own, given.now)
    nonce, ephemeral = given.drawn.take(32), given.drawn.scalar(group)
    given.drawn.end()
    machine = Initiator(trust, identity, given.purpose, given.intended, nonce, ephemeral, given.now)
    finish, _ = machine.on_packet(given.response, given.answered)
    return _handshake(machine.packet(), given.response, finish, machine.schedule, machine.t2, machine.t3)


def _answer(group, machine, asked):
    return machine.on_packet(asked.hello, lambda: asked.drawn.take(32), lambda: asked.drawn.scalar(group), asked.now)


@kind(
    "responder", own=OWN, trust=TRUST, earlier=several(record(now=number, hello=octets, drawn=drawn)), now=number,
    hello=octets, drawn=drawn, finished=number, finish=octets,
)  # fmt: skip
def _responder(group, given):
    trust = trust_store(group, given.trust)
    identity, _ = _own(group, trust, given.own, given.now)
    machine = Responder(trust, identity)
    for each in given.earlier:
        _answer(group, machine, each)
    response, waits = _answer(group, machine, given)
    given.drawn.end()
    waits.on_packet(given.finish, given.finished)
    return _handshake(given.hello, response, given.finish, waits.schedule, waits.t2, waits.t3)


def _session(given, side, last):
    """A session of which one chain is known; `side` is this actor's, in the enum of directions."""
    session = Session(given.session, {given.way: given.chain}, given.purpose, side, {"subject": ""})
    session.last[given.way] = last
    return session


def _way(given):
    given.way = next(n for n, name in DIRECTIONS.items() if name == given.direction)
    return given.way


RECORD = {"session": exactly(32), "purpose": enum("SessionType"), "direction": enum("Direction"), "chain": exactly(32)}


@kind("seal-record", **RECORD, sent=number, stage=enum("ContentType"), message=octets)
def _seal_record(_, given):
    session = _session(given, _way(given), given.sent)
    packet = session.send(given.stage, given.message)
    return {"packet": packet, "chain": session.chains[given.way]}


@kind("open-record", **RECORD, received=number, packet=octets)
def _open_record(_, given):
    session = _session(given, INITIATOR + RESPONDER - _way(given), given.received)
    message = session.on_packet(given.packet)
    return {"message": message, "chain": session.chains[given.way]}


@kind("open-seal", own=OWN, trust=TRUST, now=number, start=octets, earlier=several(octets), seal=octets)
def _open_seal(group, given):
    trust = trust_store(group, given.trust)
    start, seal = decode("SealChainStart", given.start), decode("Seal", given.seal)
    identity, agreement = _own(group, trust, given.own, given.now)
    custodian = Custodian(group, identity.body["subject"], agreement)
    custodian.open_chain(start)
    for each in given.earlier:
        custodian.open_seal(decode("Seal", each))
    keys = [
        {
            "session": name["session"], "direction": types()["Direction"].values[name["direction"]],
            "stage": STAGES[seal["context"]["stage"]], "sequence": name["sequence"], "key": key,
        }
        for name, key in custodian.open_seal(seal)
    ]  # fmt: skip
    return {"digest": seal_digest(seal), "keys": keys}
