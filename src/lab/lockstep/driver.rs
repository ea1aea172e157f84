//! What happens next, drawn from a seed: honest operation, and an adversary who loses, delays, replays, redirects and corrupts
//! envelopes, forges messages, impersonates actors and crashes them, each as often as its profile says.

mod adversarial;
mod scripted;

pub use adversarial::AdversarialDriver;

use crate::lockstep::authority::{self, Authority};
use crate::lockstep::{auditor, false_votes, forged_term, forgery, impersonation, sample_by_age};
use crate::sut::BREAKABLE;
use bemr_model::{
    Action, Actor, Command, Corruption, Datagram, Execution, LedgerKind, Members, Order, Packet, Setup, Tid,
    Time, View,
};
use bemr_spec::Clause;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// How often what happens, in thousandths of the steps at which it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// An envelope is lost.
    pub lose: u32,
    /// Another envelope than the oldest arrives.
    pub reorder: u32,
    /// An old envelope arrives again.
    pub replay: u32,
    /// An envelope arrives at somebody else or from somebody else.
    pub redirect: u32,
    /// An envelope arrives with changed bytes.
    pub corrupt: u32,
    /// A timer expires although envelopes are in flight.
    pub hurry: u32,
    /// An actor crashes and starts again.
    pub crash: u32,
    /// An insider sends what an honest one would not.
    pub lie: u32,
    /// Somebody takes part in a handshake under another's name.
    pub impersonate: u32,
    /// The KDC or an administrator does something, or something is published in their names.
    pub govern: u32,
    /// An auditor replays the public record.
    pub audit: u32,
    /// The key-recovery agent opens an escrow package.
    pub unseal: u32,
    /// A user does something.
    pub command: u32,
}

impl Profile {
    const CALM: Profile = Profile {
        lose: 0,
        reorder: 0,
        replay: 0,
        redirect: 0,
        corrupt: 0,
        hurry: 0,
        crash: 0,
        lie: 0,
        impersonate: 0,
        govern: 0,
        audit: 0,
        unseal: 0,
        command: 10,
    };

    /// A profile drawn from a seed: mostly one or two kinds of trouble, sometimes all.
    fn draw(rng: &mut ChaCha8Rng) -> Profile {
        let mut profile = Profile { command: [4, 10, 30][rng.random_range(0..3)], ..Profile::CALM };
        let all = rng.random_range(0..4) == 0;
        let kinds = [
            (&mut profile.lose, 40),
            (&mut profile.reorder, 300),
            (&mut profile.replay, 60),
            (&mut profile.redirect, 40),
            (&mut profile.corrupt, 60),
            (&mut profile.hurry, 20),
            (&mut profile.crash, 5),
            (&mut profile.lie, 250),
            (&mut profile.impersonate, 100),
            (&mut profile.govern, 20),
            (&mut profile.audit, 22),
            (&mut profile.unseal, 10),
        ];
        for (rate, most) in kinds {
            if all || rng.random_range(0..3) == 0 {
                *rate = rng.random_range(1..=most);
            }
        }
        profile
    }
}

/// Draws action after action.
pub struct Driver {
    rng: ChaCha8Rng,
    profile: Profile,
    setup: Setup,
    /// Envelopes that were neither delivered nor lost, oldest first.
    flying: VecDeque<u32>,
    seen: u32,
    /// What the last step sent.
    fresh: Range<u32>,
    /// Whether it arrives before everything else in flight.
    hasty: bool,
    records: u16,
    /// Who submitted what there is, by tid; and who submits now.
    owners: Vec<u8>,
    submits: Option<u8>,
    /// Who was granted which record.
    granted: Vec<(Tid, u8)>,
    /// What colluding validators send next.
    scheme: VecDeque<Action>,
    /// How many packets were sent under another's name.
    posed: u32,
    authority: Authority,
    /// Orders that were given at this instant.
    stated: (Time, BTreeSet<(Option<Actor>, Tid, Order)>),
}

/// Nothing is delayed for longer than the oldest of this many envelopes.
const WINDOW: usize = 32;

impl Driver {
    /// The driver of a seed, and the network that it drives.
    pub fn new(seed: u64) -> Driver {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let profile = Profile::draw(&mut rng);
        let setup = Setup {
            // It takes two administrators to change the policy.
            users: if profile.govern > 0 && rng.random_range(0..4) > 0 { 5 } else { rng.random_range(2..=5) },
            validators: [1, 3, 4, 7][rng.random_range(0..4)],
            ledger: if rng.random_range(0..8) == 0 { LedgerKind::Work } else { LedgerKind::Quorum },
            seed,
            established: rng.random_range(0..5) < 2,
            lifetimes: authority::lifetimes(&mut rng),
        };
        Driver::of(rng, profile, setup)
    }

    /// The driver of a network whose instructions somebody else chooses.
    pub fn led(setup: Setup) -> Driver {
        let profile = Profile { lie: 1, govern: 1, ..Profile::CALM };
        Driver::of(ChaCha8Rng::seed_from_u64(0), profile, setup)
    }

    fn of(rng: ChaCha8Rng, profile: Profile, setup: Setup) -> Driver {
        Driver {
            rng,
            profile,
            setup,
            flying: VecDeque::new(),
            seen: 0,
            fresh: 0..0,
            hasty: false,
            records: 0,
            owners: Vec::new(),
            submits: None,
            granted: Vec::new(),
            scheme: VecDeque::new(),
            posed: 0,
            authority: Authority::new(setup),
            stated: (0, BTreeSet::new()),
        }
    }

    /// The network.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// How often what happens.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        thousandths > 0 && self.rng.random_range(0..1000) < thousandths
    }

    /// Puts what the last step sent in flight, and notes who submitted in it.
    fn take_up(&mut self, model: &Execution) {
        let sent = model.envelopes().len() as u32;
        self.fresh = self.seen..sent;
        if std::mem::take(&mut self.hasty) {
            self.fresh.clone().rev().for_each(|envelope| self.flying.push_front(envelope));
        } else {
            self.flying.extend(self.fresh.clone());
        }
        self.seen = sent;
        let submitted = self.submits.take().filter(|_| usize::from(model.submissions()) > self.owners.len());
        self.owners.extend(submitted);
    }

    /// What happens next in `model`.
    pub fn next(&mut self, model: &Execution) -> Option<Action> {
        self.take_up(model);
        let profile = self.profile;
        let planned = self.planned(model).or_else(|| self.authority.in_time(&mut self.rng, model));
        if planned.is_some() {
            return planned;
        }
        if self.seen > 0
            && let Some(action) = self.insiders(model)
        {
            return Some(action);
        }
        if self.seen == 0 || self.chance(profile.command) {
            return Some(self.command(model));
        }
        self.occasional(model)
            .or_else(|| self.interference(model))
            .or_else(|| self.arrival())
            .or_else(|| wake_first(model))
            .or_else(|| Some(self.command(model)))
    }

    /// What colluding validators send next, or forgeries of what the last step sent: they arrive before it.
    fn planned(&mut self, model: &Execution) -> Option<Action> {
        if let Some(vote) = self.fresh.clone().find_map(|envelope| false_votes::vote(model, envelope))
            && self.profile.lie > 0
            && self.scheme.is_empty()
            && self.chance(60)
        {
            self.scheme.extend(false_votes::coalition(&mut self.rng, model, &vote));
        }
        if self.profile.lie > 0 && self.scheme.is_empty() {
            self.forge_at_once(model);
        }
        self.pending()
    }

    fn forge_at_once(&mut self, model: &Execution) {
        let fresh = self.fresh.clone();
        self.scheme = fresh.flat_map(|envelope| forgery::at_once(&mut self.rng, model, envelope)).collect();
    }

    /// What the authorities do, and those who send with keys that are not theirs, or in a way that is not the protocol's.
    fn insiders(&mut self, model: &Execution) -> Option<Action> {
        let profile = self.profile;
        if self.chance(profile.govern)
            && let Some(action) = self.authority.next(&mut self.rng, model)
        {
            return Some(action);
        }
        if self.chance(profile.impersonate)
            && let Some(packet) = self.impersonate(model)
        {
            return Some(packet);
        }
        if self.chance(profile.lie) { self.forge(model) } else { None }
    }

    fn forge(&mut self, model: &Execution) -> Option<Action> {
        let forgery = forgery::lie(&mut self.rng, model, &self.flying)?;
        self.hasty = self.chance(700) || forged_term::is_urgent(&forgery);
        Some(forgery)
    }

    /// Crashes, audits and key recovery.
    fn occasional(&mut self, model: &Execution) -> Option<Action> {
        let (profile, sent) = (self.profile, self.seen);
        if self.chance(profile.crash) && sample_by_age(&mut self.rng, sent) {
            return Some(self.kill(model));
        }
        if model.submissions() > 0 && self.chance(profile.audit) && sample_by_age(&mut self.rng, sent) {
            return Some(auditor::audit(&mut self.rng, model));
        }
        let unseals = self.chance(profile.unseal) && sample_by_age(&mut self.rng, sent);
        if unseals { auditor::unseal(&mut self.rng, model) } else { None }
    }

    /// What the network does to envelopes beyond losing and reordering them.
    fn interference(&mut self, model: &Execution) -> Option<Action> {
        let (profile, sent) = (self.profile, self.seen);
        if self.chance(profile.replay) {
            // Mostly a recent one: old ones are all rejected by the same checks.
            let back = if self.chance(200) { sent } else { sent.min(200) };
            return Some(Action::Deliver { envelope: sent - 1 - self.rng.random_range(0..back) });
        }
        if self.chance(profile.redirect) {
            return Some(self.redirect(model, sent));
        }
        if self.chance(profile.corrupt) { self.corrupt(model, sent) } else { None }
    }

    /// The delivery of an envelope in flight; nothing where there is none, or a timer expires first.
    fn arrival(&mut self) -> Option<Action> {
        let profile = self.profile;
        while !self.flying.is_empty() {
            if self.chance(profile.hurry) {
                break;
            }
            let reach = self.flying.len().min(WINDOW);
            let place = if self.chance(profile.reorder) { self.rng.random_range(0..reach) } else { 0 };
            let envelope = self.flying.remove(place)?;
            if self.chance(profile.lose) {
                continue;
            }
            return Some(Action::Deliver { envelope });
        }
        None
    }

    /// A handshake packet under another's name, which arrives before everything else.
    fn impersonate(&mut self, model: &Execution) -> Option<Action> {
        self.posed += 1;
        let packet = impersonation::pose(&mut self.rng, model, &self.flying, self.posed)?;
        self.hasty = true;
        Some(packet)
    }

    /// An actor crashes, and now and then its store is damaged.
    fn kill(&mut self, model: &Execution) -> Action {
        let mortal = 2 + u32::from(self.setup.validators);
        let actor = match self.rng.random_range(0..mortal) {
            0 => Actor::Bsd,
            1 => Actor::Cloud,
            number => Actor::Validator((number - 2) as u8),
        };
        let damage = if self.chance(600) { auditor::damage(&mut self.rng, model, actor) } else { None };
        Action::Crash { actor, damage }
    }

    fn corrupt(&mut self, model: &Execution, sent: u32) -> Option<Action> {
        let envelope = match self.flying.len() {
            flying if flying > 0 && self.chance(600) => {
                self.flying[self.rng.random_range(0..flying.min(WINDOW))]
            }
            _ => sent - 1 - self.rng.random_range(0..sent.min(50)),
        };
        let how = self.corruption(model, envelope)?;
        Some(Action::Corrupt { envelope, how })
    }

    /// A corruption that the bytes of an envelope admit.
    fn corruption(&mut self, model: &Execution, envelope: u32) -> Option<Corruption> {
        let datagram = &model.envelopes().get(envelope as usize)?.datagram;
        forged_term::is_honest(datagram).then_some(())?;
        let possible =
            |how: &Corruption| *how == Corruption::Flip || model.corrupted(envelope, *how).is_some();
        let ways: Vec<Corruption> = Corruption::ALL.into_iter().filter(possible).collect();
        Some(ways[self.rng.random_range(0..ways.len())])
    }

    fn redirect(&mut self, model: &Execution, sent: u32) -> Action {
        let envelope = sent - 1 - self.rng.random_range(0..sent.min(50));
        let (from, to, datagram) = match model.envelopes().get(envelope as usize) {
            Some(envelope) => (envelope.from, envelope.to, &envelope.datagram),
            None => (Actor::Kdc, Actor::Bsd, &Datagram::Gossip(bemr_model::Gossip::BlocksFrom(1))),
        };
        let handshake = matches!(datagram, Datagram::Packet(Packet::Response { .. } | Packet::Finish { .. }));
        let actors: Vec<Actor> = model.system().actors().collect();
        let drawn = actors[self.rng.random_range(0..actors.len())];
        // No actor receives from itself: what is redirected to its sender comes from the receiver's address.
        if handshake && self.chance(500) {
            return Action::Redirect { envelope, to, from: (drawn != to).then_some(drawn) };
        }
        Action::Redirect { envelope, to: drawn, from: (drawn == from).then_some(to) }
    }

    fn user(&mut self, all: bool) -> u8 {
        let users = if all { self.setup.users } else { self.setup.users.min(3) };
        self.rng.random_range(0..users)
    }

    /// What a user asks for, or the BSD, which closes its audit log.
    fn command(&mut self, model: &Execution) -> Action {
        let submissions = model.submissions();
        if submissions > 0 && self.chance(8) {
            return Action::Command { actor: Actor::Bsd, command: Command::CloseAudit };
        }
        let kind = self.rng.random_range(0..10);
        if submissions == 0 || kind < 4 {
            return self.submit(submissions);
        }
        let tid = self.stored_tid(model);
        // Mostly the owner, who may do it.
        let owner =
            tid.place().and_then(|place| self.owners.get(place)).copied().filter(|_| self.chance(600));
        let user = owner.unwrap_or_else(|| self.user(true));
        let user = if self.setup.users > 3 && self.chance(80) { 3 } else { user };
        let actor = Actor::User(user);
        let order = match kind {
            4..=6 => return Action::Command { actor, command: Command::Read { tid } },
            7 => {
                let all = self.chance(300);
                let reader = self.user(all);
                self.granted.push((tid, reader));
                Order::Grant(reader)
            }
            8 => Order::Revoke(self.reader_of(tid)),
            _ => {
                let administrator = (self.setup.users > 3 && self.chance(600)).then_some(3);
                let other = administrator.unwrap_or_else(|| self.user(true));
                Order::Erase([owner.unwrap_or_else(|| self.user(true)), other].into_iter().collect())
            }
        };
        if self.is_repeated(model, actor, tid, order) {
            return Action::Command { actor, command: Command::Read { tid } };
        }
        Action::Command { actor, command: Command::Order { tid, order } }
    }

    fn submit(&mut self, submissions: u16) -> Action {
        let user = self.user(self.profile.lie > 0);
        // Now and then the same record again.
        let record = if self.records > 0 && self.chance(150) {
            self.rng.random_range(0..self.records)
        } else {
            self.records += 1;
            self.records - 1
        };
        // A record violates the same rule each time. Doctors may submit everything: the rule on submitters takes an assistant.
        let rule = BREAKABLE[(usize::from(record / 3) + self.setup.seed as usize) % BREAKABLE.len()];
        let assistant = 2;
        let user = if rule == Clause::SubmitterRule { self.setup.users.min(assistant + 1) - 1 } else { user };
        let breaks =
            (record % 3 == 2 && (rule != Clause::SubmitterRule || user >= assistant)).then_some(rule);
        let breaks = if self.chance(20) { Some(Clause::RecordWithinSize) } else { breaks };
        self.submits = Some(user);
        let readers: Members = (0..self.rng.random_range(0..3)).map(|_| self.user(false)).collect();
        let readers = if self.chance(30) && self.setup.users > 3 { readers.with(3) } else { readers };
        let tid = Tid::nth(submissions);
        self.granted.extend(readers.without(user).iter().map(|reader| (tid, reader)));
        Action::Command { actor: Actor::User(user), command: Command::Submit { record, breaks, readers } }
    }

    /// A transaction whose record the cloud stores, now and then one that it erased; else any recent one.
    fn stored_tid(&mut self, model: &Execution) -> Tid {
        let submissions = model.submissions();
        let drawn = Tid::nth(submissions - 1 - self.rng.random_range(0..submissions.min(6)));
        let records = match model.view(Actor::Cloud) {
            Some(View::Cloud { records, .. }) => records,
            _ => Vec::new(),
        };
        let wanted = if self.chance(150) { "Erased" } else { "Stored" };
        let found: Vec<Tid> =
            records.into_iter().filter(|(_, state)| *state == wanted).map(|(tid, _)| tid).collect();
        if !found.is_empty() && self.chance(700) {
            found[self.rng.random_range(0..found.len())]
        } else {
            drawn
        }
    }

    /// Somebody who was granted a record, or anybody.
    fn reader_of(&mut self, tid: Tid) -> u8 {
        let granted = self.granted.iter().filter(|(of, _)| *of == tid).map(|(_, reader)| *reader);
        let granted: Vec<u8> = granted.collect();
        if granted.is_empty() || self.chance(250) {
            self.user(true)
        } else {
            granted[self.rng.random_range(0..granted.len())]
        }
    }

    /// Whether the order was given at this instant already. Two equal statements of one instant are one on the wire, and the model
    /// counts two; an erasure does not even name who asks for it.
    fn is_repeated(&mut self, model: &Execution, actor: Actor, tid: Tid, order: Order) -> bool {
        let statement = match order {
            Order::Erase(_) => (None, tid, Order::Erase(Members::default())),
            order => (Some(actor), tid, order),
        };
        if self.stated.0 != model.now() {
            self.stated = (model.now(), BTreeSet::new());
        }
        !self.stated.1.insert(statement)
    }
}

/// The actor whose timer expires first wakes.
fn wake_first(model: &Execution) -> Option<Action> {
    let (_, actor) = waiting(model).min()?;
    Some(Action::Wake { actor, found: None })
}

/// The actors with a timer, and when it expires.
fn waiting(model: &Execution) -> impl Iterator<Item = (Time, Actor)> {
    model.system().actors().filter_map(|actor| Some((model.system().wakes(actor)?, actor)))
}
