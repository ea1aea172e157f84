//! The primitives: suites of prime-order groups, Schnorr signatures, ElGamal key encapsulation, Diffie–Hellman,
//! HKDF, AES-256-GCM and domain-separated hashing.
//!
//! It knows nothing of messages, keys' owners or sessions, and draws randomness only from its arguments.

mod aead;
mod digest;
mod exchange;
mod group;
mod kdf;
mod kem;
mod signature;
mod suite;
mod tag;

pub use aead::AeadKey;
pub use digest::Digest;
pub use exchange::{Ephemeral, SharedSecret};
pub use group::Element;
pub use kdf::{expand, extract};
pub use kem::{DecapsulationKey, Encapsulation, EncapsulationKey};
pub use signature::{Signature, Signed, SigningKey, VerifyingKey, verify_all};
pub use suite::Suite;
pub use tag::Tag;
