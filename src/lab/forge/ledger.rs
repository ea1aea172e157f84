//! Proposals, closing signatures and blocks.

use super::{Edits, Forge, change, nobody, other_suite, stray, table, votes};
use bemr::crypto::{Digest, Domain};
use bemr::ledger::Proposal;
use bemr::merkle::root_of;
use bemr::wire::{
    Anchor, Ballot, Block, BlockHeader, BlockProposal, Closing, ClosingSignature, Entry, Height, LogKind,
    QuorumCertificate, Signatory, Time, VoteBody,
};
use bemr_model::Flaws;
use bemr_spec::{Clause, constants};

/// More nonces than a test network's target takes, with very great probability.
const NONCES: u64 = 1 << 20;

const HEADER: &Edits<BlockHeader> = &[
    (
        Clause::MerkleRootMatches,
        &[|header| header.root = stray(header.root.as_bytes()), |header| header.count += 1],
    ),
    (Clause::ProtocolVersionIsOne, &[|header| header.version = 2]),
    (
        Clause::BlockLinksPrevious,
        &[|header| header.previous = stray(header.previous.as_bytes()), |header| header.network = nobody()],
    ),
    (Clause::HeightAdvancesByOne, &[|header| header.height = Height(header.height.0 + 1)]),
    (Clause::BlockTimeAdvances, &[|header| header.time = Time(0), |header| header.time = Time(u64::MAX)]),
];

impl Forge<'_> {
    /// A proposal of its signatory, who need not be its proposer.
    pub fn proposal(&self, genuine: &BlockProposal, flaws: Flaws) -> Option<BlockProposal> {
        table::require("Proposal", flaws)?;
        let mut forged = genuine.clone();
        change(&mut forged.entries, |entries| self.spoil(&mut forged.header, entries, flaws))?;
        self.sign_close(&mut forged.signatory, &forged.header.digest(), flaws)?;
        Some(forged)
    }

    /// A validator's signature for a block. STA-01 is that of the header.
    pub fn closing(&self, genuine: &ClosingSignature, flaws: Flaws) -> Option<ClosingSignature> {
        table::require("Closing", flaws)?;
        let mut forged = genuine.clone();
        if flaws.has(Clause::EventFitsState) {
            forged.header = stray(forged.header.as_bytes());
        }
        self.sign_close(&mut forged.signatory, &forged.header, flaws)?;
        Some(forged)
    }

    fn sign_close(&self, signatory: &mut Signatory, header: &Digest, flaws: Flaws) -> Option<()> {
        let (of, header) = ((Clause::VoteSigned, 1), header.as_bytes());
        signatory.signature = self.signed(flaws, of, &signatory.validator, Domain::BLOCK_CLOSE, header)?;
        if flaws.has(Clause::VoterIsAdmitted) {
            signatory.validator = nobody();
        }
        Some(())
    }

    /// A closed block: `flaws` are of what was closed, `close` of its close. The signatories who conspire sign the header as
    /// it stands, the others do not; so LED-11 takes a quorum of conspirators.
    pub fn closed(&self, genuine: &Block, flaws: Flaws, close: Flaws) -> Option<Block> {
        table::require("Block", flaws)?;
        table::require("Close", close)?;
        let mut header = genuine.closed.header.clone();
        let mut entries = genuine.entries.as_slice().to_vec();
        let mut signatories = genuine.closed.signatories.as_slice().to_vec();
        self.spoil(&mut header, &mut entries, flaws)?;
        let by_work = matches!(header.closing, Closing::Work(_));
        let mut proposal = Proposal::new(header, entries);
        if by_work && !flaws.is_empty() {
            proposal = mined(proposal, !flaws.has(Clause::WorkMeetsTarget))?;
        }
        if !flaws.is_empty() {
            let digest = proposal.digest();
            for signatory in &mut signatories {
                let signed = self.sign(&signatory.validator, Domain::BLOCK_CLOSE, digest.as_bytes());
                match signed {
                    Some(signature) => signatory.signature = signature,
                    None if flaws.has(Clause::EntryHasQuorum) && close.is_empty() => return None,
                    None => {}
                }
            }
        }
        if close.has(Clause::BlockHasQuorum) {
            match self.way(close, 4) {
                0 => votes::spoil(&mut signatories, Flaws::of(Clause::VoteSigned))?,
                1 => votes::spoil(&mut signatories, Flaws::of(Clause::MoreThanTwoThirds))?,
                2 => votes::spoil(&mut signatories, Flaws::of(Clause::SignersAreDistinct))?,
                _ => signatories.last_mut()?.validator = nobody(),
            }
        }
        if close.has(Clause::WorkMeetsTarget) {
            let proposer = proposal.header().proposer.clone();
            let signature = self.sign(&proposer, Domain::BLOCK_CLOSE, proposal.digest().as_bytes())?;
            signatories.push(Signatory { validator: proposer, signature });
        }
        let mut block = proposal.close(Vec::new());
        block.closed.signatories = signatories.into();
        // A block closed by work has no other close; one by quorum always has.
        (by_work || !close.has(Clause::WorkMeetsTarget)).then_some(())?;
        (!by_work || !close.has(Clause::BlockHasQuorum)).then_some(block)
    }

    /// Header and entries of a block, without its close.
    fn spoil(&self, header: &mut BlockHeader, entries: &mut Vec<Entry>, flaws: Flaws) -> Option<()> {
        let untouched = entries.len();
        if flaws.has(Clause::TidDecidedOnce) {
            let decided = entries.iter().find(|entry| matches!(entry, Entry::Decision(_))).cloned();
            let twice = match decided {
                Some(decided) => vec![decided],
                // Nobody voted on it, but that is LED-11's, which comes later.
                None => vec![unvoted(header, 1), unvoted(header, 1)],
            };
            entries.extend(twice);
        }
        if flaws.has(Clause::EntryHasQuorum) {
            entries.push(unvoted(header, 2));
        }
        if flaws.has(Clause::AnchorAdvances) {
            entries.extend([anchor(header, 1), anchor(header, 1)]);
        }
        if flaws.has(Clause::SizeWithinBound) {
            let more = (constants::BLOCK_ENTRIES + 1).saturating_sub(entries.len());
            entries.extend((2..).take(more).map(|size| anchor(header, size)));
        }
        if entries.len() != untouched {
            let digests: Vec<Digest> = entries.iter().map(Entry::digest).collect();
            header.root = root_of(&digests);
            header.count = u32::try_from(entries.len()).ok()?;
        }
        self.edit(HEADER, header, flaws);
        match &mut header.closing {
            Closing::Quorum(_) if flaws.has(Clause::TargetIsScheduled) => return None,
            Closing::Quorum(_) if flaws.has(Clause::WorkMeetsTarget) => return None,
            Closing::Work(_) if flaws.has(Clause::BlockHasQuorum) => return None,
            Closing::Quorum(validators) if flaws.has(Clause::BlockHasQuorum) => {
                *validators = stray(validators.as_bytes());
            }
            Closing::Work(work) if flaws.has(Clause::TargetIsScheduled) => {
                // As hard as before, to one part in 2^240.
                work.target.0[31] ^= 1;
            }
            Closing::Quorum(_) | Closing::Work(_) => {}
        }
        Some(())
    }
}

/// The proposal with a nonce that meets its target, or one that does not.
fn mined(mut proposal: Proposal, met: bool) -> Option<Proposal> {
    if met {
        return proposal.mine(NONCES).then_some(proposal);
    }
    let (mut header, entries) = (proposal.header().clone(), proposal.entries().to_vec());
    loop {
        let digest = header.digest();
        let Closing::Work(work) = &mut header.closing else { return None };
        if !work.target.is_met_by(&digest) {
            return Some(Proposal::new(header, entries));
        }
        work.nonce = work.nonce.checked_add(1)?;
    }
}

/// A decision on which nobody voted.
fn unvoted(header: &BlockHeader, number: u8) -> Entry {
    let stray = stray(&[header.previous.as_bytes(), [number].as_slice()].concat());
    let validators = match &header.closing {
        Closing::Quorum(validators) => *validators,
        Closing::Work(_) => stray,
    };
    let body = VoteBody {
        version: header.version,
        suite: other_suite(bemr::crypto::Suite::Ristretto255),
        network: header.network.clone(),
        validators,
        tid: stray,
        block: stray,
        policy: stray,
        height: header.height,
        ballot: Ballot::True,
        reason: 0,
    };
    Entry::Decision(QuorumCertificate { body, signatories: Vec::new().into() })
}

/// An anchor of a log that nobody keeps.
fn anchor(header: &BlockHeader, size: u64) -> Entry {
    let (kind, head) = (LogKind::Cloud, stray(header.previous.as_bytes()));
    Entry::Anchor(Anchor { kind, keeper: nobody(), size, head })
}
