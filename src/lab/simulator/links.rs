//! Packets in flight, in the order of their arrival. A fair link keeps the order of what goes over it, as a stream
//! transport does; fate can break it.

use crate::simulator::{Envelope, FaultInjector};
use bemr::wire::{Name, Time};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// The packets in flight. Two that arrive at one instant arrive in the order in which they were sent.
pub struct Links {
    in_flight: BTreeMap<(Time, u64), (u64, Envelope)>,
    /// When the last packet that fate did not delay arrives over each directed link.
    busy: BTreeMap<(Name, Name), Time>,
    /// How many packets were handed over, and how many copies of them were sent on their way.
    handed: u64,
    sent: u64,
    latency: u64,
    jitter: u64,
    rng: ChaCha20Rng,
    fate: Box<dyn FaultInjector>,
}

impl Links {
    /// Links with a latency of `latency` to `latency + jitter` milliseconds, drawn from `seed`.
    pub fn new(latency: u64, jitter: u64, seed: u64, fate: Box<dyn FaultInjector>) -> Links {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Links {
            in_flight: BTreeMap::new(),
            busy: BTreeMap::new(),
            handed: 0,
            sent: 0,
            latency,
            jitter,
            rng,
            fate,
        }
    }

    /// Sends a packet at `now`. Packets are numbered from 0 in this order; what fate makes of one has its number.
    pub fn send(&mut self, now: Time, parcel: Envelope) {
        let number = self.handed;
        self.handed += 1;
        for (delay, parcel) in self.fate.decide(now, parcel) {
            let jitter = if self.jitter == 0 { 0 } else { self.rng.next_u64() % (self.jitter + 1) };
            let mut arrival = now.after(self.latency.saturating_add(jitter));
            let busy = self.busy.entry((parcel.from.clone(), parcel.to.clone())).or_default();
            arrival = arrival.max(*busy);
            *busy = arrival;
            arrival = arrival.after(delay);
            self.in_flight.insert((arrival, self.sent), (number, parcel));
            self.sent += 1;
        }
    }

    /// When the next packet arrives.
    pub fn next_arrival(&self) -> Option<Time> {
        self.in_flight.keys().next().map(|(arrival, _)| *arrival)
    }

    /// The next packet, with its number.
    pub fn receive(&mut self) -> Option<(Time, u64, Envelope)> {
        self.in_flight.pop_first().map(|((arrival, _), (number, parcel))| (arrival, number, parcel))
    }

    /// How many packets were handed to the links so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }
}
