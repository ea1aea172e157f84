//! Virtual time: envelopes in flight and timers, and which of them is next.

use crate::simulator::{Envelope, FaultInjector};
use bemr::wire::{Name, Time};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};

/// So many links are never looked through.
const FEW_LINKS: usize = 1024;

/// What happens next.
#[derive(Debug)]
pub enum Next {
    /// The envelope with this number arrives.
    Arrival(u64, Envelope),
    /// The timer of this node expires.
    Timer(Name),
}

/// Envelopes in flight and timers. Two envelopes that arrive at one instant arrive in the order in which they were sent, and
/// before a timer of that instant.
pub struct Scheduler {
    now: Time,
    in_flight: BTreeMap<(Time, u64), (u64, Envelope)>,
    /// When the last envelope that the injector did not delay arrives over each directed link: a reliable link keeps the order
    /// of what it carries, as a stream transport does.
    busy: BTreeMap<(Name, Name), Time>,
    /// At how many entries of `busy` it is looked through for those that have arrived.
    busy_links: usize,
    timers: BTreeMap<Name, Time>,
    expiries: BTreeSet<(Time, Name)>,
    /// How many envelopes were handed over, and how many the injector made of them.
    handed: u64,
    sent: u64,
    latency: u64,
    jitter: u64,
    rng: ChaCha20Rng,
    injector: Box<dyn FaultInjector>,
}

impl Scheduler {
    /// A scheduler at `now` whose links take `latency` to `latency + jitter` milliseconds, drawn from `seed`.
    pub fn new(
        now: Time,
        (latency, jitter): (u64, u64),
        seed: u64,
        injector: Box<dyn FaultInjector>,
    ) -> Scheduler {
        Scheduler {
            now,
            in_flight: BTreeMap::new(),
            busy: BTreeMap::new(),
            busy_links: FEW_LINKS,
            timers: BTreeMap::new(),
            expiries: BTreeSet::new(),
            handed: 0,
            sent: 0,
            latency,
            jitter,
            rng: ChaCha20Rng::seed_from_u64(seed),
            injector,
        }
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Puts an envelope in flight. Envelopes are numbered from 0 in this order; whatever the injector makes of one keeps its
    /// number.
    pub fn send(&mut self, envelope: Envelope) {
        let number = self.handed;
        self.handed += 1;
        for (delay, envelope) in self.injector.decide(self.now, envelope) {
            let jitter = if self.jitter == 0 { 0 } else { self.rng.next_u64() % (self.jitter + 1) };
            let mut arrival = self.now.after(self.latency.saturating_add(jitter));
            let busy = self.busy.entry((envelope.from.clone(), envelope.to.clone())).or_default();
            arrival = arrival.max(*busy);
            *busy = arrival;
            if self.busy.len() > self.busy_links {
                // A link whose last envelope has arrived orders nothing any more.
                self.busy.retain(|_, last| *last > self.now);
                self.busy_links = 2 * self.busy.len().max(FEW_LINKS);
            }
            self.in_flight.insert((arrival.after(delay), self.sent), (number, envelope));
            self.sent += 1;
        }
    }

    /// Sets the timer of a node, or stops it. A timer never expires at an instant that has passed: it expires at the next one.
    pub fn set_timer(&mut self, node: &Name, at: Option<Time>) {
        let at = at.map(|at| at.max(self.now.after(1)));
        if self.timers.get(node) == at.as_ref() {
            return;
        }
        if let Some(former) = self.timers.remove(node) {
            self.expiries.remove(&(former, node.clone()));
        }
        if let Some(at) = at {
            self.expiries.insert((at, node.clone()));
            self.timers.insert(node.clone(), at);
        }
    }

    /// Moves on to what happens next; nothing when no envelope is in flight and no timer is set, or when that is later than
    /// `end`: then it is `end`.
    pub fn next(&mut self, end: Option<Time>) -> Option<Next> {
        let arrival = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let expiry = self.expiries.first().map(|(at, _)| *at);
        let at = arrival.into_iter().chain(expiry).min()?;
        if let Some(end) = end.filter(|end| at > *end) {
            self.now = end;
            return None;
        }
        self.now = self.now.max(at);
        if arrival == Some(at) {
            return self.in_flight.pop_first().map(|(_, (number, envelope))| Next::Arrival(number, envelope));
        }
        let (_, node) = self.expiries.pop_first()?;
        self.timers.remove(&node);
        Some(Next::Timer(node))
    }
}
