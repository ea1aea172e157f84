//! What the model says of each step of a trace: which message arrived, which were sent, what they are about, and the state of
//! the actor afterwards. A trace holds envelopes by number and messages by name only.

use super::label;
use super::replay::in_told_order;
use super::{Step, Trace};
use bemr_model::{Action, BlockId, Command, Datagram, Execution, Gossip, Output, Tid};
use bemr_spec::Rules;
use std::collections::{BTreeMap, BTreeSet};

/// What is said of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The message that arrived, or the command; nothing where the step is neither, or the model does not explain it.
    pub what: Option<String>,
    /// What was sent, in the order of the step.
    pub sends: Vec<String>,
    /// The submissions that it is about.
    pub about: BTreeSet<Tid>,
    /// What can be seen of the actor afterwards.
    pub state: Option<String>,
}

/// What is said of each step, as far as the model explains the trace; the names of the messages after that.
pub fn account(trace: &Trace) -> Vec<Told> {
    let rules = trace.header.rules.iter().fold(Rules::hardened(), |rules, clause| rules.without(*clause));
    let mut world = Some(Execution::new(rules, &trace.header.setup));
    let mut blocks = BTreeMap::new();
    let told = trace.steps.iter().map(|step| {
        let told = world.as_mut().and_then(|world| tell(world, &mut blocks, step));
        told.unwrap_or_else(|| {
            world = None;
            Told { sends: step.sends.iter().map(|send| send.message.clone()).collect(), ..Told::default() }
        })
    });
    told.collect()
}

fn tell(world: &mut Execution, blocks: &mut BTreeMap<BlockId, Vec<Tid>>, step: &Step) -> Option<Told> {
    let mut about = BTreeSet::new();
    let next = Tid::nth(world.submissions());
    let what = match &step.action {
        Action::Command { command, .. } => {
            match command {
                Command::Submit { .. } => about.extend([next]),
                Command::Read { tid } | Command::Order { tid, .. } => about.extend([*tid]),
                _ => {}
            }
            Some(label::command(command, next))
        }
        Action::Deliver { envelope }
        | Action::Redirect { envelope, .. }
        | Action::Corrupt { envelope, .. } => {
            let arrived = &world.envelopes().get(*envelope as usize)?.datagram;
            about.extend(label::about(arrived, |id| blocks.get(&id).cloned().unwrap_or_default()));
            Some(label::datagram(arrived))
        }
        Action::Send { message, .. } => {
            about.extend([label::subject(message)]);
            Some(format!("Send {}", label::message(message)))
        }
        Action::Publish { gossip, .. } => Some(format!("Publish {}", label::gossip(gossip))),
        Action::Inject { packet, .. } => Some(label::packet(packet)),
        _ => None,
    };
    let happened = world.perform(&step.action)?;
    let sent = in_told_order(step, happened.sends);
    if sent.len() != step.sends.len() {
        return None;
    }
    for output in &sent {
        let datagram = match output {
            Output::Send(_, packet) => Datagram::Packet(*packet),
            Output::SendGossip(_, gossip) | Output::Publish(gossip) => Datagram::Gossip(gossip.clone()),
        };
        if let Datagram::Gossip(Gossip::Proposal { proposal, .. }) = &datagram {
            blocks.insert(proposal.id(), label::decided(proposal));
        }
        about.extend(label::about(&datagram, |id| blocks.get(&id).cloned().unwrap_or_default()));
    }
    world.dispatch(happened.actor, &sent);
    let state = step.actor.and_then(|actor| world.view(actor)).map(|view| label::state(&view));
    Some(Told { what, sends: sent.iter().map(label::output).collect(), about, state })
}
