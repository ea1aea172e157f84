//! What the custodian is given: the seals that the BSD kept, as they are or with faults; and what it opens with the keys in
//! them.

use crate::forge;
use crate::simulator::ProvisionedKeys;
use crate::sut::{Bytes, CLEAR, Envelope, SystemUnderTest};
use bemr::crypto::{Digest, Domain};
use bemr::session::insider::wrap_anew;
use bemr::session::{Custodian, OpenedChain, Position, RecoveredKey};
use bemr::store::{StoreError, Table, for_each_row};
use bemr::wire::{self, Seal, SealChainStart, SealedKey, decode, encode};
use bemr_model::{Actor, Happened, Packet, SealFault, SealId};
use bemr_spec::{Clause, Event, Refusal, Rules, constants};
use std::collections::BTreeMap;

/// The custodian, with what it opened.
pub(super) struct KeyRecovery {
    custodian: Custodian,
    /// The chains of the BSD by their starts, oldest first.
    pub(super) chains: Vec<Digest>,
    opened: BTreeMap<u32, OpenedChain>,
}

impl KeyRecovery {
    pub(super) fn new(rules: &Rules, foundation: &ProvisionedKeys) -> Result<KeyRecovery, Refusal> {
        let own = foundation.credentials.get(&foundation.roster.custodian);
        let own = own.expect("everybody in the cast was enrolled").clone();
        let custodian = Custodian::new(rules, own)?;
        Ok(KeyRecovery { custodian, chains: Vec::new(), opened: BTreeMap::new() })
    }
}

/// Where a store keeps the start of a chain.
pub(super) fn row(start: &SealChainStart) -> (String, Digest) {
    let digest = Digest::of(Domain::SEAL_CHAIN, &encode(start));
    (format!("seal-chain/{digest}"), digest)
}

impl SystemUnderTest {
    /// The custodian opens a seal.
    pub(super) fn unseal(&mut self, id: SealId, faults: &[SealFault]) -> Option<Happened> {
        let start = self.chain_start(id.chain)?;
        let seal = self.falsified(self.seal(id)?, id, &start, faults)?;
        let forged = forged_start(start.clone(), faults)?;
        let rules = self.rules;
        let custody = &mut self.custody;
        let keys = if forged != start {
            custody.custodian.open_chain(&rules, &forged).and_then(|mut chain| chain.open(&rules, &seal))
        } else {
            let chain = match custody.opened.remove(&id.chain) {
                Some(chain) => Ok(chain),
                None => custody.custodian.open_chain(&rules, &start),
            };
            chain.and_then(|mut chain| {
                let keys = chain.open(&rules, &seal);
                custody.opened.insert(id.chain, chain);
                keys
            })
        };
        let clause = keys.as_ref().err().map(Refusal::clause);
        let mut happened = self.happened(Actor::Bsd, None, Event::Unseal, clause, Vec::new());
        match keys {
            Ok(keys) => happened.opened = self.opened_by(&keys),
            Err(refusal) => self.watch.refused(refusal),
        }
        Some(happened)
    }

    /// The envelopes that these keys open to the message that was said in them.
    fn opened_by(&self, keys: &[RecoveredKey]) -> Vec<u32> {
        let by_place: BTreeMap<Position, &RecoveredKey> =
            keys.iter().map(|key| (key.position(), key)).collect();
        let opens = |envelope: &Envelope| {
            let (Bytes::Packet(packet), Some(Packet::Record(record))) = (&envelope.bytes, &envelope.packet)
            else {
                return false;
            };
            let key = position(packet).and_then(|position| by_place.get(&position));
            let text = key.and_then(|key| key.open_record(&self.rules, packet).ok());
            let message = text.and_then(|text| decode::<wire::Message>(&self.rules, &text).ok());
            message.is_some_and(|message| message.name() == record.message.name())
        };
        (0..).zip(&self.envelopes).filter(|(_, envelope)| opens(envelope)).map(|(number, _)| number).collect()
    }

    fn chain_start(&self, chain: u32) -> Option<SealChainStart> {
        let digest = self.custody.chains.get(chain as usize)?;
        let kept = self.archives[0].read(|store| store.meta(&format!("seal-chain/{digest}")));
        decode(&self.rules, &kept.ok()??).ok()
    }

    /// A seal that the BSD kept.
    fn seal(&self, id: SealId) -> Option<Seal> {
        let chain = self.custody.chains.get(id.chain as usize)?;
        let mut found = None;
        let read = self.archives[0].read(|store| -> Result<(), StoreError> {
            for_each_row(store, Table::Meta, |key, value| {
                if key.starts_with(b"seal/") {
                    let seal = decode::<Seal>(&self.rules, value).ok();
                    let this = |seal: &Seal| {
                        seal.context.chain == *chain && seal.context.index == u64::from(id.index)
                    };
                    found = found.take().or(seal.filter(this));
                }
                Ok(())
            })
        });
        read.ok().and(found)
    }

    /// A seal with its faults.
    fn falsified(
        &self,
        mut seal: Seal,
        id: SealId,
        start: &SealChainStart,
        faults: &[SealFault],
    ) -> Option<Seal> {
        let mut anew = false;
        for fault in faults {
            let context = &mut seal.context;
            let mut keys: Vec<SealedKey> = context.keys.as_slice().to_vec();
            match *fault {
                SealFault::StartVersion
                | SealFault::StartSuite
                | SealFault::StartCustodian
                | SealFault::StartElement
                | SealFault::StartSubgroup => {}
                SealFault::Version => context.version += 1,
                SealFault::Chain => context.chain = forge::stray(context.chain.as_bytes()),
                SealFault::Owner => context.owner = forge::nobody(),
                SealFault::NoKeys => keys.clear(),
                SealFault::TooManyKeys => {
                    keys = keys.first().map_or(Vec::new(), |one| vec![one.clone(); constants::SEAL_KEYS + 1]);
                }
                SealFault::IndexZero => context.index = 0,
                SealFault::IndexBeyond => context.index = constants::CHAIN_SEALS + 1,
                SealFault::IndexNext => context.index += 1,
                SealFault::WrappedOf(other) => {
                    seal.wrapped = self.seal(SealId { index: other, ..id })?.wrapped;
                }
                SealFault::Cut => {
                    let bytes = seal.wrapped.as_slice();
                    seal.wrapped = bytes.get(..bytes.len().checked_sub(1)?)?.to_vec().into();
                }
                SealFault::Tid => context.tid = forge::stray(context.tid.as_bytes()),
                SealFault::Stage => {
                    context.stage = match context.stage {
                        wire::ContentType::Initial => wire::ContentType::Block,
                        _ => wire::ContentType::Initial,
                    }
                }
                SealFault::Sequence => keys.iter_mut().take(1).for_each(|key| key.sequence += 1),
                SealFault::Peer => keys.iter_mut().take(1).for_each(|key| key.peer = forge::nobody()),
                SealFault::Twice => {
                    keys = keys.first().cloned().into_iter().chain(keys).collect();
                    anew = true;
                }
                SealFault::KeyOf(other) => {
                    let other =
                        self.seal(SealId { index: other, ..id })?.context.keys.as_slice().first()?.clone();
                    keys.insert(0, other);
                    anew = true;
                }
            }
            seal.context.keys = keys.into();
        }
        if !anew {
            return Some(seal);
        }
        // Of what is refused before it is unwrapped nothing has to be wrapped.
        let custodian = &self.foundation.credentials[&self.foundation.roster.custodian];
        let key = custodian.identity().agreement_key();
        wrap_anew(&self.rules, key, start, seal.context.clone()).or(Some(seal))
    }
}

fn forged_start(mut start: SealChainStart, faults: &[SealFault]) -> Option<SealChainStart> {
    for fault in faults {
        let body = &mut start.body;
        match fault {
            SealFault::StartVersion => body.version += 1,
            SealFault::StartSuite => body.suite = forge::other_suite(body.suite),
            SealFault::StartCustodian => body.custodian = forge::nobody(),
            SealFault::StartElement => {
                start.encapsulation =
                    forge::no_element(start.encapsulation.as_slice(), Clause::ElementInRange)?.into();
            }
            SealFault::StartSubgroup => {
                start.encapsulation =
                    forge::no_element(start.encapsulation.as_slice(), Clause::ElementInSubgroup)?.into();
            }
            _ => {}
        }
    }
    Some(start)
}

/// Which record a packet is.
fn position(packet: &[u8]) -> Option<Position> {
    let (4, clear) = packet.split_first().map(|(kind, rest)| (*kind, rest))? else { return None };
    let header: wire::RecordHeader = decode(&Rules::hardened(), clear.get(..CLEAR)?).ok()?;
    Some(Position {
        session: header.session,
        direction: header.direction,
        sequence: header.sequence,
        stage: header.stage,
    })
}
