//! A whole network in one process: a KDC that enrols everybody, and the actors on their links.
//!
//! Every principal makes its own keys here as it would elsewhere; only the process is shared.

use crate::simulator::{ByzantinePolicy, ByzantineValidator};
use crate::simulator::{Event, FaultInjector, Links, Node, ProvisionedKeys, Reliable, Simulator};
use bemr::actors::{Bsd, CertificateDirectory, Cloud, Output, StoreHandle, User, Validator};
use bemr::crypto::Suite;
use bemr::keys::{Credentials, Kdc, Lifetimes, TrustStore};
use bemr::store::MemoryStore;
use bemr::transparency::LogOperator;
use bemr::votes::ValidatorSet;
use bemr::wire::{Genesis, Name, Role, Time, encode};
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::BTreeMap;

/// When virtual time begins unless told otherwise: 2027-01-01T00:00:00Z.
pub const START: Time = Time(1_798_761_600_000);

/// A year of milliseconds.
const YEAR: u64 = 31_557_600_000;

/// The most validators of one network in one process.
pub const MAX_VALIDATORS: usize = 256;

/// How blocks are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerKind {
    /// By more than two thirds of the validators; final at once.
    Quorum,
    /// By proof of work; final after confirmations.
    Work,
}

/// What a network is made from.
pub struct NetworkConfig {
    /// The rules in force at every actor.
    pub rules: Rules,
    /// The suite of every key.
    pub suite: Suite,
    /// How many validators, 1 to [`MAX_VALIDATORS`].
    pub validators: usize,
    /// How blocks are closed.
    pub ledger: LedgerKind,
    /// All randomness comes from it.
    pub seed: u64,
    /// When virtual time begins.
    pub start: Time,
    /// How long certificates and revocation lists hold.
    pub lifetimes: Lifetimes,
    /// What becomes of packets.
    pub fate: Box<dyn FaultInjector>,
    /// Where cloud and BSD keep what has to last.
    pub archive: StoreHandle,
    /// How each validator behaves, in their order; those beyond the end are honest.
    pub conduct: Vec<ByzantinePolicy>,
}

impl NetworkConfig {
    /// A fair network of `validators` with every clause in force, in memory.
    pub fn new(suite: Suite, validators: usize) -> NetworkConfig {
        NetworkConfig {
            rules: Rules::hardened(),
            suite,
            validators,
            ledger: LedgerKind::Quorum,
            seed: 1,
            start: START,
            lifetimes: Lifetimes { certificate: 10 * YEAR, list: 10 * YEAR },
            fate: Box::new(Reliable),
            archive: StoreHandle::new(MemoryStore::new()),
            conduct: Vec::new(),
        }
    }
}

/// The names of everybody in a [`NetworkConfig`].
#[derive(Clone, Debug)]
pub struct Roster {
    /// A doctor, who submits.
    pub doctor: Name,
    /// Another doctor, who reads.
    pub colleague: Name,
    /// A medical assistant.
    pub assistant: Name,
    /// Two administrators.
    pub administrators: [Name; 2],
    /// The BSD.
    pub bsd: Name,
    /// The cloud.
    pub cloud: Name,
    /// The custodian.
    pub custodian: Name,
    /// The validators.
    pub validators: Vec<Name>,
}

/// A network that is ready to run.
pub struct Network {
    /// The actors on their links.
    pub world: Simulator,
    /// Who they are.
    pub cast: Roster,
    /// What the ledger starts from.
    pub genesis: Genesis,
    /// The KDC.
    pub kdc: Kdc,
    /// Everybody's keys, for tests that play an insider.
    pub credentials: BTreeMap<Name, Credentials>,
    /// Published certificates.
    pub directory: CertificateDirectory,
    /// What everybody trusts at the start.
    pub trust: TrustStore,
    /// The public keys of the cloud.
    pub cloud: LogOperator,
    /// The public keys of the BSD.
    pub bsd: LogOperator,
    /// Who votes.
    pub validators: ValidatorSet,
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("the names of a scenario are printable and short")
}

impl Roster {
    pub(super) fn new(validators: usize) -> Roster {
        Roster {
            doctor: name("dr-ada"),
            colleague: name("dr-ben"),
            assistant: name("mia"),
            administrators: [name("root-1"), name("root-2")],
            bsd: name("bsd"),
            cloud: name("cloud"),
            custodian: name("custodian"),
            validators: (1..=validators).map(|number| name(&format!("validator-{number:03}"))).collect(),
        }
    }

    pub(super) fn roles(&self) -> Vec<(Name, Role)> {
        let [first, second] = &self.administrators;
        let fixed = [
            (&self.doctor, Role::Doctor),
            (&self.colleague, Role::Doctor),
            (&self.assistant, Role::Assistant),
            (first, Role::Administrator),
            (second, Role::Administrator),
            (&self.bsd, Role::Bsd),
            (&self.cloud, Role::Cloud),
            (&self.custodian, Role::Custodian),
        ];
        let validators = self.validators.iter().map(|validator| (validator, Role::Validator));
        fixed.into_iter().chain(validators).map(|(name, role)| (name.clone(), role)).collect()
    }

    /// The five users.
    pub fn users(&self) -> [&Name; 5] {
        let [first, second] = &self.administrators;
        [&self.doctor, &self.colleague, &self.assistant, first, second]
    }
}

impl NetworkConfig {
    /// Enrols everybody and puts them on the network.
    ///
    /// # Errors
    /// Those of [`NetworkConfig::found`]; CLD-06 when the archive does not take the certificates.
    pub fn build(self) -> Result<Network, Refusal> {
        let mut founded = self.found()?;
        let NetworkConfig { rules, seed, start, fate, archive, .. } = self;
        let (cloud, bsd) = (founded.cloud.clone(), founded.bsd.clone());
        let mut world = Simulator::new(rules, start, Links::new(5, 20, seed, fate));
        for user in founded.cast.clone().users() {
            let user = User::new(founded.context(user), bsd.name.clone(), cloud.clone());
            world.add(Node::User(Box::new(user)));
        }
        let honest = founded.cast.validators.clone();
        let honest: Vec<Validator> = honest
            .iter()
            .map(|validator| Validator::new(founded.context(validator), cloud.clone(), bsd.clone()))
            .collect();
        let nodes = ByzantineValidator::among(honest, &self.conduct, seed);
        #[cfg(not(bemr_weaken))]
        let nodes = honest.into_iter().map(|validator| Node::Validator(Box::new(validator)));
        nodes.into_iter().for_each(|node| world.add(node));
        let node = Cloud::new(founded.context(&cloud.name), archive.clone(), founded.cloud_log())?;
        world.add(Node::Cloud(Box::new(node)));
        let mut office = founded.context(&bsd.name);
        let (seals, opened) = founded.seal_chain(&mut office)?;
        archive.commit(founded.kept().meta("seal-chain", encode(&opened)))?;
        let audit = founded.audit_log();
        world.add(Node::Bsd(Box::new(Bsd::new(office, cloud, seals, archive, audit)?)));
        let ProvisionedKeys {
            cast, genesis, kdc, credentials, directory, trust, cloud, bsd, validators, ..
        } = founded;
        Ok(Network { world, cast, genesis, kdc, credentials, directory, trust, cloud, bsd, validators })
    }
}

impl Network {
    /// Lets a user do something of their own accord.
    ///
    /// # Errors
    /// What the user says.
    pub fn by<T>(
        &mut self,
        user: &Name,
        command: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Result<T, Refusal> {
        self.by_seen(user, command).map(|(answer, _)| answer)
    }

    /// As [`Network::by`], with what happened.
    ///
    /// # Errors
    /// What the user says.
    pub fn by_seen<T>(
        &mut self,
        user: &Name,
        command: impl FnOnce(&mut User, Time) -> Result<(T, Vec<Output>), Refusal>,
    ) -> Result<(T, Event), Refusal> {
        let answer = self.world.command_seen(user, |node, now| match node {
            Node::User(user) => match command(user, now) {
                Ok((answer, outputs)) => (Ok(answer), outputs),
                Err(refusal) => (Err(refusal), Vec::new()),
            },
            _ => (Err(Refusal::new(Clause::RoleFitsPlace)), Vec::new()),
        });
        match answer {
            Some((answer, event)) => answer.map(|answer| (answer, event)),
            None => Err(Refusal::new(Clause::PeerIsIntended).at(user.as_str())),
        }
    }

    /// A user.
    pub fn user(&mut self, user: &Name) -> Option<&mut User> {
        match self.world.node(user) {
            Some(Node::User(user)) => Some(user),
            _ => None,
        }
    }

    /// The BSD.
    pub fn bsd(&mut self) -> Option<&mut Bsd> {
        match self.world.node(&self.cast.bsd) {
            Some(Node::Bsd(bsd)) => Some(bsd),
            _ => None,
        }
    }

    /// The cloud.
    pub fn cloud(&mut self) -> Option<&mut Cloud> {
        match self.world.node(&self.cast.cloud) {
            Some(Node::Cloud(cloud)) => Some(cloud),
            _ => None,
        }
    }

    /// A validator.
    pub fn validator(&mut self, validator: &Name) -> Option<&mut Validator> {
        match self.world.node(validator) {
            Some(Node::Validator(validator)) => Some(validator),
            _ => None,
        }
    }

    /// Lets things happen until `done` or until nothing is left to happen, at most `limit` milliseconds. Gives each
    /// event to `see`.
    pub fn run_until(
        &mut self,
        limit: u64,
        mut see: impl FnMut(&Event),
        mut done: impl FnMut(&mut Network) -> bool,
    ) {
        let end = self.world.now().after(limit);
        while self.world.now() < end && !done(self) {
            match self.world.step() {
                Some(event) => see(&event),
                None => return,
            }
        }
    }
}
