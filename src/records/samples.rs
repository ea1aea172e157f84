//! x
/// x
pub const SAMPLES: &[(&str, &[u8])] = &[];
