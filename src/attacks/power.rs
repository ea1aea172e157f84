//! How strong an adversary is, from silence to the keys of the BSD. A weaker one has less of a scene.

use crate::explore::{Budget, Part};
use bemr_spec::model::Actor;

/// What an adversary is able to do at most, each including those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// None but the network, which keeps no order.
    Order,
    /// Some never answer.
    Silence,
    /// Messages take longer than somebody waits.
    Delay,
    /// Messages are lost.
    Drop,
    /// Messages arrive twice.
    Replay,
    /// Packets arrive at others, or seem to come from others.
    Redirect,
    /// Packets of handshakes are made in anybody's name.
    Forge,
    /// One validator says what it likes.
    LyingVote,
    /// Several do.
    LyingMajority,
    /// A certified user says what they like.
    User,
    /// So does the cloud.
    Cloud,
    /// So does the BSD.
    Bsd,
    /// So does the KDC.
    Kdc,
}

impl Power {
    /// All, from the weakest.
    pub const ALL: [Power; 13] = [
        Power::Order,
        Power::Silence,
        Power::Delay,
        Power::Drop,
        Power::Replay,
        Power::Redirect,
        Power::Forge,
        Power::LyingVote,
        Power::LyingMajority,
        Power::User,
        Power::Cloud,
        Power::Bsd,
        Power::Kdc,
    ];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Power::Order => "order",
            Power::Silence => "silence",
            Power::Delay => "delay",
            Power::Drop => "drop",
            Power::Replay => "replay",
            Power::Redirect => "redirect",
            Power::Forge => "forge",
            Power::LyingVote => "lying vote",
            Power::LyingMajority => "lying majority",
            Power::User => "user",
            Power::Cloud => "cloud",
            Power::Bsd => "BSD",
            Power::Kdc => "KDC",
        }
    }

    /// The power that an insider is, where it is the `nth` of its kind.
    const fn of(insider: Actor, nth: usize) -> Power {
        match insider {
            Actor::Validator(_) if nth == 0 => Power::LyingVote,
            Actor::Validator(_) => Power::LyingMajority,
            Actor::User(_) => Power::User,
            Actor::Cloud => Power::Cloud,
            Actor::Bsd => Power::Bsd,
            Actor::Kdc => Power::Kdc,
        }
    }

    /// The part with an adversary of no more than this power; nothing where it has just the same as one of less.
    pub fn limits(self, part: &Part) -> Option<Part> {
        let has = |power: Power| self >= power;
        let take = |power: Power, times: u8| if has(power) { times } else { 0 };
        let Budget { drop, replay, redirect, early, crash, lie, luck } = part.budget;
        let allowed = |(nth, insider): &(usize, &Actor)| has(Power::of(**insider, *nth));
        let insiders = part.insiders.iter().enumerate().take_while(allowed).count();
        let scripted = part.script.iter().any(|(actor, _)| *actor == Actor::Kdc);
        if scripted && !has(Power::Kdc) {
            return None;
        }
        let poses = part.poses && has(Power::Forge);
        let limited = Part {
            insiders: &part.insiders[..insiders],
            poses,
            silent: if has(Power::Silence) { part.silent } else { &[] },
            budget: Budget {
                drop: take(Power::Drop, drop),
                replay: take(Power::Replay, replay),
                redirect: take(Power::Redirect, redirect),
                early: take(Power::Delay, early),
                crash,
                lie: if insiders > 0 || poses { lie } else { 0 },
                luck,
            },
            ..*part
        };
        let same = |weaker: &Part| {
            (weaker.insiders, weaker.poses, weaker.silent, weaker.budget)
                == (limited.insiders, limited.poses, limited.silent, limited.budget)
        };
        let mut weaker =
            Power::ALL.into_iter().filter(|power| *power < self).filter_map(|power| power.limits(part));
        let is_new = weaker.next_back().is_none_or(|weaker| !same(&weaker));
        is_new.then_some(limited)
    }
}
