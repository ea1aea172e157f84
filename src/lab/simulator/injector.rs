//! The hook through which every envelope goes on its way: what the adversary of the network decides.

use crate::simulator::Envelope;
use bemr::wire::Time;

/// Decides what becomes of each envelope.
pub trait FaultInjector {
    /// The envelopes that are delivered in place of this one, each with its delay in milliseconds on top of the link's
    /// latency; none when it is lost.
    fn decide(&mut self, now: Time, envelope: Envelope) -> Vec<(u64, Envelope)>;
}

/// Delivers every envelope once, without additional delay, and unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliable;

impl FaultInjector for Reliable {
    fn decide(&mut self, _now: Time, envelope: Envelope) -> Vec<(u64, Envelope)> {
        vec![(0, envelope)]
    }
}

impl<F: FnMut(Time, Envelope) -> Vec<(u64, Envelope)>> FaultInjector for F {
    fn decide(&mut self, now: Time, envelope: Envelope) -> Vec<(u64, Envelope)> {
        self(now, envelope)
    }
}
