//! The constants of the protocol, generated from the tables of chapters 3 and 13. Times are in milliseconds.

include!(concat!(env!("OUT_DIR"), "/constants.rs"));
