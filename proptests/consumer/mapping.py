"""From a record to the values of a template's attributes: referents, paths, types, commitments (chapter 7)."""

import re
from dataclasses import dataclass

from . import values
from .json_text import Literal
from .presentation import decode, encode, types
from .primitives import digest, expand
from .refusal import Refused, require

LONGEST_VALUE, LONGEST_TEXT = 1_048_576, 65_535
_FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_STEP = re.compile(r"([A-Za-z0-9]+)(\[\*\])?")
PATIENT_MEMBER = {
    "Patient": "id", "AllergyIntolerance": "patient", "Immunization": "patient", "Condition": "subject",
    "DiagnosticReport": "subject", "MedicationRequest": "subject", "Observation": "subject",
}  # fmt: skip


def _is_text(value):
    return isinstance(value, str) and not isinstance(value, Literal)


# --- names of referents


def _hashed(k, *strings):
    body = bytes([k]) + b"".join(len(s.encode()).to_bytes(4, "big") + s.encode() for s in strings)
    return "h:" + digest("referent", body).hex()[:62]


def _literal(reference):
    reference = reference.split("/_history/", 1)[0]
    if ("/" in reference or reference.startswith("urn:")) and values.is_name(reference):
        return reference
    return _hashed(1, reference)


def _identifier(value):
    """H(2, ...) of an Identifier with a string value, or None."""
    if isinstance(value, dict) and _is_text(value.get("value")):
        system = value.get("system")
        return _hashed(2, system if _is_text(system) else "", value["value"])
    return None


def _contained(record, identity):
    """The first element of `contained` with this id, or None."""
    contained = record.get("contained")
    for element in contained if isinstance(contained, list) else []:
        if isinstance(element, dict) and _is_text(element.get("id")) and element["id"] == identity:
            return element
    return None


def referent_name(record, reference):
    literal = reference.get("reference")
    if _is_text(literal):
        if not literal.startswith("#"):
            return _literal(literal)
        element = _contained(record, literal[1:])
        if element is not None:
            identifiers = element.get("identifier")
            for each in identifiers if isinstance(identifiers, list) else []:
                if _identifier(each):
                    return _identifier(each)
    name = _identifier(reference.get("identifier"))
    if name:
        return name
    if _is_text(reference.get("display")):
        return _hashed(3, reference["display"])
    return "unknown"


def _is_fhir_id(value):
    return _is_text(value) and bool(_FHIR_ID.fullmatch(value))


def patient_of(record):
    member = PATIENT_MEMBER[record["resourceType"]]
    found = record.get(member)
    if member == "id":
        return _literal("Patient/" + found) if _is_fhir_id(found) else "unknown"
    return referent_name(record, found) if isinstance(found, dict) else "unknown"


# --- paths


@dataclass(frozen=True)
class Path:
    """`alternatives` are tuples of (member, whether all elements of an array); `$` is the empty tuple."""

    alternatives: tuple

    @property
    def is_list(self):
        several = len(self.alternatives) > 1
        return any(many for steps in self.alternatives for _, many in steps) or several and () in self.alternatives


def parse_path(text):
    """The path, or None when it has not the form."""
    alternatives = []
    for alternative in text.split("|"):
        steps = []
        for step in alternative.split(".") if alternative != "$" else []:
            match = _STEP.fullmatch(step)
            if not match:
                return None
            steps.append((match[1], bool(match[2])))
        alternatives.append(tuple(steps))
    return Path(tuple(alternatives))


def _shape(condition):
    require("TPL-04", condition)


def _holders(record, steps):
    """The objects from which the last of the steps leads."""
    found = [record]
    for name, many in steps[:-1]:
        following = []
        for holder in found:
            if name not in holder:
                continue
            member = holder[name]
            if many:
                _shape(isinstance(member, list) and member)
                following += member
            else:
                following.append(member)
        _shape(all(isinstance(each, dict) for each in following))
        found = following
    return found


UNSTATED = object()


def _last(holder, step, counts_extensions):
    """The elements to which the last step leads from one holder."""
    name, many = step
    if name in holder:
        member = holder[name]
        if not many:
            _shape(not isinstance(member, list) and member is not None)
            return [member]
        _shape(isinstance(member, list) and member)
        if counts_extensions:
            return [UNSTATED if each is None else each for each in member]
        return member
    beside = "_" + name
    if not counts_extensions or beside not in holder:
        return []
    if many:
        _shape(isinstance(holder[beside], list) and holder[beside])
        return [UNSTATED] * len(holder[beside])
    _shape(isinstance(holder[beside], dict) and "extension" in holder[beside])
    return [UNSTATED]


# --- types


def _text(text):
    return {"kind": "text", "body": {"text": text}}


def _coded(holder, name, form):
    """A system, code or comparator: absent as empty text."""
    if name not in holder:
        return ""
    value = holder[name]
    _shape(_is_text(value) and value and form(value))
    return value


def _coding(element):
    return {"system": _coded(element, "system", values.is_uri), "code": _coded(element, "code", values.is_code)}


def _concept(element):
    _shape(isinstance(element, dict))
    _shape("text" not in element or _is_text(element["text"]))
    if "coding" in element:
        codings = element["coding"]
        _shape(isinstance(codings, list) and codings and all(isinstance(each, dict) for each in codings))
        return [_coding(each) for each in codings]
    if "text" in element:
        return []
    _shape(set(element) - {"id"})
    return None


def _concept_item(element):
    codings = _concept(element)
    if codings is None:
        return {"kind": "unstated", "body": {}}
    return {"kind": "concept", "body": {"codings": codings}}


COMPARATORS = ("", "<", "<=", ">=", ">")


def _measure_item(element):
    _shape(isinstance(element, dict))
    codes = (_concept(element["code"]) or []) if "code" in element else []
    quantity = None
    if "valueQuantity" in element:
        found = element["valueQuantity"]
        _shape(isinstance(found, dict))
        if "value" in found:
            value = found["value"]
            _shape(isinstance(value, Literal) and values.is_decimal(value))
            quantity = {
                "comparator": _coded(found, "comparator", COMPARATORS.__contains__),
                "value": str(value),
                "unit": _coding(found),
            }
    return {"kind": "measure", "body": {"measure": {"codes": codes, "quantity": quantity}}}


def _check_reference(record, element):
    _shape(isinstance(element, dict) and set(element) - {"id"})
    for name in ("reference", "display", "type"):
        _shape(name not in element or _is_text(element[name]) and element[name])
    _shape("identifier" not in element or isinstance(element["identifier"], dict))
    literal = element.get("reference", "")
    _shape(not literal.startswith("#") or _contained(record, literal[1:]) is not None)


FORMS = {
    "boolean": ("true", "false").__contains__,
    "integer": values.is_integer,
    "decimal": values.is_decimal,
    "string": values.is_string,
    "code": values.is_code,
    "uri": values.is_uri,
    "date": values.parse_date,
    "date_time": values.parse_moment,
    "instant": values.parse_instant,
}


def _item(record, kind, element):
    if element is UNSTATED:
        return {"kind": "unstated", "body": {}}
    if kind == "concept":
        return _concept_item(element)
    if kind == "measure":
        return _measure_item(element)
    if kind == "reference":
        _check_reference(record, element)
        return _text(referent_name(record, element))
    if kind == "boolean":
        _shape(isinstance(element, bool))
        return _text("true" if element else "false")
    if kind in ("integer", "decimal"):
        _shape(isinstance(element, Literal))
    else:
        _shape(_is_text(element))
    _shape(FORMS[kind](element))
    return _text(str(element))


def _choices(record, path):
    """The names that the holders have, one for each; two at one holder are misshapen."""
    names = [steps[-1][0] for steps in path.alternatives]
    items = []
    for holder in _holders(record, path.alternatives[0]):
        found = [name for name in names if name in holder or "_" + name in holder]
        _shape(len(found) <= 1)
        items += [_text(name) for name in found]
    return items


def _patient(record, path):
    for steps in path.alternatives:
        for holder in _holders(record, steps):
            for element in _last(holder, steps[-1], True):
                if element is UNSTATED:
                    continue
                if record["resourceType"] == "Patient":
                    _shape(_is_fhir_id(element))
                else:
                    _check_reference(record, element)
    return [_text(patient_of(record))]


def _items(record, path, kind):
    if kind == "choice":
        return _choices(record, path)
    if kind == "patient":
        return _patient(record, path)
    counts_extensions = _counts_extensions(kind)
    elements = []
    for steps in path.alternatives:
        if not steps:
            elements.append(record)
            continue
        for holder in _holders(record, steps):
            elements += _last(holder, steps[-1], counts_extensions)
    _shape(path.is_list or len(elements) <= 1)
    return [_item(record, kind, element) for element in elements]


def _counts_extensions(kind):
    return kind not in ("concept", "measure", "reference")


def _check_required(record, path, kind):
    beside = _counts_extensions(kind)
    for holder in _holders(record, path.alternatives[0]):
        names = [steps[-1][0] for steps in path.alternatives]
        require("TPL-03", any(name in holder or beside and "_" + name in holder for name in names))


def canonical(items):
    """The canonical value: absent when there is no item."""
    if any(len(i["body"]["text"].encode()) > LONGEST_TEXT for i in items if i["kind"] == "text"):
        raise Refused("TPL-04")
    try:
        value = b"\0" if not items else b"\1" + encode("Value", {"items": items})
    except ValueError:
        raise Refused("TPL-04") from None
    require("TPL-04", len(value) <= LONGEST_VALUE)
    return value


def map_record(record, template):
    """The canonical value of each attribute of the template, in its order."""
    require("TPL-02", record["resourceType"] == template["resource"])
    out = []
    for attribute in template["attributes"]:
        path = parse_path(attribute["path"])
        try:
            out.append(canonical(_items(record, path, attribute["kind"])))
            if attribute["required"] == "yes":
                _check_required(record, path, attribute["kind"])
        except Refused as refused:
            raise Refused(refused.clause, place=attribute["name"]) from None
    return out


# --- what a validator sees


def _check_codings(codings):
    for coding in codings:
        _shape(coding["system"] == "" or values.is_uri(coding["system"]))
        _shape(coding["code"] == "" or values.is_code(coding["code"]))


def _check_item(item, kind, path):
    body = item["body"]
    if item["kind"] == "unstated":
        _shape(kind not in ("measure", "reference", "patient", "choice"))
    elif kind == "concept":
        _shape(item["kind"] == "concept")
        _check_codings(body["codings"])
    elif kind == "measure":
        _shape(item["kind"] == "measure")
        _check_codings(body["measure"]["codes"])
        quantity = body["measure"]["quantity"]
        if quantity is not None:
            _shape(quantity["comparator"] in COMPARATORS and values.is_decimal(quantity["value"]))
            _check_codings([quantity["unit"]])
    else:
        _shape(item["kind"] == "text")
        if kind in ("reference", "patient"):
            _shape(values.is_name(body["text"]))
        elif kind == "choice":
            _shape(body["text"] in [steps[-1][0] for steps in path.alternatives])
        else:
            _shape(FORMS[kind](body["text"]))


def decode_canonical(attribute, data):
    """The items of a canonical value, None when absent; checked for the attribute as by one who lacks the record."""
    if not data or data[0] not in (0, 1) or data[0] == 0 and len(data) > 1:
        raise Refused("ENC-01")
    path, kind = parse_path(attribute["path"]), attribute["kind"]
    if data[0] == 0:
        require("TPL-03", kind != "patient")
        require("TPL-03", attribute["required"] == "no" or "." in attribute["path"])
        return None
    items = decode("Value", data[1:], message=False)["items"]
    require("TPL-04", len(data) <= LONGEST_VALUE)
    _shape(len(items) >= 1 if path.is_list else len(items) == 1)
    for item in items:
        _check_item(item, kind, path)
    return items


# --- commitments


def opening(record_key, index):
    return expand(record_key, "attribute opening", index.to_bytes(2, "big"))


def commitment(opening_bytes, index, name, value):
    name = types()["Name"].write(name, None)
    return digest("attribute commitment", opening_bytes + index.to_bytes(2, "big") + name + value)


def commitments(record_key, template, canonical_values):
    return [
        commitment(opening(record_key, i), i, attribute["name"], value)
        for i, (attribute, value) in enumerate(zip(template["attributes"], canonical_values))
    ]
