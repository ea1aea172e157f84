//! Validators that vote by a script, and principals whose packets a test answers.

use super::{Testbed, messages::vote};
use bemr::actors::{Input, Output, Received, Step};
use bemr::keys::Credentials;
use bemr::wire::{Ballot, Message, Name, TBlock, Vote};
use bemr_lab::simulator::{Envelope, Reliable};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a scripted validator votes on the n-th T_block that it receives, counted from 1.
pub(crate) type Script = Box<dyn FnMut(&Credentials, usize, &TBlock) -> Vec<Vote>>;

/// Never votes.
pub(crate) fn silent() -> Script {
    Box::new(|_, _, _| Vec::new())
}

/// Always votes so.
pub(crate) fn always(ballot: Ballot, reason: u16) -> Script {
    Box::new(move |own, _, block| vec![vote(own, block, ballot, reason)])
}

pub(super) struct ScriptedValidator {
    script: Script,
    received: Vec<TBlock>,
}

impl Testbed {
    /// Scripts a validator towards the BSD; its actor goes on committing blocks.
    pub(crate) fn script(
        &mut self,
        validator: &Name,
        script: impl FnMut(&Credentials, usize, &TBlock) -> Vec<Vote> + 'static,
    ) {
        self.forget_context(validator);
        let scripted = ScriptedValidator { script: Box::new(script), received: Vec::new() };
        self.scripted.insert(validator.clone(), scripted);
        self.inject(Reliable);
    }

    /// Scripts every validator, each by the script that `script` gives for its index.
    pub(crate) fn script_all(&mut self, script: impl Fn(usize) -> Script) {
        for (index, validator) in self.validators().iter().enumerate() {
            self.script(validator, script(index));
        }
    }

    /// The T_blocks that a scripted validator received.
    pub(crate) fn received(&self, validator: &Name) -> &[TBlock] {
        &self.scripted[validator].received
    }

    /// A principal sends a message in the session that it has with `to`.
    pub(crate) fn send_as(&mut self, from: &Name, to: &Name, message: Message) -> Step {
        let now = self.now();
        let (outputs, _) = self.context(from).send(now, to, message).unwrap();
        self.deliver_all(from, outputs).pop().unwrap()
    }

    /// A scripted validator votes, of its own accord or late.
    pub(crate) fn vote(&mut self, validator: &Name, vote: Vote) -> Step {
        let bsd = self.network.keys.roster.bsd.clone();
        self.send_as(validator, &bsd, Message::Vote(vote))
    }

    /// Delivers the packets among these outputs at once.
    fn deliver_all(&mut self, from: &Name, outputs: Vec<Output>) -> Vec<Step> {
        let mut steps = Vec::new();
        for output in outputs {
            if let Output::Send { to, packet, .. } = output {
                steps.push(self.deliver(&to, Input::Packet { from: from.clone(), packet }));
            }
        }
        steps
    }

    /// Hands their packets to the scripted validators, and to the BSD what they answer; whether there were any.
    pub(super) fn run_scripts(&mut self) -> bool {
        let mut any = false;
        loop {
            let envelope = self.mail.borrow_mut().pop_front();
            let Some(envelope) = envelope else { return any };
            any = true;
            let now = self.now();
            self.context(&envelope.to);
            let context = self.contexts.get_mut(&envelope.to).unwrap();
            let ScriptedValidator { script, received } = self.scripted.get_mut(&envelope.to).unwrap();
            let mut answers = Vec::new();
            match context.receive(now, &envelope.from, envelope.packet().unwrap()).1 {
                Ok(Received::HandshakeProgress(_, outputs, _)) => answers.extend(outputs),
                Ok(Received::Message { message: Message::TBlock(block), .. }) => {
                    received.push(*block);
                    for vote in script(&context.own, received.len(), received.last().unwrap()) {
                        answers.extend(context.send(now, &envelope.from, Message::Vote(vote)).unwrap().0);
                    }
                }
                Ok(Received::Message { message, .. }) => panic!("{} at a validator", message.name()),
                // Lost or corrupted packets before this one.
                Err(_) => {}
            }
            self.deliver_all(&envelope.to, answers);
        }
    }
}

/// A principal whose packets a test receives and answers.
pub(crate) struct Responder {
    name: Name,
    mail: Rc<RefCell<VecDeque<Envelope>>>,
}

impl Responder {
    /// Takes the place of `name` for packets: they come here and not to its actor.
    pub(crate) fn of(bed: &mut Testbed, name: &Name) -> Responder {
        let mail: Rc<RefCell<VecDeque<Envelope>>> = Rc::default();
        let (kept, own) = (Rc::clone(&mail), name.clone());
        bed.lose(move |envelope| {
            let mine = envelope.to == own && envelope.packet().is_some();
            if mine {
                kept.borrow_mut().push_back(envelope.clone());
            }
            mine
        });
        bed.forget_context(name);
        Responder { name: name.clone(), mail }
    }

    /// Answers handshakes; gives the messages that came.
    pub(crate) fn receive(&mut self, bed: &mut Testbed) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let envelope = self.mail.borrow_mut().pop_front();
            let Some(envelope) = envelope else { return messages };
            let now = bed.now();
            let received = bed.context(&self.name).receive(now, &envelope.from, envelope.packet().unwrap()).1;
            match received.unwrap() {
                Received::Message { message, .. } => messages.push(message),
                Received::HandshakeProgress(_, outputs, _) => drop(bed.deliver_all(&self.name, outputs)),
            }
        }
    }

    pub(crate) fn send(&mut self, bed: &mut Testbed, to: &Name, message: Message) -> Step {
        bed.send_as(&self.name, to, message)
    }
}
