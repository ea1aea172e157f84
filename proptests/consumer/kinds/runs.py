"""Kinds of chapter 20 about whole actors: what each event of a run makes an actor say."""

from .. import audit, cloud
from ..actors import bsd, checks, user, validator
from ..actors import cloud as cloud_actor
from ..certificates import PLACE
from ..form import NotJudged, drawn, number, octets, one_of, opt, record, several, string
from ..handshake import Identity
from ..ledger import Ledger, check_genesis
from ..presentation import decode
from ..registry import Registry
from ..votes import ValidatorSet
from . import NOT_JUDGED, kind
from .keys import OWN, TRUST, trust_store

BEGIN = record(
    bsd=string, certificates=several(octets), cloud=string, custodian=string, drawn=drawn, genesis=octets, now=number,
    own=OWN, trust=TRUST, validators=several(string),
)  # fmt: skip
PACKET = record(**{"bytes": octets, "from": string, "message": opt(octets)})
GOSSIP = record(**{"bytes": octets, "from": string})
WHOM = record(tid=octets, reader=string)
EVENT = one_of(
    packet=PACKET, gossip=GOSSIP, wake=record(), submit=record(readers=several(string), record=octets),
    read=record(tid=octets), grant=WHOM, revoke=WHOM, erase=record(body=octets, approvals=several(octets)), close=record(),
)  # fmt: skip
STEP = record(comment=string, drawn=drawn, event=EVENT, fields=several(string), now=number)


def _actor(group, begin):
    published = {c["body"]["subject"]: c for c in (decode("Certificate", data) for data in begin.certificates)}
    genesis = decode("Genesis", begin.genesis)
    check_genesis(genesis)
    network = genesis["network"]
    keys = {name: published[name]["body"]["signing_key"] for name in (*begin.validators, begin.cloud, begin.bsd)}
    validators = ValidatorSet(group, network, {name: keys[name] for name in begin.validators})
    world = {
        "group": group, "network": network, "trust": trust_store(group, begin.trust),
        "registry": Registry.shipped(network), "validators": validators, "ledger": Ledger(genesis, validators),
        "published": published, "cloud_keeper": cloud.Keeper(group, network, begin.cloud, keys[begin.cloud]),
        "audit_keeper": audit.Keeper(group, network, begin.bsd, keys[begin.bsd]),
    }  # fmt: skip
    identity = Identity(decode("Certificate", begin.own.certificate), group.decode_scalar(begin.own.signing))
    agreement = group.decode_scalar(begin.own.agreement)
    name, place = identity.body["subject"], PLACE[identity.body["role"]]
    if place == "user":
        client = cloud.Client(world["cloud_keeper"])
        shared = checks.User(**world, name=name, client=client, agreement=agreement)
        return user.User(shared, identity, agreement, begin.bsd, begin.cloud)
    if place == "bsd":
        shared = checks.Bsd(**world, name=name)
        return bsd.Bsd(shared, identity, agreement, begin.cloud, begin.custodian, begin.drawn)
    if place == "validator":
        if genesis["rule"]["kind"] == "work":
            raise NotJudged(NOT_JUDGED["run by work"])
        return validator.Validator(checks.Validator(**world, name=name), identity, agreement)
    return cloud_actor.Cloud(checks.Cloud(**world, name=name), identity, agreement)


@kind("run", begin=BEGIN, steps=several(STEP))
def _run(group, given):
    actor, out = _actor(group, given.begin), []
    given.begin.drawn.end()
    for step in given.steps:
        name, value = step.event
        if name in ("packet", "gossip"):
            value = (value.__dict__["from"], value.bytes)
        if name == "erase":
            value.body = decode("EraseBody", value.body)
            value.approvals = [decode("EraseApproval", each) for each in value.approvals]
        verdict, clause, sends, wakes = actor.step(name, value, step.now, step.drawn)
        step.drawn.end()
        out.append({"verdict": verdict, "clause": clause, "sends": sends, "wakes": wakes})
    return {"steps": out}
