//! How strong an adversary is, from the order of messages to the keys of the KDC.

use bemr_model::Actor;

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
    /// Messages arrive twice at once.
    Duplicate,
    /// Messages arrive again, whenever it likes.
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
    /// What somebody has in memory leaks.
    Leak,
}

impl Power {
    /// All, from the weakest.
    pub const ALL: [Power; 15] = [
        Power::Order,
        Power::Silence,
        Power::Delay,
        Power::Drop,
        Power::Duplicate,
        Power::Replay,
        Power::Redirect,
        Power::Forge,
        Power::LyingVote,
        Power::LyingMajority,
        Power::User,
        Power::Cloud,
        Power::Bsd,
        Power::Kdc,
        Power::Leak,
    ];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Power::Order => "order",
            Power::Silence => "silence",
            Power::Delay => "delay",
            Power::Drop => "drop",
            Power::Duplicate => "duplicate",
            Power::Replay => "replay",
            Power::Redirect => "redirect",
            Power::Forge => "forge",
            Power::LyingVote => "lying vote",
            Power::LyingMajority => "lying majority",
            Power::User => "user",
            Power::Cloud => "cloud",
            Power::Bsd => "BSD",
            Power::Kdc => "KDC",
            Power::Leak => "leak",
        }
    }

    /// The power that an insider is, where it is the `nth` of its kind.
    pub const fn of(insider: Actor, nth: usize) -> Power {
        match insider {
            Actor::Validator(_) if nth == 0 => Power::LyingVote,
            Actor::Validator(_) => Power::LyingMajority,
            Actor::User(_) => Power::User,
            Actor::Cloud => Power::Cloud,
            Actor::Bsd => Power::Bsd,
            Actor::Kdc => Power::Kdc,
        }
    }
}
