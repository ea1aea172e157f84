//! What an adversary says who has the keys of an actor.
//!
//! How such a message is made is a [`Forger`]'s business. The system under test has it said, in a session of the actor's, and knows from
//! then on what the model calls it and the values in it.

use crate::forge::Certificates;
use crate::simulator::{ProvisionedKeys, START};
use crate::sut::{Bytes, Envelope, HEARD, SystemUnderTest};
use bemr::actors::Input;
use bemr::keys::Kdc;
use bemr::store::{Table, for_each};
use bemr::wire::{self, CloudLeaf, Name, RevocationList, decode, encode};
use bemr_model::{Actor, Enrolment, Flaws, Gossip, Happened, Message, Output, Packet};
use bemr_spec::{Event, Refusal, Rules};
use std::rc::Rc;

/// Makes the real message of a term, with its flaws.
pub trait Forger {
    /// What `by` says to `to`; nothing when it cannot be made.
    fn message(
        &mut self,
        sut: &SystemUnderTest,
        by: Actor,
        to: Actor,
        term: &Message,
    ) -> Option<wire::Message>;

    /// A packet of a handshake; nothing when it cannot be made.
    fn packet(&mut self, sut: &SystemUnderTest, term: &Packet, flaws: Flaws) -> Option<wire::Packet>;

    /// A request to the KDC; nothing when it cannot be made.
    fn enrolment(&mut self, _rig: &SystemUnderTest, _term: &Enrolment) -> Option<wire::EnrolmentRequest> {
        None
    }

    /// What seems to come from `by`; nothing when it cannot be made.
    fn gossip(&mut self, sut: &SystemUnderTest, by: Actor, to: Actor, term: &Gossip) -> Option<wire::Gossip>;
}

/// Certificates that do not hold, the list that revokes some of them, and the KDC after it made them.
#[derive(Clone)]
pub struct OddCertificates {
    odd: Certificates,
    list: RevocationList,
    kdc: Kdc,
}

impl OddCertificates {
    /// Those of the principals of a network that has just been founded.
    ///
    /// # Errors
    /// Those of [`Certificates::make`].
    pub fn of(foundation: &ProvisionedKeys) -> Result<OddCertificates, Refusal> {
        let mut kdc = foundation.kdc.clone();
        let everybody = foundation.credentials.values();
        let (odd, list) = Certificates::make(&Rules::hardened(), &mut kdc, START, everybody)?;
        Ok(OddCertificates { odd, list, kdc })
    }
}

impl SystemUnderTest {
    /// From now on this one makes what the actions `say` and `tell` ask for. Without one they cannot happen.
    pub fn forge_with(&mut self, forger: impl Forger + 'static) {
        self.forger = Some(Box::new(forger));
    }

    /// Certificates that do not hold; everybody hears of the one that is revoked.
    ///
    /// # Errors
    /// Those of [`Certificates::make`].
    pub fn odd_certificates(&mut self) -> Result<Certificates, Refusal> {
        let odd = OddCertificates::of(&self.foundation)?;
        self.hand_out(odd)
    }

    /// As [`SystemUnderTest::odd_certificates`], with those that were made of the same foundation.
    ///
    /// # Errors
    /// Those of who hears of the list.
    pub fn hand_out(&mut self, odd: OddCertificates) -> Result<Certificates, Refusal> {
        let hardened = Rules::hardened();
        let OddCertificates { odd, list, kdc } = odd;
        let foundation = &mut self.foundation;
        foundation.kdc = kdc;
        self.tables.first_list = list.body.list.0;
        foundation.trust.update(&hardened, list.clone())?;
        for node in &mut self.nodes {
            node.context().on_revocation_list(list.clone())?;
        }
        Ok(odd)
    }

    /// The keys of everybody, and what is public.
    pub const fn foundation(&self) -> &ProvisionedKeys {
        &self.foundation
    }

    /// The rules of everybody.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The leaves of the cloud's log.
    pub fn leaves(&self) -> Vec<CloudLeaf> {
        let mut leaves = Vec::new();
        let push = |leaf| {
            leaves.push(leaf);
            Ok(())
        };
        let read = self.archives[1].read(|store| for_each(store, &self.rules, Table::Leaves, push));
        read.map_or_else(|_| Vec::new(), |()| leaves)
    }

    /// What `by` said lately that the model calls `term`.
    pub fn said(&self, by: Actor, term: &Message) -> Option<&wire::Message> {
        let said = self.heard.iter().rev().find(|(who, said, _)| *who == by && said == term);
        said.map(|(.., real)| real)
    }

    /// What was told lately that the model calls `term`.
    pub fn told(&self, term: &Gossip) -> Option<&wire::Gossip> {
        self.told.iter().rev().find(|(told, _)| told == term).map(|(_, real)| &**real)
    }

    /// What anybody said lately of whose term `is` says so.
    pub fn said_of(&self, is: impl Fn(&Message) -> bool) -> Option<&wire::Message> {
        self.heard.iter().rev().find(|(_, said, _)| is(said)).map(|(.., real)| real)
    }

    /// The name of somebody who takes part.
    pub fn name_of(&self, actor: Actor) -> Option<&Name> {
        self.names.get(self.slot(actor)?)
    }

    /// The last packet that was sent of whose term `is` says so.
    pub fn sent_as(&self, is: impl Fn(&Packet) -> bool) -> Option<wire::Packet> {
        let sent = self.envelopes.iter().rev().find(|envelope| envelope.packet.as_ref().is_some_and(&is))?;
        match &sent.bytes {
            Bytes::Packet(bytes) => decode(&Rules::hardened(), bytes).ok(),
            Bytes::Gossip(_) => None,
        }
    }

    pub(super) fn hear(&mut self, by: Actor, term: Message, real: &wire::Message) {
        if self.forger.is_some() {
            self.heard.push_back((by, term, real.clone()));
            if self.heard.len() > HEARD {
                self.heard.pop_front();
            }
        }
    }

    pub(super) fn hear_told(&mut self, term: &Gossip, real: &Rc<wire::Gossip>) {
        if self.forger.is_some() {
            self.told.push_back((term.clone(), Rc::clone(real)));
            if self.told.len() > HEARD {
                self.told.pop_front();
            }
        }
    }

    pub(super) fn forge<T>(
        &mut self,
        make: impl FnOnce(&mut dyn Forger, &SystemUnderTest) -> Option<T>,
    ) -> Option<T> {
        let mut forger = self.forger.take()?;
        let made = make(forger.as_mut(), self);
        self.forger = Some(forger);
        made
    }

    /// `by` says `real`, which the model calls `term`, in a session of its own. Nothing when one of the two does not
    /// take part.
    pub fn send_as(&mut self, by: Actor, to: Actor, real: wire::Message, term: &Message) -> Option<Happened> {
        let slot = self.slot(by)?;
        let peer = self.names[self.slot(to)?].clone();
        self.tables.learn(term, &real);
        self.forged.push((real.clone(), *term));
        let said = self.nodes[slot].context().send(self.now, &peer, real);
        let clause = said.as_ref().err().map(bemr_spec::Refusal::clause);
        let outputs = said.map_or_else(|refusal| self.remember(refusal), |(outputs, _)| outputs);
        let sends = self.send(slot, None, outputs.into_iter());
        Some(self.happened(by, None, Event::Send, clause, sends))
    }

    /// `real`, which the model calls `term`, arrives at `to` from where `by` is. Nothing when one of the two does not take
    /// part.
    pub fn inject(&mut self, by: Actor, to: Actor, real: &wire::Packet, term: Packet) -> Option<Happened> {
        let from = self.names[self.slot(by)?].clone();
        let input = Input::Packet { from, packet: encode(real) };
        Some(self.happen(self.slot(to)?, Some(by), Some(term), input))
    }

    /// Somebody says `real`, which the model calls `term`, to `to` in the name of `by`. Nothing when one of the two does
    /// not take part.
    pub fn publish(&mut self, by: Actor, to: Actor, real: wire::Gossip, term: &Gossip) -> Option<Happened> {
        self.address(by)?;
        self.slot(to)?;
        self.tables.learn_gossip(term, &real);
        self.envelopes.push(Envelope { from: by, to, bytes: Bytes::Gossip(Rc::new(real)), packet: None });
        Some(self.happened(by, None, Event::Publish, None, vec![Output::SendGossip(to, term.clone())]))
    }
}
