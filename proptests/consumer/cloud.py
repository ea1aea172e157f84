"""What a client checks of the cloud's log, and the digests of its statements (chapter 11)."""

from . import merkle
from .presentation import encode
from .primitives import digest
from .refusal import require
from .schnorr import demand


def leaf_digest(leaf):
    return digest("cloud leaf", encode("CloudLeaf", leaf))


def head_digest(head):
    return digest("cloud head", encode("CloudHead", head))


def stored_digest(record):
    return digest("stored record", encode("StoredRecord", record))


def statement_digest(kind, message):
    """Of a signed statement, signatures and all: kind is grant, revoke or erase."""
    return digest(kind, encode(kind.capitalize(), message))


class Keeper:
    """The names and key by which a cloud's heads are known."""

    def __init__(self, group, network, name, public):
        self.group, self.network, self.name, self.public = group, network, name, public

    def check_head(self, signed):
        """CLD-03: names, then signature."""
        head = signed["head"]
        require("CLD-03", head["version"] == 1 and head["suite"] == self.group.number)
        require("CLD-03", head["network"] == self.network and head["cloud"] == self.name)
        demand("CLD-03", self.group, self.public, "cloud head", encode("CloudHead", head), signed["signature"])


class Client:
    """Remembers the newest head of one cloud."""

    def __init__(self, keeper, remembered=None):
        self.keeper, self.remembered = keeper, remembered

    def check_head(self, signed, path):
        self.keeper.check_head(signed)
        head, known = signed["head"], self.remembered
        if known is None:
            require("CLD-01", not path)
            return
        require("CLD-04", head["size"] >= known["size"] and head["time"] >= known["time"])
        extends = merkle.verify_consistency(known["size"], known["root"], head["size"], head["root"], path)
        require("CLD-01", extends)

    def take_head(self, signed, path):
        self.check_head(signed, path)
        self.remembered = signed["head"]


def check_leaf(head, leaf, inclusion):
    """CLD-02: the leaf stands at the index that it names under the head."""
    require("CLD-02", leaf["sequence"] == inclusion["index"])
    index, path = inclusion["index"], inclusion["path"]
    require("CLD-02", merkle.verify_inclusion(head["root"], head["size"], leaf_digest(leaf), index, path))


def check_anchored(head, anchor, anchored, path):
    """CLD-05 against the newest final anchor of this cloud, or None when there is none."""
    if anchor is None or head_digest(head) == anchor["head"]:
        return
    require("CLD-05", anchored is not None)
    require("CLD-05", head_digest(anchored) == anchor["head"] and anchored["size"] == anchor["size"])
    extends = merkle.verify_consistency(anchored["size"], anchored["root"], head["size"], head["root"], path)
    require("CLD-05", extends)
