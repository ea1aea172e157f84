//! The primitives: suites of prime-order groups, Schnorr signatures, ElGamal key encapsulation, Diffie–Hellman,
//! HKDF, AES-256-GCM and domain-separated hashing.
//!
//! It knows nothing of messages, keys' owners or sessions, and draws randomness only from its arguments.

mod aead;
mod diffie_hellman;
mod digest;
mod domain;
mod exponentiation;
mod finite_field;
mod group;
mod jacobi;
mod kdf;
mod kem;
mod montgomery;
#[cfg(bemr_weaken)]
pub mod operations;
mod public_key;
mod ristretto;
mod signature;
mod suite;
#[cfg(all(test, bemr_weaken))]
mod tests;

pub use aead::AeadKey;
internal!(use diffie_hellman::{Ephemeral, SharedSecret});
pub use digest::Digest;
pub(crate) use digest::Prefix;
pub use domain::Domain;
internal!(use group::{Element, Factor, Scalar});
internal!(use kdf::{MAX_EXPANDED, TooLong, expand, expand_both, expand_info, extract});
pub use kem::{DecapsulationKey, EncapsulationKey};
internal!(use kem::Encapsulation);
pub use signature::{Signature, SigningKey, VerifyingKey};
internal!(use signature::{Signed, invalid, verify_all, vouch_all});
pub use suite::Suite;

use kdf::expand_into;
