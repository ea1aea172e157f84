"""Kinds of chapter 20, "What is public"."""

from .. import audit, cloud, merkle
from ..form import exactly, number, octets, record, several, string
from ..ledger import Ledger, check_genesis
from ..presentation import decode
from ..refusal import require
from ..votes import ValidatorSet, certificate_digest
from . import kind

VALIDATORS = record(network=string, members=several(record(name=string, key=octets)))
BLOCKS = several(record(now=number, block=octets))


def _validators(group, given):
    return ValidatorSet(group, given.network, {member.name: member.key for member in given.members})


def _ledger(group, given, blocks):
    """The ledger after the blocks that were taken before."""
    genesis = decode("Genesis", given.genesis)
    check_genesis(genesis)
    ledger = Ledger(genesis, _validators(group, given.validators))
    for each in blocks:
        ledger.take(decode("Block", each.block), each.now)
    return ledger


@kind("quorum", validators=VALIDATORS, certificate=octets)
def _quorum(group, given):
    validators, certificate = _validators(group, given.validators), decode("QuorumCertificate", given.certificate)
    validators.check_certificate(certificate)
    return {"digest": certificate_digest(certificate), "set": validators.digest}


@kind("merkle-tree", digests=several(exactly(32)))
def _merkle_tree(_, given):
    n = len(given.digests)
    return {
        "root": merkle.root(given.digests), "inclusion": [merkle.inclusion(m, given.digests) for m in range(n)],
        "consistency": [merkle.consistency(m, given.digests) for m in range(n + 1)],
    }  # fmt: skip


@kind("merkle-inclusion", root=exactly(32), size=number, digest=exactly(32), proof=octets)
def _merkle_inclusion(_, given):
    proof = decode("InclusionProof", given.proof)
    found = merkle.verify_inclusion(given.root, given.size, given.digest, proof["index"], proof["path"])
    require("LED-13", found)
    return {}


@kind(
    "merkle-consistency", first_size=number, first_root=exactly(32), second_size=number, second_root=exactly(32),
    proof=octets,
)  # fmt: skip
def _merkle_consistency(_, given):
    path = decode("ConsistencyProof", given.proof)["path"]
    found = merkle.verify_consistency(given.first_size, given.first_root, given.second_size, given.second_root, path)
    require("CLD-01", found)
    return {}


@kind("block", genesis=octets, validators=VALIDATORS, earlier=BLOCKS, now=number, block=octets)
def _block(group, given):
    block = decode("Block", given.block)
    ledger = _ledger(group, given, given.earlier)
    ledger.take(block, given.now)
    return {"height": ledger.tip.number, "tip": ledger.tip.digest, "final_height": ledger.final}


@kind("cloud-head", network=string, cloud=string, key=octets, remembered=octets, head=octets, proof=octets)
def _cloud_head(group, given):
    remembered = decode("SignedCloudHead", given.remembered)["head"] if given.remembered else None
    head, proof = decode("SignedCloudHead", given.head), decode("ConsistencyProof", given.proof)
    client = cloud.Client(cloud.Keeper(group, given.network, given.cloud, given.key), remembered)
    client.take_head(head, proof["path"])
    return {"size": client.remembered["size"], "digest": cloud.head_digest(client.remembered)}


@kind(
    "cloud-leaf", head=octets, leaf=octets, inclusion=octets, genesis=octets, validators=VALIDATORS, blocks=BLOCKS,
    anchored=octets, extends=octets,
)  # fmt: skip
def _cloud_leaf(group, given):
    head, leaf, inclusion = (
        decode("CloudHead", given.head), decode("CloudLeaf", given.leaf), decode("InclusionProof", given.inclusion)
    )  # fmt: skip
    anchored = decode("CloudHead", given.anchored) if given.anchored else None
    path = decode("ConsistencyProof", given.extends)["path"]
    ledger = _ledger(group, given, given.blocks)
    cloud.check_leaf(head, leaf, inclusion)
    mine = [a for _, a in ledger.anchors() if (a["kind"], a["keeper"]) == ("cloud", head["cloud"])]
    cloud.check_anchored(head, mine[-1] if mine else None, anchored, path)
    return {"digest": cloud.leaf_digest(leaf)}


@kind(
    "audit", now=number, genesis=octets, validators=VALIDATORS, cloud=string, cloud_key=octets, bsd=string,
    bsd_key=octets, blocks=several(octets), leaves=several(octets), cloud_heads=several(octets),
    entries=several(octets), audit_heads=several(octets),
)  # fmt: skip
def _audit(group, given):
    def all_of(table, encodings):
        return [decode(table, data) for data in encodings]

    ledger = _ledger(group, given, [])
    network = given.validators.network
    replay = audit.Replay(
        ledger,
        cloud.Keeper(group, network, given.cloud, given.cloud_key),
        audit.Keeper(group, network, given.bsd, given.bsd_key),
    )
    replay.run(
        all_of("Block", given.blocks),
        all_of("CloudLeaf", given.leaves),
        all_of("SignedCloudHead", given.cloud_heads),
        all_of("AuditEntry", given.entries),
        all_of("SignedAuditHead", given.audit_heads),
        given.now,
    )
    return replay.counts()
