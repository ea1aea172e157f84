//! Validators whose keys are at hand, for the kinds that need some.

use super::prelude::*;
use bemr::ledger::Ledger;
use bemr::votes::ValidatorSet;
use std::collections::BTreeMap;

data! {
    /// The validators of a network.
    Set { network: String, members: Vec<MemberOf> }
    /// One of them.
    MemberOf { name: String, key: Hex }
    /// A block that was taken before.
    Arrived { now: u64, block: Hex }
}

impl Set {
    pub(in crate::vectors) fn of(set: &ValidatorSet) -> Set {
        let members = set.names().filter_map(|name| {
            Some(MemberOf { name: name.as_str().to_owned(), key: Hex(set.key(name)?.encode()) })
        });
        Set { network: set.network().as_str().to_owned(), members: members.collect() }
    }

    pub(in crate::vectors) fn set(&self, suite: Suite) -> Result<ValidatorSet, Stop> {
        let member = |MemberOf { name: text, key }: &MemberOf| {
            Ok((name(text)?, VerifyingKey::decode(&RULES, suite, &key.0)?))
        };
        let members = self.members.iter().map(member).collect::<Result<_, Stop>>()?;
        Ok(ValidatorSet::new(name(&self.network)?, members))
    }

    /// The ledger of these validators with these blocks.
    pub(super) fn ledger(&self, suite: Suite, genesis: &Hex, blocks: &[Arrived]) -> Result<Ledger, Stop> {
        let validators = self.set(suite)?;
        let mut ledger = Ledger::new(&RULES, genesis.decode()?)?;
        for Arrived { now, block } in blocks {
            ledger.append(&RULES, &validators, Time(*now), block.decode()?)?;
        }
        Ok(ledger)
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
        let sign = |(name, key): (&Name, &SigningKey)| Signatory {
            validator: name.clone(),
            signature: key.sign(&RULES, tag, message),
        };
        self.keys.iter().take(count).map(sign).collect()
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

    /// The body with the signatures of the first so many.
    pub(super) fn signed(&self, body: VoteBody, count: usize) -> QuorumCertificate {
        let signatories = self.signatories(count, Domain::VOTE, &encode(&body)).into();
        QuorumCertificate { body, signatories }
    }

    pub(super) fn certificate(&self, body: VoteBody) -> QuorumCertificate {
        self.signed(body, self.set.quorum())
    }

    pub(super) fn genesis(&self, rule: ClosingRule) -> Genesis {
        let (network, validators) = (self.set.network().clone(), self.set.digest());
        Genesis { version: PROTOCOL_VERSION, network, validators, start: START, rule }
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
        proposal.close(self.signatories(self.set.quorum(), Domain::BLOCK_CLOSE, digest.as_bytes()))
    }

    /// Those who sign for the validators.
    pub(super) const fn signer(&self) -> ReSigner<'_, BTreeMap<Name, SigningKey>> {
        ReSigner::new(&self.keys)
    }

    /// A block whose entries changed, closed anew.
    pub(super) fn closed_again(&self, mut block: Block) -> Block {
        self.signer().closed(&mut block, 0);
        block
    }
}
