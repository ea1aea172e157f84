//! The lives that the corpus of the lockstep target is made from.

use crate::corpus::Named;
use bemr_lab::lockstep::{Coverage, Instruction, Kind, MOST_AT_ONCE, Script, SetupCache};
use bemr_model::{Action, Actor, Command, LedgerKind, Order};
use bemr_spec::{Clause, Rules};

/// Lives that are told wish by wish: honest ones, and what an adversary does in them who breaks nothing at once.
pub(super) fn told() -> Vec<Named> {
    let many = |users, validators, commands| {
        let begin = Told::of(users, validators, LedgerKind::Quorum);
        (0..commands).fold(begin, |told, choice| told.also(Kind::Command, choice).go(1))
    };
    let mut strangers = Told::of(1, 1, LedgerKind::Quorum);
    strangers.script.setup.established = false;
    let crashes = |point| {
        let begin = Told::of(3, 4, LedgerKind::Quorum).submit().also(Kind::Go, point);
        let mortal = (0..4).map(Actor::Validator).chain([Actor::Bsd, Actor::Cloud]);
        mortal.fold(begin, |told, actor| told.crash(actor)).go(2)
    };
    let records = |users, validators| {
        let begin = Told::of(users, validators, LedgerKind::Quorum);
        begin.submit().go(1).submit().go(1)
    };
    let work = |users, validators| Told::of(users, validators, LedgerKind::Work).submit();
    let lives = [
        ("honest-one-record", strangers.also(Kind::Command, 0).go(1)),
        ("honest-four-validators", many(3, 4, 3)),
        ("honest-many-commands", many(5, 1, 6)),
        ("closed-log", records(5, 1).close().go(2).audit(Actor::Bsd).audit(Actor::Cloud)),
        ("rejected-and-closed", records(3, 3).broken().go(1).close().go(2).audit(Actor::User(0))),
        ("unread-and-closed", many(3, 3, 5).close().go(1).audit(Actor::User(0)).crash(Actor::Bsd)),
        ("opened-seals", (1..3).fold(records(2, 1), Told::unseal)),
        ("erased", records(5, 1).erase().go(1).erase().go(1).audit(Actor::Bsd).crash(Actor::Cloud).go(1)),
        ("leaks", (0..8).fold(records(3, 1), Told::leak).go(1)),
        ("early-leaks", (0..8).fold(records(2, 1).submit(), |told, at| told.also(Kind::Go, 4).leak(at))),
        ("crashes-early", crashes(16)),
        ("crashes", crashes(30)),
        ("crashes-late", crashes(48)),
        ("work-for-long", (0..12).fold(work(2, 1), |told, _| told.go(1).submit()).go(1)),
        // With many more losses chains part deeper than G-IMM speaks of: chapter 15.
        ("work-with-losses", (0..16).fold(work(2, 4), Told::losing).go(1)),
        ("work-of-four", work(3, 4).go(2).crash(Actor::Validator(0)).go(3)),
    ];
    lives.into_iter().map(|(name, told)| (name.to_owned(), told.script.to_bytes())).collect()
}

/// A life so far.
struct Told {
    script: Script,
    nursery: SetupCache,
}

impl Told {
    fn of(users: u8, validators: u8, ledger: LedgerKind) -> Told {
        let mut script = Script::default();
        (script.setup.users, script.setup.validators, script.setup.ledger) = (users, validators, ledger);
        script.setup.established = true;
        Told { script, nursery: SetupCache::default() }
    }

    fn also(mut self, kind: Kind, choice: u16) -> Told {
        self.script.moves.push(Instruction { kind, choice });
        self
    }

    /// Much that is honest, so many times.
    fn go(self, times: u16) -> Told {
        (0..times).fold(self, |told, _| told.also(Kind::Go, MOST_AT_ONCE))
    }

    fn actions(&mut self) -> Vec<Action> {
        let played =
            self.script.execute(Rules::hardened(), &mut self.nursery, &mut Coverage::default(), |_, _| ());
        played.map_err(|parted| parted.divergence).expect("the product agrees with the model")
    }

    /// The move of this kind that is what is wished: the first choice that makes it so.
    fn wish(mut self, kind: Kind, is: impl Fn(&Action) -> bool) -> Told {
        let before = self.actions().len();
        for choice in 0..MOST_CHOICES {
            self = self.also(kind, choice);
            if self.actions().get(before).is_some_and(&is) {
                return self;
            }
            self.script.moves.pop();
        }
        panic!("no choice of `{}` is what is wished after {before} steps", kind.word());
    }

    /// A doctor submits a record; what is wrong with it is as `broken` says.
    fn submitted(self, broken: impl Fn(Option<Clause>) -> bool) -> Told {
        self.wish(Kind::Command, |action| match action {
            Action::Command { actor, command: Command::Submit { breaks, .. } } => {
                *actor == Actor::User(0) && broken(*breaks)
            }
            _ => false,
        })
    }

    fn submit(self) -> Told {
        self.submitted(|breaks| breaks.is_none())
    }

    /// A record against a contract, and not one that nobody reads.
    fn broken(self) -> Told {
        self.submitted(|breaks| breaks.is_some_and(|clause| clause != Clause::RecordWithinSize))
    }

    fn close(self) -> Told {
        let closes = |action: &Action| matches!(action, Action::Command { command: Command::CloseAudit, .. });
        self.wish(Kind::Command, closes)
    }

    /// By an owner, perhaps, and an administrator.
    fn erase(self) -> Told {
        self.wish(Kind::Command, |action| match action {
            Action::Command { command: Command::Order { order: Order::Erase(by), .. }, .. } => {
                by.iter().any(|one| one == 3)
            }
            _ => false,
        })
    }

    /// Of what this one has, and nothing of it falsified.
    fn audit(self, holder: Actor) -> Told {
        self.wish(Kind::Audit, |action| match action {
            Action::Audit { ledger, falsified } => *ledger == holder && falsified.is_empty(),
            _ => false,
        })
    }

    fn unseal(self, index: u32) -> Told {
        self.wish(Kind::Unseal, |action| match action {
            Action::Unseal { seal, faults } => seal.index == index && faults.is_empty(),
            _ => false,
        })
    }

    fn crash(self, who: Actor) -> Told {
        self.wish(Kind::Crash, |action| *action == Action::Crash { actor: who, damage: None })
    }

    fn leak(self, actor: u16) -> Told {
        self.also(Kind::Leak, actor)
    }

    /// An envelope is lost now and then.
    fn losing(self, time: u16) -> Told {
        self.also(Kind::Lose, time).also(Kind::Go, 5)
    }
}

/// The most choices that are tried for a wish.
const MOST_CHOICES: u16 = 1_000;

/// An honest life of one record, with one adverse move at each point of it in many ways.
pub(super) fn probes() -> impl Iterator<Item = Vec<u8>> {
    const WAYS: u16 = 150;
    const POINTS: u16 = 14;
    const KINDS: [Kind; 3] = [Kind::Lie, Kind::Ambush, Kind::Impersonate];
    let life = |kind: Kind, point: u16, choice: u16| {
        let mut script = Script::default();
        script.setup.established = kind != Kind::Impersonate;
        let go = |choice| Instruction { kind: Kind::Go, choice };
        let record = Instruction { kind: Kind::Command, choice: 0 };
        script.moves = vec![record, go(point), Instruction { kind, choice }, go(6)];
        script.to_bytes()
    };
    let ways =
        move |kind| (1..=POINTS).flat_map(move |point| (0..WAYS).map(move |way| life(kind, point, way)));
    KINDS.into_iter().flat_map(ways)
}

/// What a life goes on with after it was interrupted.
const REST: [Instruction; 4] = [
    Instruction { kind: Kind::Command, choice: 1 },
    Instruction { kind: Kind::Go, choice: MOST_AT_ONCE },
    Instruction { kind: Kind::Command, choice: 3 },
    Instruction { kind: Kind::Go, choice: MOST_AT_ONCE },
];

/// Lives in networks of several forms, each with one move of another kind in it, and what is honest after it. What refuses
/// nothing is seen in them too: a seal that opens, an audit without findings, what leaks, who starts again.
pub(super) fn varied() -> impl Iterator<Item = Vec<u8>> {
    const WAYS: u16 = 16;
    const POINTS: [u16; 3] = [9, 25, 60];
    const NETWORKS: [(u8, u8, LedgerKind); 3] =
        [(5, 1, LedgerKind::Quorum), (3, 4, LedgerKind::Quorum), (3, 4, LedgerKind::Work)];
    const KINDS: [Kind; 12] = [
        Kind::Command,
        Kind::Govern,
        Kind::Audit,
        Kind::Unseal,
        Kind::Lose,
        Kind::Reorder,
        Kind::Hurry,
        Kind::Redirect,
        Kind::Corrupt,
        Kind::Crash,
        Kind::Conspire,
        Kind::Leak,
    ];
    let life = |(users, validators, ledger), kind, point, choice| {
        let mut script = Script::default();
        (script.setup.users, script.setup.validators, script.setup.ledger) = (users, validators, ledger);
        script.setup.established = true;
        let begin =
            [Instruction { kind: Kind::Command, choice: 0 }, Instruction { kind: Kind::Go, choice: point }];
        script.moves.extend(begin);
        script.moves.push(Instruction { kind, choice });
        script.moves.extend(REST);
        script.to_bytes()
    };
    let ways = move |network, kind| {
        POINTS.into_iter().flat_map(move |point| (0..WAYS).map(move |way| life(network, kind, point, way)))
    };
    NETWORKS.into_iter().flat_map(move |network| KINDS.into_iter().flat_map(move |kind| ways(network, kind)))
}
