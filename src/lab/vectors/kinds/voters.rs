//! Validators whose keys are at hand, for the kinds that need some.

use super::draws::rng;
use super::keys::name;
use super::{RULES, Stop, known};
use crate::forge::ReSigner;
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::crypto::{Digest, Domain, SigningKey, Suite, VerifyingKey};
use bemr::ledger::Ledger;
use bemr::votes::ValidatorSet;
use bemr::wire::{
    Ballot, Block, Closing, ClosingRule, Entry, Genesis, Height, Name, PROTOCOL_VERSION, QuorumCertificate,
    Signatory, Time, VoteBody, encode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The validators of a network.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct Set {
    pub(super) network: String,
    pub(super) members: Vec<MemberOf>,
}

/// One of them.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(in crate::vectors) struct MemberOf {
    pub(super) name: String,
    pub(super) key: Hex,
}

impl Set {
    pub(in crate::vectors) fn of(set: &ValidatorSet) -> Set {
        let members = set.names().filter_map(|name| {
            Some(MemberOf { name: name.as_str().to_owned(), key: Hex(set.key(name)?.encode()) })
        });
        Set { network: set.network().as_str().to_owned(), members: members.collect() }
    }

    pub(in crate::vectors) fn set(&self, suite: Suite) -> Result<ValidatorSet, Stop> {
        let members = self
            .members
            .iter()
            .map(|member| Ok((name(&member.name)?, VerifyingKey::decode(&RULES, suite, &member.key.0)?)));
        let members = members.collect::<Result<BTreeMap<_, _>, Stop>>()?;
        Ok(ValidatorSet::new(name(&self.network)?, members))
    }
}

/// Validators whose keys are at hand.
pub(super) struct Voters {
    pub(super) suite: Suite,
    pub(super) keys: BTreeMap<Name, SigningKey>,
    pub(super) set: ValidatorSet,
}

impl Voters {
    pub(super) fn new(suite: Suite, kind: &str, count: u8) -> Voters {
        let mut rng = rng(kind);
        let validator = |number: u8| known(&format!("validator-{number}"));
        let keys: BTreeMap<Name, SigningKey> =
            (1..=count).map(|number| (validator(number), SigningKey::generate(suite, &mut rng))).collect();
        let members = keys.iter().map(|(name, key)| (name.clone(), key.verifying_key().clone())).collect();
        Voters { suite, set: ValidatorSet::new(known("pbn"), members), keys }
    }

    /// The signatures of the first so many.
    pub(super) fn signatories(&self, count: usize, tag: Domain, message: &[u8]) -> Vec<Signatory> {
        let all = self.keys.iter().take(count);
        all.map(|(name, key)| Signatory {
            validator: name.clone(),
            signature: key.sign(&RULES, tag, message),
        })
        .collect()
    }

    pub(super) fn vote(&self, number: u8) -> VoteBody {
        VoteBody {
            version: PROTOCOL_VERSION,
            suite: self.suite,
            network: self.set.network().clone(),
            validators: self.set.digest(),
            tid: Digest::from_bytes([number; 32]),
            block: Digest::from_bytes([number ^ 0x80; 32]),
            policy: Digest::from_bytes([9; 32]),
            height: Height(1),
            ballot: Ballot::True,
            reason: 0,
        }
    }

    pub(super) fn certificate(&self, body: VoteBody) -> QuorumCertificate {
        let signatories = self.signatories(self.set.quorum(), Domain::VOTE, &encode(&body));
        QuorumCertificate { body, signatories: signatories.into() }
    }

    pub(super) fn genesis(&self, rule: ClosingRule) -> Genesis {
        Genesis {
            version: PROTOCOL_VERSION,
            network: self.set.network().clone(),
            validators: self.set.digest(),
            start: START,
            rule,
        }
    }

    /// The next block of a ledger, closed.
    pub(super) fn block(&self, ledger: &Ledger, entries: Vec<Entry>, time: Time) -> Block {
        let proposer = self.keys.keys().next().expect("there is a validator").clone();
        let mut proposal = ledger.propose(entries, time, proposer);
        if matches!(proposal.header().closing, Closing::Work(_)) {
            proposal.mine(1 << 20);
            return proposal.close(Vec::new());
        }
        let digest = proposal.digest();
        let signatories = self.signatories(self.set.quorum(), Domain::BLOCK_CLOSE, digest.as_bytes());
        proposal.close(signatories)
    }

    /// Those who sign for the validators.
    pub(super) const fn signer(&self) -> ReSigner<'_, BTreeMap<Name, SigningKey>> {
        ReSigner::new(&self.keys)
    }

    /// A block whose entries changed, made to fit again.
    pub(super) fn closed_again(&self, mut block: Block) -> Block {
        self.signer().closed(&mut block, 0);
        block
    }
}
