//! How strong an adversary is, from the order of messages to the keys of the KDC.

use bemr_model::Actor;

macro_rules! capabilities {
    ($($(#[$doc:meta])+ $variant:ident $name:literal,)+) => {
        /// What an adversary is able to do at most, each including those before it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Capability {
            $($(#[$doc])+ $variant,)+
        }

        impl Capability {
            /// All, from the weakest.
            pub const ALL: [Capability; [$($name),+].len()] = [$(Capability::$variant),+];

            /// What it is called in tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Capability::$variant => $name,)+
                }
            }
        }
    };
}

capabilities! {
    /// None but the network, which keeps no order.
    Order "order",
    /// Some never answer.
    Silence "silence",
    /// Messages take longer than somebody waits.
    Delay "delay",
    /// Messages are lost.
    Drop "drop",
    /// Messages arrive twice at once.
    Duplicate "duplicate",
    /// Messages arrive again, whenever it likes.
    Replay "replay",
    /// Packets arrive at others, or seem to come from others.
    Redirect "redirect",
    /// Packets of handshakes are made in anybody's name.
    Forge "forge",
    /// One validator says what it likes.
    LyingVote "lying vote",
    /// Several do.
    LyingMajority "lying majority",
    /// A certified user says what they like.
    User "user",
    /// So does the cloud.
    Cloud "cloud",
    /// So does the BSD.
    Bsd "BSD",
    /// So does the KDC.
    Kdc "KDC",
    /// What somebody has in memory leaks.
    Leak "leak",
}

impl Capability {
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
