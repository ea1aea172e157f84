//! A whole network in one process: a KDC that enrols everybody, and the actors on their links.
//!
//! Every principal makes its own keys here as it would elsewhere; only the process is shared.

use crate::actors::{Archive, Bsd, Cloud, Directory, Neighbours, Office, Output, Replica, User, Validator};
use crate::audit::AuditLog;
use crate::crypto::Suite;
use crate::keys::{CertifiedPrincipal, Credentials, Identity, Kdc, Lifetimes, TrustStore};
use crate::ledger::Ledger;
use crate::log::{CloudIdentity, CloudLog};
use crate::merkle::Frontier;
use crate::network::{Event, Fair, Fate, Links, Node, World};
use crate::records::PolicyRegistry;
use crate::session::SealChain;
use crate::store::{Commit, MemoryStore};
use crate::votes::ValidatorSet;
use crate::wire::{
    Certificate, ClosingRule, Genesis, Name, PROTOCOL_VERSION, Role, Target, Time, WorkRule, encode,
};
use bemr_spec::{Clause, Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

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
pub struct Scenario {
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
    /// What becomes of packets.
    pub fate: Box<dyn Fate>,
    /// Where cloud and BSD keep what has to last.
    pub archive: Archive,
}

impl Scenario {
    /// A fair network of `validators` with every clause in force, in memory.
    pub fn new(suite: Suite, validators: usize) -> Scenario {
        Scenario {
            rules: Rules::hardened(),
            suite,
            validators,
            ledger: LedgerKind::Quorum,
            seed: 1,
            start: START,
            fate: Box::new(Fair),
            archive: Archive::new(MemoryStore::new()),
        }
    }
}

/// The names of everybody in a [`Scenario`].
#[derive(Clone, Debug)]
pub struct Cast {
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
pub struct Town {
    /// The actors on their links.
    pub world: World,
    /// Who they are.
    pub cast: Cast,
    /// What the ledger starts from.
    pub genesis: Genesis,
    /// The KDC.
    pub kdc: Kdc,
    /// Everybody's keys, for tests that play an insider.
    pub credentials: BTreeMap<Name, Credentials>,
    /// Published certificates.
    pub directory: Directory,
    /// What everybody trusts at the start.
    pub trust: TrustStore,
    /// The public keys of the cloud.
    pub cloud: CloudIdentity,
    /// The public keys of the BSD.
    pub bsd: CloudIdentity,
    /// Who votes.
    pub validators: ValidatorSet,
}

fn name(text: &str) -> Name {
    Name::new(text).expect("the names of a scenario are printable and short")
}

impl Cast {
    fn new(validators: usize) -> Cast {
        Cast {
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

    fn roles(&self) -> Vec<(Name, Role)> {
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

/// The work that a demonstration can afford: about 250 hashes a block.
fn work_rule() -> WorkRule {
    let mut easiest = [0xff; 32];
    easiest[0] = 0x00;
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 16, confirmations: 6 }
}

impl Scenario {
    /// Enrols everybody and puts them on the network.
    ///
    /// # Errors
    /// VOT-01 for no validators or more than [`MAX_VALIDATORS`]; CLD-06 when the archive does not take the
    /// certificates.
    pub fn build(self) -> Result<Town, Refusal> {
        let Scenario { rules, suite, validators, ledger, seed, start, fate, archive } = self;
        if !(1..=MAX_VALIDATORS).contains(&validators) {
            return Err(Refusal::new(Clause::VoterIsAdmitted).at(format!("{validators} validators")));
        }
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let cast = Cast::new(validators);
        let lifetimes = Lifetimes { certificate: 10 * YEAR, list: 10 * YEAR };
        let mut kdc = Kdc::new(name("kdc"), suite, lifetimes, &mut rng);
        let mut identities: BTreeMap<Name, Identity> = BTreeMap::new();
        let mut certificates: Vec<Certificate> = Vec::new();
        for (subject, role) in cast.roles() {
            let identity = Identity::generate(suite, &mut rng);
            kdc.admit(subject.clone(), role);
            let request = identity.enrolment_request(&rules, subject.clone(), role);
            certificates.push(kdc.enrol(&rules, start, &request)?);
            identities.insert(subject, identity);
        }
        let list = kdc.revocation_list(&rules, start);
        let mut trust = TrustStore::new(&rules, kdc.anchor(), list.clone())?;
        let directory = Directory::verified(&rules, &mut trust, start, &certificates)?;
        let mut credentials = BTreeMap::new();
        for (subject, identity) in identities {
            let certified =
                directory.get(&subject).cloned().ok_or_else(|| Refusal::new(Clause::PeerIsIntended))?;
            credentials.insert(subject, Credentials::new(&rules, Arc::new(identity), certified)?);
        }
        let principal = |subject: &Name| -> Result<&Arc<CertifiedPrincipal>, Refusal> {
            directory.get(subject).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(subject.as_str()))
        };

        let network = name("pbn");
        let mut members = BTreeMap::new();
        for validator in &cast.validators {
            members.insert(validator.clone(), principal(validator)?.signing_key().clone());
        }
        let validators = ValidatorSet::new(network.clone(), members);
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: network.clone(),
            validators: validators.digest(),
            start,
            rule: match ledger {
                LedgerKind::Quorum => ClosingRule::Quorum,
                LedgerKind::Work => ClosingRule::Work(work_rule()),
            },
        };
        let ledger = Ledger::new(&rules, genesis.clone())?;
        let replica = Replica::new(ledger, validators.clone(), PolicyRegistry::shipped(network.clone()));
        let identity = |who: &Name| -> Result<CloudIdentity, Refusal> {
            let key = principal(who)?.signing_key().clone();
            Ok(CloudIdentity { network: network.clone(), cloud: who.clone(), key })
        };
        let (cloud, bsd) = (identity(&cast.cloud)?, identity(&cast.bsd)?);

        let mut kept = Commit::new()
            .meta("genesis", encode(&genesis))
            .meta("suite", suite.number().to_vec())
            .meta("kdc", encode(&kdc.anchor().issuer))
            .meta("kdc-key", kdc.anchor().key.encode())
            .meta("revocation-list", encode(&list));
        for certificate in &certificates {
            kept = kept.certificate(&certificate.body.subject, encode(certificate));
        }

        let mut office = |who: &Name| -> Office {
            let own = credentials.get(who).expect("everybody in the cast was enrolled above").clone();
            Office {
                rules,
                neighbours: Neighbours::new(&own),
                own,
                trust: trust.clone(),
                directory: directory.clone(),
                replica: replica.clone(),
                rng: ChaCha20Rng::from_rng(&mut rng),
            }
        };
        let mut world = World::new(rules, start, Links::new(5, 20, seed, fate));
        for user in cast.users() {
            let user = User::new(office(user), cast.bsd.clone(), cloud.clone());
            world.add(Node::User(Box::new(user)));
        }
        for validator in &cast.validators {
            let validator = Validator::new(office(validator), cloud.clone(), bsd.clone());
            world.add(Node::Validator(Box::new(validator)));
        }
        let log = CloudLog::new(suite, network.clone(), cast.cloud.clone(), Frontier::default());
        world.add(Node::Cloud(Box::new(Cloud::new(office(&cast.cloud), archive.clone(), log)?)));
        let mut bsd_office = office(&cast.bsd);
        let (seals, opened) =
            SealChain::open(&rules, &mut bsd_office.rng, &bsd_office.own, principal(&cast.custodian)?)?;
        archive.commit(kept.meta("seal-chain", encode(&opened)))?;
        let audit = AuditLog::new(suite, network, cast.bsd.clone());
        world.add(Node::Bsd(Box::new(Bsd::new(bsd_office, cloud.clone(), seals, archive, audit))));
        Ok(Town { world, cast, genesis, kdc, credentials, directory, trust, cloud, bsd, validators })
    }
}

impl Town {
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

    /// As [`Town::by`], with what happened.
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
        mut done: impl FnMut(&mut Town) -> bool,
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
