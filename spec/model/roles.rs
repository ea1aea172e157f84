//! Roles and places (chapter 4), and which session is for what (chapter 5).

use crate::{Actor, ContentType};

/// Whether a user's role may submit, read and grant: two doctors, an assistant, and administrators after them.
pub const fn may_handle_records(user: u8) -> bool {
    user < 3
}

/// Whether a user is an administrator.
pub(super) const fn is_administrator(user: u8) -> bool {
    !may_handle_records(user)
}

/// Whether `actor` stands at the initiator's end of sessions of this purpose.
pub(super) const fn initiates(actor: Actor, purpose: ContentType) -> bool {
    matches!(
        (actor, purpose),
        (Actor::User(_), ContentType::Initial | ContentType::Read)
            | (Actor::Bsd, ContentType::Block | ContentType::Valid)
    )
}

/// Whether `actor` stands at the responder's end.
pub(super) const fn responds(actor: Actor, purpose: ContentType) -> bool {
    matches!(
        (actor, purpose),
        (Actor::Bsd, ContentType::Initial)
            | (Actor::Validator(_), ContentType::Block)
            | (Actor::Cloud, ContentType::Valid | ContentType::Read)
    )
}
