//! One node of a network: an actor of any role.

use crate::simulator::ByzantineValidator;
use bemr::actors::{Actor, Bsd, Cloud, NodeContext, User, Validator};

/// One of the actors.
pub enum Node {
    /// A user.
    User(Box<User>),
    /// A BSD.
    Bsd(Box<Bsd>),
    /// A validator.
    Validator(Box<Validator>),
    /// A cloud.
    Cloud(Box<Cloud>),
    /// A validator that deviates from the protocol.
    ByzantineValidator(Box<ByzantineValidator>),
}

impl Node {
    /// Keys, sessions and ledger view of the actor, for checkers.
    pub(crate) fn context(&mut self) -> &mut NodeContext {
        match self {
            Node::User(user) => user.context(),
            Node::Bsd(bsd) => bsd.context(),
            Node::Validator(validator) => validator.context(),
            Node::Cloud(cloud) => cloud.context(),
            Node::ByzantineValidator(validator) => validator.validator().context(),
        }
    }

    /// The actor, whatever its role.
    pub fn actor(&mut self) -> &mut dyn Actor {
        match self {
            Node::User(user) => user.as_mut(),
            Node::Bsd(bsd) => bsd.as_mut(),
            Node::Validator(validator) => validator.as_mut(),
            Node::Cloud(cloud) => cloud.as_mut(),
            Node::ByzantineValidator(validator) => validator.as_mut(),
        }
    }
}
