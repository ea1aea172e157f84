"""Contracts and their rules (chapter 7, "Contracts"): the first check that does not hold gives the reason."""

from . import values
from .json_text import RESOURCES
from .mapping import PATIENT_MEMBER, parse_path
from .refusal import require

CLAUSES = {
    "required": "CON-02", "value_set": "CON-03", "range": "CON-04", "not_future": "CON-05",
    "submitter": "CON-06", "date_order": "CON-07", "one_of": "CON-08", "subject": "CON-09",
}  # fmt: skip
DATES = ("date", "date_time", "instant")


class _NotOpened(Exception):
    """A rule needs an attribute that was not opened."""


class Facts:
    """What a rule sees: `attributes` by name (items, or None when absent), role, issued (ms), patient."""

    def __init__(self, attributes, role, issued, patient):
        self.attributes, self.role, self.issued, self.patient = attributes, role, issued, patient

    def items(self, name):
        if name not in self.attributes:
            raise _NotOpened
        return self.attributes[name]


def _codings(item):
    if item["kind"] == "concept":
        return item["body"]["codings"]
    if item["kind"] == "measure":
        return item["body"]["measure"]["codes"]
    return []


def _item_has(item, codes):
    if item["kind"] == "text":
        return any(c["system"] == "" and c["code"] == item["body"]["text"] for c in codes)
    return any(coding in codes for coding in _codings(item))


def _holds(condition, facts):
    items = facts.items(condition["attribute"])
    test = condition["is"]
    if test in ("present", "absent"):
        return (items is not None) == (test == "present")
    return any(_item_has(item, condition["codes"]) for item in items or []) == (test == "has")


def _within(number, body):
    low, high = body["low"], body["high"]
    if low is not None:
        order = values.compare_decimals(number, low["value"])
        if order < 0 or order == 0 and low["inclusive"] == "no":
            return False
    if high is not None:
        order = values.compare_decimals(number, high["value"])
        if order > 0 or order == 0 and high["inclusive"] == "no":
            return False
    return True


def _numbers(items, body):
    for item in items or []:
        if item["kind"] == "text":
            yield item["body"]["text"]
        elif item["kind"] == "measure":
            measure = item["body"]["measure"]
            quantity = measure["quantity"]
            if quantity and quantity["unit"] in body["units"] and any(c in body["codes"] for c in measure["codes"]):
                yield quantity["value"]


def _moments(items):
    return [values.parse_moment(item["body"]["text"]) for item in items or [] if item["kind"] == "text"]


def _checks(check, facts):
    kind, body = check["kind"], check["body"]
    if kind == "required":
        return facts.items(body["attribute"]) is not None
    if kind == "value_set":
        items = facts.items(body["attribute"]) or []
        return all(item["kind"] == "unstated" or _item_has(item, body["members"]) for item in items)
    if kind == "range":
        return all(_within(number, body) for number in _numbers(facts.items(body["attribute"]), body))
    if kind == "not_future":
        return not any(values.is_after(m, facts.issued) for m in _moments(facts.items(body["attribute"])))
    if kind == "submitter":
        return facts.role in body["roles"]
    if kind == "date_order":
        earlier, later = _moments(facts.items(body["earlier"])), _moments(facts.items(body["later"]))
        return not any(values.is_wholly_after(m, n) for m in earlier for n in later)
    if kind == "one_of":
        present = sum(facts.items(name) is not None for name in body["attributes"])
        return body["min"] <= present <= body["max"]
    items = facts.items(body["attribute"])
    return items is not None and [i["body"].get("text") for i in items] == [facts.patient]


def _rule_holds(rule, facts):
    try:
        return not all(_holds(condition, facts) for condition in rule["when"]) or _checks(rule["check"], facts)
    except _NotOpened:
        return False


def verdict(contracts, facts):
    """The clause of the first rule that does not hold, contracts by ascending id; None when all hold."""
    for contract in sorted(contracts, key=lambda c: c["id"].encode()):
        for rule in contract["rules"]:
            if not _rule_holds(rule, facts):
                return CLAUSES[rule["check"]["kind"]]
    return None


def _check_names(check):
    body = check["body"]
    return [body[f] for f in ("attribute", "earlier", "later") if f in body] + body.get("attributes", [])


def checked(contracts):
    """Names of the attributes that a check of one of the contracts names."""
    return {name for c in contracts for rule in c["rules"] for name in _check_names(rule["check"])}


def named(contracts):
    """Those that a check or a condition names: what is opened."""
    conditions = {w["attribute"] for c in contracts for rule in c["rules"] for w in rule["when"]}
    return checked(contracts) | conditions


# --- well formed (TPL-09)


def _well(condition, place=None):
    require("TPL-09", condition, place)


def check_rule(rule, template):
    kinds = {a["name"]: a["kind"] for a in template["attributes"]}
    for condition in rule["when"]:
        _well(condition["attribute"] in kinds)
        _well(bool(condition["codes"]) == (condition["is"] in ("has", "lacks")))
    kind, body = rule["check"]["kind"], rule["check"]["body"]
    _well(all(name in kinds for name in _check_names(rule["check"])))
    of = [kinds[name] for name in _check_names(rule["check"])]
    if kind == "value_set":
        _well(of[0] != "measure" and body["members"])
    elif kind == "range":
        bounds = [b for b in (body["low"], body["high"]) if b is not None]
        _well(bounds and all(values.is_decimal(b["value"]) for b in bounds))
        if of[0] == "measure":
            _well(body["codes"] and body["units"])
        else:
            _well(of[0] in ("decimal", "integer") and not body["codes"] and not body["units"])
    elif kind in ("not_future", "date_order"):
        _well(all(each in DATES for each in of))
    elif kind == "subject":
        _well(of[0] == "patient")
    elif kind == "submitter":
        _well(body["roles"])
    elif kind == "one_of":
        names = body["attributes"]
        _well(names and len(set(names)) == len(names) and body["min"] <= body["max"] <= len(names))


def check_template(template, others):
    """TPL-09 for a template in force beside the `others` in force."""
    resource, attributes = template["resource"], template["attributes"]
    _well(resource in RESOURCES and all(other["resource"] != resource for other in others))
    names = [a["name"] for a in attributes]
    _well(len(attributes) <= 256 and len(set(names)) == len(names))
    patients = [a for a in attributes if a["kind"] == "patient"]
    _well(len(patients) == 1 and patients[0]["path"] == PATIENT_MEMBER[resource])
    for attribute in attributes:
        path = parse_path(attribute["path"])
        _well(path is not None)
        if attribute["required"] == "yes" or attribute["kind"] == "choice":
            _well(() not in path.alternatives)
            _well(len({steps[:-1] for steps in path.alternatives}) == 1)


def check_contract(contract, templates):
    _well(len(contract["rules"]) <= 65_535)
    _well(len(set(contract["templates"])) == len(contract["templates"]))
    in_force = {template["id"] for template in templates}
    _well(all(name in in_force for name in contract["templates"]))

