//! What a network begins with: everybody enrolled, nobody at work yet.

use crate::simulator::configuration::name;
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
    /// The rules in force at every actor.
    pub rules: Rules,
    /// The suite of every key.
    pub suite: Suite,
    /// Who they are.
    pub cast: Roster,
    /// What the ledger starts from.
    pub genesis: Genesis,
    /// The KDC.
    pub kdc: Kdc,
    /// Everybody's keys.
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
    /// The ledger without blocks, and the policy that is shipped.
    pub replica: LedgerView,
    list: RevocationList,
    certificates: Vec<Certificate>,
    rng: ChaCha20Rng,
}

/// The work that a demonstration can afford: about 250 hashes a block.
fn work_rule() -> WorkRule {
    let mut easiest = [0xff; 32];
    easiest[0] = 0x00;
    WorkRule { easiest: Target(easiest), interval: 2_000, window: 16, confirmations: 6 }
}

impl NetworkConfig {
    /// Enrols everybody.
    ///
    /// # Errors
    /// VOT-01 for no validators or more than [`MAX_VALIDATORS`].
    pub fn found(&self) -> Result<ProvisionedKeys, Refusal> {
        let NetworkConfig { rules, suite, validators, ledger, seed, start, lifetimes, .. } = *self;
        if !(1..=MAX_VALIDATORS).contains(&validators) {
            return Err(Refusal::new(Clause::VoterIsAdmitted).at(format!("{validators} validators")));
        }
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let cast = Roster::new(validators);
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
        let directory = CertificateDirectory::verified(&rules, &mut trust, start, &certificates)?;
        let mut credentials = BTreeMap::new();
        for (subject, identity) in identities {
            let certified = principal(&directory, &subject)?.clone();
            credentials.insert(subject, Credentials::new(&rules, Arc::new(identity), certified)?);
        }

        let network = name("pbn");
        let mut members = BTreeMap::new();
        for validator in &cast.validators {
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
                LedgerKind::Work => ClosingRule::Work(work_rule()),
            },
        };
        let ledger = Ledger::new(&rules, genesis.clone())?;
        let replica = LedgerView::new(ledger, validators.clone(), PolicyRegistry::shipped(network.clone()));
        let identity = |who: &Name| -> Result<LogOperator, Refusal> {
            let key = principal(&directory, who)?.signing_key().clone();
            Ok(LogOperator { network: network.clone(), name: who.clone(), key })
        };
        let (cloud, bsd) = (identity(&cast.cloud)?, identity(&cast.bsd)?);
        Ok(ProvisionedKeys {
            rules,
            suite,
            cast,
            genesis,
            kdc,
            credentials,
            directory,
            trust,
            cloud,
            bsd,
            validators,
            replica,
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
    /// What every actor begins with: no sessions, and randomness of its own.
    pub fn context(&mut self, who: &Name) -> NodeContext {
        let own = self.credentials.get(who).expect("everybody in the cast was enrolled").clone();
        let (trust, directory, replica) = (self.trust.clone(), self.directory.clone(), self.replica.clone());
        NodeContext::new(
            self.rules,
            own,
            trust,
            directory,
            replica,
            ChaCha20Rng::from_rng(&mut self.rng).into(),
        )
    }

    /// What whoever goes on from a store has to know of the network.
    pub fn kept(&self) -> Commit {
        let anchor = self.kdc.anchor();
        let kept = Commit::new()
            .meta("genesis", encode(&self.genesis))
            .meta("suite", self.suite.number().to_vec())
            .meta("kdc", encode(&anchor.issuer))
            .meta("kdc-key", anchor.key.encode())
            .meta("revocation-list", encode(&self.list));
        let certificates = self.certificates.iter();
        certificates.fold(kept, |kept, one| kept.certificate(&one.body.subject, encode(one)))
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

    /// A seal chain of `owner` that the custodian can open.
    ///
    /// # Errors
    /// Those of [`SealChain::open`].
    pub fn seal_chain(&self, owner: &mut NodeContext) -> Result<(SealChain, SealChainStart), Refusal> {
        let custodian = principal(&self.directory, &self.cast.custodian)?;
        SealChain::open(&self.rules, &mut owner.rng, &owner.own, custodian)
    }
}
