//! What each role may do, and which place it fills.

use crate::wire::Role;
use bemr_spec::{Clause, Refusal, Rules};

/// Something that a role may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Submit a record.
    Submit,
    /// Read a record that was granted.
    Read,
    /// Grant a record's key to a reader, and revoke the grant.
    Grant,
    /// Propose and approve templates and contracts.
    ChangePolicy,
}

/// A place in the protocol, at one end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Submits and reads.
    User,
    /// The blockchain server database.
    Bsd,
    /// A node of the permissioned network.
    Validator,
    /// The cloud.
    Cloud,
    /// Opens seals.
    Custodian,
}

impl Permission {
    /// Every permission, in the order of the columns of the matrix.
    pub const ALL: [Permission; 4] =
        [Permission::Submit, Permission::Read, Permission::Grant, Permission::ChangePolicy];

    /// The clause that demands it.
    pub const fn clause(self) -> Clause {
        match self {
            Permission::Submit => Clause::RoleMaySubmit,
            Permission::Read => Clause::RoleMayRead,
            Permission::Grant => Clause::RoleMayGrant,
            Permission::ChangePolicy => Clause::RoleMayChangePolicy,
        }
    }
}

impl Role {
    /// Every role, in the order of the rows of the matrix.
    pub const ALL: [Role; 7] = [
        Role::Doctor,
        Role::Assistant,
        Role::Administrator,
        Role::Bsd,
        Role::Validator,
        Role::Cloud,
        Role::Custodian,
    ];

    /// Its name in the chapters.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Doctor => "doctor",
            Role::Assistant => "assistant",
            Role::Administrator => "administrator",
            Role::Bsd => "bsd",
            Role::Validator => "validator",
            Role::Cloud => "cloud",
            Role::Custodian => "custodian",
        }
    }

    /// The one place that it fills.
    pub const fn place(self) -> Party {
        match self {
            Role::Doctor | Role::Assistant | Role::Administrator => Party::User,
            Role::Bsd => Party::Bsd,
            Role::Validator => Party::Validator,
            Role::Cloud => Party::Cloud,
            Role::Custodian => Party::Custodian,
        }
    }

    /// Whether it may do this.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Submit | Permission::Read | Permission::Grant => {
                matches!(self, Role::Doctor | Role::Assistant)
            }
            Permission::ChangePolicy => matches!(self, Role::Administrator),
        }
    }

    /// Goes on when the role may do this.
    ///
    /// # Errors
    /// ROL-01, ROL-02, ROL-03 or ROL-05, by the permission.
    pub fn require(self, rules: &Rules, permission: Permission) -> Result<(), Refusal> {
        rules.require(permission.clause(), self.may(permission)).map_err(|refusal| refusal.at(self.name()))
    }

    /// Goes on when the role fills `place`.
    ///
    /// # Errors
    /// ROL-04.
    pub fn require_place(self, rules: &Rules, place: Party) -> Result<(), Refusal> {
        rules
            .require(Clause::RoleFitsPlace, self.place() == place)
            .map_err(|refusal| refusal.at(format!("{} in the place of {place:?}", self.name())))
    }
}
