//! The primitives: suites of prime-order groups, Schnorr signatures, ElGamal key encapsulation, Diffie–Hellman,
//! HKDF, AES-256-GCM and domain-separated hashing.
//!
//! It knows nothing of messages, keys' owners or sessions, and draws randomness only from its arguments.

mod aead;
mod digest;
mod exchange;
mod finite_field;
mod group;
mod jacobi;
mod kdf;
mod kem;
mod montgomery;
mod power;
mod public_key;
mod ristretto;
mod signature;
mod suite;
mod tag;
#[cfg(feature = "tally")]
pub mod tally;
#[cfg(all(test, bemr_weaken))]
mod tests;

pub use aead::{AeadKey, TAG_LEN};
pub use digest::Digest;
pub use exchange::{Ephemeral, SharedSecret};
pub use group::{Element, Factor, Scalar};
pub use kdf::{MAX_EXPANDED, TooLong, expand, expand_both, expand_info, extract};
pub use kem::{DecapsulationKey, Encapsulation, EncapsulationKey};
pub use signature::{Signature, Signed, SigningKey, VerifyingKey, invalid, verify_all, vouch_all};
pub use suite::Suite;
pub use tag::Tag;

use kdf::expand_into;
