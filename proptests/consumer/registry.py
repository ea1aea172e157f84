"""Versions of templates and contracts, and how they change (chapter 7, "The registry" and "The shipped policy")."""

import json

from . import contracts as contract_rules
from .certificates import require_permission
from .presentation import SPEC, encode
from .primitives import digest
from .refusal import Refused, require
from .schnorr import demand


def _coding(value):
    return {"system": value.get("system", ""), "code": value.get("code", "")}


def _flag(value):
    return "yes" if value else "no"


def _bound(value):
    return None if value is None else {"value": value["value"], "inclusive": _flag(value.get("inclusive"))}


_LISTS_OF_CODINGS = ("codes", "units", "members")
_FIELDS = {
    "required": ("attribute",), "value_set": ("attribute", "members"),
    "range": ("attribute", "codes", "units", "low", "high"), "not_future": ("attribute",), "submitter": ("roles",),
    "date_order": ("earlier", "later"), "one_of": ("attributes", "min", "max"), "subject": ("attribute",),
}  # fmt: skip


def _check(value):
    ((name, members),) = value.items()
    kind, body = name.replace("-", "_"), {}
    for field in _FIELDS[kind]:
        found = members.get(field)
        if field in _LISTS_OF_CODINGS:
            body[field] = [_coding(each) for each in found or []]
        elif field in ("low", "high"):
            body[field] = _bound(found)
        elif field in ("roles", "attributes"):
            body[field] = [each.replace("-", "_") if field == "roles" else each for each in found or []]
        else:
            body[field] = found
    return {"kind": kind, "body": body}


def _condition(value):
    codes = [_coding(each) for each in value.get("codes", [])]
    return {"attribute": value["attribute"], "is": value["is"], "codes": codes}


def template_from_json(value):
    attributes = [
        {
            "name": a["name"], "path": a["path"], "kind": a["type"].replace("-", "_"),
            "required": _flag(a.get("required")), "mandatory": _flag(a.get("mandatory")),
        }
        for a in value.get("attributes", [])
    ]  # fmt: skip
    return {**{f: value[f] for f in ("id", "version", "resource", "effective")}, "attributes": attributes}


def contract_from_json(value):
    rules = [
        {"when": [_condition(c) for c in rule.get("when", [])], "check": _check(rule["check"])}
        for rule in value.get("rules", [])
    ]
    return {
        **{f: value[f] for f in ("id", "version", "effective")},
        "templates": value.get("templates", []), "readers": value.get("readers", []), "rules": rules,
    }  # fmt: skip


def template_digest(template):
    return digest("template", encode("Template", template))


def contract_digest(contract):
    return digest("contract", encode("Contract", contract))


def _entry(policy, policy_digest):
    return {"policy": {"id": policy["id"], "version": policy["version"]}, "digest": policy_digest}


def policy_digest(template, contracts):
    ordered = sorted(contracts, key=lambda c: c["id"].encode())
    value = {
        "template": _entry(template, template_digest(template)),
        "contracts": [_entry(c, contract_digest(c)) for c in ordered],
    }
    return digest("policy set", encode("PolicySet", value))


def _reference(policy):
    return {"id": policy["id"], "version": policy["version"]}


def _in_force(versions, height):
    """By ascending id, the highest version of each that is effective at the height."""
    found = {}
    for policy in versions:
        if policy["effective"] <= height and policy["version"] > found.get(policy["id"], {"version": 0})["version"]:
            found[policy["id"]] = policy
    return [found[name] for name in sorted(found, key=str.encode)]


class Registry:
    """Every version that ever was, of one network."""

    def __init__(self, network, templates=(), contracts=()):
        self.network, self.templates, self.contracts = network, list(templates), list(contracts)

    @classmethod
    def shipped(cls, network):
        def load(kind, read):
            return [read(json.loads(path.read_text())) for path in sorted((SPEC / "policies" / kind).glob("*.json"))]

        return cls(network, load("templates", template_from_json), load("contracts", contract_from_json))

    def templates_at(self, height):
        return _in_force(self.templates, height)

    def contracts_at(self, height, template=None):
        """Those in force, of a template (an id) or of all."""
        found = _in_force(self.contracts, height)
        return found if template is None else [c for c in found if template in c["templates"]]

    def policy(self, template_reference, contract_references, height):
        """The template and contracts that a submission names, if these are in force (TPL-01, CON-01)."""
        found = [t for t in self.templates_at(height) if _reference(t) == template_reference]
        require("TPL-01", found)
        contracts = self.contracts_at(height, found[0]["id"])
        require("CON-01", [_reference(c) for c in contracts] == contract_references)
        return found[0], contracts

    def take(self, approved, height, now, trust, administrators):
        """Takes an ApprovedChange at a height, or refuses it as a whole. `administrators` are certificates by name."""
        change = approved["change"]
        require("ENC-03", change["protocol"] == 1)
        require("TPL-09", change["network"] == self.network)
        self._check_approvals(approved, now, trust, administrators)
        for versions, held in ((change["templates"], self.templates), (change["contracts"], self.contracts)):
            seen = list(held)
            for policy in versions:
                highest = max((p["version"] for p in seen if p["id"] == policy["id"]), default=0)
                require("TPL-07", policy["version"] == highest + 1)
                require("TPL-08", policy["effective"] > height)
                seen.append(policy)
        after = Registry(self.network, self.templates + change["templates"], self.contracts + change["contracts"])
        fresh = change["templates"] + change["contracts"]
        require("TPL-09", fresh)
        after.check_from(min(p["effective"] for p in fresh))
        self.templates, self.contracts = after.templates, after.contracts

    def _check_approvals(self, approved, now, trust, administrators):
        message, seen = encode("PolicyChange", approved["change"]), set()
        for approval in approved["approvals"]:
            name = approval["administrator"]
            require("TPL-06", name in administrators and name not in seen)
            try:
                body = trust.verify_issued(administrators[name])
            except Refused as refused:
                raise Refused("TPL-06", cause=refused.clause) from None
            trust.check_in_time(body, now)
            require_permission("change policy", body["role"])
            demand("TPL-06", trust.group, body["signing_key"], "policy change", message, approval["signature"])
            seen.add(name)
        require("TPL-06", len(seen) >= 2)

    def check_from(self, first):
        """TPL-09 and TPL-05 at every height from `first` on at which a version takes effect."""
        heights = {p["effective"] for p in self.templates + self.contracts if p["effective"] >= first}
        for height in sorted(heights):
            templates = self.templates_at(height)
            for template in templates:
                contract_rules.check_template(template, [t for t in templates if t is not template])
                contracts = self.contracts_at(height, template["id"])
                for contract in contracts:
                    for rule in contract["rules"]:
                        contract_rules.check_rule(rule, template)
                checked = contract_rules.checked(contracts)
                for attribute in template["attributes"]:
                    require("TPL-05", attribute["mandatory"] == "no" or attribute["name"] in checked)
            for contract in self.contracts_at(height):
                contract_rules.check_contract(contract, templates)
