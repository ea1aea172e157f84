"""How T_initial is made, and the digests that tie the three transactions (chapter 8)."""

from . import mapping
from .contracts import named
from .presentation import encode, encode_vector, types
from .primitives import ZERO_NONCE, decrypt, digest, encrypt
from .refusal import require
from .schnorr import decapsulate, encapsulate


def name_bytes(name):
    return types()["Name"].write(name, None)


def encrypt_record(record_key, user, nonce, record):
    return encrypt(record_key, ZERO_NONCE, name_bytes(user) + nonce, record)


def decrypt_record(record_key, user, nonce, ciphertext):
    return decrypt(record_key, ZERO_NONCE, name_bytes(user) + nonce, ciphertext)


def ciphertext_digest(ciphertext):
    return digest("record ciphertext", ciphertext)


def derive_tid(user, nonce, ciphertext):
    """`ciphertext` is the digest of the ciphertext."""
    return digest("transaction id", name_bytes(user) + nonce + ciphertext)


def wrap_key(group, tid, reader, public, record_key, ephemeral):
    """The WrappedKey for a reader's agreement key."""
    context = tid + name_bytes(reader)
    encapsulation, key = encapsulate(group, public, context, ephemeral)
    return {"reader": reader, "encapsulation": encapsulation, "wrapped": encrypt(key, ZERO_NONCE, context, record_key)}


def unwrap_key(group, tid, wrapped, secret):
    context = tid + name_bytes(wrapped["reader"])
    key = decapsulate(group, secret, wrapped["encapsulation"], context)
    plain = decrypt(key, ZERO_NONCE, context, wrapped["wrapped"])
    require("AED-01", len(plain) == 32)
    return plain


def grants_digest(grants):
    return digest("record grant", encode_vector("WrappedKey", grants))


def initial_digest(header):
    return digest("t-initial", encode("InitialHeader", header))


def block_digest(body):
    return digest("t-block", encode("BlockBody", body))


def check_openings(header, template, contracts, openings):
    """BLK-06, then for each opening BLK-05 and the checks of its canonical value; items by attribute name."""
    attributes = template["attributes"]
    wanted = opened_indices(template, contracts)
    require("BLK-06", [o["index"] for o in openings] == wanted)
    out = {}
    for each in openings:
        index = each["index"]
        require("BLK-05", index < len(header["commitments"]))
        name = attributes[index]["name"]
        found = mapping.commitment(each["opening"], index, name, each["value"])
        require("BLK-05", found == header["commitments"][index])
        out[name] = mapping.decode_canonical(attributes[index], each["value"])
    return out


def opened_indices(template, contracts):
    """The attributes that are opened, by their places in the template."""
    names = named(contracts)
    return [i for i, attribute in enumerate(template["attributes"]) if attribute["name"] in names]

