//! Validators whose keys are at hand, for the kinds that need some.

use super::draws::rng;
use super::keys::name;
use super::{RULES, Stop};
use crate::simulator::START;
use crate::vectors::Hex;
use bemr::crypto::{Digest, Domain, Signature, SigningKey, Suite, VerifyingKey};
use bemr::ledger::{Ledger, Proposal};
use bemr::votes::ValidatorSet;
use bemr::wire::{
    Ballot, Block, Closing, ClosingRule, Entry, Genesis, Height, Name, PROTOCOL_VERSION, QuorumCertificate,
    Signatory, Time, VoteBody, encode,
};
use bemr_spec::{Clause, Refusal};
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
        let known = |number: u8| Name::new(&format!("validator-{number}")).expect("short printable ASCII");
        let keys: BTreeMap<Name, SigningKey> =
            (1..=count).map(|number| (known(number), SigningKey::generate(suite, &mut rng))).collect();
        let network = Name::new("pbn").expect("short printable ASCII");
        let members = keys.iter().map(|(name, key)| (name.clone(), key.verifying_key().clone())).collect();
        Voters { suite, set: ValidatorSet::new(network, members), keys }
    }

    pub(super) fn sign(&self, who: &Name, tag: Domain, message: &[u8]) -> Option<Signature> {
        self.keys.get(who).map(|key| key.sign(&RULES, tag, message))
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

    /// Those who signed sign again.
    pub(super) fn again(&self, signatories: &[Signatory], tag: Domain, message: &[u8]) -> Vec<Signatory> {
        let again = |one: &Signatory| Signatory {
            signature: self.sign(&one.validator, tag, message).unwrap_or_else(|| one.signature.clone()),
            ..one.clone()
        };
        signatories.iter().map(again).collect()
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

    /// A block made to fit again: each bit leaves one thing as it was.
    pub(super) fn mended(&self, mut block: Block, way: u8) -> Block {
        let mut entries = block.entries.as_slice().to_vec();
        if way & 4 == 0 {
            for entry in &mut entries {
                if let Entry::Decision(certificate) = entry {
                    let body = encode(&certificate.body);
                    let again = self.again(certificate.signatories.as_slice(), Domain::VOTE, &body);
                    certificate.signatories = again.into();
                }
            }
        }
        let header = &mut block.closed.header;
        if way & 2 == 0 {
            let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
            header.root = bemr::merkle::root_of(&digests);
            header.count = entries.len() as u32;
        }
        block.entries = entries.clone().into();
        if way & 8 == 0 && matches!(header.closing, Closing::Work(_)) {
            let mut proposal = Proposal::new(header.clone(), entries);
            proposal.mine(1 << 16);
            *header = proposal.header().clone();
        }
        if way & 1 == 0 {
            let digest = header.digest();
            let signatories = block.closed.signatories.as_slice();
            block.closed.signatories = self.again(signatories, Domain::BLOCK_CLOSE, digest.as_bytes()).into();
        }
        block
    }
}

pub(super) fn ill(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Malformed(problem) => Refusal::new(Clause::EventFitsState).at(problem),
    }
}
