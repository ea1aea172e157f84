//! What a network is made from, and how it is assembled.
//!
//! Every principal generates its own keys here as it would elsewhere; only the process is shared.

use crate::simulator::{
    ByzantinePolicy, ByzantineValidator, FaultInjector, Network, Node, Reliable, Scheduler,
};
use bemr::actors::{Bsd, Cloud, StoreHandle, User, Validator};
use bemr::crypto::Suite;
use bemr::keys::Lifetimes;
use bemr::store::MemoryStore;
use bemr::wire::{Time, encode};
use bemr_spec::{Refusal, Rules};

/// When virtual time begins by default: 2027-01-01T00:00:00Z.
pub const START: Time = Time(1_798_761_600_000);

/// A year in milliseconds.
const YEAR: u64 = 31_557_600_000;

/// Least latency of a link and the jitter on top of it, in milliseconds.
const LATENCY: (u64, u64) = (5, 20);

/// The most validators of one network in one process.
pub const MAX_VALIDATORS: usize = 256;

/// How blocks are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerKind {
    /// By more than two thirds of the validators; final at once.
    Quorum,
    /// By proof of work; final after confirmations.
    Work,
}

/// What a network is made from.
pub struct NetworkConfig {
    /// The rules that every actor enforces.
    pub rules: Rules,
    /// The suite of every key.
    pub suite: Suite,
    /// How many validators, 1 to [`MAX_VALIDATORS`].
    pub validators: usize,
    /// How blocks are committed.
    pub ledger: LedgerKind,
    /// All randomness comes from it.
    pub seed: u64,
    /// When virtual time begins.
    pub start: Time,
    /// How long certificates and revocation lists are valid.
    pub lifetimes: Lifetimes,
    /// Decides what becomes of each envelope.
    pub injector: Box<dyn FaultInjector>,
    /// Where cloud and BSD store what has to survive a restart.
    pub store: StoreHandle,
    /// How each validator behaves, in their order; those beyond the end follow the protocol.
    pub policies: Vec<ByzantinePolicy>,
}

impl NetworkConfig {
    /// A reliable network of `validators` with every clause enforced, in memory.
    pub fn new(suite: Suite, validators: usize) -> NetworkConfig {
        NetworkConfig {
            rules: Rules::hardened(),
            suite,
            validators,
            ledger: LedgerKind::Quorum,
            seed: 1,
            start: START,
            lifetimes: Lifetimes { certificate: 10 * YEAR, list: 10 * YEAR },
            injector: Box::new(Reliable),
            store: StoreHandle::new(MemoryStore::new()),
            policies: Vec::new(),
        }
    }

    /// Enrols everybody and connects them.
    ///
    /// # Errors
    /// Those of [`NetworkConfig::provision`]; CLD-06 when the store does not take the certificates.
    pub fn build(self) -> Result<Network, Refusal> {
        let mut keys = self.provision()?;
        let NetworkConfig { seed, start, injector, store, policies, .. } = self;
        let (cloud, bsd) = (keys.cloud.clone(), keys.bsd.clone());
        let mut nodes = Vec::new();
        for user in keys.roster.clone().users() {
            let user = User::new(keys.context(user), bsd.name.clone(), cloud.clone());
            nodes.push(Node::User(Box::new(user)));
        }
        let validators: Vec<Validator> = keys
            .roster
            .validators
            .clone()
            .iter()
            .map(|validator| Validator::new(keys.context(validator), cloud.clone(), bsd.clone()))
            .collect();
        nodes.extend(ByzantineValidator::among(validators, &policies, seed));
        let node = Cloud::new(keys.context(&cloud.name), store.clone(), keys.cloud_log())?;
        nodes.push(Node::Cloud(Box::new(node)));
        let mut context = keys.context(&bsd.name);
        let (seals, opened) = keys.seal_chain(&mut context)?;
        store.commit(keys.bootstrap_rows().meta("seal-chain", encode(&opened)))?;
        let node = Bsd::new(context, cloud, seals, store.clone(), keys.audit_log())?;
        nodes.push(Node::Bsd(Box::new(node)));
        let mut network = Network::empty(keys, store, Scheduler::new(start, LATENCY, seed, injector));
        nodes.into_iter().for_each(|node| network.add(node));
        Ok(network)
    }
}
