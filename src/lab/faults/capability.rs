//! How strong an adversary is, from the order of messages to the keys of the KDC.

use bemr_model::Actor;

/// What an adversary is able to do at most, each including those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
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

impl Capability {
    /// All, from the weakest.
    pub const ALL: [Capability; 15] = [
        Capability::Order,
        Capability::Silence,
        Capability::Delay,
        Capability::Drop,
        Capability::Duplicate,
        Capability::Replay,
        Capability::Redirect,
        Capability::Forge,
        Capability::LyingVote,
        Capability::LyingMajority,
        Capability::User,
        Capability::Cloud,
        Capability::Bsd,
        Capability::Kdc,
        Capability::Leak,
    ];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::Order => "order",
            Capability::Silence => "silence",
            Capability::Delay => "delay",
            Capability::Drop => "drop",
            Capability::Duplicate => "duplicate",
            Capability::Replay => "replay",
            Capability::Redirect => "redirect",
            Capability::Forge => "forge",
            Capability::LyingVote => "lying vote",
            Capability::LyingMajority => "lying majority",
            Capability::User => "user",
            Capability::Cloud => "cloud",
            Capability::Bsd => "BSD",
            Capability::Kdc => "KDC",
            Capability::Leak => "leak",
        }
    }

    /// The power that an insider is, where it is the `nth` of its kind.
    pub const fn of(insider: Actor, nth: usize) -> Capability {
        match insider {
            Actor::Validator(_) if nth == 0 => Capability::LyingVote,
            Actor::Validator(_) => Capability::LyingMajority,
            Actor::User(_) => Capability::User,
            Actor::Cloud => Capability::Cloud,
            Actor::Bsd => Capability::Bsd,
            Actor::Kdc => Capability::Kdc,
        }
    }
}
