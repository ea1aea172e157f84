//! What a flaw changes in a message, as data.

use super::Forge;
use bemr_model::Flaws;
use bemr_spec::Clause;
use tls_codec::{TlsVecU16, TlsVecU32};

/// Of each clause the changes that violate it, one for each variant; where the first variant is a wrong signature, it changes nothing.
pub(super) type Edits<M> = [(Clause, &'static [fn(&mut M)])];

impl Forge<'_> {
    /// Changes what these flaws change, each in its variant.
    pub(super) fn edit<M>(&self, edits: &Edits<M>, message: &mut M, flaws: Flaws) {
        for (_, variants) in edits.iter().filter(|(clause, _)| flaws.has(*clause)) {
            variants[usize::from(self.way(flaws, variants.len() as u8))](message);
        }
    }
}

/// A list on the wire.
pub(super) trait Elements: Default + From<Vec<Self::Item>> + Into<Vec<Self::Item>> {
    type Item;
}

impl<T> Elements for TlsVecU16<T> {
    type Item = T;
}

impl<T> Elements for TlsVecU32<T> {
    type Item = T;
}

/// Changes the elements of a list.
pub(super) fn change<L: Elements, R>(list: &mut L, change: impl FnOnce(&mut Vec<L::Item>) -> R) -> R {
    let mut elements = std::mem::take(list).into();
    let result = change(&mut elements);
    *list = elements.into();
    result
}
