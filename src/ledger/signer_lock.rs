//! A validator that closes blocks: what it must remember so as never to close two of one height.

use crate::crypto::{Digest, SigningKey};
use crate::ledger::Proposal;
use crate::wire::{Height, Name, Signatory};
use bemr_spec::{Clause, Refusal, Rules};

/// The last header that a validator signed. It outlives a restart: see [`SignerLock::resume`].
#[derive(Clone, Debug)]
pub struct SignerLock {
    validator: Name,
    last: Option<(Height, Digest)>,
}

impl SignerLock {
    /// A validator that has signed nothing.
    pub fn new(validator: Name) -> SignerLock {
        SignerLock { validator, last: None }
    }

    /// A validator that has signed the header `digest` at `height` and none above.
    pub fn resume(validator: Name, height: Height, digest: Digest) -> SignerLock {
        SignerLock { validator, last: Some((height, digest)) }
    }

    /// The last header signed.
    pub fn last(&self) -> Option<(Height, Digest)> {
        self.last
    }

    /// Signs a proposal that [`crate::ledger::Ledger::check_proposal`] passed.
    ///
    /// # Errors
    /// LED-15 when another header of this height, or one of a greater height, was signed.
    pub fn sign(
        &mut self,
        rules: &Rules,
        key: &SigningKey,
        proposal: &Proposal,
    ) -> Result<Signatory, Refusal> {
        let (height, digest) = (proposal.header().height, proposal.digest());
        let free = self.last.is_none_or(|(last, signed)| last < height || (last, signed) == (height, digest));
        rules.require(Clause::OneCloseByValidator, free)?;
        self.last = Some((height, digest));
        Ok(proposal.sign(rules, &self.validator, key))
    }
}
