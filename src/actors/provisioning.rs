//! How a network comes about: the KDC certifies its members, and each of them gets the same first state of what is
//! public.

use crate::actors::{
    Bsd, CertificateDirectory, Cloud, LedgerView, NodeContext, Randomness, StoreHandle, User, Validator,
};
use crate::audit::AuditLog;
use crate::crypto::Suite;
use crate::keys::{CertifiedPrincipal, Credentials, Identity, Kdc, Lifetimes, TrustStore};
use crate::ledger::Ledger;
use crate::merkle::Frontier;
use crate::records::PolicyRegistry;
use crate::session::SealChain;
use crate::store::Commit;
use crate::transparency::{CloudLog, LogOperator};
use crate::votes::ValidatorSet;
use crate::wire::{ClosingRule, Genesis, Name, PROTOCOL_VERSION, Role, Time, encode};
use bemr_spec::{Clause, Refusal, Rules};
use rand::CryptoRng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network before its first message: who its members are and what all of them begin with.
///
/// [`Provisioning::enrol`] makes everybody's keys in one process, as a pilot or a test does. In an installation each
/// principal makes an [`Identity`] where it runs, sends its enrolment request to the [`Kdc`], and builds a
/// [`NodeContext`] from the certificates that the KDC publishes; no secret key leaves its machine.
pub struct Provisioning {
    /// The rules that every actor enforces.
    pub rules: Rules,
    /// The KDC, for later enrolments and revocations.
    pub kdc: Kdc,
    /// What the ledger starts from.
    pub genesis: Genesis,
    /// The certificates of all members.
    pub directory: CertificateDirectory,
    trust: TrustStore,
    credentials: BTreeMap<Name, Credentials>,
    ledger_view: LedgerView,
}

impl Provisioning {
    /// Enrols `members`, the KDC under the name `kdc`, from the instant `start` on, in the network `network`, whose
    /// blocks are final by the rule `rule`. Its validators are the members of that role, its policy is the shipped one.
    ///
    /// # Errors
    /// Those of [`Kdc::enrol`]: KEY-02 for a member that is named twice. LED-06 for a rule of which something is zero.
    #[expect(clippy::too_many_arguments, reason = "the parameters of a network, each of its own type")]
    pub fn enrol<R: CryptoRng + ?Sized>(
        rules: Rules,
        suite: Suite,
        (network, kdc): (Name, Name),
        members: &[(Name, Role)],
        rule: ClosingRule,
        lifetimes: Lifetimes,
        start: Time,
        rng: &mut R,
    ) -> Result<Provisioning, Refusal> {
        let mut kdc = Kdc::new(kdc, suite, lifetimes, rng);
        let mut identities = Vec::new();
        let mut certificates = Vec::new();
        for (subject, role) in members {
            let identity = Identity::generate(suite, rng);
            kdc.admit(subject.clone(), *role);
            let request = identity.enrolment_request(&rules, subject.clone(), *role);
            certificates.push(kdc.enrol(&rules, start, &request)?);
            identities.push((subject, identity));
        }
        let list = kdc.revocation_list(&rules, start);
        let mut trust = TrustStore::new(&rules, kdc.anchor(), list)?;
        let directory = CertificateDirectory::verified(&rules, &mut trust, start, &certificates)?;
        let mut credentials = BTreeMap::new();
        for (subject, identity) in identities {
            let certified = member(&directory, subject)?.clone();
            credentials.insert(subject.clone(), Credentials::new(&rules, Arc::new(identity), certified)?);
        }
        let voters = directory.iter().filter(|one| one.role() == Role::Validator);
        let keys = voters.map(|one| (one.name().clone(), one.signing_key().clone())).collect();
        let validators = ValidatorSet::new(network.clone(), keys);
        let genesis = Genesis {
            version: PROTOCOL_VERSION,
            network: network.clone(),
            validators: validators.digest(),
            start,
            rule,
        };
        let ledger = Ledger::new(&rules, genesis.clone())?;
        let ledger_view = LedgerView::new(ledger, validators, PolicyRegistry::shipped(network));
        Ok(Provisioning { rules, kdc, genesis, directory, trust, credentials, ledger_view })
    }

    /// What the actor of `member` begins with: its keys, the certificates, the ledger without blocks, no session.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's.
    pub fn context(&self, member: &Name, randomness: Randomness) -> Result<NodeContext, Refusal> {
        let own = self.credentials.get(member).ok_or_else(|| no_member(member))?.clone();
        let (trust, directory) = (self.trust.clone(), self.directory.clone());
        Ok(NodeContext::new(self.rules, own, trust, directory, self.ledger_view.clone(), randomness))
    }

    /// The cloud or the BSD as others know it: who signs its log.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's.
    pub fn log_operator(&self, name: &Name) -> Result<LogOperator, Refusal> {
        let key = member(&self.directory, name)?.signing_key().clone();
        Ok(LogOperator { network: self.genesis.network.clone(), name: name.clone(), key })
    }

    /// The app of `user`, who submits to `bsd` and reads from `cloud`.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's.
    pub fn user(
        &self,
        user: &Name,
        bsd: &Name,
        cloud: &Name,
        randomness: Randomness,
    ) -> Result<User, Refusal> {
        Ok(User::new(self.context(user, randomness)?, bsd.clone(), self.log_operator(cloud)?))
    }

    /// A validator that checkpoints the logs of `cloud` and `bsd`.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's.
    pub fn validator(
        &self,
        validator: &Name,
        bsd: &Name,
        cloud: &Name,
        randomness: Randomness,
    ) -> Result<Validator, Refusal> {
        let context = self.context(validator, randomness)?;
        Ok(Validator::new(context, self.log_operator(cloud)?, self.log_operator(bsd)?))
    }

    /// A cloud whose log in `store` is empty.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's; CLD-06 when the store is damaged.
    pub fn cloud(&self, cloud: &Name, store: StoreHandle, randomness: Randomness) -> Result<Cloud, Refusal> {
        let context = self.context(cloud, randomness)?;
        let (suite, network) = (context.own.identity().suite(), self.genesis.network.clone());
        Cloud::new(context, store, CloudLog::new(suite, network, cloud.clone(), Frontier::default()))
    }

    /// A BSD that has stored nothing in `store`. Its escrow packages open with the keys of `custodian`; the start of its
    /// escrow ratchet, which the custodian needs, is in the store under `seal-chain`.
    ///
    /// # Errors
    /// HSK-02 for a name that is no member's; those of [`SealChain::open`]; CLD-06 when the store does not take what
    /// the BSD begins with.
    pub fn bsd(
        &self,
        bsd: &Name,
        cloud: &Name,
        custodian: &Name,
        store: StoreHandle,
        randomness: Randomness,
    ) -> Result<Bsd, Refusal> {
        let mut context = self.context(bsd, randomness)?;
        let custodian = member(&self.directory, custodian)?;
        let (seals, start) = SealChain::open(&self.rules, &mut context.rng, &context.own, custodian)?;
        store.commit(Commit::new().meta("seal-chain", encode(&start)))?;
        let (suite, network) = (context.own.identity().suite(), self.genesis.network.clone());
        let audit = AuditLog::new(suite, network, bsd.clone());
        Bsd::new(context, self.log_operator(cloud)?, seals, store, audit)
    }
}

fn member<'a>(
    directory: &'a CertificateDirectory,
    name: &Name,
) -> Result<&'a Arc<CertifiedPrincipal>, Refusal> {
    directory.get(name).ok_or_else(|| no_member(name))
}

fn no_member(name: &Name) -> Refusal {
    Refusal::new(Clause::PeerIsIntended).at(name.as_str())
}
