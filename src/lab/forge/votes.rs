//! Votes, and certificates made of them.

use super::{Edits, Forge, ReSigner, change, flip_last, nobody, other_suite, stray, table};
use bemr::crypto::{Digest, Domain, Signature};
use bemr::wire::{Ballot, Height, Name, QuorumCertificate, Signatory, TBlock, Vote, VoteBody, encode};
use bemr_model::{self, Flaws};
use bemr_spec::Clause;

const VOTE: &Edits<VoteBody> = &[
    (
        Clause::VoterIsAdmitted,
        &[|body| body.validators = stray(body.validators.as_bytes()), |body| body.network = nobody()],
    ),
    (
        Clause::VoteNamesBlock,
        &[
            |body| body.block = stray(body.block.as_bytes()),
            |body| body.version = 2,
            |body| body.suite = other_suite(body.suite),
        ],
    ),
    (Clause::VoteNamesHeight, &[|body| body.height = Height(body.height.0 + 1)]),
    (Clause::VoteNamesPolicy, &[|body| body.policy = stray(body.policy.as_bytes())]),
];

impl Forge<'_> {
    /// A vote of its validator that says something else.
    pub fn turned(&self, genuine: &Vote, ballot: bemr_model::Ballot, flaws: Flaws) -> Option<Vote> {
        let mut turned = genuine.clone();
        (turned.body.ballot, turned.body.reason) = match ballot {
            bemr_model::Ballot::True => (Ballot::True, 0),
            bemr_model::Ballot::False(reason) => (Ballot::False, reason.code()),
        };
        turned.signature = self.sign(&genuine.validator, Domain::VOTE, &encode(&turned.body))?;
        self.vote(&turned, flaws)
    }

    /// The vote of a validator on a T_block: every contract holds.
    pub fn vote_on(&self, asked: &TBlock, validator: &Name) -> Option<Vote> {
        let TBlock { body: asked, initial, .. } = asked;
        let body = VoteBody {
            version: asked.version,
            suite: asked.suite,
            network: asked.network.clone(),
            validators: asked.validators,
            tid: initial.tid,
            block: Digest::of(Domain::T_BLOCK, &encode(asked)),
            policy: asked.policy,
            height: asked.height,
            ballot: Ballot::True,
            reason: 0,
        };
        let signature = self.sign(validator, Domain::VOTE, &encode(&body))?;
        Some(Vote { validator: validator.clone(), body, signature })
    }

    /// A vote of its validator.
    pub fn vote(&self, genuine: &Vote, flaws: Flaws) -> Option<Vote> {
        table::require("Vote", flaws)?;
        let mut forged = genuine.clone();
        self.edit(VOTE, &mut forged.body, flaws);
        let (of, body) = ((Clause::VoteSigned, 1), encode(&forged.body));
        forged.signature = self.signed(flaws, of, &genuine.validator, Domain::VOTE, &body)?;
        Some(forged)
    }

    /// A quorum certificate. Where it stands in a block, or is to, all of its flaws are LED-11.
    pub fn certified(&self, genuine: &QuorumCertificate, flaws: Flaws) -> Option<QuorumCertificate> {
        table::require("Certificate", flaws)?;
        let mut forged = genuine.clone();
        let stranger = flaws.has(Clause::VoterIsAdmitted).then(|| self.way(flaws, 2));
        if stranger == Some(0) {
            forged.body.validators = stray(forged.body.validators.as_bytes());
            self.sign_again(&mut forged);
        }
        change(&mut forged.signatories, |signatories| {
            if stranger == Some(1) {
                signatories.last_mut()?.validator = nobody();
            }
            spoil(signatories, flaws)
        })?;
        Some(forged)
    }

    /// A certificate for the ledger, with LED-11 in one of its ways.
    pub fn decision(&self, genuine: &QuorumCertificate, flaws: Flaws) -> Option<QuorumCertificate> {
        table::require("Decision", flaws)?;
        if flaws.is_empty() {
            return Some(genuine.clone());
        }
        let one = |clause| self.certified(genuine, Flaws::of(clause));
        match self.way(flaws, 5) {
            0 => one(Clause::VoteSigned),
            1 => one(Clause::MoreThanTwoThirds),
            2 => one(Clause::SignersAreDistinct),
            3 => {
                let mut forged = genuine.clone();
                forged.body.network = nobody();
                self.sign_again(&mut forged);
                Some(forged)
            }
            _ => one(Clause::VoterIsAdmitted),
        }
    }

    /// The signatories who conspire sign the body as it stands.
    pub(super) fn sign_again(&self, forged: &mut QuorumCertificate) {
        ReSigner::by(*self.rules, self.keys).quorum(forged);
    }
}

/// Signatories of a quorum with QUO-01, QUO-02 and VOT-02 among `flaws`.
pub(super) fn spoil(signatories: &mut Vec<Signatory>, flaws: Flaws) -> Option<()> {
    let (few, disordered) = (flaws.has(Clause::MoreThanTwoThirds), flaws.has(Clause::SignersAreDistinct));
    if few && disordered && signatories.len() < 3 {
        // One that stands there twice would be two, and enough.
        return None;
    }
    if few {
        // Half of a quorum is none.
        signatories.truncate(signatories.len() / 2);
    }
    if disordered {
        match signatories.len() {
            0 => return None,
            1 => signatories.push(signatories.first()?.clone()),
            _ => signatories.swap(0, 1),
        }
    }
    if flaws.has(Clause::VoteSigned) {
        let first = signatories.first_mut()?;
        first.signature = Signature::from_bytes(&flip_last(first.signature.as_bytes())?);
    }
    Some(())
}
