//! HKDF-SHA-256 (RFC 5869) with domain tags.

use crate::crypto::Domain;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The most bytes that HKDF-Expand gives: 255 blocks of 32.
pub const MAX_EXPANDED: usize = 255 * 32;

/// HKDF-Extract: a pseudorandom key of 32 bytes from input key material and a salt.
pub fn extract(salt: &[u8], input: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Hkdf::<Sha256>::extract(Some(salt), input).0.into())
}

/// HKDF-Expand of `key` with info `length of label || label || context`, `N` bytes, at most [`MAX_EXPANDED`].
pub fn expand<const N: usize>(key: &[u8; 32], domain: Domain, context: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= MAX_EXPANDED, "HKDF-Expand gives at most 255 blocks") };
    let mut out = Zeroizing::new([0; N]);
    expand_into(key, domain, context, out.as_mut_slice());
    out
}

/// As [`expand`], of one key for two tags: what HMAC makes of the key is made once.
pub fn expand_both(key: &[u8; 32], tags: [Domain; 2]) -> [Zeroizing<[u8; 32]>; 2] {
    let hkdf = prepared(key);
    tags.map(|domain| {
        let mut out = Zeroizing::new([0; 32]);
        let label = domain.label().as_bytes();
        hkdf.expand_multi_info(&[&[label.len() as u8], label], out.as_mut_slice())
            .expect("32 bytes are less than the bound");
        out
    })
}

/// As [`expand`], for a length that the suite decides; it is below [`MAX_EXPANDED`] in every suite.
pub(super) fn expand_into(key: &[u8; 32], domain: Domain, context: &[u8], out: &mut [u8]) {
    let label = domain.label().as_bytes();
    expand_info(key, &[&[label.len() as u8], label, context], out)
        .expect("the callers ask for less than the bound");
}

/// HKDF-Expand as RFC 5869 has it, with the parts of `info` one after the other. Only the published vectors call it by
/// itself.
///
/// # Errors
/// When `out` is longer than [`MAX_EXPANDED`].
pub fn expand_info(key: &[u8; 32], info: &[&[u8]], out: &mut [u8]) -> Result<(), TooLong> {
    prepared(key).expand_multi_info(info, out).map_err(|_| TooLong)
}

fn prepared(key: &[u8; 32]) -> Hkdf<Sha256> {
    Hkdf::from_prk(key).expect("32 bytes are a pseudorandom key of SHA-256")
}

/// More than [`MAX_EXPANDED`] bytes were asked of HKDF-Expand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HKDF-Expand gives at most {MAX_EXPANDED} bytes")]
pub struct TooLong;
