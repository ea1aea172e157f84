//! What a network begins with: everybody enrolled, no actor started.

use crate::simulator::roster::name;
use crate::simulator::{LedgerKind, MAX_VALIDATORS, NetworkConfig, Roster};
use bemr::actors::{CertificateDirectory, LedgerView, NodeContext};
use bemr::audit::AuditLog;
use bemr::crypto::Suite;
use bemr::keys::{CertifiedPrincipal, Credentials, Identity, Kdc, TrustStore};
use bemr::ledger::Ledger;
use bemr::merkle::Frontier;
use bemr::records::PolicyRegistry;
use bemr::session::SealChain;
use bemr::store::Commit;
use bemr::transparency::{CloudLog, LogOperator};
use bemr::votes::ValidatorSet;
use bemr::wire::{
    Certificate, ClosingRule, Genesis, Name, PROTOCOL_VERSION, RevocationList, SealChainStart, Target,
    WorkRule, encode,
};
use bemr_spec::{Clause, Refusal, Rules};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everybody's keys and certificates, and the first state of what is public.
#[derive(Clone)]
pub struct ProvisionedKeys {
    /// The rules that every actor enforces.
    pub rules: Rules,
    /// The suite of every key.
    pub suite: Suite,
    /// The principals.
    pub roster: Roster,
    /// What the ledger starts from.
    pub genesis: Genesis,
    /// The KDC.
    pub kdc: Kdc,
    /// Everybody's keys.
    pub credentials: BTreeMap<Name, Credentials>,
    /// Published certificates.
    pub directory: CertificateDirectory,
    /// The trust store of every actor at the start.
    pub trust: TrustStore,
    /// The public keys of the cloud.
    pub cloud: LogOperator,
    /// The public keys of the BSD.
    pub bsd: LogOperator,
    /// The validator set.
    pub validators: ValidatorSet,
    /// The ledger without blocks, and the shipped policy.
    pub ledger_view: LedgerView,
    list: RevocationList,
    certificates: Vec<Certificate>,
    rng: ChaCha20Rng,
}

/// Proof of work that a demonstration can afford: 256 hashes a block for up to [`FEW_MINERS`], and so many times as many as
/// there are more miners, or blocks would come faster than they spread.
fn work_rule(miners: usize) -> WorkRule {
    const FEW_MINERS: usize = 4;
    let parts = u64::try_from(miners.max(FEW_MINERS)).unwrap_or(u64::MAX);
    let mut easiest = [0xff; 32];
    easiest[0] = 0;
    // 2^56 - 1 parts of 2^192, divided among the miners.
    let first = ((1 << 56) - 1) * FEW_MINERS as u64 / parts;
    easiest[..8].copy_from_slice(&first.to_be_bytes());
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 16, confirmations: 6 }
}

impl NetworkConfig {
    /// Enrols everybody.
    ///
    /// # Errors
    /// VOT-01 for no validators or more than [`MAX_VALIDATORS`].
    pub fn provision(&self) -> Result<ProvisionedKeys, Refusal> {
        let NetworkConfig { rules, suite, validators, ledger, seed, start, lifetimes, .. } = *self;
        if !(1..=MAX_VALIDATORS).contains(&validators) {
            return Err(Refusal::new(Clause::VoterIsAdmitted).at(format!("{validators} validators")));
        }
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let roster = Roster::new(validators);
        let mut kdc = Kdc::new(name("kdc"), suite, lifetimes, &mut rng);
        let mut identities: BTreeMap<Name, Identity> = BTreeMap::new();
        let mut certificates: Vec<Certificate> = Vec::new();
        for (subject, role) in roster.roles() {
            let subject = subject.clone();
            let identity = Identity::generate(suite, &mut rng);
            kdc.admit(subject.clone(), role);
            let request = identity.enrolment_request(&rules, subject.clone(), role);
            certificates.push(kdc.enrol(&rules, start, &request)?);
            identities.insert(subject, identity);
        }
        let list = kdc.revocation_list(&rules, start);
        let mut trust = TrustStore::new(&rules, kdc.anchor(), list.clone())?;
        let directory = CertificateDirectory::verified(&rules, &mut trust, start, &certificates)?;
        let mut credentials = BTreeMap::new();
        for (subject, identity) in identities {
            let certified = principal(&directory, &subject)?.clone();
            credentials.insert(subject, Credentials::new(&rules, Arc::new(identity), certified)?);
        }

        let network = name("pbn");
        let mut members = BTreeMap::new();
        for validator in &roster.validators {
            members.insert(validator.clone(), principal(&directory, validator)?.signing_key().clone());
        }
        let validators = ValidatorSet::new(network.clone(), members);
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: network.clone(),
            validators: validators.digest(),
            start,
            rule: match ledger {
                LedgerKind::Quorum => ClosingRule::Quorum,
                LedgerKind::Work => ClosingRule::Work(work_rule(self.validators)),
            },
        };
        let ledger = Ledger::new(&rules, genesis.clone())?;
        let ledger_view =
            LedgerView::new(ledger, validators.clone(), PolicyRegistry::shipped(network.clone()));
        let operator = |who: &Name| -> Result<LogOperator, Refusal> {
            let key = principal(&directory, who)?.signing_key().clone();
            Ok(LogOperator { network: network.clone(), name: who.clone(), key })
        };
        let (cloud, bsd) = (operator(&roster.cloud)?, operator(&roster.bsd)?);
        Ok(ProvisionedKeys {
            rules,
            suite,
            roster,
            genesis,
            kdc,
            credentials,
            directory,
            trust,
            cloud,
            bsd,
            validators,
            ledger_view,
            list,
            certificates,
            rng,
        })
    }
}

fn principal<'a>(
    directory: &'a CertificateDirectory,
    who: &Name,
) -> Result<&'a Arc<CertifiedPrincipal>, Refusal> {
    directory.get(who).ok_or_else(|| Refusal::new(Clause::PeerIsIntended).at(who.as_str()))
}

impl ProvisionedKeys {
    /// What an actor begins with: no sessions, and randomness of its own.
    pub fn context(&mut self, who: &Name) -> NodeContext {
        let own = self.credentials.get(who).expect("everybody in the roster was enrolled").clone();
        let (trust, directory, view) = (self.trust.clone(), self.directory.clone(), self.ledger_view.clone());
        NodeContext::new(self.rules, own, trust, directory, view, ChaCha20Rng::from_rng(&mut self.rng).into())
    }

    /// The rows from which a store is read without anything else: genesis, KDC, certificates.
    pub fn bootstrap_rows(&self) -> Commit {
        let anchor = self.kdc.anchor();
        let rows = Commit::new()
            .meta("genesis", encode(&self.genesis))
            .meta("suite", self.suite.number().to_vec())
            .meta("kdc", encode(&anchor.issuer))
            .meta("kdc-key", anchor.key.encode())
            .meta("revocation-list", encode(&self.list));
        let certificates = self.certificates.iter();
        certificates.fold(rows, |rows, one| rows.certificate(&one.body.subject, encode(one)))
    }

    /// The log of a cloud that has stored nothing.
    pub fn cloud_log(&self) -> CloudLog {
        let LogOperator { network, name: cloud, .. } = &self.cloud;
        CloudLog::new(self.suite, network.clone(), cloud.clone(), Frontier::default())
    }

    /// The audit log of a BSD of which no submission has ended.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::new(self.suite, self.bsd.network.clone(), self.bsd.name.clone())
    }

    /// An escrow ratchet of `owner` that the key-recovery agent can open.
    ///
    /// # Errors
    /// Those of [`SealChain::open`].
    pub fn seal_chain(&self, owner: &mut NodeContext) -> Result<(SealChain, SealChainStart), Refusal> {
        let custodian = principal(&self.directory, &self.roster.custodian)?;
        SealChain::open(&self.rules, &mut owner.rng, &owner.own, custodian)
    }
}
