//! How a network begins: keys, actors, and what an actor goes on from when it starts again.

use crate::refinement::RefinementMap;
use crate::simulator::{self, NetworkConfig, Node, ProvisionedKeys, START};
use crate::sut::SystemUnderTest;
use crate::sut::key_recovery::{self, KeyRecovery};
use crate::sut::secret_scan::{SecretScan, WatchedStore};
use bemr::actors::{Bsd, Cloud, StoreHandle, User, Validator};
use bemr::crypto::{Digest, Suite};
use bemr::keys::Lifetimes;
use bemr::store::{Commit, recover, recover_ledger};
use bemr::transparency::CloudLog;
use bemr::wire::{Name, encode};
use bemr_model::{Actor, Damage, Happened, LedgerKind, Setup};
use bemr_spec::{Clause, Event, Refusal, Rules};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// An actor that starts, and the seal chain that it opened.
pub(super) struct Begun {
    node: Node,
    chain: Option<Digest>,
}

/// The name of a user by number; those whom nobody certified have names too.
pub(super) fn user_name(foundation: &ProvisionedKeys, user: u8) -> Name {
    let named = foundation.roster.users().get(usize::from(user)).map(|name| (*name).clone());
    named.unwrap_or_else(|| {
        Name::new(&format!("nobody-{user:02}")).expect("short printable ASCII without spaces")
    })
}

impl SystemUnderTest {
    /// The actors of `setup` under `rules`, on the tiny group.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn new(rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
        SystemUnderTest::on(Suite::Tiny, rules, setup)
    }

    /// As [`SystemUnderTest::new`], on another suite.
    ///
    /// # Errors
    /// VOT-01 for no validators or more than 64; ROL-04 for no users or more than five.
    pub fn on(suite: Suite, rules: Rules, setup: &Setup) -> Result<SystemUnderTest, Refusal> {
        SystemUnderTest::founded(SystemUnderTest::foundation_of(suite, rules, setup)?, rules, setup)
    }

    /// What the network of `setup` begins with.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn foundation_of(suite: Suite, rules: Rules, setup: &Setup) -> Result<ProvisionedKeys, Refusal> {
        let Setup { users, validators, ledger, seed, lifetimes, .. } = *setup;
        if !(1..=5).contains(&users) {
            return Err(Refusal::new(Clause::RoleFitsPlace).at(format!("{users} users")));
        }
        if !(1..=64).contains(&validators) {
            return Err(Refusal::new(Clause::VoterIsAdmitted).at(format!("{validators} validators")));
        }
        let ledger = match ledger {
            LedgerKind::Quorum => simulator::LedgerKind::Quorum,
            LedgerKind::Work => simulator::LedgerKind::Work,
        };
        let lifetimes = Lifetimes { certificate: lifetimes.certificate, list: lifetimes.list };
        let scenario =
            NetworkConfig { rules, ledger, seed, lifetimes, ..NetworkConfig::new(suite, validators.into()) };
        scenario.provision()
    }

    /// As [`SystemUnderTest::new`], with what [`SystemUnderTest::foundation_of`] gave for the same rules and setup.
    ///
    /// # Errors
    /// As [`SystemUnderTest::on`].
    pub fn founded(
        foundation: ProvisionedKeys,
        rules: Rules,
        setup: &Setup,
    ) -> Result<SystemUnderTest, Refusal> {
        let Setup { users, validators, seed, established, .. } = *setup;
        let published = foundation.ledger_view.clone();
        let roster = &foundation.roster;
        let servers = [(roster.bsd.clone(), Actor::Bsd), (roster.cloud.clone(), Actor::Cloud)].into_iter();
        let everybody = (0..64).map(|user| (user_name(&foundation, user), Actor::User(user)));
        let members = (0..).map(Actor::Validator);
        let members = roster.validators.iter().cloned().zip(members);
        let known: BTreeMap<Name, Actor> = servers.chain(everybody).chain(members).collect();
        let custody = KeyRecovery::new(&rules, &foundation)?;
        let actors = [Actor::Bsd, Actor::Cloud]
            .into_iter()
            .chain((0..users).map(Actor::User))
            .chain((0..validators).map(Actor::Validator));
        let mut sut = SystemUnderTest {
            rules,
            tables: RefinementMap::new(START, foundation.genesis.digest(), known),
            foundation,
            actors: actors.collect(),
            names: Vec::new(),
            nodes: Vec::new(),
            archives: Vec::new(),
            users,
            seed,
            now: START,
            envelopes: Vec::new(),
            supply: BTreeMap::new(),
            found: None,
            recorded: None,
            watch: SecretScan::default(),
            custody,
            stolen: Vec::new(),
            forger: None,
            published,
            forged: Vec::new(),
            heard: VecDeque::new(),
            told: VecDeque::new(),
        };
        for actor in sut.actors.clone() {
            let archive = StoreHandle::new(WatchedStore::new(Rc::clone(&sut.watch.kept)));
            let begun = sut.begin(actor, archive.clone())?;
            sut.names.push(sut.name(actor));
            sut.take_up(sut.nodes.len(), begun);
            sut.archives.push(archive);
        }
        for actor in sut.actors.clone() {
            let serial = sut.foundation.credentials[&sut.name(actor)].certified().certificate().body.serial;
            sut.tables.certified(serial, actor);
        }
        sut.tables.learn_policies(&sut.foundation.ledger_view.policy);
        if established {
            sut.establish()?;
        }
        Ok(sut)
    }

    pub(super) fn name(&self, actor: Actor) -> Name {
        let cast = &self.foundation.roster;
        match actor {
            Actor::Bsd => cast.bsd.clone(),
            Actor::Cloud => cast.cloud.clone(),
            Actor::User(number) => user_name(&self.foundation, number),
            Actor::Validator(number) => cast.validators[usize::from(number)].clone(),
            Actor::Kdc => self.foundation.kdc.anchor().issuer,
        }
    }

    /// An actor that begins, or goes on from what `archive` holds.
    pub(super) fn begin(&mut self, actor: Actor, archive: StoreHandle) -> Result<Begun, Refusal> {
        let rules = self.rules;
        let name = self.name(actor);
        let mut office = self.foundation.context(&name);
        let ProvisionedKeys { genesis, validators, cloud, bsd, .. } = &self.foundation;
        let (cloud, bsd) = (cloud.clone(), bsd.clone());
        office.sessions.tap();
        office.ledger_view.ledger =
            archive.read(|store| recover_ledger(&rules, store, genesis.clone(), validators, self.now))?;
        let mut chain = None;
        let node = match actor {
            Actor::Bsd => {
                let (seals, opened) = self.foundation.seal_chain(&mut office)?;
                // One start beside the other: the custodian needs them all.
                let (row, digest) = key_recovery::row(&opened);
                chain = Some(digest);
                archive.commit(Commit::new().meta(&row, encode(&opened)))?;
                Node::Bsd(Box::new(Bsd::resume(office, cloud, seals, archive)?))
            }
            Actor::Cloud => {
                let frontier = archive.read(|store| recover(&rules, store, &cloud))?.frontier;
                let (network, suite) = (cloud.network.clone(), self.foundation.suite);
                let log = CloudLog::new(suite, network, cloud.name, frontier);
                Node::Cloud(Box::new(Cloud::new(office, archive, log)?))
            }
            Actor::User(_) => Node::User(Box::new(User::new(office, bsd.name, cloud))),
            Actor::Validator(_) => Node::Validator(Box::new(Validator::resume(office, cloud, bsd, archive)?)),
            // It has no address, and so no place among the nodes.
            Actor::Kdc => return Err(Refusal::new(Clause::RoleFitsPlace).at("kdc")),
        };
        Ok(Begun { node, chain })
    }

    /// From now on the actor is this one.
    pub(super) fn take_up(&mut self, slot: usize, Begun { node, chain }: Begun) {
        self.custody.chains.extend(chain);
        if slot == self.nodes.len() { self.nodes.push(node) } else { self.nodes[slot] = node }
    }

    pub(super) fn crash(&mut self, actor: Actor, damage: Option<Damage>) -> Option<Happened> {
        let slot = self.slot(actor)?;
        if matches!(actor, Actor::User(_)) {
            let name = self.names[slot].clone();
            let mut office = self.foundation.context(&name);
            office.sessions.tap();
            if let Node::User(user) = self.nodes.remove(slot) {
                self.nodes.insert(slot, Node::User(Box::new(user.restart(office))));
            }
            return Some(self.happened(actor, None, Event::Crash, None, Vec::new()));
        }
        let found = match damage {
            Some(damage) => self.start_damaged(actor, damage)?.err(),
            None => None,
        };
        // What was damaged is made good.
        let archive = self.archives[slot].clone();
        let begun = self.begin(actor, archive);
        let clause = begun.as_ref().err().map(Refusal::clause);
        if let Ok(begun) = begun {
            self.take_up(slot, begun);
        }
        let clause = clause.or(found.as_ref().map(|(refusal, _)| refusal.clause()));
        let mut happened = self.happened(actor, None, Event::Crash, clause, Vec::new());
        if let Some((refusal, place)) = found {
            happened.place = Some(place);
            self.watch.refused(refusal);
        }
        Some(happened)
    }
}
