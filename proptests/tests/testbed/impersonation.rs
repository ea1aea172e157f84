//! Principals that a test impersonates, and what they exchange with actors beside the network.

use super::{RULES, Reply, Testbed, name};
use bemr::actors::{Input, NodeContext, Output, Received};
use bemr::crypto::{Domain, Signature, SigningKey, Suite};
use bemr::keys::{Credentials, Identity};
use bemr::wire::{Gossip, Message, Name, RevocationList, Role};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;
use std::sync::Arc;

impl Testbed {
    pub(crate) fn key(&self, who: &Name) -> SigningKey {
        let key = self.network.keys.credentials[who].identity().signing_key();
        SigningKey::from_bytes(&RULES, key.verifying_key().suite(), &key.to_bytes()).expect("a key")
    }

    pub(crate) fn sign(&self, who: &Name, domain: Domain, message: &[u8]) -> Signature {
        self.network.keys.credentials[who].identity().signing_key().sign(&RULES, domain, message)
    }

    /// A context like that of `who`, without sessions.
    pub(crate) fn new_context(&mut self, who: &Name) -> NodeContext {
        let keys = &self.network.keys;
        let (own, trust, directory) = (&keys.credentials[who], &keys.trust, &keys.directory);
        let rng = ChaCha20Rng::from_rng(&mut self.rng);
        let (own, trust, directory) = (own.clone(), trust.clone(), directory.clone());
        NodeContext::new(RULES, own, trust, directory, self.replica.clone(), rng.into())
    }

    /// The context of the impersonated `who`.
    pub(crate) fn context(&mut self, who: &Name) -> &mut NodeContext {
        if !self.contexts.contains_key(who) {
            let context = self.new_context(who);
            self.contexts.insert(who.clone(), context);
        }
        self.contexts.get_mut(who).expect("it was inserted")
    }

    /// The impersonated `who` begins anew: with other keys, or without its sessions.
    pub(crate) fn forget_context(&mut self, who: &Name) {
        self.contexts.remove(who);
    }

    /// The impersonated `who` sends a message to the actor `to`, after a handshake where there is no session.
    #[track_caller]
    pub(crate) fn send(&mut self, who: &Name, to: &Name, message: Message) -> Reply {
        let now = self.now();
        let (outputs, _) = self.context(who).send(now, to, message).expect("it can be sent");
        self.exchange(who, to, outputs)
    }

    /// Carries packets between the impersonated `who` and the actor `to` until neither sends more.
    #[track_caller]
    pub(crate) fn exchange(&mut self, who: &Name, to: &Name, outputs: Vec<Output>) -> Reply {
        let mut packets: VecDeque<Output> = outputs.into();
        let mut answers = Vec::new();
        let mut last = None;
        while let Some(output) = packets.pop_front() {
            let Output::Send { to: receiver, packet, .. } = output else { continue };
            assert_eq!(&receiver, to);
            let reply = self.hand(to, Input::Packet { from: who.clone(), packet });
            let (more, messages) = self.receive(who, to, &reply.step.outputs().cloned().collect::<Vec<_>>());
            packets.extend(more);
            answers.extend(messages);
            let refused = reply.step.outcome.is_err();
            last = Some(reply);
            if refused {
                break;
            }
        }
        Reply { answers, ..last.expect("something was sent") }
    }

    /// Lets an actor handle an input now; the network carries nothing of what it sends.
    fn hand(&mut self, to: &Name, input: Input) -> Reply {
        let now = self.now();
        let actor = self.actor(to);
        let before = actor.state();
        let step = actor.handle(now, input);
        Reply { unchanged: actor.state() == before, step, answers: Vec::new() }
    }

    /// The impersonated `who` receives what the actor `from` sent to it: what it sends by itself, and the messages.
    #[track_caller]
    pub(crate) fn receive(
        &mut self,
        who: &Name,
        from: &Name,
        outputs: &[Output],
    ) -> (Vec<Output>, Vec<Message>) {
        let now = self.now();
        let (mut more, mut messages) = (Vec::new(), Vec::new());
        for output in outputs {
            let Output::Send { to, packet, .. } = output else { continue };
            if to != who {
                continue;
            }
            match self.context(who).receive(now, from, packet).1 {
                Ok(Received::HandshakeProgress(_, outputs, _)) => more.extend(outputs),
                Ok(Received::Message { message, .. }) => messages.push(message),
                Err(refusal) => panic!("{who} refuses what {from} sends by {refusal}"),
            }
        }
        (more, messages)
    }

    /// `from` sends gossip to the actor `to`.
    pub(crate) fn send_gossip(&mut self, from: &Name, to: &Name, gossip: Gossip) -> Reply {
        self.hand(to, Input::Gossip { from: from.clone(), gossip })
    }

    /// Every actor receives it.
    pub(crate) fn publish(&mut self, gossip: &Gossip) {
        let from = name("somebody");
        let everybody: Vec<Name> = self.network.nodes().map(|(name, _)| name.clone()).collect();
        for to in everybody {
            self.send_gossip(&from, &to, gossip.clone());
        }
    }

    /// The KDC revokes the certificate of `who`: the list with it.
    pub(crate) fn revoked(&mut self, who: &Name) -> RevocationList {
        let serial = self.network.keys.credentials[who].certified().certificate().body.serial;
        assert!(self.network.keys.kdc.revoke(serial));
        self.list()
    }

    /// The KDC's next list.
    pub(crate) fn list(&mut self) -> RevocationList {
        let now = self.now();
        self.network.keys.kdc.revocation_list(&RULES, now)
    }

    /// `who` has no valid certificate and gets one in another role; whoever impersonates `who` uses it.
    pub(crate) fn enrol(&mut self, who: &Name, role: Role) {
        let now = self.now();
        let identity = Identity::generate(Suite::Tiny, &mut self.rng);
        let keys = &mut self.network.keys;
        keys.kdc.admit(who.clone(), role);
        let request = identity.enrolment_request(&RULES, who.clone(), role);
        let certificate = keys.kdc.enrol(&RULES, now, &request).expect("a pre-registered principal");
        let certified = keys.trust.verify(&RULES, now, &certificate).expect("a fresh certificate");
        let credentials = Credentials::new(&RULES, Arc::new(identity), certified).expect("own keys");
        keys.credentials.insert(who.clone(), credentials);
        self.forget_context(who);
    }
}
