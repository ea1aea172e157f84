//! How a user makes T_initial from a record.

use crate::actors::CertificateDirectory;
use crate::crypto::{AeadKey, Digest, Domain};
use crate::keys::{CertifiedPrincipal, Credentials};
use crate::records::{PolicyRegistry, Record, commitments, map};
use crate::wire::{
    Height, InitialHeader, Name, PROTOCOL_VERSION, PolicyRef, TInitial, Time, WrappedKey, encode,
};
use bemr_spec::{Clause, Refusal, Rules, constants};
use rand::CryptoRng;
use tls_codec::TlsVecU32;
use zeroize::Zeroizing;

/// A key that protects one message is used with this nonce alone.
pub const ONE_NONCE: [u8; 12] = [0; 12];

/// Where a submission goes.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The BSD.
    pub bsd: Name,
    /// The network.
    pub network: Name,
    /// The height whose policy applies.
    pub height: Height,
}

/// Makes a T_initial of `record`, readable by its submitter and by `readers`.
///
/// # Errors
/// TPL-01 when no template is in force for the record; TPL-02 to TPL-04 and TPL-09 when it does not map; INI-11 for a reader without
/// a certificate.
#[expect(clippy::too_many_arguments, reason = "a submission has this many independent parts")]
pub fn build_initial<R: CryptoRng + ?Sized>(
    rules: &Rules,
    rng: &mut R,
    now: Time,
    own: &Credentials,
    directory: &CertificateDirectory,
    policy: &PolicyRegistry,
    destination: &Destination,
    record: &Record,
    readers: &[Name],
) -> Result<TInitial, Refusal> {
    let template = policy
        .template_for(record.resource_type(), destination.height)
        .ok_or_else(|| Refusal::new(Clause::TemplateIsInForce).at(record.resource_type()))?;
    let contracts = policy.contracts_in_force(&template.id, destination.height);
    let values = map(rules, template, record)?;

    let mut record_key = Zeroizing::new([0; 32]);
    rng.fill_bytes(record_key.as_mut_slice());
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let user = own.name();
    let ciphertext =
        AeadKey::from_bytes(*record_key).seal(&ONE_NONCE, &record_context(user, &nonce), record.bytes());
    let ciphertext_digest = Digest::of(Domain::CIPHERTEXT, &ciphertext);
    let tid = transaction_id(user, &nonce, &ciphertext_digest);

    let mut names: Vec<&Name> = readers.iter().chain([user]).collect();
    names.sort();
    names.dedup();
    let mut grants = Vec::with_capacity(names.len());
    for name in names {
        let reader = directory
            .get(name)
            .ok_or_else(|| Refusal::new(Clause::GrantsNameAuthorisedReaders).at(name.as_str()))?;
        grants.push(wrap(rules, rng, &tid, reader, &record_key));
    }
    let grants: TlsVecU32<WrappedKey> = grants.into();
    let commitments = commitments(&record_key, template, &values);
    let references: Vec<PolicyRef> = contracts.iter().map(|contract| contract.policy()).collect();
    let header = InitialHeader {
        version: PROTOCOL_VERSION,
        suite: own.identity().suite(),
        tid,
        user: user.clone(),
        role: own.role(),
        recipient: destination.bsd.clone(),
        network: destination.network.clone(),
        patient: record.patient(),
        template: template.policy(),
        contracts: references.into(),
        commitments: commitments.into(),
        ciphertext: ciphertext_digest,
        grants: grants_digest(&grants),
        issued: now,
        expires: now.after(constants::SUBMISSION_LIFETIME_MS),
        nonce,
    };
    let signature = own.identity().signing_key().sign(rules, Domain::T_INITIAL, &encode(&header));
    Ok(TInitial { header, signature, record_key: *record_key, grants, ciphertext: ciphertext.into() })
}

/// The id of a transaction.
pub fn transaction_id(user: &Name, nonce: &[u8; 32], ciphertext: &Digest) -> Digest {
    Digest::of_parts(Domain::TRANSACTION_ID, &[&encode(user), nonce, ciphertext.as_bytes()])
}

/// The associated data of a record's ciphertext.
pub fn record_context(user: &Name, nonce: &[u8; 32]) -> Vec<u8> {
    [encode(user).as_slice(), nonce].concat()
}

/// The digest of the first wrapped keys that the header carries.
pub fn grants_digest(grants: &TlsVecU32<WrappedKey>) -> Digest {
    Digest::of(Domain::RECORD_GRANT, &encode(grants))
}

/// Encapsulates a record's key to a reader.
pub fn wrap<R: CryptoRng + ?Sized>(
    rules: &Rules,
    rng: &mut R,
    tid: &Digest,
    reader: &CertifiedPrincipal,
    record_key: &[u8; 32],
) -> WrappedKey {
    let context = grant_context(tid, reader.name());
    let (encapsulation, key) = reader.agreement_key().encapsulate(rules, rng, &context);
    let wrapped = key.seal(&ONE_NONCE, &context, record_key);
    WrappedKey { reader: reader.name().clone(), encapsulation: encapsulation.into(), wrapped: wrapped.into() }
}

/// Takes a record's key out of its encapsulation.
///
/// # Errors
/// GRP-01 and GRP-02 for an encapsulation that is no element, AED-01 for a key that was wrapped for another record or
/// reader.
pub fn unwrap(
    rules: &Rules,
    own: &Credentials,
    tid: &Digest,
    wrapped: &WrappedKey,
) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let context = grant_context(tid, own.name());
    let key =
        own.identity().agreement_key().decapsulate(rules, wrapped.encapsulation.as_slice(), &context)?;
    let opened = key.open_checked(rules, &ONE_NONCE, &context, wrapped.wrapped.as_slice());
    let bytes = opened.map(Zeroizing::new).map_err(|refusal| refusal.at("wrapped"))?;
    let key = bytes.as_slice().try_into().map(Zeroizing::new);
    key.map_err(|_| Refusal::new(Clause::TagVerifiedBeforeUse).at("length of wrapped"))
}

/// What a record's key is wrapped for: the record and its reader.
pub fn grant_context(tid: &Digest, reader: &Name) -> Vec<u8> {
    [tid.as_bytes(), encode(reader).as_slice()].concat()
}
