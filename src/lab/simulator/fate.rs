//! What becomes of a packet on its way.

use bemr::wire::{Name, Time};

/// A packet on its way.
#[derive(Clone, Debug)]
pub struct Parcel {
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
pub trait Fate {
    /// The packets that are delivered for this one, each with its delay in milliseconds on top of the link's
    /// latency. None: it is lost.
    fn decide(&mut self, now: Time, parcel: Parcel) -> Vec<(u64, Parcel)>;
}

/// Delivers every packet once, at once and unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fair;

impl Fate for Fair {
    fn decide(&mut self, _now: Time, parcel: Parcel) -> Vec<(u64, Parcel)> {
        vec![(0, parcel)]
    }
}

impl<F: FnMut(Time, Parcel) -> Vec<(u64, Parcel)>> Fate for F {
    fn decide(&mut self, now: Time, parcel: Parcel) -> Vec<(u64, Parcel)> {
        self(now, parcel)
    }
}
