//! Who opens which session, and what it carries.

use crate::keys::Party;
use crate::wire::{ContentType, Direction, SessionType};

impl SessionType {
    /// Every purpose.
    pub const ALL: [SessionType; 4] =
        [SessionType::Initial, SessionType::Block, SessionType::Valid, SessionType::Read];

    /// The place of the side that sends the hello.
    pub const fn initiator(self) -> Party {
        match self {
            SessionType::Initial | SessionType::Read => Party::User,
            SessionType::Block | SessionType::Valid => Party::Bsd,
        }
    }

    /// The place of the side that answers it.
    pub const fn responder(self) -> Party {
        match self {
            SessionType::Initial => Party::Bsd,
            SessionType::Block => Party::Validator,
            SessionType::Valid | SessionType::Read => Party::Cloud,
        }
    }

    /// The place of the side that sends in `direction`.
    pub const fn sender(self, direction: Direction) -> Party {
        match direction {
            Direction::InitiatorToResponder => self.initiator(),
            Direction::ResponderToInitiator => self.responder(),
        }
    }

    /// The one stage that a session for this carries, in both directions.
    pub const fn stage(self) -> ContentType {
        match self {
            SessionType::Initial => ContentType::Initial,
            SessionType::Block => ContentType::Block,
            SessionType::Valid => ContentType::Valid,
            SessionType::Read => ContentType::Read,
        }
    }
}
