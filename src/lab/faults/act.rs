//! What an adversary did, one thing at a time, as it can be seen from outside.

use crate::faults::Behaviour;
use bemr_model::{Actor, Time};
use std::fmt;

/// What was done that an honest network does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
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
    Spoilt,
    /// A packet of a handshake was made.
    Posed,
    /// Something public was made.
    Told,
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

/// A deed and what it was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// What was done.
    pub deed: Deed,
    /// Who sent it, or did it, or was struck.
    pub from: Actor,
    /// To whom it went; where nothing was sent, the same.
    pub to: Actor,
    /// The name of the message, where it is one.
    pub message: Option<&'static str>,
}

impl Behaviour {
    /// Whether this is how it shows.
    pub const fn does(self, deed: Deed) -> bool {
        match deed {
            // Who says otherwise may say nothing.
            Deed::Withheld => {
                self.withholds()
                    || matches!(self, Behaviour::Delay { .. } | Behaviour::Contradict | Behaviour::Lie)
            }
            Deed::Late(_) => matches!(self, Behaviour::Delay { .. }),
            Deed::Lost => self.withholds(),
            Deed::Overtook => matches!(self, Behaviour::Reorder),
            Deed::Again => matches!(self, Behaviour::Duplicate | Behaviour::Replay),
            Deed::Redirected => matches!(self, Behaviour::Redirect),
            Deed::Spoilt => matches!(self, Behaviour::Spoil),
            Deed::Posed => matches!(self, Behaviour::Pose),
            Deed::Told => matches!(self, Behaviour::Tell),
            Deed::Voted => self.is_of_votes() || matches!(self, Behaviour::Lie),
            Deed::Said => matches!(self, Behaviour::Lie),
            Deed::Certified => matches!(self, Behaviour::Certify),
            Deed::Falsified => matches!(self, Behaviour::Falsify),
            Deed::Crashed => matches!(self, Behaviour::Crash | Behaviour::Tamper),
            Deed::Tampered => matches!(self, Behaviour::Tamper),
            Deed::Leaked => matches!(self, Behaviour::Leak),
        }
    }
}

impl Deed {
    /// The weakest behaviour that shows like this, of those that depend on nothing else.
    pub(super) const fn behaviour(self) -> Behaviour {
        match self {
            Deed::Late(late) => Behaviour::Delay { by: late },
            Deed::Withheld | Deed::Lost => Behaviour::Drop,
            Deed::Overtook => Behaviour::Reorder,
            Deed::Again => Behaviour::Replay,
            Deed::Redirected => Behaviour::Redirect,
            Deed::Spoilt => Behaviour::Spoil,
            Deed::Posed => Behaviour::Pose,
            Deed::Told => Behaviour::Tell,
            Deed::Voted => Behaviour::Equivocate,
            Deed::Said => Behaviour::Lie,
            Deed::Certified => Behaviour::Certify,
            Deed::Falsified => Behaviour::Falsify,
            Deed::Crashed => Behaviour::Crash,
            Deed::Tampered => Behaviour::Tamper,
            Deed::Leaked => Behaviour::Leak,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Act { deed, from, to, message } = self;
        let what = message.unwrap_or("something");
        match deed {
            Deed::Withheld => write!(out, "{what} from {from} to {to} has not arrived when time goes on"),
            Deed::Late(late) => write!(out, "{what} from {from} to {to} arrives {late} ms late"),
            Deed::Lost => write!(out, "{what} from {from} to {to} is lost"),
            Deed::Overtook => {
                write!(out, "{what} from {from} to {to} arrives before what was sent before it")
            }
            Deed::Again => write!(out, "{what} from {from} to {to} arrives again"),
            Deed::Redirected => write!(out, "{what} from {from} to {to} goes astray"),
            Deed::Spoilt => write!(out, "{what} from {from} to {to} is changed"),
            Deed::Posed => write!(out, "{what} is made in the name of {from}"),
            Deed::Told => write!(out, "{what} is told in the name of {from}"),
            Deed::Voted => write!(out, "{from} votes once more, or otherwise"),
            Deed::Said => write!(out, "{from} says {what} once more, or otherwise"),
            Deed::Certified => write!(out, "{from} is asked for a second certificate"),
            Deed::Falsified => write!(out, "{from} shows what it keeps otherwise"),
            Deed::Crashed => write!(out, "{from} dies"),
            Deed::Tampered => write!(out, "{from} dies, and its store is changed"),
            Deed::Leaked => write!(out, "the memory of {from} is read"),
        }
    }
}
