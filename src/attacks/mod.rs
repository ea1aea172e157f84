//! Attacks on the protocol as it was published, each as what an adversary computes from what it may know.
//!
//! What is here takes public things and gives forgeries or secrets; whether they are taken, by the published constructions
//! and by the protocol, is for who calls. The rows are those of chapter 18. The attacks that are runs of a network, not
//! equations, are found by `explore` and by lockstep, not written here.

pub mod algebraic;
