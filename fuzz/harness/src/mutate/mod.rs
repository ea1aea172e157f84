//! How an input becomes another one: by what its bytes say, so that it still says something.

mod bytes;
mod coded;
mod json;
mod script;

pub use bytes::bytes;
pub use coded::coded;
pub use json::{json, lines};
pub use script::script;

/// The longest input that is made, in bytes.
pub const LONGEST: usize = 1 << 16;
