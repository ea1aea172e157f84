"""The consumer against what the chapters give in their text: `python3 -m unittest consumer.tests`, from `proptests/`."""

import hashlib
import re
import unittest

from . import audit, files, json_text, lines, mapping, merkle, registry, ristretto, schnorr, values
from .answers import answer
from .groups import group
from .ledger import Ledger
from .presentation import SPEC, decode, encode, types
from .refusal import Refused, code
from .town import Town

CHAPTERS, VECTORS = SPEC / "chapters", SPEC / "vectors"
# RFC 9496, appendix A.1 and A.3.
MULTIPLES = """
0000000000000000000000000000000000000000000000000000000000000000
e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76
6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919
94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259
da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57
e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e
""".split()
BAD_ENCODINGS = """
00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
0100000000000000000000000000000000000000000000000000000000000000
01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371
4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f
ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
""".split()


def chapter(number):
    return next(CHAPTERS.glob(f"{number:02}-*.md")).read_text()


class Primitives(unittest.TestCase):
    def test_suites_give_the_check_values_of_chapter_3(self):
        text = chapter(3)
        for name in ("ffdhe2048", "ffdhe3072", "ristretto255", "tiny"):
            suite = group(name)
            width = suite.scalar_length + 16
            x, e = suite.reduce(b"\x42" * width), suite.reduce(b"\x17" * width)
            public = suite.encode(suite.base_power(x))
            signature = schnorr.sign(suite, x, "vote", b"a message")
            encapsulation, key = schnorr.encapsulate(suite, public, b"context", e)
            row = re.search(rf"\| {name} \| `(\w{{64}})` \| `(\w{{64}})` \|", text)
            self.assertEqual(hashlib.sha256(signature).hexdigest(), row[1])
            self.assertEqual(key.hex(), row[2])
            self.assertEqual(schnorr.decapsulate(suite, x, encapsulation, b"context"), key)
            schnorr.verify(suite, public, "vote", b"a message", signature)
            schnorr.verify_batch(suite, [(public, "vote", b"a message", signature)] * 3)
            for wrong, clause in ((signature[:-1], "GRP-04"), (bytes(len(signature)), "GRP-03")):
                with self.assertRaises(Refused) as refusal:
                    schnorr.verify(suite, public, "vote", b"a message", wrong)
                self.assertEqual(refusal.exception.clause, clause)
            with self.assertRaises(Refused) as refusal:
                schnorr.verify(suite, public, "vote", b"another", signature)
            self.assertEqual(refusal.exception.clause, "SIG-03")

    def test_primes_are_those_printed_in_chapter_3(self):
        for name in ("ffdhe2048", "ffdhe3072"):
            printed = re.search(rf"{name}:\n\n((?:    [0-9A-F ]+\n)+)", chapter(3))[1]
            self.assertEqual(int(re.sub(r"\s", "", printed), 16), group(name).p)

    def test_ristretto_has_the_vectors_of_rfc_9496(self):
        for n, expected in enumerate(MULTIPLES):
            self.assertEqual(ristretto.encode(ristretto.multiply(ristretto.BASE, n)).hex(), expected)
        for bad in BAD_ENCODINGS:
            self.assertIsNone(ristretto.decode(bytes.fromhex(bad)))

    def test_merkle_proofs_of_all_small_trees_verify_and_no_other_does(self):
        for n in range(1, 18):
            digests = [bytes([i]) * 32 for i in range(n)]
            root = merkle.root(digests)
            for m in range(n):
                path = merkle.inclusion(m, digests)
                self.assertTrue(merkle.verify_inclusion(root, n, digests[m], m, path))
                self.assertFalse(merkle.verify_inclusion(root, n, digests[m], m + 1, path))
                self.assertFalse(merkle.verify_inclusion(root, n, digests[m], m, [*path, root]))
            for m in range(n + 1):
                first, path = merkle.root(digests[:m]), merkle.consistency(m, digests)
                self.assertTrue(merkle.verify_consistency(m, first, n, root, path))
                self.assertFalse(merkle.verify_consistency(m, first, n, root, [*path, root]))


class Codec(unittest.TestCase):
    def test_every_table_of_the_chapters_is_a_type(self):
        for path in CHAPTERS.glob("[01]*.md"):
            for name in re.findall(r"^## `(\w+)`$", path.read_text(), re.M):
                self.assertIn(name, types(), path.name)

    def test_a_decoder_takes_one_encoding(self):
        value = {"kind": "outcome", "body": {"tid": bytes(32), "decision": "committed", "reason": 0, "height": 7}}
        data = encode("Message", value)
        self.assertEqual(decode("Message", data), value)
        for bad in (data + b"\0", data[:-1], b"\0" + data[1:], data[:33] + b"\5" + data[34:]):
            with self.assertRaises(Refused):
                decode("Message", bad)

    def test_codes_of_clauses(self):
        self.assertEqual(code("KEY-03"), 603)
        self.assertEqual(code(None), 0)


class Records(unittest.TestCase):
    def test_commitment_and_referent_are_the_examples_of_chapter_7(self):
        value = mapping.canonical([{"kind": "text", "body": {"text": "final"}}])
        self.assertEqual(value.hex(), "0100000801000566696e616c")
        opening = mapping.opening(b"\7" * 32, 3)
        text = chapter(7)
        self.assertIn(f"`{opening.hex()}`", text)
        self.assertIn(f"`{mapping.commitment(opening, 3, 'status', value).hex()}`", text)
        self.assertIn(f"`{mapping.referent_name({}, {'display': 'Max Jones'})}`", text)

    def test_shipped_policies_have_the_digests_of_chapter_7(self):
        shipped = registry.Registry.shipped("network")
        shipped.check_from(1)
        templates, contracts = {t["id"]: t for t in shipped.templates}, {c["id"]: c for c in shipped.contracts}
        rows = re.findall(r"\| (template|contract|policy set of) ([\w-]+)(?:/1)? \| `(\w{64})` \|", chapter(7))
        self.assertEqual(len(rows), 2 * len(templates) + len(contracts))
        for kind, name, expected in rows:
            if kind == "template":
                found = registry.template_digest(templates[name])
            elif kind == "contract":
                found = registry.contract_digest(contracts[name])
            else:
                found = registry.policy_digest(templates[name], shipped.contracts_at(1, name))
            self.assertEqual(found.hex(), expected, name)

    def test_json_is_refused_by_the_first_clause(self):
        cases = {
            b"[": "REC-02", b"[1,]": "REC-02", b"01": "REC-02", b"\xff": "REC-01", b"\xef\xbb\xbf1": "REC-02",
            b'{"a":1,"\\u0061":2}': "REC-03", b'["\\ud800"]': "REC-02", b"[" * 65 + b"]" * 65: "REC-04",
            b"[" * 65: "REC-02", b"[" + b"0," * 1048576 + b"0]": "REC-05", b"[]": "REC-06",
            b'{"resourceType":"Group"}': "REC-06",
        }  # fmt: skip
        for data, clause in cases.items():
            with self.assertRaises(Refused) as refusal:
                json_text.read_record(data)
            self.assertEqual(refusal.exception.clause, clause, data[:20])

    def test_decimals_and_moments_compare_exactly(self):
        for a, b, sign in (("1e999999999", "2", 1), ("-1.50", "-1.5", 0), ("0.1", "0.09", 1), ("-1", "-0.5", -1)):
            self.assertEqual((lambda c: (c > 0) - (c < 0))(values.compare_decimals(a, b)), sign)
        leap = values.parse_moment("2016-12-31T23:59:60Z")
        self.assertEqual(leap.start, values.parse_moment("2017-01-01T00:00:00Z").start)
        self.assertIsNone(values.parse_date("2023-02-29"))
        self.assertFalse(values.is_wholly_after(values.parse_date("2020-01-02"), values.parse_moment("2020-01-02T00:00:00Z")))


RECORD = b'{"resourceType":"Patient","id":"example","gender":"female","birthDate":"1970-02-28"}'


class Actors(unittest.TestCase):
    def refusals(self, town):
        return [line for line in town.log if line[3] is not None]

    def test_a_record_is_committed_and_read_back(self):
        users = {"ada": "doctor", "ben": "doctor", "root": "administrator"}
        for validators in (["v1"], ["v1", "v2", "v3", "v4"]):
            town = Town(group("tiny"), users, validators)
            town.do("ada", "submit", record=RECORD, readers=["ben"])
            town.quiet()
            server = town.nodes["bsd"]
            self.assertEqual([entry["terminal"] for entry in server.entries], ["committed"])
            self.assertEqual(town.nodes["ada"].submissions, {})
            (tid,) = town.nodes["ada"].record_keys
            for reader in ("ada", "ben"):
                town.do(reader, "read", tid=tid)
                self.assertEqual(town.nodes[reader].requests, {})
                self.assertEqual(town.nodes[reader].world.client.remembered["size"], 1)
            town.quiet()
            self.assertEqual({clause for *_, clause in self.refusals(town)} - {"ACK-01", "LED-07", "LED-12", "STA-01"}, set())
            self.audit(town)

    def test_a_record_is_shared_revoked_and_erased(self):
        users = {"ada": "doctor", "ben": "doctor", "root": "administrator"}
        town = Town(group("tiny"), users, ["v1"])
        town.do("ada", "submit", record=RECORD, readers=[])
        town.quiet()
        (tid,) = town.nodes["ada"].record_keys

        def last(name, event, **value):
            """The clause with which the cloud answered, None for committed."""
            town.now += 1
            seen = len(town.log)
            town.do(name, event, tid=tid, **value)
            self.assertEqual(town.nodes[name].requests, {})
            town.quiet()
            return next((c for actor, *_, c in town.log[seen:] if actor == "cloud" and c), None)

        self.assertEqual(last("ben", "read"), "CLD-09")
        self.assertEqual(last("root", "read"), "ROL-02")
        self.assertIsNone(last("ada", "grant", reader="ben"))
        self.assertIsNone(last("ben", "read"))
        self.assertEqual(last("ada", "revoke", reader="ada"), "CLD-11")
        self.assertIsNone(last("ada", "revoke", reader="ben"))
        self.assertEqual(last("ben", "read"), "CLD-09")
        owner, root = town.nodes["ada"], town.nodes["root"]
        body = {"version": 1, "suite": town.group.number, "tid": tid, "cloud": "cloud", "issued": town.now}
        alone = [owner.approve(body)]
        self.assertEqual(last("ada", "erase", body=body, approvals=alone), "CLD-13")
        self.assertIsNone(last("ada", "erase", body=body, approvals=[*alone, root.approve(body)]))
        self.assertEqual(last("ada", "read"), "CLD-12")
        self.audit(town)

    def audit(self, town):
        """Everything public agrees, and no longer when an entry says another thing."""
        server, store = town.nodes["bsd"], town.nodes["cloud"]
        heard = [decode("Gossip", data) for data in town.public]
        cloud_heads = [g["body"] for g in heard if g["kind"] == "cloud_head"]
        audit_heads = [g["body"] for g in heard if g["kind"] == "audit_head"]
        blocks = [held.block for held in server.world.ledger.in_force()]

        def replay(entries):
            ledger = Ledger(town.genesis, town.validators)
            auditor = audit.Replay(ledger, town.cloud_keeper, town.audit_keeper)
            auditor.run(blocks, store.leaves, cloud_heads, entries, audit_heads, town.now)

        replay(server.entries)
        with self.assertRaises(Refused) as refusal:
            replay([{**server.entries[0], "terminal": "rejected"}])
        self.assertEqual(refusal.exception.clause, "AUD-06")


def _spoiled(value):
    """The value with its first changeable part changed, or None."""
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1") if value else None
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    for key in range(len(value)) if isinstance(value, list) else list(value or ()):
        changed = _spoiled(value[key])
        if changed is not None:
            out = value.copy()
            out[key] = changed
            return out
    return None


class Files(unittest.TestCase):
    """Whoever says of every file that it agrees would say it of a wrong one."""

    def test_a_test_with_another_expectation_disagrees(self):
        for path in files.paths(VECTORS) if VECTORS.is_dir() else []:
            value = files.read(path)
            for test in value["tests"][:2] + value["tests"][-2:]:
                found = answer(value["kind"], value["suite"], test["input"])
                self.assertIsNone(files.difference(test, found), f"{path.name} {test['tcId']}")
                spoiled = {**test, "clause": "STA-01", "result": "invalid", "output": None}
                self.assertIsNotNone(files.difference(spoiled, found))
                output = _spoiled(test["output"])
                if output is not None:
                    self.assertIsNotNone(files.difference({**test, "output": output}, found))

    def test_lines_that_ask_nothing_are_malformed(self):
        for line in ("", "[]", "{}", "[" * 100_000, '{"tcId":1,"kind":"hash","suite":"every","input":{"tag":1}}'):
            self.assertEqual(lines.respond(line)["result"], "malformed")
        self.assertEqual(lines.respond('{"tcId":7,"kind":"x","suite":"every","input":{}}')["result"], "unsupported")


if __name__ == "__main__":
    unittest.main()
