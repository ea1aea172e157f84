"""Kinds of chapter 20, "Primitives"."""

from .. import primitives, schnorr
from ..form import drawn, exactly, number, octets, tag
from . import kind


@kind("hash", tag=tag, message=octets)
def _hash(_, given):
    return {"digest": primitives.digest(given.tag, given.message)}


@kind("derive", salt=octets, material=octets, tag=tag, context=octets, length=number)
def _derive(_, given):
    extracted = primitives.extract(given.salt, given.material)
    return {"extracted": extracted, "expanded": primitives.expand(extracted, given.tag, given.context, given.length)}


@kind("encrypt", key=exactly(32), nonce=exactly(12), associated=octets, plaintext=octets)
def _encrypt(_, given):
    return {"ciphertext": primitives.encrypt(given.key, given.nonce, given.associated, given.plaintext)}


@kind("decrypt", key=exactly(32), nonce=exactly(12), associated=octets, ciphertext=octets)
def _decrypt(_, given):
    return {"plaintext": primitives.decrypt(given.key, given.nonce, given.associated, given.ciphertext)}


@kind("element", encoding=octets)
def _element(group, given):
    return {"encoding": group.encode(group.decode(given.encoding))}


@kind("scalar", encoding=octets)
def _scalar(group, given):
    return {"encoding": group.encode_scalar(group.decode_scalar(given.encoding))}


@kind("draw", drawn=drawn)
def _draw(group, given):
    scalar = given.drawn.scalar(group)
    given.drawn.end()
    return {"scalar": group.encode_scalar(scalar), "power": group.public(scalar)}


@kind("sign", secret=octets, tag=tag, message=octets)
def _sign(group, given):
    secret = group.decode_scalar(given.secret)
    k, c, signature = schnorr.sign_openly(group, secret, given.tag, given.message)
    return {
        "public": group.public(secret), "nonce": group.encode_scalar(k), "challenge": group.encode_scalar(c),
        "signature": signature,
    }  # fmt: skip


@kind("verify", public=octets, tag=tag, message=octets, signature=octets)
def _verify(group, given):
    group.decode(given.public)
    schnorr.verify(group, given.public, given.tag, given.message, given.signature)
    return {}


@kind("encapsulate", public=octets, context=octets, drawn=drawn)
def _encapsulate(group, given):
    group.decode(given.public)
    ephemeral = given.drawn.scalar(group)
    given.drawn.end()
    encapsulation, key = schnorr.encapsulate(group, given.public, given.context, ephemeral)
    return {"encapsulation": encapsulation, "key": key}


@kind("decapsulate", secret=octets, encapsulation=octets, context=octets)
def _decapsulate(group, given):
    secret = group.decode_scalar(given.secret)
    return {"key": schnorr.decapsulate(group, secret, given.encapsulation, given.context)}


@kind("agree", drawn=drawn, peer=octets)
def _agree(group, given):
    secret = given.drawn.scalar(group)
    given.drawn.end()
    return {"public": group.public(secret), "shared": group.encode(group.power(group.decode(given.peer), secret))}
