"""Kinds of chapter 20, "Messages by themselves" and "Records and policy"."""

from .. import mapping, transactions
from ..contracts import Facts, verdict
from ..form import Malformed, exactly, flag, number, octets, role, several, string
from ..json_text import read_record
from ..presentation import decode, types
from ..refusal import Refused
from ..registry import Registry, policy_digest
from . import kind
from .keys import TRUST, trust_store


@kind("decode", table=string, bytes=octets)
def _decode(_, given):
    if given.table not in types():
        raise Malformed(f"no table {given.table}")
    decode(given.table, given.bytes)
    return {}


def shipped_template(name):
    for template in Registry.shipped("").templates:
        if template["id"] == name:
            return template
    raise Malformed(f"no shipped template {name}")


@kind("record", record=octets, template=string, key=exactly(32))
def _record(_, given):
    template = shipped_template(given.template)
    resource = read_record(given.record)
    values = mapping.map_record(resource, template)
    return {
        "resource_type": resource["resourceType"], "patient": mapping.patient_of(resource), "values": values,
        "openings": [mapping.opening(given.key, i) for i in range(len(values))],
        "commitments": mapping.commitments(given.key, template, values),
    }  # fmt: skip


@kind("value", attribute=octets, value=octets)
def _value(_, given):
    mapping.decode_canonical(decode("Attribute", given.attribute), given.value)
    return {}


@kind(
    "contracts", record=octets, template=octets, contracts=several(octets), role=role, issued=number, patient=string
)
def _contracts(_, given):
    template = decode("Template", given.template)
    contracts = [decode("Contract", each) for each in given.contracts]
    values = mapping.map_record(read_record(given.record), template)
    indices, attributes = transactions.opened_indices(template, contracts), template["attributes"]
    opened = {attributes[i]["name"]: mapping.decode_canonical(attributes[i], values[i]) for i in indices}
    clause = verdict(contracts, Facts(opened, given.role, given.issued, given.patient))
    if clause:
        raise Refused(clause)
    return {"checked": indices}


@kind(
    "policy-change", trust=TRUST, certificates=several(octets), network=string, shipped=flag, now=number,
    earlier=several(octets), change=octets,
)  # fmt: skip
def _policy_change(group, given):
    trust = trust_store(group, given.trust)
    change = decode("ApprovedChange", given.change)
    published = {c["body"]["subject"]: c for c in (decode("Certificate", data) for data in given.certificates)}
    registry = Registry.shipped(given.network) if given.shipped else Registry(given.network)
    for each in [*(decode("ApprovedChange", data) for data in given.earlier), change]:
        registry.take(each, 0, given.now, trust, published)
    height = max(p["effective"] for p in registry.templates + registry.contracts)
    templates = registry.templates_at(height)
    policies = [policy_digest(t, registry.contracts_at(height, t["id"])) for t in templates]
    return {"height": height, "templates": [t["id"] for t in templates], "policies": policies}
