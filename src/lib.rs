//! B-EMR: a user submits a medical record to a server database (BSD), a permissioned network validates it although fewer
//! than a third of its nodes are Byzantine, and a cloud that nobody has to trust stores it.
//!
//! The specification is the package `bemr-spec`, here as [`spec`]. Every refusal names one of its clauses. Times are
//! milliseconds since 1970 ([`wire::Time`]), durations milliseconds.
//!
//! Actors do no input or output. An actor takes an [`actors::Input`] at an instant and gives an [`actors::Step`]: what it
//! sends, or the clause that refused the input. The caller owns sockets, clock and threads.
//!
//! # How a network is assembled
//!
//! [`actors::Provisioning`] runs the KDC: it certifies every member and gives each actor its keys, the trust store, the
//! certificates and the ledger without blocks.
//!
//! # One record, from user to cloud
//!
//! This program carries datagrams between the actors of one process. A datagram arrives 5 ms after it was sent.
//!
//! ```
//! use bemr::actors::{Actor, Answer, Input, Output, Provisioning, Randomness, StoreHandle};
//! use bemr::crypto::Suite;
//! use bemr::keys::Lifetimes;
//! use bemr::records::{Record, SAMPLES};
//! use bemr::spec::{Refusal, Rules};
//! use bemr::store::MemoryStore;
//! use bemr::wire::{ClosingRule, Decision, Name, Role, Time};
//! use std::collections::{BTreeMap, VecDeque};
//!
//! # fn main() -> Result<(), Refusal> {
//! // The members. Four validators tolerate one that is Byzantine.
//! let rules = Rules::hardened();
//! let name = |name: &str| Name::new(name).expect("printable ASCII without spaces");
//! let (doctor, bsd, cloud, agent) = (name("doctor"), name("bsd"), name("cloud"), name("agent"));
//! let mut members = vec![
//!     (doctor.clone(), Role::Doctor),
//!     (bsd.clone(), Role::Bsd),
//!     (cloud.clone(), Role::Cloud),
//!     (agent.clone(), Role::Custodian),
//! ];
//! let validators: Vec<Name> = (0..4).map(|n| name(&format!("validator-{n}"))).collect();
//! members.extend(validators.iter().map(|validator| (validator.clone(), Role::Validator)));
//!
//! // Draw seeds from the operating system; these are fixed so that the example repeats.
//! let mut seeds = 0u8..;
//! let mut random = || Randomness::from_seed([seeds.next().expect("few actors"); 32]);
//! const DAY: u64 = 86_400_000;
//! let mut now = Time(1_800_000_000_000);
//! let network = Provisioning::enrol(
//!     rules,
//!     Suite::Ristretto255,
//!     (name("hospital"), name("kdc")),
//!     &members,
//!     ClosingRule::Quorum,
//!     Lifetimes { certificate: 365 * DAY, list: 30 * DAY },
//!     now,
//!     &mut random(),
//! )?;
//!
//! // The actors. Each node that keeps records has a store of its own.
//! let store = || StoreHandle::new(MemoryStore::new());
//! let mut user = network.user(&doctor, &bsd, &cloud, random())?;
//! let mut nodes: BTreeMap<Name, Box<dyn Actor>> = BTreeMap::new();
//! nodes.insert(bsd.clone(), Box::new(network.bsd(&bsd, &cloud, &agent, store(), random())?));
//! nodes.insert(cloud.clone(), Box::new(network.cloud(&cloud, store(), random())?));
//! for validator in &validators {
//!     nodes.insert(validator.clone(), Box::new(network.validator(validator, &bsd, &cloud, random())?));
//! }
//!
//! // The user submits a FHIR record that only they can read.
//! let (_, bytes) = SAMPLES[0];
//! let record = Record::read(&rules, bytes)?;
//! let (tid, mut outputs) = user.submit(now, &record, &[])?;
//!
//! let mut link: VecDeque<(Name, Name, Vec<u8>)> = VecDeque::new();
//! let everybody: Vec<Name> = nodes.keys().chain([&doctor]).cloned().collect();
//! let post = |link: &mut VecDeque<_>, from: &Name, output: Output| {
//!     let to = match output.recipient() {
//!         Some(to) => vec![to.clone()],
//!         None => everybody.iter().filter(|to| *to != from).cloned().collect(),
//!     };
//!     let datagram = output.into_datagram();
//!     link.extend(to.into_iter().map(|to| (from.clone(), to, datagram.clone())));
//! };
//! outputs.drain(..).for_each(|output| post(&mut link, &doctor, output));
//!
//! let mut request = None;
//! let answer = loop {
//!     now = now.after(5);
//!     for (from, to, datagram) in std::mem::take(&mut link) {
//!         let input = Input::from_datagram(&rules, from, &datagram)?;
//!         let step = match to == doctor {
//!             true => user.handle(now, input),
//!             false => nodes.get_mut(&to).expect("a member").handle(now, input),
//!         };
//!         step.outputs().cloned().for_each(|output| post(&mut link, &to, output));
//!     }
//!     for (name, node) in nodes.iter_mut().filter(|(_, node)| node.wake().is_some_and(|due| due <= now)) {
//!         let step = node.handle(now, Input::Wake);
//!         step.outputs().cloned().for_each(|output| post(&mut link, name, output));
//!     }
//!     // Once the record is committed, the user reads it back and verifies every proof.
//!     if request.is_none() && let Some(outcome) = user.outcome(&tid) {
//!         assert_eq!((outcome.decision, outcome.reason.clause()), (Decision::Committed, None));
//!         let (id, outputs) = user.read(now, tid)?;
//!         outputs.into_iter().for_each(|output| post(&mut link, &doctor, output));
//!         request = Some(id);
//!     }
//!     if let Some(answer) = request.and_then(|request| user.take_answer(request)) {
//!         break answer;
//!     }
//!     assert!(now < Time(1_800_000_060_000), "no answer within a minute");
//! };
//! assert!(matches!(answer, Answer::Record(read) if read.as_slice() == bytes));
//! # Ok(())
//! # }
//! ```
//!
//! # One BSD in an event loop of your own
//!
//! A loop waits until a datagram arrives or until the instant that [`actors::Actor::wake`] names, and sends what the step
//! gives. [`actors::Output::recipient`] is the address; nothing means that every node gets the datagram.
//!
//! ```
//! use bemr::actors::{Actor, Bsd, Input};
//! use bemr::spec::Rules;
//! use bemr::wire::{Name, Time};
//! use std::sync::mpsc::{Receiver, RecvTimeoutError};
//! use std::time::{Duration, SystemTime, UNIX_EPOCH};
//!
//! fn clock() -> Time {
//!     let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
//!     Time(u64::try_from(since.as_millis()).expect("a clock before the year 500 million"))
//! }
//!
//! /// Serves until the receiving half of the socket is closed.
//! fn serve(
//!     mut bsd: Bsd,
//!     rules: Rules,
//!     socket: &Receiver<(Name, Vec<u8>)>,
//!     send: impl Fn(Option<&Name>, Vec<u8>),
//! ) {
//!     loop {
//!         let now = clock();
//!         let wait = bsd.wake().map_or(1_000, |due| due.0.saturating_sub(now.0));
//!         let input = match socket.recv_timeout(Duration::from_millis(wait)) {
//!             Ok((from, datagram)) => match Input::from_datagram(&rules, from, &datagram) {
//!                 Ok(input) => input,
//!                 Err(refusal) => {
//!                     eprintln!("no datagram: {refusal}");
//!                     continue;
//!                 }
//!             },
//!             Err(RecvTimeoutError::Timeout) => Input::Wake,
//!             Err(RecvTimeoutError::Disconnected) => return,
//!         };
//!         let step = bsd.handle(clock(), input);
//!         if let Some(clause) = step.clause() {
//!             eprintln!("{}: refused by {}", step.event, clause.id());
//!         }
//!         for output in step.outputs().cloned() {
//!             let to = output.recipient().cloned();
//!             send(to.as_ref(), output.into_datagram());
//!         }
//!     }
//! }
//! # use bemr::actors::{Provisioning, Randomness, StoreHandle};
//! # let rules = Rules::hardened();
//! # let name = |name: &str| Name::new(name).unwrap();
//! # let (bsd, cloud, agent, validator) = (name("bsd"), name("cloud"), name("agent"), name("validator"));
//! # use bemr::wire::Role;
//! # let members = [(&bsd, Role::Bsd), (&cloud, Role::Cloud), (&agent, Role::Custodian), (&validator, Role::Validator)];
//! # let network = Provisioning::enrol(
//! #     rules, bemr::crypto::Suite::Ristretto255, (name("hospital"), name("kdc")),
//! #     &members.map(|(name, role)| (name.clone(), role)), bemr::wire::ClosingRule::Quorum,
//! #     bemr::keys::Lifetimes { certificate: 86_400_000, list: 86_400_000 }, clock(), &mut Randomness::from_seed([1; 32]),
//! # ).unwrap();
//! # let store = StoreHandle::new(bemr::store::MemoryStore::new());
//! # let node = network.bsd(&bsd, &cloud, &agent, store, Randomness::from_seed([2; 32])).unwrap();
//! # let (sender, socket) = std::sync::mpsc::channel();
//! # // A request for blocks is answered with none, and bytes that are no datagram are refused.
//! # sender.send((name("validator"), vec![2, 7, 0, 0, 0, 0, 0, 0, 0, 1])).unwrap();
//! # sender.send((name("validator"), vec![9])).unwrap();
//! # drop(sender);
//! # serve(node, rules, &socket, |_, _| panic!("there is nothing to send"));
//! ```
//!
//! # Rooms
//!
//! Lowest first; each looks only at those above it in this list.
//!
//! | room | what is there |
//! |---|---|
//! | [`crypto`] | signature and encapsulation keys, suites, digests |
//! | [`wire`] | public messages, each with one encoding; datagrams |
//! | [`keys`] | the KDC, certificates, roles, trust stores |
//! | [`session`] | escrow ratchet and key-recovery agent; handshake and protected records are internal |
//! | [`records`] | FHIR records, templates, contracts |
//! | [`votes`] | validator sets and quorum certificates |
//! | [`merkle`] | trees, proofs of inclusion and of consistency |
//! | [`ledger`] | blocks, final by quorum or by proof of work |
//! | [`transparency`] | the cloud's append-only log and its clients |
//! | [`audit`] | the audit log and its auditor |
//! | [`store`] | persistence: in memory, or in a database on a path |
//! | [`actors`] | user, server database, validator, cloud; how a network is assembled |
//!
//! # Features
//!
//! `store` adds the database on a path. No feature weakens a rule: [`spec::Rules::hardened`] is the only constructor of
//! its type.

#![cfg_attr(
    not(bemr_weaken),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        rustdoc::private_intra_doc_links,
        reason = "the workspace's own builds show these items to the checkers, and look there for what nobody uses"
    )
)]

/// Re-exports what only this repository's checkers reach from outside: public in its own builds, which set
/// `--cfg bemr_weaken`, and internal for everybody who depends on the library.
macro_rules! internal {
    (use $($tree:tt)+) => {
        #[cfg(bemr_weaken)]
        pub use $($tree)+;
        #[cfg(not(bemr_weaken))]
        pub(crate) use $($tree)+;
    };
}

/// Declares a module that is public to this repository's checkers alone, as `internal!` does for items.
macro_rules! internal_mod {
    ($name:ident) => {
        #[cfg(bemr_weaken)]
        pub mod $name;
        #[cfg(not(bemr_weaken))]
        mod $name;
    };
}

pub mod actors;
pub mod audit;
pub mod crypto;
pub mod keys;
pub mod ledger;
pub mod merkle;
pub mod records;
pub mod session;
pub mod store;
pub mod transparency;
pub mod votes;
pub mod wire;

pub use bemr_spec as spec;

#[cfg(test)]
mod tests {
    /// A chapter of the specification, by the name of its file.
    pub(crate) fn chapter(file: &str) -> &'static str {
        let mut chapters = bemr_spec::messages::CHAPTERS.iter();
        chapters.find(|(name, _)| *name == file).map(|(_, text)| *text).expect("the chapter exists")
    }
}
