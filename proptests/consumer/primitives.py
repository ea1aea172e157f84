"""Tagged hash, HKDF with labels, AES-256-GCM (chapter 3)."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .refusal import Refused

ZERO_NONCE = bytes(12)


PREFIX = "bemr/1 "


def tagged(tag):
    """The label of a tag, such as "vote", with its one-byte length before it."""
    label = (PREFIX + tag).encode()
    return bytes([len(label)]) + label


def digest(tag, message):
    return hashlib.sha256(tagged(tag) + message).digest()


def extract(salt, secret):
    return hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()


def expand(key, tag, context=b"", length=32):
    info, block, out, counter = tagged(tag) + context, b"", b"", 1
    while len(out) < length:
        block = hmac.new(key, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def encrypt(key, nonce, associated, plaintext):
    """Ciphertext and then the tag of 16 bytes."""
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def decrypt(key, nonce, associated, ciphertext):
    if len(ciphertext) < 16:
        raise Refused("AED-01")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except InvalidTag:
        raise Refused("AED-01") from None
