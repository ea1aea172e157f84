//! A part of a state that copies of the state have in common until one of them changes it.

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
