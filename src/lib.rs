//! B-EMR: a medical record travels from a user to a server database, is validated by a network of nodes some
//! of which lie, and is stored in a cloud that nobody has to trust.
//!
//! The law is the package `bemr-spec`, here as [`spec`]: every refusal names one of its clauses.
//!
//! # One record
//!
//! Everything is driven by hand: actors do no input or output, time is virtual, randomness has a seed.
//!
//! ```ignore
//! use bemr::actors::user::Answer;
//! use bemr::crypto::Suite;
//! use bemr_lab::simulator::NetworkConfig;
//! use bemr::records::{Record, SAMPLES};
//! use bemr::spec::{Refusal, Rules};
//! use bemr::wire::Decision;
//!
//! // A KDC that enrols everybody, four validators, a server database, a cloud, and users.
//! let mut town = NetworkConfig::new(Suite::Ristretto255, 4).build()?;
//! let doctor = town.cast.doctor.clone();
//!
//! let (_, bytes) = SAMPLES[0];
//! let record = Record::read(&Rules::hardened(), bytes)?;
//! let tid = town.by(&doctor, |user, now| user.submit(now, &record, &[]))?;
//! town.run_until(60_000, |_| (), |town| town.user(&doctor).is_some_and(|user| !user.awaits(&tid)));
//! let outcome = town.user(&doctor).and_then(|user| user.outcome(&tid).cloned());
//! assert_eq!(outcome.map(|outcome| outcome.decision), Some(Decision::Committed));
//!
//! // The cloud answers with proofs, and the user's app checks them all.
//! let request = town.by(&doctor, |user, now| user.read(now, tid))?;
//! town.run_until(60_000, |_| (), |town| town.user(&doctor).is_some_and(|user| !user.awaits_answer(request)));
//! let answer = town.user(&doctor).and_then(|user| user.answer(request).cloned());
//! assert!(matches!(answer, Some(Answer::Record(read)) if read.as_slice() == bytes));
//! # Ok::<(), Refusal>(())
//! ```
//!
//! # Rooms
//!
//! Lowest first; each looks only at those above it in this list.
//!
//! | room | what is there |
//! |---|---|
//! | [`crypto`] | groups, signatures, key encapsulation, authenticated encryption, key derivation, digests |
//! | [`wire`] | every message, with one encoding |
//! | [`keys`] | the KDC, certificates, roles |
//! | [`session`] | handshake, record keys, sealing |
//! | [`records`] | FHIR records, templates, contracts, commitments |
//! | [`votes`] | validator sets, votes, quorum certificates |
//! | [`merkle`] | trees, proofs of inclusion and of consistency |
//! | [`ledger`] | blocks, closed by quorum or by proof of work |
//! | [`transparency`] | the cloud's append-only log |
//! | [`audit`] | the audit log and its auditor |
//! | [`store`] | what lasts: in memory, or in a database on a path |
//! | [`mod@machine`] | state machines as tables |
//! | [`actors`] | user, server database, validator, cloud |
//!
//! # Features
//!
//! `store` adds the database on a path. No feature weakens a rule: [`spec::Rules::hardened`] is the only value of its type.

pub mod actors;
pub mod audit;
pub mod crypto;
pub mod keys;
pub mod ledger;
pub mod machine;
pub mod merkle;
pub mod records;
pub mod session;
pub mod store;
pub mod transparency;
pub mod votes;
pub mod wire;

pub use bemr_spec as spec;
