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
        super().__init__(group("tiny"), USERS, [f"v{n}" for n in range(self.random.choice([1, 1, 2, 3, 4]))], str(seed))
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
        """What the record would hold for its receiver."""
        try:
            header = decode("Packet", data)["body"]["record"]["header"]
            return copy.deepcopy(self.nodes[name].sessions[header["session"]].session).on_packet(data)
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
            {"administrator": name, "signature": sign(self.group, self.identities[name][0].signing, "policy change", message)}
            for name in names
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


def _encoded(name, member):
    if name == "body":
        return encode("EraseBody", member)
    return [encode("EraseApproval", each) for each in member] if name == "approvals" else member


class Program:
    """Another implementation that answers lines."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, kind, suite, value):
        question = {"kind": kind, "suite": suite, "tcId": 1, "input": value}
        self.process.stdin.write(json.dumps(question, separators=(",", ":")).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BrokenPipeError("the program ended")
        return json.loads(line)


class Ourselves:
    """This implementation, asked afresh: a life is then the same when it is run again."""

    def ask(self, kind, suite, value):
        return answer(kind, suite, value)


def compare(seed, program, steps=150):
    """The differences of one life: (actor, step, expected, found)."""
    life, differences, count = Life(seed).live(steps), [], 0
    for name, value, outcomes in life.runs():
        found = program.ask("run", "tiny", value)
        count += len(outcomes)
        if found["result"] != "valid":
            differences.append((name, None, "valid", found["problem"] or found["clause"]))
            continue
        pairs = enumerate(zip(outcomes, found["output"]["steps"]))
        place = next((place for place, (ours, theirs) in pairs if ours != theirs), None)
        if place is not None:
            theirs = found["output"]["steps"][place]
            differences.append((name, place, outcomes[place], {**theirs, "event": value["steps"][place]["event"]}))
    return count, differences
