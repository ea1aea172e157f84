//! The paper's constructions that the protocol does not have, read literally: textbook ElGamal signatures, and an exchange of
//! bare exponentials with static keys. They are broken; they are here so that what breaks them can be run.
//!
//! Whatever else the paper leaves out is a clause that can be switched off ([`Rules::without`]). These cannot be had that way:
//! other constructions stand in their place. Nothing here is in constant time, erased, or used by an actor.
//!
//! [`Rules::without`]: bemr_spec::Rules::without

mod elgamal;
mod exchange;
mod group;

pub use elgamal::{Hashing, KeyPair, Reading, Signature, verify};
pub use exchange::StaticKey;
pub use group::Group;
