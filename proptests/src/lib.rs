//! Holds nothing yet: the property tests are in `tests/`.
