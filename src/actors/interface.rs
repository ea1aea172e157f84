//! What goes into an actor and what comes out.

use crate::crypto::Digest;
use crate::wire::{Datagram, Gossip, Name, Time, decode, encode};
use bemr_spec::{Clause, Event, Refusal, Rules, Verdict};

/// What happens to an actor.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
#[derive(Clone, Debug)]
pub enum Input {
    /// A packet arrived that claims to come from `from`.
    Packet {
        /// The claimed sender.
        from: Name,
        /// The encoding of a [`crate::wire::Packet`].
        packet: Vec<u8>,
    },
    /// Somebody published something.
    Gossip {
        /// The claimed sender.
        from: Name,
        /// What was published.
        gossip: Gossip,
    },
    /// The instant came that the actor asked for with [`Actor::wake`].
    Wake,
}

/// What an actor does.
#[derive(Clone, Debug)]
pub enum Output {
    /// Sends a packet to one peer.
    Send {
        /// The peer.
        to: Name,
        /// The name of the message, for people; never its contents.
        label: &'static str,
        /// The encoding of a [`crate::wire::Packet`].
        packet: Vec<u8>,
    },
    /// Sends a public statement to every node.
    Publish(Gossip),
    /// Sends a public statement to one node.
    SendGossip {
        /// The node.
        to: Name,
        /// The statement.
        gossip: Gossip,
    },
}

impl Input {
    /// The input that a datagram from `from` is.
    ///
    /// # Errors
    /// ENC-04, ENC-01.
    pub fn from_datagram(rules: &Rules, from: Name, bytes: &[u8]) -> Result<Input, Refusal> {
        Ok(match decode(rules, bytes)? {
            Datagram::Packet(packet) => Input::Packet { from, packet: packet.into() },
            Datagram::Gossip(gossip) => Input::Gossip { from, gossip },
        })
    }
}

impl Output {
    /// To whom it goes; nothing when it goes to everybody.
    pub fn recipient(&self) -> Option<&Name> {
        match self {
            Output::Send { to, .. } | Output::SendGossip { to, .. } => Some(to),
            Output::Publish(_) => None,
        }
    }

    /// The encoding of the datagram that carries it.
    pub fn into_datagram(self) -> Vec<u8> {
        encode(&match self {
            Output::Send { packet, .. } => Datagram::Packet(packet.into()),
            Output::SendGossip { gossip, .. } | Output::Publish(gossip) => Datagram::Gossip(gossip),
        })
    }
}

/// What an actor made of one input.
#[derive(Clone, Debug)]
pub struct Step {
    /// What happened.
    pub event: Event,
    /// The result: what the actor sends, or the clause that refuses the input. A refusal may come with the
    /// answer that an earlier, equal input got.
    pub outcome: Result<Vec<Output>, Refusal>,
    /// Answers repeated to an ignored input.
    pub repeats: Vec<Output>,
}

impl Step {
    /// The input was taken.
    pub const fn taken(event: Event, outputs: Vec<Output>) -> Step {
        Step { event, outcome: Ok(outputs), repeats: Vec::new() }
    }

    /// The input was refused or ignored.
    pub const fn refused(event: Event, refusal: Refusal) -> Step {
        Step { event, outcome: Err(refusal), repeats: Vec::new() }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.outcome.as_ref().map_or_else(Refusal::verdict, |_| Verdict::Accept)
    }

    /// The clause that refused the input.
    pub fn clause(&self) -> Option<Clause> {
        self.outcome.as_ref().err().map(Refusal::clause)
    }

    /// All that the actor sends.
    pub fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.outcome.iter().flatten().chain(&self.repeats)
    }
}

/// A principal that takes part in the protocol.
pub trait Actor {
    /// Its name, which is its address.
    fn name(&self) -> &Name;

    /// Takes one input.
    fn handle(&mut self, now: Time, input: Input) -> Step;

    /// The next instant at which it wants to be woken.
    fn wake(&self) -> Option<Time>;

    /// Digest of its public state: what an observer could learn of it.
    fn state(&self) -> Digest;
}
