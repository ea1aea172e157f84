//! Principals: their keys, roles and certificates, the KDC that certifies them, and the store that trusts it.
//!
//! Nothing here opens a session or reads a record. Every principal makes its own keys; the KDC sees public
//! halves alone.

mod identity;
mod kdc;
mod roles;
#[cfg(test)]
pub(crate) mod tests;
mod trust;

pub use identity::{Credentials, Identity};
pub use kdc::{Kdc, Lifetimes};
pub use roles::{Party, Permission};
pub use trust::{CertifiedPrincipal, TrustAnchor, TrustStore};
