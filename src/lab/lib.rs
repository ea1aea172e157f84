//! The laboratory of `bemr`: everything that checks the protocol, and nothing that the protocol needs.
//!
//! | module | what is there |
//! |---|---|
//! | [`simulator`] | a whole network in one process: links, virtual time, Byzantine validators |
//! | [`faults`] | fault rules: kind, scope, trigger and budget of what an adversary does, as data |
//! | [`trace`] | the trace format: reader, writer, recorder, replay |
//! | [`sequence`] | traces as sequence diagrams |
//! | [`forge`] | messages with one field changed, signed again |
//! | [`refinement`] | what values and messages of the implementation are in the model |
//! | [`sut`] | the implementation as the system under test: takes the model's actions, and is observed |
//! | [`lockstep`] | model and implementation side by side |
//! | [`explore`] | exhaustive search of the model |
//! | [`mutation`] | every checker against the protocol without one clause |
//! | [`paper`] | the paper's constructions that the protocol does not have, broken as they are |
//! | [`attacks`] | every attack on the published protocol, carried out and stopped |
//! | [`vectors`] | test vectors for implementations in other languages |
//! | [`experiment`] | what a decision is worth when validators lie |
//! | [`fuzz_report`] | what a fuzzing campaign did |
//! | [`html`] | one frame and one style for the pages that people look at |
//! | [`specgen`] | the generated parts of the specification and of the README |

#[cfg(not(bemr_weaken))]
compile_error!(
    "the laboratory checks weakened rules: build it inside the repository, or with RUSTFLAGS=\"--cfg bemr_weaken\""
);

pub mod attacks;
pub mod experiment;
pub mod explore;
pub mod faults;
pub mod forge;
pub mod fuzz_report;
pub mod html;
pub mod lockstep;
pub mod mutation;
pub mod paper;
pub mod refinement;
pub mod sequence;
pub mod simulator;
pub mod specgen;
pub mod sut;
pub mod trace;
pub mod vectors;
