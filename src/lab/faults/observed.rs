//! What an adversary did, one thing at a time, as it can be seen from outside.

use crate::faults::FaultKind;
use bemr_model::{Actor, Time};
use std::fmt;
use std::mem::discriminant;

/// What was done that an honest network does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedFault {
    /// It has not arrived when time goes on; whether it ever does is not known.
    Withheld,
    /// It arrived, so many milliseconds late.
    Late(Time),
    /// It never arrived.
    Lost,
    /// It arrived before what was sent before it.
    Overtook,
    /// It arrived again.
    Again,
    /// It arrived at somebody else, or from somebody else.
    Redirected,
    /// It arrived with its bytes changed.
    Corrupted,
    /// A packet of a handshake was made.
    Impersonated,
    /// Something public was made.
    Published,
    /// A vote was said that its validator had not said.
    Voted,
    /// Something else was said with somebody's keys.
    Said,
    /// A second certificate was asked of the KDC.
    Certified,
    /// What somebody keeps was shown otherwise.
    Falsified,
    /// Somebody died.
    Crashed,
    /// Somebody died, and their store was not as it was.
    Tampered,
    /// Somebody's memory was read.
    Leaked,
}

/// A fault and what it was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// What was done.
    pub fault: ObservedFault,
    /// Who sent it, or did it, or was struck.
    pub from: Actor,
    /// To whom it went; where nothing was sent, the same.
    pub to: Actor,
    /// The name of the message, where it is one.
    pub message: Option<&'static str>,
}

impl FaultKind {
    /// Whether this is how it shows.
    pub fn does(self, fault: ObservedFault) -> bool {
        let alike = discriminant(&self) == discriminant(&fault.kind());
        alike
            || match fault {
                // Who votes or sends otherwise may send nothing.
                ObservedFault::Withheld => {
                    self.withholds()
                        || matches!(self, FaultKind::Delay { .. } | FaultKind::Contradict | FaultKind::Lie)
                }
                ObservedFault::Lost => self.withholds(),
                ObservedFault::Again => matches!(self, FaultKind::Duplicate),
                ObservedFault::Voted => self.is_of_votes() || matches!(self, FaultKind::Lie),
                ObservedFault::Crashed => matches!(self, FaultKind::Tamper),
                _ => false,
            }
    }
}

impl ObservedFault {
    /// The weakest kind that shows like this, of those that depend on nothing else.
    pub(super) const fn kind(self) -> FaultKind {
        match self {
            ObservedFault::Late(late) => FaultKind::Delay { by: late },
            ObservedFault::Withheld | ObservedFault::Lost => FaultKind::Drop,
            ObservedFault::Overtook => FaultKind::Reorder,
            ObservedFault::Again => FaultKind::Replay,
            ObservedFault::Redirected => FaultKind::Redirect,
            ObservedFault::Corrupted => FaultKind::Corrupt,
            ObservedFault::Impersonated => FaultKind::Impersonate,
            ObservedFault::Published => FaultKind::Publish,
            ObservedFault::Voted => FaultKind::Equivocate,
            ObservedFault::Said => FaultKind::Lie,
            ObservedFault::Certified => FaultKind::Certify,
            ObservedFault::Falsified => FaultKind::Falsify,
            ObservedFault::Crashed => FaultKind::Crash,
            ObservedFault::Tampered => FaultKind::Tamper,
            ObservedFault::Leaked => FaultKind::Leak,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Act { fault, from, to, message } = self;
        let what = message.unwrap_or("something");
        match fault {
            ObservedFault::Withheld => {
                write!(out, "{what} from {from} to {to} has not arrived when time goes on")
            }
            ObservedFault::Late(late) => write!(out, "{what} from {from} to {to} arrives {late} ms late"),
            ObservedFault::Lost => write!(out, "{what} from {from} to {to} is lost"),
            ObservedFault::Overtook => {
                write!(out, "{what} from {from} to {to} arrives before what was sent before it")
            }
            ObservedFault::Again => write!(out, "{what} from {from} to {to} arrives again"),
            ObservedFault::Redirected => write!(out, "{what} from {from} to {to} goes astray"),
            ObservedFault::Corrupted => write!(out, "{what} from {from} to {to} is changed"),
            ObservedFault::Impersonated => write!(out, "{what} is made in the name of {from}"),
            ObservedFault::Published => write!(out, "{what} is told in the name of {from}"),
            ObservedFault::Voted => write!(out, "{from} votes once more, or otherwise"),
            ObservedFault::Said => write!(out, "{from} says {what} once more, or otherwise"),
            ObservedFault::Certified => write!(out, "{from} is asked for a second certificate"),
            ObservedFault::Falsified => write!(out, "{from} shows what it keeps otherwise"),
            ObservedFault::Crashed => write!(out, "{from} dies"),
            ObservedFault::Tampered => write!(out, "{from} dies, and its store is changed"),
            ObservedFault::Leaked => write!(out, "the memory of {from} is read"),
        }
    }
}
