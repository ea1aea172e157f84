//! Holds nothing: the benches are in the files beside `Cargo.toml`.
