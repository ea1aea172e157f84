"""Random lives of whole networks, shown to another implementation as runs (chapter 20, "Runs").

Users submit, read, share and erase; packets and gossip are lost, repeated, reordered and flipped; administrators change
policy and the KDC revokes. What every actor did here, the other implementation has to do as well, byte for byte.
"""

import copy
import json
import random
import subprocess

from .answers import answer, plain
from .form import Given
from .groups import group
from .presentation import decode, encode
from .refusal import Refused
from .schnorr import sign
from .town import Town

USERS = {"ada": "doctor", "ben": "doctor", "mia": "assistant", "rod": "administrator", "rue": "administrator"}
RECORDS = [
    b'{"resourceType":"Patient","id":"example","gender":"female","birthDate":"1970-02-28"}',
    b'{"resourceType":"Patient","id":"example","gender":"female","birthDate":"1970-02-28"}',
    b'{"resourceType":"Patient","id":"other"}',
    b'{"resourceType":"Patient","id":"wrong","gender":"nonsense"}',
    b'{"resourceType":"Patient","id":"early","birthDate":"2970-02-28"}',
    b'{"resourceType":"Group"}',
    b"{",
]  # fmt: skip


class Life(Town):
    """One life by one seed. `steps` and `outcomes` are those of the runs of its actors."""

    def __init__(self, seed):
        self.random, self.steps, self.outcomes, self.queue = random.Random(seed), {}, {}, []
        # Audits have tests in one suite alone, and lives of it take longer.
        self.suite = "ristretto255" if seed % 8 == 7 else "tiny"
        validators = [f"v{n}" for n in range(self.random.choice([1, 1, 2, 3, 4]))]
        super().__init__(group(self.suite), USERS, validators, str(seed))
        self.loss, self.repeat = self.random.choice([0, 0, 0.02, 0.1, 0.3]), self.random.choice([0, 0.05, 0.2])
        self.flip, self.reorder = self.random.choice([0, 0, 0.03]), self.random.choice([0, 0.3, 1])
        self.changes, self.first_list = 0, encode("RevocationList", self.list)

    # --- one event at one actor

    def _event(self, name, event, value, shown):
        self.stream.again()
        verdict, clause, sends, wakes = self.nodes[name].step(event, value, self.now, self.stream)
        self.alarms[name] = wakes
        drawn = self.stream.taken.hex()
        step = {"comment": "", "drawn": drawn, "event": {event: shown}, "fields": [], "now": self.now}
        self.steps.setdefault(name, []).append(step)
        outcome = {"verdict": verdict, "clause": clause, "sends": sends, "wakes": wakes}
        self.outcomes.setdefault(name, []).append(plain(outcome))
        for send in sends:
            ((how, what),) = send.items()
            to = [what["to"]] if how != "publish" else [other for other in self.nodes if other != name]
            kind = "packet" if how == "packet" else "gossip"
            if how == "publish":
                self.public.append(what["bytes"])
            self.queue += [(each, kind, name, what["bytes"], what.get("message") is not None) for each in to]

    def _command(self, name, event, **members):
        self._event(name, event, Given(members), plain({n: _encoded(n, m) for n, m in members.items()}))

    def _arrive(self, to, kind, sender, data, is_record):
        if self.random.random() < self.flip:
            data = bytearray(data)
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            data = bytes(data)
        shown = {"bytes": data.hex(), "from": sender}
        if kind == "packet":
            message = self._opened(to, data) if is_record else None
            shown["message"] = message.hex() if message is not None else None
        self._event(to, kind, (sender, data), shown)

    def _opened(self, name, data):
        """What the record holds, if its receiver opens it."""
        node = self.nodes[name]
        try:
            header = decode("Packet", data)["body"]["record"]["header"]
            session = copy.deepcopy(node.sessions[header["session"]].session)
            node.world.trust.check_in_time(session.peer, self.now)
            return session.on_packet(data)
        except (Refused, KeyError):
            return None

    # --- time and chance

    def _advance(self, to):
        while due := [(at, name) for name, at in self.alarms.items() if at is not None and at <= to]:
            at, name = min(due)
            self.now = max(self.now, at)
            self._event(name, "wake", None, {})
        self.now = max(self.now, to)

    def _deliver(self, most=400):
        for _ in range(most):
            if not self.queue:
                return
            place = self.random.randrange(len(self.queue)) if self.random.random() < self.reorder else 0
            parcel = self.queue.pop(place)
            if self.random.random() < self.loss:
                continue
            if self.random.random() < self.repeat:
                self.queue.insert(self.random.randrange(len(self.queue) + 1), parcel)
            self._advance(self.now + self.random.choice([0, 0, 0, 1, 3]))
            self._arrive(*parcel)

    def live(self, steps=150):
        for _ in range(steps):
            self._act()
            if self.random.random() < 0.8:
                self._deliver()
        self._deliver()
        if self.random.random() < 0.5:
            self._command("bsd", "close")
            self._deliver()
        return self

    def _act(self):
        acts = [self._submit] * 4 + [self._read] * 3 + [self._share] * 3 + [self._erase, self._change, self._revoke]
        waits = [at for at in self.alarms.values() if at is not None]
        if self.random.random() < 0.55:
            self._advance(min(waits) if waits else self.now + self.random.choice([1, 1000, 100_000]))
        else:
            self.random.choice(acts)()

    def _submit(self):
        user = self.random.choice(["ada", "ada", "ben", "mia", "rod"])
        record = self.random.choice(RECORDS) + b" " * self.random.randrange(12)
        readers = [name for name in ("ben", "mia", "rod") if name != user and self.random.random() < 0.3]
        self._command(user, "submit", record=record, readers=readers)

    def _tid(self):
        return self.random.choice([t for name in USERS for t in self.nodes[name].record_keys] or [None])

    def _read(self):
        if tid := self._tid():
            self._command(self.random.choice(list(USERS)), "read", tid=tid)

    def _share(self):
        tid, user = self._tid(), self.random.choice(["ada", "ada", "ben"])
        if tid in self.nodes[user].record_keys:
            reader = self.random.choice(["ada", "ben", "mia", "mia", "rod"])
            self._command(user, self.random.choice(["grant", "revoke"]), tid=tid, reader=reader)

    def _erase(self):
        if tid := self._tid():
            body = {"version": 1, "suite": self.group.number, "tid": tid, "cloud": "cloud", "issued": self.now}
            pairs = [["ada", "rod"], ["rod", "rue"], ["ada", "ben"], ["rod"], ["rod", "rod"], ["rue", "ada"]]
            who = self.random.choice(pairs)
            approvals = [self.nodes[name].approve(body) for name in who]
            self._command(self.random.choice([*who, "ben"]), "erase", body=body, approvals=approvals)

    def _signed(self, name, tag, message):
        return sign(self.group, self.identities[name][0].signing, tag, message)

    def _say(self, sender, kind, body):
        data = encode("Gossip", {"kind": kind, "body": body})
        self.queue += [(name, "gossip", sender, data, False) for name in self.nodes]

    def _change(self):
        """The next version of a shipped contract; now and then one that does not fit."""
        registry = self.nodes["ada"].world.registry
        contract = dict(self.random.choice([c for c in registry.contracts if c["id"] == "admission"]))
        self.changes += self.random.random() < 0.9
        contract["version"] = self.changes + 1
        contract["effective"] = self.nodes["bsd"].world.ledger.tip.number + self.random.choice([0, 1, 2, 9])
        change = {"protocol": 1, "network": self.network, "templates": [], "contracts": [contract]}
        message = encode("PolicyChange", change)
        names = self.random.choice([["rod", "rue"]] * 6 + [["rod"], ["rod", "rod"], ["rue", "ada"]])
        approvals = [
            {"administrator": name, "signature": self._signed(name, "policy change", message)} for name in names
        ]
        self._say("rod", "policy_change", {"change": change, "approvals": approvals})

    def _revoke(self):
        """A new list; now and then one that takes a certificate back."""
        if self.random.random() < 0.1:
            name = self.random.choice(list(self.nodes))
            self.kdc.revoked.add(self.published[name]["body"]["serial"])
        self._say("kdc", "revocation_list", self.kdc.issue_list(self.now))

    # --- as runs

    def runs(self):
        """(name, input, outcomes) for each actor that did something."""
        shared = {
            "bsd": "bsd", "cloud": "cloud", "custodian": "keeper", "now": self.start,
            "certificates": [encode("Certificate", c) for c in self.published.values()],
            "genesis": encode("Genesis", self.genesis), "validators": list(self.validators.members),
            "trust": {"issuer": "kdc", "key": self.key, "list": self.first_list},
        }  # fmt: skip
        for name, steps in self.steps.items():
            identity, agreement = self.identities[name]
            own = {
                "agreement": self.group.encode_scalar(agreement), "signing": self.group.encode_scalar(identity.signing),
                "certificate": encode("Certificate", identity.certificate),
            }  # fmt: skip
            begin = {**shared, "own": own, "drawn": self.drawn.get(name, b"")}
            yield name, plain({"begin": begin, "steps": steps}), self.outcomes[name]


    def audit(self):
        """The input of a test of kind `audit`: what is public in the end, now and then with something missing."""
        heard = [decode("Gossip", data) for data in self.public]
        keys = {name: self.published[name]["body"]["signing_key"] for name in ("bsd", "cloud")}
        members = [{"name": name, "key": key} for name, key in self.validators.members.items()]
        shown = {
            "blocks": [encode("Block", held.block) for held in self.nodes["bsd"].world.ledger.in_force()],
            "leaves": [encode("CloudLeaf", leaf) for leaf in self.nodes["cloud"].leaves],
            "cloud_heads": [encode("SignedCloudHead", g["body"]) for g in heard if g["kind"] == "cloud_head"],
            "entries": [encode("AuditEntry", entry) for entry in self.nodes["bsd"].entries],
            "audit_heads": [encode("SignedAuditHead", g["body"]) for g in heard if g["kind"] == "audit_head"],
        }  # fmt: skip
        for items in shown.values():
            if items and self.random.random() < 0.15:
                place = self.random.randrange(len(items))
                items[place : place + 2] = self.random.choice([items[place + 1 : place + 2], items[place : place + 2][::-1]])
        return plain({
            **shown, "now": self.now, "genesis": encode("Genesis", self.genesis), "cloud": "cloud", "bsd": "bsd",
            "cloud_key": keys["cloud"], "bsd_key": keys["bsd"],
            "validators": {"network": self.network, "members": members},
        })  # fmt: skip


def _encoded(name, member):
    if name == "body":
        return encode("EraseBody", member)
    return [encode("EraseApproval", each) for each in member] if name == "approvals" else member


class Program:
    """Another implementation that answers lines."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, kind, suite, value):
        """The answer, or an OSError or ValueError when there is none."""
        question = {"kind": kind, "suite": suite, "tcId": 1, "input": value}
        self.process.stdin.write(json.dumps(question, separators=(",", ":")).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Ourselves:
    """This implementation, asked afresh: a life is then the same when it is run again."""

    def ask(self, kind, suite, value):
        return answer(kind, suite, value)


def compare(seed, program, steps=150):
    """The differences of one life: (actor, step, expected, found)."""
    life, differences, count = Life(seed).live(steps), [], 0
    for name, value, outcomes in life.runs():
        found = program.ask("run", life.suite, value)
        count += len(outcomes)
        if found["result"] != "valid":
            differences.append((name, None, "valid", found["problem"] or found["clause"]))
            continue
        pairs = enumerate(zip(outcomes, found["output"]["steps"]))
        place = next((place for place, (ours, theirs) in pairs if ours != theirs), None)
        if place is not None:
            theirs = found["output"]["steps"][place]
            differences.append((name, place, outcomes[place], {**theirs, "event": value["steps"][place]["event"]}))
    if life.suite != "tiny":
        differences += _compare_audits(life.audit(), program)
    return count, differences


def _compare_audits(value, program):
    ours, theirs = (each.ask("audit", "ristretto255", value) for each in (Ourselves(), program))
    if any(ours[member] != theirs[member] for member in ("result", "clause", "output")):
        return [("auditor", None, ours, theirs)]
    return []
