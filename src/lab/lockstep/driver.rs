//! What happens next, drawn from a seed: honest life, and an adversary who loses, delays, repeats, redirects, spoils, lies
//! poses and kills, each as often as its profile says.

mod adversarial;
mod scripted;

pub use adversarial::AdversarialDriver;

use crate::lockstep::authority::{self, Authority};
use crate::lockstep::{auditor, forged_term, forgery, impersonation, sample_by_age};
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
    pub spoil: u32,
    /// Somebody's time runs out although something is on its way.
    pub hurry: u32,
    /// Somebody dies and starts again.
    pub crash: u32,
    /// An insider says what an honest one would not.
    pub lie: u32,
    /// Somebody takes part in a handshake who is not who they seem.
    pub pose: u32,
    /// The KDC or an administrator does something, or something is said in their names.
    pub govern: u32,
    /// An auditor looks at what is public.
    pub audit: u32,
    /// The custodian opens a seal.
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
        spoil: 0,
        hurry: 0,
        crash: 0,
        lie: 0,
        pose: 0,
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
            (&mut profile.spoil, 60),
            (&mut profile.hurry, 20),
            (&mut profile.crash, 5),
            (&mut profile.lie, 250),
            (&mut profile.pose, 100),
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
    /// It arrives before everything else.
    hasty: bool,
    records: u16,
    /// Who submitted what there is, by tid; and who submits now.
    owners: Vec<u8>,
    submits: Option<u8>,
    /// Who was let read what.
    granted: Vec<(Tid, u8)>,
    /// What conspirators say next.
    scheme: VecDeque<Action>,
    /// How many packets were made by impostors.
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

    /// The driver of a network whose moves somebody else chooses.
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

    /// Takes up what the last step sent, and who submitted in it.
    fn take_up(&mut self, world: &Execution) {
        let sent = world.envelopes().len() as u32;
        self.fresh = self.seen..sent;
        if std::mem::take(&mut self.hasty) {
            self.fresh.clone().rev().for_each(|envelope| self.flying.push_front(envelope));
        } else {
            self.flying.extend(self.fresh.clone());
        }
        self.seen = sent;
        let submitted = self.submits.take().filter(|_| usize::from(world.submissions()) > self.owners.len());
        self.owners.extend(submitted);
    }

    /// What happens next in `world`.
    pub fn next(&mut self, world: &Execution) -> Option<Action> {
        self.take_up(world);
        let sent = self.seen;
        if let Some(vote) = self.fresh.clone().find_map(|envelope| forgery::vote(world, envelope))
            && self.profile.lie > 0
            && self.scheme.is_empty()
            && self.chance(60)
        {
            self.scheme.extend(forgery::coalition(&mut self.rng, world, &vote));
        }
        if self.profile.lie > 0 && self.scheme.is_empty() {
            let lies =
                self.fresh.clone().flat_map(|envelope| forgery::at_once(&mut self.rng, world, envelope));
            self.scheme = lies.collect();
        }
        if let Some(lie) = self.scheme.pop_front() {
            self.hasty = true;
            return Some(lie);
        }
        let profile = self.profile;
        if let Some(action) = self.authority.in_time(&mut self.rng, world) {
            return Some(action);
        }
        if sent > 0
            && self.chance(profile.govern)
            && let Some(action) = self.authority.next(&mut self.rng, world)
        {
            return Some(action);
        }
        if sent > 0
            && self.chance(profile.pose)
            && let Some(packet) = self.pose(world)
        {
            return Some(packet);
        }
        if sent > 0
            && self.chance(profile.lie)
            && let Some(lie) = forgery::lie(&mut self.rng, world, &self.flying)
        {
            self.hasty = self.chance(700) || forged_term::is_urgent(&lie);
            return Some(lie);
        }
        if sent == 0 || self.chance(profile.command) {
            return Some(self.command(world));
        }
        if self.chance(profile.crash) && sample_by_age(&mut self.rng, sent) {
            return Some(self.kill(world));
        }
        if world.submissions() > 0 && self.chance(profile.audit) && sample_by_age(&mut self.rng, sent) {
            return Some(auditor::audit(&mut self.rng, world));
        }
        if self.chance(profile.unseal)
            && sample_by_age(&mut self.rng, sent)
            && let Some(action) = auditor::unseal(&mut self.rng, world)
        {
            return Some(action);
        }
        if self.chance(profile.replay) {
            // Mostly of late: what is long past is refused alike.
            let back = if self.chance(200) { sent } else { sent.min(200) };
            return Some(Action::Deliver { envelope: sent - 1 - self.rng.random_range(0..back) });
        }
        if self.chance(profile.redirect) {
            return Some(self.redirect(world, sent));
        }
        if self.chance(profile.spoil)
            && let Some(spoilt) = self.spoil(world, sent)
        {
            return Some(spoilt);
        }
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
        let waits = |actor| Some((world.system().wakes(actor)?, actor));
        let next = world.system().actors().filter_map(waits).min();
        match next {
            Some((_, actor)) => Some(Action::Wake { actor, found: None }),
            None => Some(self.command(world)),
        }
    }

    /// An impostor's packet, which arrives before everything else.
    fn pose(&mut self, world: &Execution) -> Option<Action> {
        self.posed += 1;
        let packet = impersonation::pose(&mut self.rng, world, &self.flying, self.posed)?;
        self.hasty = true;
        Some(packet)
    }

    /// Somebody dies, and now and then their store is damaged.
    fn kill(&mut self, world: &Execution) -> Action {
        let mortal = 2 + u32::from(self.setup.validators);
        let actor = match self.rng.random_range(0..mortal) {
            0 => Actor::Bsd,
            1 => Actor::Cloud,
            number => Actor::Validator((number - 2) as u8),
        };
        let damage = if self.chance(600) { auditor::damage(&mut self.rng, world, actor) } else { None };
        Action::Crash { actor, damage }
    }

    fn spoil(&mut self, world: &Execution, sent: u32) -> Option<Action> {
        let envelope = match self.flying.len() {
            flying if flying > 0 && self.chance(600) => {
                self.flying[self.rng.random_range(0..flying.min(WINDOW))]
            }
            _ => sent - 1 - self.rng.random_range(0..sent.min(50)),
        };
        let how = self.spoiling(world, envelope)?;
        Some(Action::Corrupt { envelope, how })
    }

    /// What can be done to the bytes of an envelope.
    fn spoiling(&mut self, world: &Execution, envelope: u32) -> Option<Corruption> {
        let datagram = &world.envelopes().get(envelope as usize)?.datagram;
        forged_term::is_honest(datagram).then_some(())?;
        let possible = |how: &Corruption| *how == Corruption::Flip || world.spoiled(envelope, *how).is_some();
        let ways: Vec<Corruption> = Corruption::ALL.into_iter().filter(possible).collect();
        Some(ways[self.rng.random_range(0..ways.len())])
    }

    fn redirect(&mut self, world: &Execution, sent: u32) -> Action {
        let envelope = sent - 1 - self.rng.random_range(0..sent.min(50));
        let (from, to, datagram) = match world.envelopes().get(envelope as usize) {
            Some(envelope) => (envelope.from, envelope.to, &envelope.datagram),
            None => (Actor::Kdc, Actor::Bsd, &Datagram::Gossip(bemr_model::Gossip::BlocksFrom(1))),
        };
        let handshake = matches!(datagram, Datagram::Packet(Packet::Response { .. } | Packet::Finish { .. }));
        let actors: Vec<Actor> = world.system().actors().collect();
        let drawn = actors[self.rng.random_range(0..actors.len())];
        // Nobody hears from themselves: what comes back to who sent it seems to be of who should have got it.
        if handshake && self.chance(500) {
            return Action::Redirect { envelope, to, from: (drawn != to).then_some(drawn) };
        }
        Action::Redirect { envelope, to: drawn, from: (drawn == from).then_some(to) }
    }

    fn user(&mut self, all: bool) -> u8 {
        let users = if all { self.setup.users } else { self.setup.users.min(3) };
        self.rng.random_range(0..users)
    }

    fn command(&mut self, world: &Execution) -> Action {
        let submissions = world.submissions();
        if submissions > 0 && self.chance(8) {
            return Action::Command { actor: Actor::Bsd, command: Command::CloseAudit };
        }
        let kind = self.rng.random_range(0..10);
        if submissions == 0 || kind < 4 {
            let user = self.user(self.profile.lie > 0);
            // Now and then the same record again.
            let record = if self.records > 0 && self.chance(150) {
                self.rng.random_range(0..self.records)
            } else {
                self.records += 1;
                self.records - 1
            };
            // A record breaks the same rule each time. Doctors break none about who may submit what.
            let rule = BREAKABLE[(usize::from(record / 3) + self.setup.seed as usize) % BREAKABLE.len()];
            let assistant = 2;
            let user =
                if rule == Clause::SubmitterRule { self.setup.users.min(assistant + 1) - 1 } else { user };
            let breaks =
                (record % 3 == 2 && (rule != Clause::SubmitterRule || user >= assistant)).then_some(rule);
            let breaks = if self.chance(20) { Some(Clause::RecordWithinSize) } else { breaks };
            self.submits = Some(user);
            let readers: Members = (0..self.rng.random_range(0..3)).map(|_| self.user(false)).collect();
            let readers = if self.chance(30) && self.setup.users > 3 { readers.with(3) } else { readers };
            let tid = Tid::nth(submissions);
            self.granted.extend(readers.without(user).iter().map(|reader| (tid, reader)));
            let command = Command::Submit { record, breaks, readers };
            return Action::Command { actor: Actor::User(user), command };
        }
        let newest = submissions.min(6);
        let drawn = Tid::nth(submissions - 1 - self.rng.random_range(0..newest));
        // Mostly what the cloud has, now and then what it had.
        let records = match world.view(Actor::Cloud) {
            Some(View::Cloud { records, .. }) => records,
            _ => Vec::new(),
        };
        let wanted = if self.chance(150) { "Erased" } else { "Stored" };
        let there: Vec<Tid> =
            records.into_iter().filter(|(_, state)| *state == wanted).map(|(tid, _)| tid).collect();
        let tid = match there.len() {
            any if any > 0 && self.chance(700) => there[self.rng.random_range(0..any)],
            _ => drawn,
        };
        // Mostly who may do it.
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
            8 => {
                let granted = self.granted.iter().filter(|(of, _)| *of == tid).map(|(_, reader)| *reader);
                let granted: Vec<u8> = granted.collect();
                let any = granted.is_empty() || self.chance(250);
                Order::Revoke(if any {
                    self.user(true)
                } else {
                    granted[self.rng.random_range(0..granted.len())]
                })
            }
            _ => {
                let administrator = (self.setup.users > 3 && self.chance(600)).then_some(3);
                let other = administrator.unwrap_or_else(|| self.user(true));
                Order::Erase([owner.unwrap_or_else(|| self.user(true)), other].into_iter().collect())
            }
        };
        // Two statements that say the same at one instant are one; an erasure does not even say who asks for it.
        let statement = match order {
            Order::Erase(_) => (None, tid, Order::Erase(Members::default())),
            order => (Some(actor), tid, order),
        };
        if self.stated.0 != world.now() {
            self.stated = (world.now(), BTreeSet::new());
        }
        if !self.stated.1.insert(statement) {
            return Action::Command { actor, command: Command::Read { tid } };
        }
        Action::Command { actor, command: Command::Order { tid, order } }
    }
}
