mod chapter;
mod forge;
mod handshake;
mod machines;
mod records;
mod sealing;

use crate::keys::Credentials;
use crate::keys::tests::{NOW, World, name};
use crate::session::{AwaitingFinish, AwaitingHello, AwaitingResponse, Custodian, SealChain, Session, stage};
use crate::wire::{Role, SessionType};
use bemr_spec::Rules;

pub(super) const HARD: Rules = Rules::hardened();

/// A world with a user, a BSD, a validator, a cloud and a custodian.
pub(super) struct Ward {
    pub(super) world: World,
    pub(super) user: Credentials,
    pub(super) bsd: Credentials,
    pub(super) validator: Credentials,
    pub(super) cloud: Credentials,
    pub(super) custodian: Credentials,
}

impl Ward {
    pub(super) fn new(seed: u64) -> Ward {
        let mut world = World::new(seed);
        Ward {
            user: world.enrol("alice", Role::Doctor),
            bsd: world.enrol("bsd", Role::Bsd),
            validator: world.enrol("v1", Role::Validator),
            cloud: world.enrol("cloud", Role::Cloud),
            custodian: world.enrol("vault", Role::Custodian),
            world,
        }
    }

    pub(super) fn sides(&self, purpose: SessionType) -> (Credentials, Credentials) {
        let (initiator, responder) = match purpose {
            SessionType::Initial => (&self.user, &self.bsd),
            SessionType::Block => (&self.bsd, &self.validator),
            SessionType::Valid => (&self.bsd, &self.cloud),
            SessionType::Read => (&self.user, &self.cloud),
        };
        (initiator.clone(), responder.clone())
    }

    pub(super) fn hello(&mut self, purpose: SessionType) -> (AwaitingResponse, Vec<u8>) {
        let (own, peer) = self.sides(purpose);
        AwaitingResponse::begin(&HARD, &mut self.world.rng, NOW, &own, purpose, peer.name()).unwrap()
    }

    /// Both sides after the response was sent.
    pub(super) fn half(&mut self, purpose: SessionType) -> (AwaitingResponse, AwaitingFinish, Vec<u8>) {
        let (initiator, hello) = self.hello(purpose);
        let mut listener = AwaitingHello::new(&self.sides(purpose).1);
        let (responder, response) = listener.on_hello(&HARD, &mut self.world.rng, NOW, &hello).unwrap();
        (initiator, responder, response)
    }

    pub(super) fn session_under(&mut self, rules: &Rules, purpose: SessionType) -> (Session, Session) {
        let (initiator, responder, response) = self.half(purpose);
        let trust = &mut self.world.trust;
        let (near, finish) = initiator.on_response(rules, trust, NOW, &response).unwrap();
        (near, responder.on_finish(rules, trust, NOW, &finish).unwrap())
    }

    pub(super) fn session(&mut self, purpose: SessionType) -> (Session, Session) {
        self.session_under(&HARD, purpose)
    }
}

#[test]
fn every_purpose_opens_a_session_between_its_places() {
    let mut ward = Ward::new(1);
    for purpose in SessionType::ALL {
        let (mut near, mut far) = ward.session(purpose);
        let (initiator, responder) = ward.sides(purpose);
        assert_eq!(near.id(), far.id());
        assert_eq!((near.peer().name(), far.peer().name()), (responder.name(), initiator.name()));
        assert_eq!((near.purpose(), far.purpose()), (purpose, purpose));
        let sent = near.seal_record(&HARD, purpose.stage(), b"there").unwrap();
        assert_eq!(far.open_record(&HARD, &sent.record).unwrap().message.as_slice(), b"there");
        let sent = far.seal_record(&HARD, purpose.stage(), b"back").unwrap();
        assert_eq!(near.open_record(&HARD, &sent.record).unwrap().message.as_slice(), b"back");
    }
    assert_eq!(ward.custodian.name(), &name("vault"));
}

#[test]
fn who_holds_keys_is_printed_as_what_it_is() {
    let mut ward = Ward::new(2);
    let (initiator, responder, response) = ward.half(SessionType::Initial);
    let mut printed = vec![format!("{initiator:?}"), format!("{responder:?}")];
    let trust = &mut ward.world.trust;
    let (mut near, finish) = initiator.on_response(&HARD, trust, NOW, &response).unwrap();
    let mut far = responder.on_finish(&HARD, trust, NOW, &finish).unwrap();
    let sent = near.seal_record(&HARD, SessionType::Initial.stage(), b"m").unwrap();
    let opened = far.open_record(&HARD, &sent.record).unwrap();
    let (owner, custodian) = (ward.bsd.clone(), ward.custodian.clone());
    let (mut chain, start) =
        SealChain::open(&HARD, &mut ward.world.rng, &owner, custodian.certified()).unwrap();
    let tid = crate::crypto::Digest::default();
    let used = format!("{:?}", opened.key);
    let (seal, _) = chain.seal::<stage::Initial>(&HARD, tid, &mut vec![opened.key]).unwrap();
    let mut custodial = Custodian::new(&HARD, custodian).unwrap().open_chain(&HARD, &start).unwrap();
    let recovered = custodial.open(&HARD, &seal).unwrap();
    printed.extend([format!("{near:?}"), used, format!("{chain:?}"), format!("{custodial:?}")]);
    printed.extend([format!("{:?}", recovered[0]), format!("{:?}", ward.world.kdc)]);
    #[cfg(bemr_weaken)]
    printed.push(format!("{:?}", near.stolen()));
    let shown: [&[&str]; 9] = [
        &["AwaitingResponse { intended: ", "purpose: Initial"],
        &["AwaitingFinish { ", "Schedule { purpose: Initial, .. }"],
        &["Session { records: Records { id: ", "sent: 1, received: 0"],
        &["UsedKey { position: Position { ", "sequence: 1"],
        &["SealChain { owner: ", "last: 1"],
        &["OpenedChain { owner: ", "recovered: 1"],
        &["RecoveredKey { position: Position { ", "sequence: 1"],
        &["Kdc { name: ", "last_serial: 5"],
        &["Stolen { id: "],
    ];
    for (printed, shown) in printed.iter().zip(shown) {
        assert!(printed.starts_with(shown[0]), "{printed}");
        assert!(shown.iter().all(|part| printed.contains(part)), "{printed}");
    }
}
