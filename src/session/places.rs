//! Who opens which session, and what it carries.

use crate::keys::Place;
use crate::wire::{Direction, Purpose, Stage};

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 4] = [Purpose::Initial, Purpose::Block, Purpose::Valid, Purpose::Read];

    /// The place of the side that sends the hello.
    pub const fn initiator(self) -> Place {
        match self {
            Purpose::Initial | Purpose::Read => Place::User,
            Purpose::Block | Purpose::Valid => Place::Bsd,
        }
    }

    /// The place of the side that answers it.
    pub const fn responder(self) -> Place {
        match self {
            Purpose::Initial => Place::Bsd,
            Purpose::Block => Place::Validator,
            Purpose::Valid | Purpose::Read => Place::Cloud,
        }
    }

    /// The place of the side that sends in `direction`.
    pub const fn sender(self, direction: Direction) -> Place {
        match direction {
            Direction::InitiatorToResponder => self.initiator(),
            Direction::ResponderToInitiator => self.responder(),
        }
    }

    /// The one stage that a session for this carries, in both directions.
    pub const fn stage(self) -> Stage {
        match self {
            Purpose::Initial => Stage::Initial,
            Purpose::Block => Stage::Block,
            Purpose::Valid => Stage::Valid,
            Purpose::Read => Stage::Read,
        }
    }
}
