//! Collects the votes on one T_block.

use crate::crypto::Domain;
use crate::votes::ValidatorSet;
use crate::wire::{Ballot, Name, QuorumCertificate, Signatory, Vote, VoteBody, encode};
use bemr_spec::{Clause, Refusal, Rules};
use std::collections::BTreeMap;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What a ballot box asks: every vote in it answers exactly this, apart from its verdict and reason.
#[derive(Clone, Debug)]
pub struct BallotBox {
    validators: ValidatorSet,
    asked: VoteBody,
    votes: BTreeMap<Name, Vote>,
}

/// Two contradictory votes of one validator on one question: attributable evidence against it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Equivocation {
    /// The vote that came first and counts.
    pub first: Vote,
    /// The vote that contradicts it.
    pub second: Vote,
}

/// What the votes so far add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tally {
    /// More than two thirds voted alike.
    Quorum(QuorumCertificate),
    /// A quorum is still possible.
    Open,
    /// No further vote can make a quorum.
    Conflict,
}

/// A vote on the question of a ballot box, by an admitted validator, with a signature that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedVote(Vote);

impl VerifiedVote {
    /// The vote.
    pub fn into_vote(self) -> Vote {
        self.0
    }
}

impl BallotBox {
    /// An empty box for the question of `tid` under T_block `block`, policy `policy` and `height`.
    pub fn new(validators: ValidatorSet, asked: VoteBody) -> BallotBox {
        BallotBox { validators, asked, votes: BTreeMap::new() }
    }

    /// A box that goes on with votes that one before it counted.
    pub fn resume(validators: ValidatorSet, asked: VoteBody, counted: Vec<Vote>) -> BallotBox {
        let votes = counted.into_iter().map(|vote| (vote.validator.clone(), vote)).collect();
        BallotBox { validators, asked, votes }
    }

    /// What it asks.
    pub fn asked(&self) -> &VoteBody {
        &self.asked
    }

    /// Checks a vote, and counts nothing.
    ///
    /// # Errors
    /// The first check of [`VOTE`](bemr_spec::order::VOTE) that fails, from VOT-01 for the voter to VOT-02.
    pub fn verify(&self, rules: &Rules, vote: Vote) -> Result<VerifiedVote, Refusal> {
        let (body, asked) = (&vote.body, &self.asked);
        let key = self.validators.key(&vote.validator);
        let admitted = key.is_some() && body.network == asked.network && body.validators == asked.validators;
        rules.require(Clause::VoterIsAdmitted, admitted).map_err(|r| r.at(vote.validator.as_str()))?;
        let same_form = body.version == asked.version && body.suite == asked.suite;
        rules.require(
            Clause::VoteNamesBlock,
            same_form && body.tid == asked.tid && body.block == asked.block,
        )?;
        rules.require(Clause::VoteNamesHeight, body.height == asked.height)?;
        rules.require(Clause::VoteNamesPolicy, body.policy == asked.policy)?;
        if let Some(key) = key {
            let signature = &vote.signature;
            key.vouches(rules, Clause::VoteSigned, Domain::VOTE, &encode(body), signature)?;
        }
        Ok(VerifiedVote(vote))
    }

    /// Counts a vote. A second, contrary vote of the same validator is handed back as evidence and does not count.
    ///
    /// # Errors
    /// VOT-06 (ignore) for a vote that was counted before.
    pub fn cast(&mut self, rules: &Rules, vote: VerifiedVote) -> Result<Option<Equivocation>, Refusal> {
        let VerifiedVote(vote) = vote;
        if rules.in_force(Clause::OneVotePerValidator)
            && let Some(first) = self.votes.get(&vote.validator)
        {
            if first.body == vote.body {
                return Err(Refusal::new(Clause::OneVotePerValidator));
            }
            return Ok(Some(Equivocation { first: first.clone(), second: vote }));
        }
        self.votes.insert(vote.validator.clone(), vote);
        Ok(None)
    }

    /// The vote of the same validator that was counted.
    pub fn counted(&self, vote: &VerifiedVote) -> Option<&Vote> {
        self.votes.get(&vote.0.validator)
    }

    /// What the votes add up to now.
    pub fn tally(&self, rules: &Rules) -> Tally {
        let mut counts: BTreeMap<(Ballot, u16), usize> = BTreeMap::new();
        for vote in self.votes.values() {
            let said = match rules.in_force(Clause::QuorumIsUnanimous) {
                true => (vote.body.ballot, vote.body.reason),
                false => (Ballot::True, 0),
            };
            *counts.entry(said).or_default() += 1;
        }
        let quorum = if rules.in_force(Clause::MoreThanTwoThirds) { self.validators.quorum() } else { 1 };
        let leading = counts.iter().max_by_key(|(_, count)| **count);
        match leading {
            Some((said, count)) if *count >= quorum => Tally::Quorum(self.certificate(rules, *said)),
            _ => {
                let most = leading.map_or(0, |(_, count)| *count);
                // Without VOT-01 there are voters who are no members.
                let silent = self.validators.len().saturating_sub(self.votes.len());
                if most + silent >= quorum { Tally::Open } else { Tally::Conflict }
            }
        }
    }

    fn certificate(&self, rules: &Rules, (ballot, reason): (Ballot, u16)) -> QuorumCertificate {
        let agrees = |vote: &&Vote| {
            !rules.in_force(Clause::QuorumIsUnanimous)
                || (vote.body.ballot, vote.body.reason) == (ballot, reason)
        };
        let signatories: Vec<Signatory> = self
            .votes
            .values()
            .filter(agrees)
            .map(|vote| Signatory { validator: vote.validator.clone(), signature: vote.signature.clone() })
            .collect();
        QuorumCertificate {
            body: VoteBody { ballot, reason, ..self.asked.clone() },
            signatories: signatories.into(),
        }
    }

    /// The validators that have not voted.
    pub fn silent(&self) -> impl Iterator<Item = &Name> {
        self.validators.names().filter(|name| !self.votes.contains_key(*name))
    }

    /// The votes that count, in ascending order of their validators.
    pub fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.votes.values()
    }
}
