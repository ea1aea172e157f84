//! The state machines and the events, generated from the tables of the chapters by the build script.

include!(concat!(env!("OUT_DIR"), "/machines.rs"));

impl serde::Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let found = Event::ALL.iter().copied().find(|event| event.name() == name);
        found.ok_or_else(|| serde::de::Error::custom(format!("no event has the name {name:?}")))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Event {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Event::ALL.iter().map(|event| event.name()).collect();
        schemars::json_schema!({ "description": "What happened (chapter 13).", "enum": names })
    }
}
