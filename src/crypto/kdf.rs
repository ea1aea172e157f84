//! HKDF-SHA-256 (RFC 5869) with domain tags.

use crate::crypto::Tag;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// HKDF-Extract: a pseudorandom key of 32 bytes from input key material and a salt.
pub fn extract(salt: &[u8], input: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Hkdf::<Sha256>::extract(Some(salt), input).0.into())
}

/// HKDF-Expand of `key` with info `length of label || label || context`, `N` bytes (at most 8160).
pub fn expand<const N: usize>(key: &[u8; 32], tag: Tag, context: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "HKDF-Expand gives at most 255 blocks") };
    let label = tag.label().as_bytes();
    let mut out = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::from_prk(key)
        .expect("32 bytes are a pseudorandom key of SHA-256")
        .expand_multi_info(&[&[label.len() as u8], label, context], out.as_mut_slice())
        .expect("N is within the bound of HKDF-Expand");
    out
}
