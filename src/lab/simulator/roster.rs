//! The names and roles of a network's principals.

use bemr::wire::{Name, Role};

/// The principals of a network, by name.
#[derive(Clone, Debug)]
pub struct Roster {
    /// A doctor, who submits.
    pub doctor: Name,
    /// Another doctor, who reads.
    pub colleague: Name,
    /// A medical assistant.
    pub assistant: Name,
    /// Two administrators.
    pub administrators: [Name; 2],
    /// The BSD.
    pub bsd: Name,
    /// The cloud.
    pub cloud: Name,
    /// The key-recovery agent.
    pub custodian: Name,
    /// The validators.
    pub validators: Vec<Name>,
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("the names of a roster are printable and short")
}

impl Roster {
    pub(super) fn new(validators: usize) -> Roster {
        Roster {
            doctor: name("dr-ada"),
            colleague: name("dr-ben"),
            assistant: name("mia"),
            administrators: [name("root-1"), name("root-2")],
            bsd: name("bsd"),
            cloud: name("cloud"),
            custodian: name("custodian"),
            validators: (1..=validators).map(|number| name(&format!("validator-{number:03}"))).collect(),
        }
    }

    /// Every principal with its role, in the order of enrolment.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&Name, Role)> {
        let users = [Role::Doctor, Role::Doctor, Role::Assistant, Role::Administrator, Role::Administrator];
        let services =
            [(&self.bsd, Role::Bsd), (&self.cloud, Role::Cloud), (&self.custodian, Role::Custodian)];
        let validators = self.validators.iter().map(|validator| (validator, Role::Validator));
        self.users().into_iter().zip(users).chain(services).chain(validators)
    }

    /// The five users.
    pub fn users(&self) -> [&Name; 5] {
        let [first, second] = &self.administrators;
        [&self.doctor, &self.colleague, &self.assistant, first, second]
    }
}
