//! Half-open handshakes that a responder evicts (chapter 5, HSK-10), on model and implementation.

use bemr_lab::lockstep::Lockstep;
use bemr_model::{
    Action, Actor, Command, ContentType, Flaws, Forgery, Happened, HelloId, LedgerKind, Lifetimes, Members,
    Ordinal, Packet, Setup,
};
use bemr_spec::{Clause, Rules, constants};

const USER: Actor = Actor::User(0);

struct Run(Lockstep);

impl Run {
    /// A user whose hello the BSD answered, and whose finish is envelope 2.
    fn begin() -> Run {
        Run::among(1)
    }

    /// The same in a network of so many validators.
    fn among(validators: u8) -> Run {
        let setup = Setup {
            users: 1,
            validators,
            ledger: LedgerKind::Quorum,
            seed: 1,
            established: false,
            lifetimes: Lifetimes::default(),
        };
        let mut run = Run(Lockstep::new(Rules::hardened(), &setup).expect("a network"));
        let submit = Command::Submit { record: 0, breaks: None, readers: Members::default() };
        for action in [
            Action::Command { actor: USER, command: submit },
            Action::Deliver { envelope: 0 },
            Action::Deliver { envelope: 1 },
        ] {
            assert_eq!(run.act(&action).clause, None);
        }
        run
    }

    fn act(&mut self, action: &Action) -> Happened {
        self.0.step(action).expect("model and implementation agree").expect("it can happen").1
    }

    /// So many hellos of a stranger under an address.
    fn hellos(&mut self, from: Actor, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let number = Ordinal::nth(number as u32).forged(Forgery::ONLY);
            let packet = Packet::Hello {
                hello: HelloId { from, to: Actor::Bsd, number },
                purpose: ContentType::Initial,
            };
            let inject = Action::Inject { actor: from, to: Actor::Bsd, packet, flaws: Flaws::NONE };
            assert_eq!(self.act(&inject).clause, None);
        }
    }

    fn finish(&mut self) -> Option<Clause> {
        self.act(&Action::Deliver { envelope: 2 }).clause
    }
}

#[test]
fn a_handshake_is_evicted_by_as_many_later_hellos_from_its_address_as_are_kept_and_by_no_fewer() {
    for (hellos, refused) in
        [(constants::HALF_OPEN_KEPT - 1, None), (constants::HALF_OPEN_KEPT, Some(Clause::FlightIsAuthentic))]
    {
        let mut run = Run::begin();
        run.hellos(USER, 0..hellos);
        assert_eq!(run.finish(), refused, "after {hellos} hellos");
    }
}

#[test]
fn a_full_address_makes_room_of_what_is_too_old_at_every_address() {
    let mut run = Run::begin();
    run.act(&Action::Pass { time: constants::HANDSHAKE_MS });
    run.hellos(Actor::Validator(0), 0..constants::HALF_OPEN_KEPT);
    assert_eq!(run.finish(), Some(Clause::SessionIsFresh), "too late, and still stored");
    run.hellos(Actor::Validator(0), constants::HALF_OPEN_KEPT..constants::HALF_OPEN_KEPT + 1);
    assert_eq!(run.finish(), Some(Clause::EventFitsState), "evicted, though its own address is not full");
}

#[test]
fn the_oldest_handshake_of_all_is_evicted_by_as_many_later_hellos_from_anywhere_as_are_kept_and_by_no_fewer()
{
    let addresses = (constants::SESSIONS_KEPT / constants::HALF_OPEN_KEPT) as u8;
    for (hellos, refused) in
        [(constants::SESSIONS_KEPT - 1, None), (constants::SESSIONS_KEPT, Some(Clause::EventFitsState))]
    {
        let mut run = Run::among(addresses);
        for address in 0..addresses {
            let first = usize::from(address) * constants::HALF_OPEN_KEPT;
            let last = hellos.min(first + constants::HALF_OPEN_KEPT);
            run.hellos(Actor::Validator(address), first..last);
        }
        assert_eq!(run.finish(), refused, "after {hellos} hellos");
    }
}
