//! A run as a fuzzer chooses it: the network, and one instruction after the other, as lines of words and numbers.
//!
//! An instruction says what kind of action comes next, and its number chooses among those that are possible then, so that it has a
//! meaning in every state: instructions can be left out, repeated, exchanged and spliced in from another run, and the result is a
//! run. Every byte string is a script: what cannot be read is left out. What an execution did is recorded in a trace.

use bemr_model::{LedgerKind, Lifetimes, Setup};

/// The most instructions of a script; more are not read.
pub const MOST_MOVES: usize = 512;

/// The most steps that one instruction performs.
pub const MOST_AT_ONCE: u16 = 64;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What an honest network does, as many times: the oldest envelope arrives, or whoever waits is woken.
    Go,
    /// Somebody does something of their own accord.
    Command,
    /// The KDC or an administrator does something, or something is published in their names.
    Govern,
    /// Time passes.
    Pass,
    /// An auditor replays the public record.
    Audit,
    /// The key-recovery agent opens an escrow package.
    Unseal,
    /// An envelope is lost.
    Lose,
    /// A younger envelope arrives first.
    Reorder,
    /// A timer expires although envelopes are in flight.
    Hurry,
    /// An old envelope arrives again.
    Replay,
    /// An envelope arrives at somebody else or from somebody else.
    Redirect,
    /// An envelope arrives with changed bytes.
    Corrupt,
    /// An actor crashes and starts again.
    Crash,
    /// Somebody takes part in a handshake under another's name.
    Impersonate,
    /// An insider sends what an honest one would not.
    Lie,
    /// Insiders forge what was sent last, before it arrives.
    Ambush,
    /// All validators vote false on one question.
    Conspire,
    /// Somebody's memory is read.
    Leak,
}

impl Kind {
    /// All of them: honest operation first, then each as a stronger adversary.
    pub const ALL: [Kind; 18] = [
        Kind::Go,
        Kind::Command,
        Kind::Govern,
        Kind::Pass,
        Kind::Audit,
        Kind::Unseal,
        Kind::Lose,
        Kind::Reorder,
        Kind::Hurry,
        Kind::Replay,
        Kind::Redirect,
        Kind::Corrupt,
        Kind::Crash,
        Kind::Impersonate,
        Kind::Lie,
        Kind::Ambush,
        Kind::Conspire,
        Kind::Leak,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Go => "go",
            Kind::Command => "command",
            Kind::Govern => "govern",
            Kind::Pass => "pass",
            Kind::Audit => "audit",
            Kind::Unseal => "unseal",
            Kind::Lose => "lose",
            Kind::Reorder => "reorder",
            Kind::Hurry => "hurry",
            Kind::Replay => "replay",
            Kind::Redirect => "redirect",
            Kind::Corrupt => "corrupt",
            Kind::Crash => "crash",
            Kind::Impersonate => "impersonate",
            Kind::Lie => "lie",
            Kind::Ambush => "ambush",
            Kind::Conspire => "conspire",
            Kind::Leak => "leak",
        }
    }

    /// Whether it takes an adversary.
    pub fn is_adverse(self) -> bool {
        Kind::Lose <= self
    }

    /// The kind of an adversary who can do a little less; an honest step at last.
    #[must_use]
    pub fn weaker(self) -> Kind {
        let weaker = Kind::ALL.into_iter().rev().find(|kind| *kind < self && kind.is_adverse());
        weaker.unwrap_or(Kind::Go)
    }

    /// The kind of an adversary who can do a little more.
    #[must_use]
    pub fn stronger(self) -> Kind {
        let stronger = Kind::ALL.into_iter().find(|kind| *kind > self && kind.is_adverse());
        stronger.unwrap_or(Kind::Leak)
    }
}

/// A kind of event, and a number that says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instruction {
    /// What happens.
    pub kind: Kind,
    /// Which of all that it can be then: of [`Kind::Go`] how many, else what draws the rest.
    pub choice: u16,
}

/// A network and the instructions of a run in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The network.
    pub setup: Setup,
    /// The instructions.
    pub moves: Vec<Instruction>,
}

/// The sizes of networks by validators.
const VALIDATORS: [u8; 4] = [1, 3, 4, 7];

/// The least and greatest lifetime of what runs out.
const LIFETIME: (u64, u64) = (5_000, 200_000);

impl Default for Script {
    /// Two users, one validator, and nothing happens.
    fn default() -> Script {
        let (ledger, lifetimes) = (LedgerKind::Quorum, Lifetimes::LONG);
        let setup = Setup { users: 2, validators: 1, ledger, seed: 0, established: false, lifetimes };
        Script { setup, moves: Vec::new() }
    }
}

impl Script {
    /// Reads a script. A line is a word and a number; one that says nothing is left out, and of the network what stands last
    /// counts.
    pub fn read(bytes: &[u8]) -> Script {
        let mut script = Script::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if script.moves.len() < MOST_MOVES {
                script.line(line);
            }
        }
        script
    }

    fn line(&mut self, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        let (word, number) = line.split_once(' ').unwrap_or((line, "0"));
        let Ok(number) = number.parse::<u32>() else { return };
        let lifetime = u64::from(number).clamp(LIFETIME.0, LIFETIME.1);
        let small = |most: u8| u8::try_from(number).unwrap_or(u8::MAX).min(most);
        let setup = &mut self.setup;
        match word {
            "users" => setup.users = small(5).max(1),
            "validators" => {
                let fit = VALIDATORS.into_iter().rev().find(|size| *size <= small(u8::MAX));
                setup.validators = fit.unwrap_or(VALIDATORS[0]);
            }
            "work" => setup.ledger = LedgerKind::Work,
            "seed" => setup.seed = small(u8::MAX).into(),
            "established" => setup.established = true,
            "certificate" => setup.lifetimes.certificate = lifetime,
            "list" => setup.lifetimes.list = lifetime,
            word => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
                let choice = u16::try_from(number).ok();
                self.moves.extend(kind.zip(choice).map(|(kind, choice)| Instruction { kind, choice }));
            }
        }
    }

    /// Its lines.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Setup { users, validators, ledger, seed, established, lifetimes } = self.setup;
        let mut text = format!("users {users}\nvalidators {validators}\nseed {seed}\n");
        if ledger == LedgerKind::Work {
            text.push_str("work\n");
        }
        if established {
            text.push_str("established\n");
        }
        let Lifetimes { certificate, list } = lifetimes;
        for (word, lifetime, long) in
            [("certificate", certificate, Lifetimes::LONG.certificate), ("list", list, Lifetimes::LONG.list)]
        {
            if lifetime != long {
                text.push_str(&format!("{word} {lifetime}\n"));
            }
        }
        for Instruction { kind, choice } in &self.moves {
            text.push_str(&format!("{} {choice}\n", kind.word()));
        }
        text.into_bytes()
    }

    /// Every word that a line can begin with.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let setup = ["users", "validators", "work", "seed", "established", "certificate", "list"];
        setup.into_iter().chain(Kind::ALL.map(Kind::word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_as_it_was_written() {
        let moves: Vec<Instruction> =
            Kind::ALL.into_iter().zip(7..).map(|(kind, choice)| Instruction { kind, choice }).collect();
        let lifetimes = Lifetimes { list: 30_000, ..Lifetimes::LONG };
        let setup = Setup {
            users: 5,
            validators: 4,
            ledger: LedgerKind::Work,
            seed: 200,
            established: true,
            lifetimes,
        };
        let script = Script { setup, moves };
        assert_eq!(Script::read(&script.to_bytes()), script);
        assert_eq!(Script::read(&Script::default().to_bytes()), Script::default());
    }

    #[test]
    fn every_byte_string_is_a_script_and_what_says_nothing_is_left_out() {
        let read = Script::read(
            b"users 9\nvalidators 6\nlie\nlie -1\nlie 70000\n\xff\ngo  3\nsleep 4\nlist 1\ncorrupt 3",
        );
        assert_eq!((read.setup.users, read.setup.validators, read.setup.lifetimes.list), (5, 4, LIFETIME.0));
        let moves =
            [Instruction { kind: Kind::Lie, choice: 0 }, Instruction { kind: Kind::Corrupt, choice: 3 }];
        assert_eq!(read.moves, moves);
        assert_eq!(Script::read("go 1\n".repeat(MOST_MOVES + 1).as_bytes()).moves.len(), MOST_MOVES);
    }

    #[test]
    fn an_adversary_becomes_weaker_down_to_none_and_stronger_up_to_a_leak() {
        let end = |step: fn(Kind) -> Kind, kind| (0..Kind::ALL.len()).fold(kind, |kind, _| step(kind));
        for kind in Kind::ALL {
            assert_eq!(end(Kind::weaker, kind), Kind::Go);
            assert_eq!(end(Kind::stronger, kind), Kind::Leak);
        }
    }
}
