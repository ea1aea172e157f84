//! What becomes of a packet on its way.

use bemr::wire::{Name, Time};

/// A packet on its way.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Who it claims to come from.
    pub from: Name,
    /// Who it goes to.
    pub to: Name,
    /// The name of the message in it, for people.
    pub label: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Decides what becomes of each packet. The adversary of the network is one of these.
pub trait FaultInjector {
    /// The packets that are delivered for this one, each with its delay in milliseconds on top of the link's
    /// latency. None: it is lost.
    fn decide(&mut self, now: Time, parcel: Envelope) -> Vec<(u64, Envelope)>;
}

/// Delivers every packet once, at once and unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliable;

impl FaultInjector for Reliable {
    fn decide(&mut self, _now: Time, parcel: Envelope) -> Vec<(u64, Envelope)> {
        vec![(0, parcel)]
    }
}

impl<F: FnMut(Time, Envelope) -> Vec<(u64, Envelope)>> FaultInjector for F {
    fn decide(&mut self, now: Time, parcel: Envelope) -> Vec<(u64, Envelope)> {
        self(now, parcel)
    }
}
