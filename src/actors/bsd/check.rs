//! What the BSD checks of T_initial, in the order `t_initial` of chapter 8. It changes nothing.

use crate::actors::CertificateDirectory;
use crate::actors::initial_builder::{ONE_NONCE, grants_digest, record_context, transaction_id};
use crate::crypto::{AeadKey, Digest, Domain};
use crate::keys::{CertifiedPrincipal, Permission};
use crate::records::{Facts, Failure, Opened, PolicyRegistry, Record, canonical, commitments, map, opening};
use crate::wire::{
    AttributeOpening, Height, InitialHeader, Name, PROTOCOL_VERSION, TInitial, Time, WrappedKey, encode,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use zeroize::Zeroizing;

/// Who checks a header: the BSD that received it, or one to whom it was forwarded.
#[derive(Clone, Debug)]
pub struct Addressee {
    /// The BSD that received the submission.
    pub bsd: Name,
    /// The network that validates it.
    pub network: Name,
}

/// A T_initial that passed, ready for the network.
pub struct CheckedSubmission {
    /// What the validators are shown.
    pub openings: Vec<AttributeOpening>,
    /// Digest of the policy that applies.
    pub policy: Digest,
    /// The BSD's own verdict.
    pub verdict: Result<(), Failure>,
    /// The record's bytes; erased when dropped.
    pub record: Zeroizing<Vec<u8>>,
}

/// Checks what of a header needs neither keys nor record: version and addressee.
///
/// # Errors
/// INI-04.
pub fn check_addressee(rules: &Rules, header: &InitialHeader, addressee: &Addressee) -> Result<(), Refusal> {
    let named = header.recipient == addressee.bsd && header.network == addressee.network;
    rules
        .require(Clause::InitialNamesRecipient, named)
        .map_err(|refusal| refusal.at(format!("for {} in {}", header.recipient, header.network)))
}

/// Checks that a header is of now.
///
/// # Errors
/// INI-06.
pub fn check_validity(rules: &Rules, header: &InitialHeader, now: Time) -> Result<(), Refusal> {
    let valid = header.issued <= now
        && now < header.expires
        && header.expires <= header.issued.after(constants::SUBMISSION_LIFETIME_MS);
    rules.require(Clause::InitialWithinValidity, valid).map_err(|refusal| {
        refusal.at(format!("issued {}, expires {}, now {now}", header.issued, header.expires))
    })
}

/// Checks that a header's tid is the one that its parts make.
///
/// # Errors
/// INI-02.
pub fn check_tid(rules: &Rules, header: &InitialHeader) -> Result<(), Refusal> {
    rules.check(Clause::TidIsDerived, || {
        header.tid == transaction_id(&header.user, &header.nonce, &header.ciphertext)
    })
}

/// Checks the first wrapped keys of a record against its header.
///
/// # Errors
/// INI-11.
pub fn check_grants(
    rules: &Rules,
    header: &InitialHeader,
    grants: &tls_codec::TlsVecU32<WrappedKey>,
    may_read: impl Fn(&Name) -> bool,
) -> Result<(), Refusal> {
    let named = Clause::GrantsNameAuthorisedReaders;
    rules.check(named, || header.grants == grants_digest(grants)).map_err(|refusal| refusal.at("digest"))?;
    let readers: Vec<&Name> = grants.iter().map(|grant| &grant.reader).collect();
    rules
        .require(named, readers.is_sorted_by(|reader, next| reader < next))
        .map_err(|refusal| refusal.at("order"))?;
    rules.require(named, readers.contains(&&header.user)).map_err(|refusal| refusal.at("the submitter"))?;
    for reader in readers {
        rules.check(named, || may_read(reader)).map_err(|refusal| refusal.at(reader.as_str()))?;
    }
    Ok(())
}

/// What a submission is checked against.
pub struct SubmissionCheck<'a> {
    /// The rules in force.
    pub rules: &'a Rules,
    /// Who it has to be for.
    pub addressee: &'a Addressee,
    /// Published certificates.
    pub directory: &'a CertificateDirectory,
    /// Templates and contracts.
    pub policy: &'a PolicyRegistry,
    /// The height whose policy applies.
    pub height: Height,
    /// The present instant.
    pub now: Time,
}

impl SubmissionCheck<'_> {
    /// Checks a submission against the session and its signature.
    ///
    /// # Errors
    /// The first check of [`T_INITIAL`](bemr_spec::order::T_INITIAL) that fails, from ENC-03 to INI-02.
    pub fn check_sender(&self, initial: &TInitial, peer: &CertifiedPrincipal) -> Result<(), Refusal> {
        let (rules, header) = (self.rules, &initial.header);
        rules.require(Clause::ProtocolVersionIsOne, header.version == PROTOCOL_VERSION)?;
        rules.require(Clause::SuiteMatches, header.suite == peer.certificate().body.suite)?;
        rules
            .require(Clause::InitialSenderIsPeer, header.user == *peer.name() && header.role == peer.role())
            .map_err(|refusal| refusal.at(format!("{} as {}", header.user, header.role.name())))?;
        header.role.require(rules, Permission::Submit)?;
        check_addressee(rules, header, self.addressee)?;
        check_validity(rules, header, self.now)?;
        check_tid(rules, header)
    }

    /// Checks signature, record, policy and mapping of a submission whose sender and tid were checked.
    ///
    /// # Errors
    /// The first check of [`T_INITIAL`](bemr_spec::order::T_INITIAL) that fails, from INI-01 to INI-08.
    pub fn check_record(
        &self,
        initial: &TInitial,
        peer: &CertifiedPrincipal,
    ) -> Result<CheckedSubmission, Refusal> {
        let (rules, header) = (self.rules, &initial.header);
        let (key, message) = (peer.signing_key(), encode(header));
        key.vouches(rules, Clause::UserSignsInitial, Domain::T_INITIAL, &message, &initial.signature)?;
        let ciphertext = initial.ciphertext.as_slice();
        rules.check(Clause::CiphertextIsTheSigned, || {
            header.ciphertext == Digest::of(Domain::CIPHERTEXT, ciphertext)
        })?;
        let context = record_context(&header.user, &header.nonce);
        let record = AeadKey::from_bytes(initial.record_key)
            .open_by(rules, Clause::RecordOpensUnderItsKey, &ONE_NONCE, &context, ciphertext)
            .map(Zeroizing::new)?;
        let read = Record::read(rules, &record)?;
        let policy = self.policy.policy(rules, &header.template, header.contracts.as_slice(), self.height)?;
        let template = policy.template();
        let values = map(rules, template, &read)?;
        rules.check(Clause::CommitmentsMatchMapping, || {
            header.commitments.as_slice() == commitments(&initial.record_key, template, &values)
        })?;
        let checked = policy.checked_attributes();
        let opened: Opened = checked
            .iter()
            .filter_map(|index| Some((*index, values.get(usize::from(*index))?.clone())))
            .collect();
        let verdict = policy.evaluate(rules, &opened, &facts(header));
        let openings = opened.iter().map(|(index, value)| AttributeOpening {
            index: *index,
            opening: *opening(&initial.record_key, *index),
            value: canonical(value).into(),
        });
        Ok(CheckedSubmission { openings: openings.collect(), policy: policy.digest(), verdict, record })
    }

    /// Checks who shall be able to read the record.
    ///
    /// # Errors
    /// INI-11.
    pub fn check_readers(&self, initial: &TInitial) -> Result<(), Refusal> {
        let contracts = self.policy.contracts_in_force(&initial.header.template.id, self.height);
        check_grants(self.rules, &initial.header, &initial.grants, |reader| {
            self.directory.get(reader).is_some_and(|reader| {
                reader.role().may(Permission::Read)
                    && contracts.iter().all(|one| one.lets_read(reader.role()))
            })
        })
    }
}

/// What the contracts know of a submission beside its attributes.
pub fn facts(header: &InitialHeader) -> Facts {
    Facts { role: header.role, issued: header.issued, patient: header.patient.clone() }
}
