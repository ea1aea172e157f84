//! Parts of a state that are held otherwise: shared by copies of the state until one of them changes it, or not a part of
//! what tells states apart.

use crate::rename::{Rename, Renaming};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Shared until changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    pub(super) fn new(part: T) -> Shared<T> {
        Shared(Arc::new(part))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// What was, for who asks afterwards. Nothing that actors do depends on it: two states that differ in it alone are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Past<T>(pub(super) T);

impl<T> PartialEq for Past<T> {
    fn eq(&self, _: &Past<T>) -> bool {
        true
    }
}

impl<T> Eq for Past<T> {}

impl<T> Hash for Past<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Nothing that is asked under other names depends on it.
impl<T: Clone> Rename for Past<T> {
    fn renamed(&self, _: &Renaming) -> Past<T> {
        self.clone()
    }
}
