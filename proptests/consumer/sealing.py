"""Seal chains, and how the custodian opens them (chapter 6)."""

from .presentation import encode
from .primitives import decrypt, digest, encrypt, expand
from .refusal import Refused, require
from .schnorr import decapsulate, encapsulate

MOST_KEYS, MOST_SEALS = 4096, 2**20


def _nonce(index):
    return bytes(4) + index.to_bytes(8, "big")


def seal_digest(seal):
    return digest("seal", encode("Seal", seal))


def chain_of(start):
    return digest("seal chain", encode("SealChainStart", start))


def step(chain_key):
    """(S[i], C[i]) from C[i-1]."""
    return expand(chain_key, "seal key"), expand(chain_key, "seal next")


class SealChain:
    """The owner's side: `start`, the chain's digest and the current key."""

    def __init__(self, group, owner, custodian, custodian_key, ephemeral):
        body = {"version": 1, "suite": group.number, "owner": owner, "custodian": custodian}
        encapsulation, key = encapsulate(group, custodian_key, encode("SealChainBody", body), ephemeral)
        self.owner, self.start = owner, {"body": body, "encapsulation": encapsulation}
        self.chain = chain_of(self.start)
        self.key, self.index = expand(key, "seal chain", self.chain), 0

    def seal(self, tid, stage, keys):
        """A Seal of [(SealedKey, 32 bytes)]."""
        require("SEA-01", keys)
        require("ENC-04", len(keys) <= MOST_KEYS)
        require("SES-05", self.index < MOST_SEALS)
        self.index += 1
        sealing, self.key = step(self.key)
        context = {
            "version": 1, "chain": self.chain, "index": self.index, "tid": tid, "stage": stage, "owner": self.owner,
            "keys": [name for name, _ in keys],
        }  # fmt: skip
        plaintext = b"".join(key for _, key in keys)
        wrapped = encrypt(sealing, _nonce(self.index), encode("SealContext", context), plaintext)
        return {"context": context, "wrapped": wrapped}


class Custodian:
    """Opens one chain: `secret` is the agreement scalar."""

    def __init__(self, group, name, secret):
        self.group, self.name, self.secret = group, name, secret
        self.owner = self.chain = self.key = None
        self.opened = {}

    def open_chain(self, start):
        body = start["body"]
        require("ENC-03", body["version"] == 1)
        require("GRP-04", body["suite"] == self.group.number)
        require("SEA-02", body["custodian"] == self.name)
        key = decapsulate(self.group, self.secret, start["encapsulation"], encode("SealChainBody", body))
        self.owner, self.chain = body["owner"], chain_of(start)
        self.key = expand(key, "seal chain", self.chain)

    def open_seal(self, seal):
        """[(SealedKey, key)]; the keys of a record come out of one seal only."""
        context, keys = seal["context"], seal["context"]["keys"]
        require("ENC-03", context["version"] == 1)
        require("SEA-02", context["chain"] == self.chain and context["owner"] == self.owner)
        require("ENC-04", 1 <= len(keys) <= MOST_KEYS)
        require("SES-05", 1 <= context["index"] <= MOST_SEALS)
        require("SEA-02", len(seal["wrapped"]) == 32 * len(keys) + 16)
        chain_key = self.key
        for _ in range(context["index"]):
            sealing, chain_key = step(chain_key)
        try:
            plain = decrypt(sealing, _nonce(context["index"]), encode("SealContext", context), seal["wrapped"])
        except Refused as refused:
            raise Refused("SEA-02", cause=refused.clause) from None
        names = [(k["session"], k["direction"], k["sequence"], context["stage"]) for k in keys]
        this = seal_digest(seal)
        require("SEA-03", len(set(names)) == len(names))
        require("SEA-03", all(self.opened.get(name, this) == this for name in names))
        self.opened.update((name, this) for name in names)
        return [(k, plain[32 * i : 32 * i + 32]) for i, k in enumerate(keys)]
