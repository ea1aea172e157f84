"""Schnorr signatures and ElGamal key encapsulation (chapter 3, "Signatures" and "Key encapsulation")."""

from functools import lru_cache

from .primitives import digest, expand, extract, tagged
from .refusal import Refused, require


def _challenge(group, public, commitment, tag, message):
    return group.reduce(digest("signature challenge", group.suite + public + commitment + tagged(tag) + message))


def sign(group, secret, tag, message):
    """R || s by the scalar `secret`."""
    return sign_openly(group, secret, tag, message)[2]


def sign_openly(group, secret, tag, message):
    """(k, c, signature): the nonce, which is derived (SIG-01), and the challenge besides."""
    public = group.encode(group.base_power(secret))
    prk = extract(b"", group.encode_scalar(secret))
    hashed = digest("signature nonce", tagged(tag) + message)
    for counter in range(256):
        context = group.suite + bytes([counter]) + hashed
        k = group.reduce(expand(prk, "signature nonce", context, group.scalar_length + 16))
        if k == 0:
            continue
        commitment = group.encode(group.base_power(k))
        c = _challenge(group, public, commitment, tag, message)
        s = (k - c * secret) % group.q
        if s:
            return k, c, commitment + group.encode_scalar(s)
    raise ArithmeticError("no nonce in 256 attempts")


def verify(group, public, tag, message, signature):
    """Refuses by GRP-04, GRP-03 or SIG-03. `public` is the encoding of a key that has been decoded before."""
    clause = _broken(group, public, tag, message, signature)
    if clause:
        raise Refused(clause)


@lru_cache(maxsize=4096)
def _broken(group, public, tag, message, signature):
    """The clause that a signature breaks, or None. The same certificates are verified again and again."""
    try:
        _verify(group, public, tag, message, signature)
    except Refused as refused:
        return refused.clause
    return None


def _verify(group, public, tag, message, signature):
    require("GRP-04", len(signature) == group.element_length + group.scalar_length)
    commitment = signature[: group.element_length]
    s = group.decode_scalar(signature[group.element_length :])
    c = _challenge(group, public, commitment, tag, message)
    element = group.decode(public)
    found = group.encode(group.multiply(group.base_power(s), group.power(element, c)))
    require("SIG-03", found != group.encode(group.identity) and found == commitment)


def demand(clause, group, public, tag, message, signature):
    """Refuses by `clause`, with the clause of chapter 3 as cause, unless the signature verifies."""
    try:
        verify(group, public, tag, message, signature)
    except Refused as refused:
        raise Refused(clause, cause=refused.clause) from None


def verify_batch(group, signatures):
    """One equation for [(public, tag, message, signature)]; refuses as `verify` does, by SIG-03 for the whole."""
    parts = []
    for public, tag, message, signature in signatures:
        require("GRP-04", len(signature) == group.element_length + group.scalar_length)
        commitment = signature[: group.element_length]
        s = group.decode_scalar(signature[group.element_length :])
        c = _challenge(group, public, commitment, tag, message)
        parts.append((public, commitment, c, s, group.decode(commitment)))
    seed = digest(
        "signature batch",
        group.suite + b"".join(y + r + group.encode_scalar(c) + group.encode_scalar(s) for y, r, c, s, _ in parts),
    )
    left_exponent, left, right = 0, group.identity, group.identity
    for i, (y, _, c, s, r) in enumerate(parts):
        z = group.reduce(digest("signature batch", seed + i.to_bytes(8, "big"))[:16])
        left_exponent = (left_exponent + z * s) % group.q
        left = group.multiply(left, group.power(group.decode(y), z * c % group.q))
        right = group.multiply(right, group.power(r, z))
    left = group.multiply(left, group.base_power(left_exponent))
    require("SIG-03", group.encode(left) == group.encode(right))


def _encapsulated(group, encapsulation, public, shared, context):
    return expand(extract(b"", shared), "encapsulation", group.suite + encapsulation + public + context)


def encapsulate(group, public, context, ephemeral):
    """(encapsulation, key) for the public key's holder, from the drawn scalar `ephemeral`."""
    encapsulation = group.encode(group.base_power(ephemeral))
    shared = group.encode(group.power(group.decode(public), ephemeral))
    return encapsulation, _encapsulated(group, encapsulation, public, shared, context)


def decapsulate(group, secret, encapsulation, context):
    shared = group.encode(group.power(group.decode(encapsulation), secret))
    public = group.encode(group.base_power(secret))
    return _encapsulated(group, encapsulation, public, shared, context)
