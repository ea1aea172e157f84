//! What every kind uses.

pub(super) use super::cases::{Case, Cases, rejected_by, signed_again};
pub(super) use super::draws::{Nothing, drawing, drawn, exhausted, given, rng, scalar_bytes, tag};
pub(super) use super::keys::name;
pub(super) use super::{RULES, Stop, Vector, known};
pub(super) use crate::forge::{MutatedMessage, ReSigner, Sweep, as_it_is, mended, near_elements};
pub(super) use crate::simulator::START;
pub(super) use crate::vectors::Hex;
pub(super) use bemr::crypto::*;
pub(super) use bemr::wire::*;
pub(super) use bemr_spec::{Clause, Refusal};
