"""Kinds of chapter 20, "Keys"."""

from ..certificates import Kdc, TrustStore
from ..form import drawn, number, octets, one_of, record, role, several, string
from ..presentation import decode, encode
from . import kind

TRUST = record(issuer=string, key=octets, list=octets)
OWN = record(agreement=octets, certificate=octets, signing=octets)


def trust_store(group, trust):
    """The pinned KDC with the list that is held, taken as a first list."""
    store = TrustStore(trust.issuer, group, trust.key)
    store.take_list(decode("RevocationList", trust.list))
    return store


@kind("certificate", trust=TRUST, now=number, as_of=number, certificate=octets)
def _certificate(group, given):
    decode("RevocationList", given.trust.list)
    certificate = decode("Certificate", given.certificate)
    body = trust_store(group, given.trust).verify(certificate, given.now, as_of=given.as_of)
    return {field: body[field] for field in ("subject", "role", "signing_key", "agreement_key")}


@kind("revocation-list", issuer=string, key=octets, held=octets, list=octets)
def _revocation_list(group, given):
    lists = [decode("RevocationList", data) for data in (given.held, given.list) if data or data is given.list]
    store = TrustStore(given.issuer, group, given.key)
    for each in lists:
        store.take_list(each)
    return {"list": store.held["list"], "serials": store.held["serials"]}


EARLIER = one_of(enrol=record(now=number, request=octets), revoke=record(serial=number))


@kind(
    "enrolment",
    issuer=string,
    drawn=drawn,
    certificate_lifetime=number,
    list_lifetime=number,
    admitted=several(record(subject=string, role=role)),
    earlier=several(EARLIER),
    now=number,
    request=octets,
)
def _enrolment(group, given):
    secret = given.drawn.scalar(group)
    given.drawn.end()
    admitted = {each.subject: each.role for each in given.admitted}
    kdc = Kdc(given.issuer, group, secret, admitted, given.certificate_lifetime, given.list_lifetime)
    for what, each in given.earlier:
        if what == "enrol":
            kdc.enrol(decode("EnrolmentRequest", each.request), each.now)
        else:
            kdc.revoked.add(each.serial)
    certificate = kdc.enrol(decode("EnrolmentRequest", given.request), given.now)
    return {"certificate": encode("Certificate", certificate)}
