//! Hiding commitments to the attributes of a record.
//!
//! All openings come from the record key: who has the key can open every attribute; who gets one opening learns
//! nothing of the others.

use crate::crypto::{Digest, Domain, expand};
use crate::records::canonical;
use crate::wire::{Name, Template, Value, encode};
use zeroize::Zeroizing;

/// The opening of the attribute with this index: HKDF-Expand of the record key, 32 bytes.
pub fn opening(record_key: &[u8; 32], index: u16) -> Zeroizing<[u8; 32]> {
    expand(record_key, Domain::OPENING, &index.to_be_bytes())
}

/// The commitment to one attribute, of which `value` is the canonical encoding.
pub fn commitment_of(index: u16, name: &Name, value: &[u8], opening: &[u8; 32]) -> Digest {
    Digest::of_parts(Domain::COMMITMENT, &[opening, &index.to_be_bytes(), &encode(name), value])
}

/// The commitments to `values`, the attributes of `template` in its order.
pub fn commitments(record_key: &[u8; 32], template: &Template, values: &[Option<Value>]) -> Vec<Digest> {
    (0u16..)
        .zip(template.attributes.iter())
        .zip(values)
        .map(|((index, attribute), value)| {
            commitment_of(index, &attribute.name, &canonical(value), &opening(record_key, index))
        })
        .collect()
}
