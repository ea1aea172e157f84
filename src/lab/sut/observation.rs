//! The observable projection of the implementation: what lockstep compares with the view that the model has of the same actor.

use crate::refinement::{ballot, decision, newest};
use crate::simulator::Node;
use crate::sut::SystemUnderTest;
use bemr::actors::LedgerView;
use bemr::crypto::Digest;
use bemr::keys::TrustStore;
use bemr_model::{Actor, BlockId, Public, Tid, View};

impl SystemUnderTest {
    /// What can be seen of an actor; nothing for one that does not take part.
    pub fn view(&self, actor: Actor) -> Option<View> {
        let tables = &self.tables;
        let tid = |tid: &Digest| tables.known_tid(tid);
        if actor == Actor::Kdc {
            return Some(self.kdc_view());
        }
        let slot = self.slot(actor)?;
        Some(match &self.nodes[slot] {
            Node::User(user) => View::User {
                public: self.public(user.ledger_view(), user.trust()),
                open: sorted(user.open().map(tid)),
                ended: sorted(
                    user.past()
                        .map(|(one, outcome)| (tid(one), outcome.map(|outcome| decision(outcome.decision)))),
                ),
                requests: sorted(user.requests().map(|one| tables.known_request(one))),
                remembered: user.remembered() as u32,
            },
            Node::Bsd(bsd) => View::Bsd {
                public: self.public(bsd.ledger_view(), bsd.trust()),
                submissions: sorted(bsd.submissions().map(|(one, state)| (tid(one), state.name()))),
                audit: bsd.audited() as u32,
                evidence: bsd.evidence().len() as u32,
            },
            Node::Validator(validator) => {
                let closing = validator.consensus();
                let block = |(height, digest): (bemr::wire::Height, Digest)| (height.0, self.block(&digest));
                View::Validator {
                    public: self.public(validator.ledger_view(), validator.trust()),
                    votes: sorted(validator.votes().map(|vote| (tid(&vote.body.tid), ballot(&vote.body)))),
                    closing: closing.state.name(),
                    signed: closing.signed.map(block),
                    signatures: closing.signatures as u32,
                    waiting: (closing.decisions as u32, closing.anchors as u32),
                }
            }
            // Here forged messages are sent over honest actors; Byzantine nodes belong to the simulator.
            Node::ByzantineValidator(_) => return None,
            Node::Cloud(cloud) => View::Cloud {
                public: self.public(cloud.ledger_view(), cloud.trust()),
                records: sorted(cloud.records().map(|(one, state)| (tid(one), state.name()))),
                leaves: cloud.log_size() as u32,
            },
        })
    }

    fn block(&self, digest: &Digest) -> BlockId {
        self.tables.known_block(digest).unwrap_or(BlockId(u64::MAX))
    }

    fn public(&self, replica: &LedgerView, trust: &TrustStore) -> Public {
        let ledger = &replica.ledger;
        Public {
            height: ledger.height().0,
            final_height: ledger.final_height().0,
            tip: self.block(&ledger.tip()),
            policy: newest(&replica.policy),
            list: self.tables.list_number(trust.revocation_list().body.list),
        }
    }

    /// The model's name of a submission that an actor knows.
    pub fn named(&self, tid: &Digest) -> Option<Tid> {
        Some(self.tables.known_tid(tid)).filter(|tid| *tid != Tid::UNKNOWN)
    }
}

fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all
}
