//! The keys of all insiders, and the bytes of forged terms that are made with them.

use crate::forge::{Certificates, Forge, packet};
use crate::lockstep::forged_term::{FAR_AHEAD, decomposed, gossip_decomposed, with_flaws};
use crate::sut::{Forger, SystemUnderTest};
use bemr::crypto::{Digest, Domain};
use bemr::session::insider::Caller;
use bemr::wire::{self, SessionType, Version, encode};
use bemr_model::{Actor, ContentType, Enrolment, Flaws, Gossip, HelloId, Message, Packet, Vote};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// Everybody's keys.
pub(super) struct KeyRing {
    certificates: Certificates,
    /// The hellos of its own.
    callers: BTreeMap<HelloId, Caller>,
    /// How many packets it forged.
    made: u64,
}

impl KeyRing {
    pub(super) const fn new(certificates: Certificates) -> KeyRing {
        KeyRing { certificates, callers: BTreeMap::new(), made: 0 }
    }

    fn forge<'a>(&'a self, sut: &'a SystemUnderTest) -> Forge<'a> {
        let foundation = sut.foundation();
        Forge {
            rules: sut.rules(),
            keys: &foundation.credentials,
            certificates: &self.certificates,
            directory: &foundation.directory,
            policy: sut.policy(),
            way: 0,
        }
    }
}

impl Forger for KeyRing {
    fn message(
        &mut self,
        sut: &SystemUnderTest,
        by: Actor,
        _: Actor,
        term: &Message,
    ) -> Option<wire::Message> {
        let (genuine, flaws) = decomposed(term);
        let forge = self.forge(sut);
        if genuine == *term && flaws.is_empty() {
            // Sent again, or by somebody else. Only a vote can be sent that no actor has sent before.
            let again = sut.said(by, term).or_else(|| sut.said_of(|said| said == term));
            if let Some(real) = again {
                return Some(real.clone());
            }
        }
        if let Message::Vote(vote) = genuine
            && sut.said(by, &genuine).is_none()
        {
            let own = unsaid(sut, &forge, &vote)?;
            return Some(wire::Message::Vote(forge.turned(&own, vote.ballot, flaws)?));
        }
        let real = sut.said(by, &genuine)?;
        let forged = match real {
            wire::Message::TInitial(real) => {
                let forged = forge.initial(real, flaws)?;
                let renewed = genuine != with_flaws(*term, Flaws::NONE);
                (renewed == (forged.header.tid != real.header.tid)).then_some(())?;
                wire::Message::TInitial(Box::new(forged))
            }
            wire::Message::TBlock(real) => {
                let forged = forge.block(real, flaws)?;
                let digest = |body| Digest::of(Domain::T_BLOCK, &encode(body));
                let renamed = genuine != with_flaws(*term, Flaws::NONE);
                (renamed == (digest(&real.body) != digest(&forged.body))).then_some(())?;
                wire::Message::TBlock(Box::new(forged))
            }
            wire::Message::Vote(real) => wire::Message::Vote(forge.vote(real, flaws)?),
            wire::Message::TValid(real) => wire::Message::TValid(Box::new(forge.valid(real, flaws)?)),
            wire::Message::Receipt(real) => wire::Message::Receipt(forge.receipt(real, flaws)?),
            wire::Message::ReadResponse(real) => {
                let Message::Record { from, .. } = genuine else { return None };
                let forged = forge.record(real, &sut.leaves(), from.into(), flaws)?;
                wire::Message::ReadResponse(Box::new(forged))
            }
            order => {
                let forged = forge.order(order, flaws)?;
                (forged.request() != order.request()).then_some(forged)?
            }
        };
        (forged != *real).then_some(forged)
    }

    fn enrolment(&mut self, sut: &SystemUnderTest, term: &Enrolment) -> Option<wire::EnrolmentRequest> {
        let (signing, agreement) = sut.pairs(term)?;
        let keys = (&signing, &agreement);
        self.forge(sut).enrolment(&sut.enrolment_body(term, keys), keys, term.flaws)
    }

    fn packet(&mut self, sut: &SystemUnderTest, term: &Packet, flaws: Flaws) -> Option<wire::Packet> {
        self.made += 1;
        let mut rng = ChaCha20Rng::seed_from_u64(self.made);
        match *term {
            Packet::Hello { hello, purpose } => {
                hello.number.is_forged().then_some(())?;
                let begin = || Caller::new(&mut rng, sut.foundation().suite, purpose_of(purpose));
                packet(&self.callers.entry(hello).or_insert_with(begin).hello(), flaws)
            }
            Packet::Response { session } => {
                session.number.is_forged().then_some(())?;
                // Without flaws, a response of the actor that was asked would be genuine.
                (!flaws.is_empty() || session.by != session.hello.to).then_some(())?;
                let asked =
                    |sent: &Packet| matches!(sent, Packet::Hello { hello, .. } if *hello == session.hello);
                let wire::Packet::Hello(hello) = sut.sent_as(asked)? else { return None };
                let (who, to) = (sut.name_of(session.by)?, sut.name_of(session.hello.from)?);
                self.forge(sut).response(&mut rng, &hello, who, to, flaws)
            }
            Packet::Finish { session, by } => {
                let caller = self.callers.get(&session.hello)?;
                let answer = |sent: &Packet| *sent == Packet::Response { session };
                let wire::Packet::Response(response) = sut.sent_as(answer)? else { return None };
                let answered = caller.answered(sut.rules(), &response)?;
                self.forge(sut).finish(&answered, sut.name_of(by)?, sut.name_of(session.by)?, flaws)
            }
            Packet::Record(_) => None,
        }
    }

    fn gossip(&mut self, sut: &SystemUnderTest, _: Actor, _: Actor, term: &Gossip) -> Option<wire::Gossip> {
        let (genuine, flaws, close) = gossip_decomposed(term)?;
        let forge = self.forge(sut);
        if let Gossip::PolicyChange { change, approvals, .. } = &genuine {
            let approved = sut.approved(change, *approvals)?;
            return Some(wire::Gossip::PolicyChange(forge.policy_change(&approved, flaws)?));
        }
        let real = sut.told(&genuine)?;
        let forged = match real {
            wire::Gossip::Decision(real) => wire::Gossip::Decision(forge.decision(real, flaws)?),
            wire::Gossip::CloudHead(real) => wire::Gossip::CloudHead(forge.cloud_head(real, flaws)?),
            wire::Gossip::AuditHead(real) => wire::Gossip::AuditHead(forge.audit_head(real, flaws)?),
            wire::Gossip::Proposal(real) => {
                let both = close.iter().fold(flaws, Flaws::and);
                let forged = forge.proposal(real, both)?;
                (flaws.is_empty() == (forged.header.digest() == real.header.digest())).then_some(())?;
                wire::Gossip::Proposal(forged)
            }
            wire::Gossip::Closing(real) => wire::Gossip::Closing(forge.closing(real, close)?),
            wire::Gossip::RevocationList(real) => {
                let mut newer = real.clone();
                newer.body.list = Version(real.body.list.0.saturating_add(FAR_AHEAD));
                wire::Gossip::RevocationList(forge.revocation_list(&newer, flaws)?)
            }
            wire::Gossip::Block(real) => {
                let forged = forge.closed(real, flaws, close)?;
                (flaws.is_empty() == (forged.header().digest() == real.header().digest())).then_some(())?;
                wire::Gossip::Block(forged)
            }
            _ => return None,
        };
        (forged != *real).then_some(forged)
    }
}

/// The vote of a validator that has not voted, on a question that others voted on or were asked.
fn unsaid(sut: &SystemUnderTest, forge: &Forge<'_>, vote: &Vote) -> Option<wire::Vote> {
    let validator = sut.name_of(Actor::Validator(vote.validator))?.clone();
    let voted = |said: &Message| matches!(said, Message::Vote(said) if said.question == vote.question);
    if let Some(wire::Message::Vote(real)) = sut.said_of(voted) {
        return Some(wire::Vote { validator, ..real.clone() });
    }
    let asked = Message::Block { question: vote.question, flaws: Flaws::NONE };
    match sut.said(Actor::Bsd, &asked)? {
        wire::Message::TBlock(asked) => forge.vote_on(asked, &validator),
        _ => None,
    }
}

const fn purpose_of(stage: ContentType) -> SessionType {
    match stage {
        ContentType::Initial => SessionType::Initial,
        ContentType::Block => SessionType::Block,
        ContentType::Valid => SessionType::Valid,
        ContentType::Read => SessionType::Read,
    }
}
