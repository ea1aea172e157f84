"""What all actors share: neighbours, what is said and heard, the ledger, policy and revocation list (chapters 5, 10, 13)."""

from .. import handshake
from ..certificates import PLACE
from ..presentation import decode, encode
from ..refusal import Refused, require
from .checks import STAGE

RETRY, MOST_WAITING, SESSIONS = 2000, 1024, 4096
PAUSE, MOST_BLOCKS = 2000, 64
TOWARDS = {
    "t_initial": "bsd", "outcome": "user", "t_block": "validator", "vote": "bsd", "t_valid": "cloud", "receipt": "bsd",
    "read_request": "cloud", "grant": "cloud", "revoke": "cloud", "erase": "cloud", "read_response": "user",
    "answer": "user",
}  # fmt: skip


class _Begun:
    """A handshake that this actor began with one address, and what waits for it."""

    def __init__(self, purpose, now):
        self.purpose, self.first, self.pause, self.machine, self.waiting = purpose, now, RETRY, None, []
        self.next = now

    def due(self):
        return min(self.next, self.first + handshake.LIFETIME)


class _Open:
    """A session and whether something came back in it since this actor last spoke."""

    def __init__(self, session, address):
        self.session, self.address, self.heard = session, address, False


class Node:
    """An actor without its own part. `world` is a `checks.World`, which the subclass's own checks extend."""

    hears = ()

    def __init__(self, world, identity, agreement):
        self.world, self.identity, self.agreement = world, identity, agreement
        self.name, self.place = identity.body["subject"], PLACE[identity.body["role"]]
        self.responder = handshake.Responder(world.trust, identity)
        self.begun, self.answered, self.sessions, self.newest = {}, {}, {}, {}
        self.asked, self.sends, self.now, self.drawn = {}, [], 0, None

    # --- one event

    def step(self, event, value, now, drawn):
        """(verdict, clause, sends, wakes) of one event."""
        self.now, self.drawn, self.sends = now, drawn, []
        verdict, clause = "accept", None
        try:
            getattr(self, "on_" + event)(value)
        except Refused as refused:
            verdict, clause = "ignore" if refused.ignored else "refuse", refused.clause
        self.forget()
        return verdict, clause, self.sends, self.wakes()

    def wakes(self):
        return min([begun.due() for begun in self.begun.values()] + self.timers(), default=None)

    def timers(self):
        """Instants at which the actor's own machines go on."""
        return []

    def on_wake(self, _):
        for address, begun in sorted(self.begun.items(), key=lambda item: item[0].encode()):
            if self.now >= begun.first + handshake.LIFETIME:
                del self.begun[address]
            elif self.now >= begun.next:
                self._hello(address, begun)
        self.on_time()

    def on_time(self):
        """Does what is due of the actor's own machines."""

    def forget(self):
        """Half-open handshakes that have timed out make room."""
        alive = {a: w for a, w in self.answered.items() if self.now < w.begun + handshake.LIFETIME}
        self.answered = alive

    # --- saying

    def packet(self, address, data, message=None):
        self.sends.append({"packet": {"to": address, "bytes": data, "message": message}})

    def publish(self, kind, body):
        self.sends.append({"publish": {"bytes": encode("Gossip", {"kind": kind, "body": body})}})

    def tell(self, address, kind, body):
        self.sends.append({"tell": {"to": address, "bytes": encode("Gossip", {"kind": kind, "body": body})}})

    def say(self, peer, kind, body, again=False, on_key=None):
        """In the newest session with the peer, or after a handshake. `on_key` gets the key of the record."""
        message, stage = encode("Message", {"kind": kind, "body": body}), STAGE[kind]
        known = self.newest.get(peer)
        if known and known.session.last[known.session.side] < handshake.MOST_RECORDS and (known.heard or not again):
            return self._send(known, stage, message, on_key)
        if peer not in self.begun:
            if PLACE[self.identity.body["role"]] != handshake.PLACES[stage][0]:
                return None
            self.begun[peer] = _Begun(stage, self.now)
            self._hello(peer, self.begun[peer])
        waiting = self.begun[peer].waiting
        if len(waiting) < MOST_WAITING and all(message != each[1] for each in waiting):
            waiting.append((stage, message, on_key))
        return None

    def _send(self, known, stage, message, on_key):
        data = known.session.send(stage, message)
        known.heard = False
        if on_key:
            on_key(known.session.used)
        self.packet(known.address, data, message)

    def _hello(self, address, begun):
        nonce = self.drawn.take(32)
        ephemeral = self.drawn.scalar(self.world.group)
        begun.machine = handshake.Initiator(
            self.world.trust, self.identity, begun.purpose, address, nonce, ephemeral, self.now
        )
        begun.next, begun.pause = self.now + begun.pause, begun.pause * 2
        self.packet(address, begun.machine.packet())

    # --- hearing a packet

    def on_packet(self, value):
        address, data = value
        kind = decode("Packet", data)["kind"]
        getattr(self, "_on_" + kind)(address, data)

    def _on_hello(self, address, data):
        group = self.world.group
        packet, waits = self.responder.on_packet(
            data, lambda: self.drawn.take(32), lambda: self.drawn.scalar(group), self.now
        )
        self.answered[address] = waits
        self.packet(address, packet)

    def _on_response(self, address, data):
        require("STA-01", address in self.begun)
        begun = self.begun[address]
        packet, session = begun.machine.on_packet(data, self.now)
        del self.begun[address]
        self.packet(address, packet)
        known = self._established(session, address)
        for stage, message, on_key in begun.waiting:
            self._send(known, stage, message, on_key)

    def _on_finish(self, address, data):
        require("STA-01", address in self.answered)
        session = self.answered[address].on_packet(data, self.now)
        del self.answered[address]
        self._established(session, address)

    def _established(self, session, address):
        known = _Open(session, address)
        self.sessions[session.id] = self.newest[session.peer["subject"]] = known
        return known

    def _on_record(self, address, data):
        header = decode("Packet", data)["body"]["record"]["header"]
        require("SES-01", header["session"] in self.sessions)
        known = self.sessions[header["session"]]
        self.world.trust.check_in_time(known.session.peer, self.now)
        plain = known.session.on_packet(data)
        known.heard = True
        message = decode("Message", plain)
        require("ENC-02", STAGE[message["kind"]] == header["stage"])
        self.check_sender(message["kind"], known.session.peer)
        require("ENC-02", TOWARDS[message["kind"]] == self.place)
        getattr(self, "take_" + message["kind"])(message["body"], known.session.peer, known.session.used)

    def check_sender(self, kind, peer):
        """ROL-04 at the cloud, where a kind can come from two places."""

    # --- hearing what is public

    def on_gossip(self, value):
        address, data = value
        gossip = decode("Gossip", data)
        kind, body = gossip["kind"], gossip["body"]
        if kind == "block":
            self.hear_block(address, body)
        elif kind == "policy_change":
            height = self.world.ledger.tip.number
            self.world.registry.take(body, height, self.now, self.world.trust, self.world.published)
        elif kind == "revocation_list":
            self.world.trust.take_list(body)
        elif kind in self.hears:
            getattr(self, "hear_" + kind)(address, body)

    def hear_block(self, address, block):
        try:
            self.world.ledger.take(block, self.now)
        except Refused as refused:
            if refused.clause == "LED-01":
                self.ask(address)
            raise
        self.in_force()

    def in_force(self):
        """A block came into force."""

    def ask(self, address):
        height = self.world.ledger.final + 1
        asked, at = self.asked.get(address, (None, 0))
        if asked != height or self.now >= at + PAUSE:
            self.asked[address] = (height, self.now)
            self.tell(address, "blocks_from", height)

    def hear_blocks_from(self, address, height):
        for held in self.world.ledger.in_force()[max(height, 1) - 1 :][:MOST_BLOCKS]:
            self.tell(address, "block", held.block)

