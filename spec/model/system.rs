//! All actors together, one input at a time.

use crate::auditor;
use crate::bsd::Bsd;
use crate::cloud::Cloud;
use crate::custodian::SealId;
use crate::kdc::Kdc;
use crate::ledger::Ledger;
use crate::policy::Registry;
use crate::public::{Falsification, List, Place, PublicRecord};
use crate::rename::{Rename, Renaming};
use crate::session_manager::SessionManager;
use crate::shared::Shared;
use crate::trust::Trust;
use crate::user::User;
use crate::validator::Validator;
use crate::{
    Actor, Command, ContentType, Datagram, Flaws, Gossip, LedgerKind, LogKind, Message, Output, Setup, Tid,
    Time, View,
};
use bemr_spec::{Clause, Event, Rules};
use std::sync::Arc;

/// One actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Bsd(Bsd),
    Cloud(Cloud),
    User(User),
    Validator(Validator),
    Kdc(Kdc),
}

impl Node {
    fn sessions(&self) -> Option<&SessionManager> {
        match self {
            Node::Bsd(bsd) => Some(&bsd.sessions),
            Node::Cloud(cloud) => Some(&cloud.sessions),
            Node::User(user) => Some(&user.sessions),
            Node::Validator(validator) => Some(&validator.sessions),
            Node::Kdc(_) => None,
        }
    }
}

impl Rename for Node {
    fn renamed(&self, names: &Renaming) -> Node {
        match self {
            Node::Bsd(bsd) => Node::Bsd(bsd.renamed(names)),
            Node::Cloud(cloud) => Node::Cloud(cloud.renamed(names)),
            Node::User(user) => Node::User(user.renamed(names)),
            Node::Validator(validator) => Node::Validator(validator.renamed(names)),
            // Where it does anything, nobody is taken for anybody else.
            Node::Kdc(kdc) => Node::Kdc(kdc.clone()),
        }
    }
}

/// All that one actor keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorState(Arc<Node>);

impl Rename for ActorState {
    fn renamed(&self, names: &Renaming) -> ActorState {
        ActorState(self.0.renamed(names))
    }
}

/// What an actor made of an input: what happened, what it says of it, and answers repeated to an ignored input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub event: Event,
    /// The clause that refused it.
    pub clause: Option<Clause>,
    /// What is sent.
    pub sends: Vec<Output>,
}

impl Step {
    fn new((event, outcome, repeats): (Event, Result<Vec<Output>, Clause>, Vec<Output>)) -> Step {
        let clause = outcome.as_ref().err().copied();
        let mut sends = outcome.unwrap_or_default();
        sends.extend(repeats);
        Step { event, clause, sends }
    }
}

/// The actors, the KDC last. Cloning shares those that stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    users: u8,
    /// Of which log an auditor took something for genuine that lacks what was anchored: the cloud's, the audit log.
    pub(super) deceived: [bool; 2],
    /// Whether a key that leaked opened a record from before.
    pub(super) betrayed: bool,
    pub(super) nodes: Vec<Arc<Node>>,
}

impl System {
    /// Actors that have received nothing, with the sessions that the setup establishes.
    pub fn new(setup: &Setup) -> System {
        let mut system = System::of_strangers(setup);
        if setup.established {
            system.establish(setup);
        }
        system
    }

    fn of_strangers(setup: &Setup) -> System {
        let ledger = || Ledger::new(setup.ledger, setup.validators);
        let trust = Shared::new(Trust::new(setup));
        let sessions = |own| SessionManager::new(own, trust.clone());
        let users = (0..setup.users)
            .map(|number| Node::User(User::new(number, ledger(), sessions(Actor::User(number)))));
        let validators = (0..setup.validators).map(|number| {
            Node::Validator(Validator::new(number, ledger(), sessions(Actor::Validator(number))))
        });
        let nodes = [
            Node::Bsd(Bsd::new(ledger(), sessions(Actor::Bsd))),
            Node::Cloud(Cloud::new(ledger(), sessions(Actor::Cloud))),
        ];
        let kdc = Node::Kdc(Kdc::new(setup, everybody(setup.users, setup.validators)));
        let nodes = nodes.into_iter().chain(users).chain(validators).chain([kdc]);
        System {
            users: setup.users,
            deceived: [false; 2],
            betrayed: false,
            nodes: nodes.map(Arc::new).collect(),
        }
    }

    /// Makes every session that an honest run needs.
    fn establish(&mut self, setup: &Setup) {
        let users = (0..setup.users).map(Actor::User);
        let validators = (0..setup.validators).map(Actor::Validator);
        let pairs = users
            .flat_map(|user| {
                [(user, Actor::Bsd, ContentType::Initial), (user, Actor::Cloud, ContentType::Read)]
            })
            .chain(validators.map(|validator| (Actor::Bsd, validator, ContentType::Block)))
            .chain([(Actor::Bsd, Actor::Cloud, ContentType::Valid)]);
        for (one, other, purpose) in pairs {
            for (own, peer) in [(one, other), (other, one)] {
                if let Some(sessions) = self.node_mut(own).and_then(Node::sessions_mut) {
                    sessions.establish(peer, purpose);
                }
            }
        }
    }

    /// Every actor that has an address, in their order: all but the KDC.
    pub fn actors(&self) -> impl Iterator<Item = Actor> + use<> {
        everybody(self.users, self.nodes.len() as u8 - self.users - 3)
    }

    /// How many there are with the KDC, each with an [`System::index`].
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Where an actor stands among all, from 0.
    pub fn index(&self, actor: Actor) -> Option<usize> {
        let index = match actor {
            Actor::Bsd => 0,
            Actor::Cloud => 1,
            Actor::User(number) if number < self.users => 2 + usize::from(number),
            Actor::User(_) => return None,
            Actor::Validator(number) => 2 + usize::from(self.users) + usize::from(number),
            Actor::Kdc => return Some(self.nodes.len() - 1),
        };
        (index < self.nodes.len() - 1).then_some(index)
    }

    pub(super) fn node(&self, actor: Actor) -> Option<&Node> {
        self.nodes.get(self.index(actor)?).map(|node| &**node)
    }

    fn node_mut(&mut self, actor: Actor) -> Option<&mut Node> {
        let index = self.index(actor)?;
        self.nodes.get_mut(index).map(Arc::make_mut)
    }

    pub(super) fn bsd(&self) -> &Bsd {
        match &*self.nodes[0] {
            Node::Bsd(bsd) => bsd,
            _ => unreachable!("the first node is the BSD"),
        }
    }

    pub(super) fn cloud(&self) -> &Cloud {
        match &*self.nodes[1] {
            Node::Cloud(cloud) => cloud,
            _ => unreachable!("the second node is the cloud"),
        }
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.nodes.iter().filter_map(|node| match &**node {
            Node::User(user) => Some(user),
            _ => None,
        })
    }

    pub(super) fn validators(&self) -> impl Iterator<Item = &Validator> {
        self.nodes.iter().filter_map(|node| match &**node {
            Node::Validator(validator) => Some(validator),
            _ => None,
        })
    }

    pub(super) fn kdc(&self) -> &Kdc {
        match self.nodes.last().map(|node| &**node) {
            Some(Node::Kdc(kdc)) => kdc,
            _ => unreachable!("the last node is the KDC"),
        }
    }

    /// The sessions of everybody.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &SessionManager> {
        self.nodes.iter().filter_map(|node| node.sessions())
    }

    /// The sessions of one actor.
    pub(super) fn sessions_of(&self, actor: Actor) -> Option<&SessionManager> {
        self.node(actor)?.sessions()
    }

    /// Whether anybody took something of one of these kinds for what it is not.
    pub(super) fn believes(&self, forbidden: &[(&str, &[Clause])]) -> bool {
        let is_one = |(name, flaw): &(&str, Clause)| {
            forbidden.iter().any(|(kind, flaws)| kind == name && flaws.contains(flaw))
        };
        self.sessions().any(|sessions| sessions.believed().iter().any(is_one))
    }

    /// Everybody's copy of the ledger.
    pub(super) fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        self.nodes.iter().filter_map(|node| match &**node {
            Node::Bsd(bsd) => Some(&*bsd.ledger),
            Node::Cloud(cloud) => Some(&*cloud.ledger),
            Node::User(user) => Some(&*user.ledger),
            Node::Validator(validator) => Some(&*validator.ledger),
            Node::Kdc(_) => None,
        })
    }

    /// Everybody's copy of the policy.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Registry> {
        self.ledgers().map(|ledger| &*ledger.policy)
    }

    /// Gives an actor what arrived.
    pub fn deliver(
        &mut self,
        rules: &Rules,
        now: Time,
        to: Actor,
        from: Actor,
        datagram: &Datagram,
        flaws: Flaws,
    ) -> Option<Step> {
        let step = self.take(rules, now, to, from, datagram, flaws)?;
        let of_terms = datagram.flaws();
        let flawed = of_terms.iter().chain([&flaws]).filter(|flaws| !flaws.is_empty());
        if step.clause.is_none() && datagram.concerns(to) {
            for flaws in flawed {
                self.node_mut(to)?.sessions_mut()?.believe(rules, datagram, *flaws);
            }
        }
        Some(step)
    }

    fn take(
        &mut self,
        rules: &Rules,
        now: Time,
        to: Actor,
        from: Actor,
        datagram: &Datagram,
        flaws: Flaws,
    ) -> Option<Step> {
        let node = self.node_mut(to)?;
        let undecodable =
            flaws.has(Clause::OneEncodingPerValue) && rules.in_force(Clause::OneEncodingPerValue);
        if undecodable {
            return Some(Step::new((Event::Malformed, Err(Clause::OneEncodingPerValue), Vec::new())));
        }
        let took = match datagram {
            Datagram::Packet(packet) => match node {
                Node::Bsd(bsd) => bsd.on_packet(rules, now, from, packet, flaws),
                Node::Cloud(cloud) => cloud.on_packet(rules, now, from, packet, flaws),
                Node::User(user) => {
                    let (event, outcome) = user.on_packet(rules, now, from, packet, flaws);
                    (event, outcome, Vec::new())
                }
                Node::Validator(validator) => {
                    let (event, outcome) = validator.on_packet(rules, now, from, packet, flaws);
                    (event, outcome, Vec::new())
                }
                Node::Kdc(_) => return None,
            },
            Datagram::Gossip(gossip) => {
                let corrupted;
                let gossip = if flaws.is_empty() {
                    gossip
                } else {
                    corrupted = gossip.corrupted(flaws);
                    &corrupted
                };
                if let Some(taken) = node.on_authority(rules, now, gossip) {
                    return Some(Step::new((gossip.event(), taken.map(|()| Vec::new()), Vec::new())));
                }
                match node {
                    Node::Bsd(bsd) => bsd.on_gossip(rules, now, from, gossip),
                    Node::Cloud(cloud) => cloud.on_gossip(rules, now, from, gossip),
                    Node::User(user) => user.on_gossip(rules, now, from, gossip),
                    Node::Validator(validator) => validator.on_gossip(rules, now, from, gossip),
                    Node::Kdc(_) => return None,
                }
            }
        };
        Some(Step::new(took))
    }

    /// Lets an actor do something of its own accord. `tid` names the submission, should it be one.
    pub fn command(
        &mut self,
        rules: &Rules,
        now: Time,
        actor: Actor,
        tid: Tid,
        command: Command,
    ) -> Option<Step> {
        if !command.is_for(actor) {
            return None;
        }
        match (self.node_mut(actor)?, command) {
            (Node::Bsd(bsd), Command::CloseAudit) => {
                Some(Step::new((command.event(), bsd.close_audit(rules, now), Vec::new())))
            }
            (Node::Kdc(kdc), command) => {
                Some(Step::new((command.event(), kdc.command(rules, now, command)?, Vec::new())))
            }
            (Node::User(user), command) => {
                Some(Step::new((command.event(), user.command(rules, now, tid, command), Vec::new())))
            }
            _ => None,
        }
    }

    /// An auditor replays what is public, with the blocks that `holder` has, as it is or falsified: the first thing that
    /// breaks a clause, or nothing. `None` where it cannot be falsified so.
    pub fn audit(
        &self,
        rules: &Rules,
        now: Time,
        holder: Actor,
        falsified: &[Falsification],
    ) -> Option<Result<(), (Place, Clause)>> {
        let mut record = PublicRecord::of(self, holder)?;
        falsified.iter().try_for_each(|one| record.falsify(one))?;
        let ledger = &self.bsd().ledger;
        Some(auditor::audit(rules, now, (ledger.kind(), ledger.members()), &record))
    }

    /// As [`System::audit`], with a note of whether the auditor was deceived.
    pub fn show(
        &mut self,
        rules: &Rules,
        now: Time,
        holder: Actor,
        falsified: &[Falsification],
    ) -> Option<Result<(), (Place, Clause)>> {
        let found = self.audit(rules, now, holder, falsified)?;
        // Who is not shown the ledger as it is cannot know what it holds.
        let ledger_is_whole = falsified.iter().all(|one| one.list != List::Blocks);
        if found.is_ok() && !falsified.is_empty() && ledger_is_whole {
            let genuine = PublicRecord::of(self, holder)?;
            let mut shown = genuine.clone();
            falsified.iter().try_for_each(|one| shown.falsify(one))?;
            let ledger = self.ledgers().nth(self.index(holder)?)?;
            let whole = [LogKind::Cloud, LogKind::Audit]
                .map(|kind| shown.holds_what_is_anchored(&genuine, ledger, kind));
            let deceived = [0, 1].map(|log: usize| self.deceived[log] || !whole[log]);
            self.deceived = deceived;
        }
        Some(found)
    }

    /// Whether a final block at `holder` anchors a log.
    pub fn is_anything_anchored(&self, holder: Actor) -> bool {
        let ledger = self.index(holder).and_then(|index| self.ledgers().nth(index));
        let anchored = |kind| ledger.is_some_and(|ledger| ledger.final_anchor(kind).is_some());
        anchored(LogKind::Cloud) || anchored(LogKind::Audit)
    }

    /// How many items there are in a list that an auditor is shown.
    pub fn listed(&self, holder: Actor, list: List) -> usize {
        match list {
            List::Blocks => {
                let ledger = self.index(holder).and_then(|index| self.ledgers().nth(index));
                ledger.map_or(0, |ledger| ledger.blocks().len())
            }
            List::Leaves => self.cloud().leaves.len(),
            List::CloudHeads => self.cloud().heads.len(),
            List::Entries => self.bsd().audit.len(),
            List::AuditHeads => self.bsd().heads.0.len(),
        }
    }

    /// The seals of the BSD.
    pub fn seals(&self) -> impl Iterator<Item = SealId> {
        self.bsd().seals.0.iter().map(|seal| seal.id)
    }

    /// The instant came that an actor waits for.
    pub fn wake(&mut self, rules: &Rules, now: Time, actor: Actor, found: Option<u64>) -> Option<Step> {
        let (event, sends) = match self.node_mut(actor)? {
            Node::Bsd(bsd) => bsd.on_wake(rules, now),
            Node::Cloud(cloud) => (Event::Wake, cloud.sessions.retry(now)),
            Node::User(user) => user.on_wake(rules, now),
            Node::Validator(validator) => validator.on_wake(rules, now, found),
            Node::Kdc(_) => return None,
        };
        Some(Step { event, clause: None, sends })
    }

    /// An actor says something that the adversary puts into its mouth.
    pub fn say(
        &mut self,
        rules: &Rules,
        now: Time,
        actor: Actor,
        to: Actor,
        message: Message,
    ) -> Option<Step> {
        self.index(to)?;
        let said = self.node_mut(actor)?.sessions_mut()?.say(rules, now, to, message);
        Some(Step::new((Event::Send, said, Vec::new())))
    }

    /// An actor dies and starts again; users do not.
    pub fn crash(&mut self, rules: &Rules, actor: Actor) -> Option<Step> {
        match self.node_mut(actor)? {
            Node::Bsd(bsd) => bsd.crash(),
            Node::Cloud(cloud) => cloud.crash(),
            Node::Validator(validator) => validator.crash(rules),
            Node::User(_) | Node::Kdc(_) => return None,
        }
        Some(Step { event: Event::Crash, clause: None, sends: Vec::new() })
    }

    /// When an actor wants to be woken.
    pub fn wakes(&self, actor: Actor) -> Option<Time> {
        match self.node(actor)? {
            Node::Bsd(bsd) => bsd.wake(),
            Node::Cloud(cloud) => cloud.sessions.wake(),
            Node::User(user) => user.wake(),
            Node::Validator(validator) => validator.wake(),
            Node::Kdc(_) => None,
        }
    }

    /// What can be seen of an actor.
    pub fn view(&self, actor: Actor) -> Option<View> {
        Some(match self.node(actor)? {
            Node::Bsd(bsd) => bsd.view(),
            Node::Cloud(cloud) => cloud.view(),
            Node::User(user) => user.view(),
            Node::Validator(validator) => validator.view(),
            Node::Kdc(kdc) => kdc.view(),
        })
    }

    /// Of which log an auditor was deceived.
    pub const fn deceived(&self) -> [bool; 2] {
        self.deceived
    }

    /// What an actor keeps: who explores compares and numbers the states of single actors.
    pub fn state(&self, actor: Actor) -> Option<ActorState> {
        self.nodes.get(self.index(actor)?).cloned().map(ActorState)
    }

    /// Puts an actor into a state that it was in, here or in another world of the same actors.
    pub fn restore(&mut self, actor: Actor, state: ActorState) {
        if let Some(index) = self.index(actor) {
            self.nodes[index] = state.0;
        }
    }

    /// How the ledger is closed.
    pub fn ledger_kind(&self) -> LedgerKind {
        self.bsd().ledger.kind()
    }
}

impl Node {
    fn sessions_mut(&mut self) -> Option<&mut SessionManager> {
        self.public().map(|(sessions, _)| sessions)
    }

    /// What every actor but the KDC has.
    fn public(&mut self) -> Option<(&mut SessionManager, &mut Ledger)> {
        match self {
            Node::Bsd(bsd) => Some((&mut bsd.sessions, &mut bsd.ledger)),
            Node::Cloud(cloud) => Some((&mut cloud.sessions, &mut cloud.ledger)),
            Node::User(user) => Some((&mut user.sessions, &mut user.ledger)),
            Node::Validator(validator) => Some((&mut validator.sessions, &mut validator.ledger)),
            Node::Kdc(_) => None,
        }
    }

    /// What the KDC and administrators publish, which every actor takes alike.
    fn on_authority(&mut self, rules: &Rules, now: Time, gossip: &Gossip) -> Option<Result<(), Clause>> {
        if !matches!(gossip, Gossip::RevocationList { .. } | Gossip::PolicyChange { .. }) {
            return None;
        }
        let (sessions, ledger) = self.public()?;
        match gossip {
            Gossip::RevocationList { list, flaws } => Some(sessions.trust.take(rules, list, *flaws)),
            Gossip::PolicyChange { change, approvals, flaws } => {
                Some(ledger.on_policy_change(rules, now, &sessions.trust, *change, *approvals, *flaws))
            }
            _ => None,
        }
    }
}

/// Everybody in a network of this size but the KDC, in the order of actors.
fn everybody(users: u8, validators: u8) -> impl Iterator<Item = Actor> + use<> {
    let users = (0..users).map(Actor::User);
    [Actor::Bsd, Actor::Cloud].into_iter().chain(users).chain((0..validators).map(Actor::Validator))
}
