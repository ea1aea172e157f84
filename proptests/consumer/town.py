"""A whole network of these actors in one process, in virtual time: for the tests of the consumer itself."""

import hashlib

from . import audit, cloud
from .actors import bsd, checks, user, validator
from .actors import cloud as cloud_actor
from .certificates import Kdc, TrustStore
from .form import Given
from .handshake import Identity
from .ledger import Ledger
from .presentation import encode
from .registry import Registry
from .schnorr import sign
from .votes import ValidatorSet


class Stream:
    """Bytes that look drawn, from a seed; `taken` are those since `again`."""

    def __init__(self, seed):
        self.seed, self.count, self.taken = seed.encode(), 0, b""

    def take(self, n):
        self.count += 1
        out = hashlib.shake_256(self.seed + self.count.to_bytes(8, "big")).digest(n)
        self.taken += out
        return out

    def again(self):
        self.taken = b""

    def scalar(self, group):
        return group.draw(self.take)


class Town:
    def __init__(self, group, users, validators, seed="town", start=1_798_761_600_000):
        self.group, self.now, self.stream, self.network = group, start, Stream(seed), "net"
        self.start = start
        roles = {**users, **dict.fromkeys(validators, "validator")}
        roles |= {"bsd": "bsd", "cloud": "cloud", "keeper": "custodian"}
        self.kdc = kdc = Kdc("kdc", group, self.stream.scalar(group), roles, 10**12, 10**12)
        self.identities, self.published = {}, {}
        for name, role in roles.items():
            self._enrol(kdc, name, role)
        self.list, self.key = kdc.issue_list(start), group.public(kdc.secret)
        keys = {name: c["body"]["signing_key"] for name, c in self.published.items()}
        self.validators = ValidatorSet(group, self.network, {name: keys[name] for name in validators})
        self.genesis = {
            "version": 1, "network": self.network, "validators": self.validators.digest, "start": start,
            "rule": {"kind": "quorum", "body": {}},
        }  # fmt: skip
        self.cloud_keeper = cloud.Keeper(group, self.network, "cloud", keys["cloud"])
        self.audit_keeper = audit.Keeper(group, self.network, "bsd", keys["bsd"])
        self.nodes, self.log, self.public = {}, [], []
        for name in users:
            shared = checks.User(**self._world(), name=name, client=cloud.Client(self.cloud_keeper),
                                 agreement=self.identities[name][1])  # fmt: skip
            self.nodes[name] = user.User(shared, *self.identities[name], "bsd", "cloud")
        for name in validators:
            self.nodes[name] = validator.Validator(checks.Validator(**self._world(), name=name), *self.identities[name])
        self.stream.again()
        self.nodes["bsd"] = bsd.Bsd(
            checks.Bsd(**self._world(), name="bsd"), *self.identities["bsd"], "cloud", "keeper", self.stream
        )
        self.drawn = {"bsd": self.stream.taken}
        self.nodes["cloud"] = cloud_actor.Cloud(checks.Cloud(**self._world(), name="cloud"), *self.identities["cloud"])
        self.alarms = dict.fromkeys(self.nodes)

    def _enrol(self, kdc, name, role):
        signing, agreement = self.stream.scalar(self.group), self.stream.scalar(self.group)
        body = {
            "version": 1, "suite": self.group.number, "subject": name, "role": role,
            "signing_key": self.group.public(signing), "agreement_key": self.group.public(agreement),
        }  # fmt: skip
        message = encode("EnrolmentBody", body)
        proofs = {
            f"{use}_proof": sign(self.group, key, f"possession of {use} key", message)
            for use, key in (("signing", signing), ("agreement", agreement))
        }
        self.published[name] = kdc.enrol({"body": body, **proofs}, self.now)
        self.identities[name] = (Identity(self.published[name], signing), agreement)

    def _world(self):
        trust = TrustStore("kdc", self.group, self.key)
        trust.take_list(self.list)
        return {
            "group": self.group, "network": self.network, "trust": trust, "registry": Registry.shipped(self.network),
            "validators": self.validators, "ledger": Ledger(self.genesis, self.validators),
            "published": self.published, "cloud_keeper": self.cloud_keeper, "audit_keeper": self.audit_keeper,
        }  # fmt: skip

    def do(self, name, event, **value):
        """A command or message at one actor; what it sends arrives at once, and so on until all is quiet."""
        queue = [(name, event, Given(value))]
        while queue:
            actor, event, value = queue.pop(0)
            verdict, clause, sends, wakes = self.nodes[actor].step(event, value, self.now, self.stream)
            self.log.append((actor, event, verdict, clause))
            self.alarms[actor] = wakes
            for send in sends:
                ((how, what),) = send.items()
                if how == "packet":
                    queue.append((what["to"], "packet", (actor, what["bytes"])))
                elif how == "tell":
                    queue.append((what["to"], "gossip", (actor, what["bytes"])))
                else:
                    self.public.append(what["bytes"])
                    queue += [(other, "gossip", (actor, what["bytes"])) for other in self.nodes if other != actor]

    def quiet(self, until=100_000):
        """Time passes until nobody wants to be woken, or so many milliseconds are over."""
        end = self.now + until
        while True:
            due = [(at, name) for name, at in self.alarms.items() if at is not None and at <= end]
            if not due:
                return
            at, name = min(due)
            self.now = max(self.now, at)
            self.do(name, "wake")
