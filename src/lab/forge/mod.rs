//! Nearly valid messages: what an insider says who has true keys and breaks one rule, or two.
//!
//! A forger takes a genuine message and gives the same message with flaws: it fails the checks of the clauses asked for, is
//! signed again by whoever signs it, and passes every check that its receiver makes before the first of them. It passes all
//! the others too, but for what the flaw itself entails ([`ENTAILS`]): a certificate that has another digest, for example, does not
//! stand in the ledger. A forger signs with the keys that it was given and no others; without them it makes nothing.
//!
//! Nothing here draws at random but the responses of a handshake: one message, flaws and way make one forgery. What can be made is in [`FLAWS`]; the choice
//! of genuine message and flaws is for who calls.

mod authority;
mod certificates;
mod cloud;
mod edits;
mod elements;
mod field_mutation;
mod handshake;
mod initial;
mod ledger;
mod orders;
mod packet;
mod re_signing;
mod record;
mod table;
mod tblock;
mod valid;
mod votes;

pub use certificates::Certificates;
pub(crate) use elements::{near_elements, no_element};
pub(crate) use field_mutation::{MutatedMessage, Sweep, as_it_is, mended, pairs, tables};
pub use packet::packet;
pub(crate) use re_signing::ReSigner;
pub use table::{CONDITIONAL, COSTLY, ENTAILS, FLAWS, MANNERS, RENEWING, STUBBORN, flaws_of, makes};
pub use tblock::is_of_the_body;

use edits::{Edits, change};
use elements::{element, no_scalar};
use table::is_manner;

use bemr::actors::CertificateDirectory;
use bemr::crypto::{Digest, Domain, Signature, Suite};
use bemr::keys::Credentials;
use bemr::records::PolicyRegistry;
use bemr::wire::Name;
use bemr_model::Flaws;
use bemr_spec::{Clause, Rules};
use std::collections::BTreeMap;

/// A forger: the keys of all who conspire, and what is public.
#[derive(Clone, Copy)]
pub struct Forge<'a> {
    /// The rules that signatures are made by.
    pub rules: &'a Rules,
    /// Keys and certificates of everybody who conspires; the sender is one of them.
    pub keys: &'a BTreeMap<Name, Credentials>,
    /// Certificates that do not hold.
    pub certificates: &'a Certificates,
    /// The published ones, which do.
    pub directory: &'a CertificateDirectory,
    /// Templates and contracts.
    pub policy: &'a PolicyRegistry,
    /// Which of the ways to fail a check, where there are several; any number will do. Two flaws at once are each made in the
    /// first way, so that the order of checks does not hang on it.
    pub way: u8,
}

impl Forge<'_> {
    fn way(&self, flaws: Flaws, ways: u8) -> u8 {
        let listed = flaws.iter().filter(|flaw| !is_manner(*flaw)).count();
        if listed == 1 { self.way % ways } else { 0 }
    }

    fn sign(&self, who: &Name, tag: Domain, message: &[u8]) -> Option<Signature> {
        Some(self.keys.get(who)?.identity().signing_key().sign(self.rules, tag, message))
    }

    /// A signature, or none where the first of so many variants of this clause is asked for.
    fn signed(
        &self,
        flaws: Flaws,
        (clause, variants): (Clause, u8),
        who: &Name,
        tag: Domain,
        message: &[u8],
    ) -> Option<Signature> {
        let right = !flaws.has(clause) || self.way(flaws, variants) != 0;
        self.sign_or_not(right, flaws, who, tag, message)
    }

    /// As [`Forge::sign`], or what is no signature: in the manner that `flaws` say, or else one of the same signer over
    /// something else.
    fn sign_or_not(
        &self,
        right: bool,
        flaws: Flaws,
        who: &Name,
        tag: Domain,
        message: &[u8],
    ) -> Option<Signature> {
        if right {
            return self.sign(who, tag, message);
        }
        if flaws.has(Clause::ChallengeCoversKeyAndTag) {
            let rules = self.rules.without(Clause::ChallengeCoversKeyAndTag);
            return Some(self.keys.get(who)?.identity().signing_key().sign(&rules, tag, message));
        }
        if flaws.has(Clause::ScalarInRange) {
            return no_scalar(&self.sign(who, tag, message)?);
        }
        self.sign(who, tag, &[message, &[0]].concat())
    }
}

/// A name that nobody has. It comes after every name of letters and digits.
pub(super) fn nobody() -> Name {
    Name::new("~").expect("it is printable and short")
}

/// A digest that stands for nothing, another one for other bytes.
pub(super) fn stray(bytes: &[u8]) -> Digest {
    Digest::of_parts(Domain::PUBLIC_STATE, &[b"stray", bytes])
}

pub(super) fn other_suite(suite: Suite) -> Suite {
    if suite == Suite::Ristretto255 { Suite::Ffdhe2048 } else { Suite::Ristretto255 }
}

fn flip_last(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut flipped = bytes.to_vec();
    *flipped.last_mut()? ^= 1;
    Some(flipped)
}

fn any(flaws: Flaws, clauses: &[Clause]) -> bool {
    flaws.iter().any(|flaw| clauses.contains(&flaw))
}
