//! T_initial.

use super::{Forge, any, nobody, other_suite, record, stray, table};
use bemr::actors::initial_builder::{ONE_NONCE, grants_digest, record_context, transaction_id};
use bemr::crypto::{AeadKey, Digest, Domain};
use bemr::keys::Permission;
use bemr::wire::{Role, TInitial, Version, encode};
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};

/// So many versions further no policy gets.
pub(super) const NEVER: u32 = 1_000;

impl Forge<'_> {
    /// T_initial of its user. One with a flaw of [`RENEWING`](super::RENEWING) has another tid than the genuine one, and its
    /// wrapped keys are still for the genuine tid.
    pub fn initial(&self, genuine: &TInitial, flaws: Flaws) -> Option<TInitial> {
        table::require("T_initial", flaws)?;
        let user = genuine.header.user.clone();
        let own = self.keys.get(&user)?;
        let mut forged = genuine.clone();
        let header = &mut forged.header;
        header.role = claimed_role(own.role(), flaws)?;
        if flaws.has(Clause::ProtocolVersionIsOne) {
            header.version = 2;
        }
        if flaws.has(Clause::SuiteMatches) {
            header.suite = other_suite(header.suite);
        }
        if flaws.has(Clause::InitialNamesRecipient) {
            match self.way(flaws, 2) {
                0 => header.recipient = nobody(),
                _ => header.network = nobody(),
            }
        }
        if flaws.has(Clause::InitialWithinValidity) {
            header.expires = match self.way(flaws, 2) {
                0 => header.issued.after(constants::SUBMISSION_LIFETIME_MS + 1),
                _ => header.issued,
            };
        }
        if flaws.has(Clause::TemplateIsInForce) {
            header.template.version = Version(header.template.version.0 + NEVER);
        }
        if flaws.has(Clause::AllContractsApplied) {
            let mut contracts = header.contracts.as_slice().to_vec();
            if contracts.pop().is_none() {
                contracts.push(header.template.clone());
            }
            header.contracts = contracts.into();
        }
        if flaws.has(Clause::CommitmentsMatchMapping) {
            let mut commitments = header.commitments.as_slice().to_vec();
            match (self.way(flaws, 2), commitments.first_mut()) {
                (0, Some(first)) => *first = stray(first.as_bytes()),
                (_, Some(_)) => drop(commitments.pop()),
                (_, None) => return None,
            }
            header.commitments = commitments.into();
        }
        self.encrypt(&mut forged, genuine, flaws)?;
        if flaws.has(Clause::GrantsNameAuthorisedReaders) {
            self.readers(&mut forged, flaws)?;
        }
        let signed = !flaws.has(Clause::UserSignsInitial);
        forged.signature =
            self.sign_or_not(signed, flaws, &user, Domain::T_INITIAL, &encode(&forged.header))?;
        Some(forged)
    }

    /// The record, its encryption and the tid.
    fn encrypt(&self, forged: &mut TInitial, genuine: &TInitial, flaws: Flaws) -> Option<()> {
        let underived = flaws.has(Clause::TidIsDerived);
        let (unsigned, unopened) =
            (flaws.has(Clause::CiphertextIsTheSigned), flaws.has(Clause::RecordOpensUnderItsKey));
        if !(underived || unsigned || any(flaws, super::RENEWING)) {
            return Some(());
        }
        let header = &mut forged.header;
        let key = AeadKey::from_bytes(genuine.record_key);
        let context = record_context(&header.user, &header.nonce);
        let original = key.open(&ONE_NONCE, &context, genuine.ciphertext.as_slice())?;
        let mut bytes = record::spoil(&original, flaws)?;
        if unsigned {
            // White space after a record changes nothing but its bytes.
            bytes.push(b' ');
        }
        if underived {
            // The tid stays and is not this nonce's.
            header.nonce[0] ^= 1;
        }
        let context = record_context(&header.user, &header.nonce);
        let mut ciphertext = key.seal(&ONE_NONCE, &context, &bytes);
        if unopened {
            *ciphertext.last_mut()? ^= 1;
        }
        if !unsigned {
            header.ciphertext = Digest::of(Domain::CIPHERTEXT, &ciphertext);
        }
        if !underived {
            header.tid = transaction_id(&header.user, &header.nonce, &header.ciphertext);
        }
        forged.ciphertext = ciphertext.into();
        Some(())
    }

    /// First readers that are not the signed ones, or may not read.
    fn readers(&self, forged: &mut TInitial, flaws: Flaws) -> Option<()> {
        let mut grants = forged.grants.as_slice().to_vec();
        match self.way(flaws, 4) {
            0 => {
                forged.header.grants = stray(forged.header.grants.as_bytes());
                return Some(());
            }
            1 => grants.push(grants.last()?.clone()),
            2 => grants.retain(|grant| grant.reader != forged.header.user),
            _ => {
                let mut stranger = grants.last()?.clone();
                stranger.reader = nobody();
                grants.push(stranger);
            }
        }
        forged.grants = grants.into();
        forged.header.grants = grants_digest(&forged.grants);
        Some(())
    }
}

/// The role that a header claims of somebody whose role is `own`.
fn claimed_role(own: Role, flaws: Flaws) -> Option<Role> {
    match (flaws.has(Clause::InitialSenderIsPeer), flaws.has(Clause::RoleMaySubmit)) {
        (false, false) => Some(own),
        // It takes a user whose role may not submit.
        (false, true) => (!own.may(Permission::Submit)).then_some(own),
        (true, false) if own == Role::Doctor => Some(Role::Assistant),
        (true, false) => Some(Role::Doctor),
        (true, true) if own == Role::Administrator => Some(Role::Bsd),
        (true, true) => Some(Role::Administrator),
    }
}
