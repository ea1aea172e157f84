//! T_initial.

use super::{Edits, Forge, any, change, nobody, other_suite, record, stray, table};
use bemr::actors::initial_builder::{ONE_NONCE, grants_digest, record_context, transaction_id};
use bemr::crypto::{AeadKey, Digest, Domain};
use bemr::keys::Permission;
use bemr::wire::{InitialHeader, Role, TInitial, Version, WrappedKey, encode};
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};

/// So many versions further no policy gets.
const NEVER: u32 = 1_000;

/// Of the header as the user signs it, wherever it stands.
pub(super) const HEADER: &Edits<InitialHeader> = &[
    (
        Clause::InitialNamesRecipient,
        &[|header| header.recipient = nobody(), |header| header.network = nobody()],
    ),
    (
        Clause::InitialWithinValidity,
        &[
            |header| header.expires = header.issued.after(constants::SUBMISSION_LIFETIME_MS + 1),
            |header| header.expires = header.issued,
        ],
    ),
    (
        Clause::TemplateIsInForce,
        &[|header| header.template.version = Version(header.template.version.0 + NEVER)],
    ),
];

const INITIAL: &Edits<InitialHeader> = &[
    (Clause::ProtocolVersionIsOne, &[|header| header.version = 2]),
    (Clause::SuiteMatches, &[|header| header.suite = other_suite(header.suite)]),
];

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
        self.edit(INITIAL, header, flaws);
        self.edit(HEADER, header, flaws);
        if flaws.has(Clause::AllContractsApplied) {
            change(&mut header.contracts, |contracts| {
                if contracts.pop().is_none() {
                    contracts.push(header.template.clone());
                }
            });
        }
        if flaws.has(Clause::CommitmentsMatchMapping) {
            change(&mut header.commitments, |commitments| {
                let first = commitments.first_mut()?;
                match self.way(flaws, 2) {
                    0 => *first = stray(first.as_bytes()),
                    _ => drop(commitments.pop()),
                }
                Some(())
            })?;
        }
        self.encrypt(&mut forged, genuine, flaws)?;
        if flaws.has(Clause::GrantsNameAuthorisedReaders) {
            self.readers(&mut forged, flaws)?;
        }
        let (of, header) = ((Clause::UserSignsInitial, 1), encode(&forged.header));
        forged.signature = self.signed(flaws, of, &user, Domain::T_INITIAL, &header)?;
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
        let variant = self.way(flaws, 4);
        if variant == 0 {
            forged.header.grants = stray(forged.header.grants.as_bytes());
            return Some(());
        }
        change(&mut forged.grants, |grants| {
            let last = grants.last()?.clone();
            match variant {
                1 => grants.push(last),
                2 => grants.retain(|grant| grant.reader != forged.header.user),
                _ => grants.push(WrappedKey { reader: nobody(), ..last }),
            }
            Some(())
        })?;
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
