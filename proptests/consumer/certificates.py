"""Enrolment at the KDC, certificates, revocation lists and the trust store (chapter 4)."""

from .presentation import encode
from .refusal import require
from .schnorr import demand, sign

PLACE = {
    "doctor": "user", "assistant": "user", "administrator": "user", "bsd": "bsd", "validator": "validator",
    "cloud": "cloud", "custodian": "custodian",
}  # fmt: skip
SUBMITTERS = ("doctor", "assistant")
PERMISSION = {
    "submit": ("ROL-01", SUBMITTERS), "read": ("ROL-02", SUBMITTERS), "grant": ("ROL-05", SUBMITTERS),
    "change policy": ("ROL-03", ("administrator",)),
}  # fmt: skip


def require_permission(permission, role):
    clause, roles = PERMISSION[permission]
    require(clause, role in roles)


class Kdc:
    """What the KDC holds: admitted pairs, latest certificates, keys ever certified, revoked serials and counters."""

    def __init__(self, name, group, secret, admitted, certificate_life, list_life):
        self.name, self.group, self.secret = name, group, secret
        self.admitted, self.certificate_life, self.list_life = dict(admitted), certificate_life, list_life
        self.latest, self.keys, self.revoked, self.serial, self.list = {}, set(), set(), 0, 0

    def enrol(self, request, now):
        """The certificate for an EnrolmentRequest, or the refusal by the first clause in the chapter's order."""
        body = request["body"]
        require("ENC-03", body["version"] == 1)
        require("GRP-04", body["suite"] == self.group.number)
        self.group.decode(body["signing_key"])
        self.group.decode(body["agreement_key"])
        require("KEY-10", self.admitted.get(body["subject"]) == body["role"])
        keys = {body["signing_key"], body["agreement_key"]}
        require("KEY-03", len(keys) == 2 and not keys & self.keys)
        serial, end = self.latest.get(body["subject"], (None, None))
        require("KEY-02", serial is None or serial in self.revoked or now >= end)
        message = encode("EnrolmentBody", body)
        for which in ("signing", "agreement"):
            key, proof = body[f"{which}_key"], request[f"{which}_proof"]
            demand("KEY-01", self.group, key, f"possession of {which} key", message, proof)
        self.serial += 1
        issued = {
            "version": 1, "suite": self.group.number, "serial": self.serial, "subject": body["subject"],
            "role": body["role"], "signing_key": body["signing_key"], "agreement_key": body["agreement_key"],
            "not_before": now, "not_after": now + self.certificate_life, "issuer": self.name,
        }  # fmt: skip
        self.latest[body["subject"]] = (self.serial, issued["not_after"])
        self.keys |= keys
        return self._signed("certificate", "CertificateBody", issued)

    def _signed(self, tag, kind, body):
        return {"body": body, "signature": sign(self.group, self.secret, tag, encode(kind, body))}

    def issue_list(self, now):
        self.list += 1
        body = {
            "version": 1, "suite": self.group.number, "issuer": self.name, "list": self.list, "issued": now,
            "next_update": now + self.list_life, "serials": sorted(self.revoked),
        }  # fmt: skip
        return self._signed("revocation list", "RevocationListBody", body)


class TrustStore:
    """The pinned KDC (name, group of the suite, public key) and the newest revocation list taken."""

    def __init__(self, name, group, public):
        self.name, self.group, self.public, self.held = name, group, public, None

    def take_list(self, revocation_list):
        body = revocation_list["body"]
        require("ENC-03", body["version"] == 1)
        require("GRP-04", body["suite"] == self.group.number)
        require("ENC-01", all(a < b for a, b in zip(body["serials"], body["serials"][1:])))
        require("KEY-08", self.held is None or body["list"] > self.held["list"])
        require("KEY-07", body["issuer"] == self.name)
        message = encode("RevocationListBody", body)
        demand("KEY-07", self.group, self.public, "revocation list", message, revocation_list["signature"])
        self.held = body

    def verify(self, certificate, now, as_of=None):
        """The verified body. With `as_of`, KEY-05 is checked at that instant."""
        body = self.verify_issued(certificate)
        self.check_in_time(body, now, as_of)
        return body

    def verify_issued(self, certificate):
        """Steps 1 to 5, which depend on the certificate alone."""
        body = certificate["body"]
        require("ENC-03", body["version"] == 1)
        require("GRP-04", body["suite"] == self.group.number)
        require("KEY-04", body["issuer"] == self.name)
        message = encode("CertificateBody", body)
        demand("KEY-04", self.group, self.public, "certificate", message, certificate["signature"])
        self.group.decode(body["signing_key"])
        self.group.decode(body["agreement_key"])
        require("KEY-03", body["signing_key"] != body["agreement_key"])
        return body

    def check_in_time(self, body, now, as_of=None):
        """Steps 6 to 8, which are done every time."""
        require("KEY-05", body["not_before"] <= (now if as_of is None else as_of) < body["not_after"])
        require("KEY-11", self.held is not None and self.held["issued"] <= now < self.held["next_update"])
        require("KEY-06", body["serial"] not in self.held["serials"])
