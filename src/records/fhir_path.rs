//! The path language of templates: where in a record an attribute stands.

use crate::records::json::Json;

/// A path: alternatives, tried in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'p> {
    alternatives: Vec<Alternative<'p>>,
}

/// One alternative: the steps to the elements that may hold the attribute, and the step within each of them;
/// without a last step the resource itself is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative<'p> {
    holders: Vec<Step<'p>>,
    last: Option<Step<'p>>,
}

/// From an object to its member `name`; with `each`, to every element of that member, an array.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step<'p> {
    name: &'p str,
    each: bool,
}

/// An element that a path leads to.
pub(super) struct Found<'a> {
    /// Its value; nothing when the element has only extensions, or is the `null` of an array.
    pub(super) value: Option<&'a Json>,
}

/// A path met an element of another form than it demands.
pub(super) struct Misshapen;

impl<'p> Path<'p> {
    /// Parses `a.b[*].c|d.e`, or `$` for the resource.
    pub(super) fn parse(text: &'p str) -> Option<Path<'p>> {
        let alternatives = text.split('|').map(Alternative::parse).collect::<Option<Vec<_>>>()?;
        Some(Path { alternatives })
    }

    /// Whether it may lead to more than one element.
    pub(super) fn is_list(&self) -> bool {
        let each = |step: &Step| step.each;
        self.alternatives.len() > 1 && self.alternatives.iter().any(|one| one.last.is_none())
            || self.alternatives.iter().any(|one| one.holders.iter().chain(&one.last).any(each))
    }

    /// Whether one of the alternatives is a member of this name.
    pub(super) fn names_member(&self, name: &str) -> bool {
        self.alternatives.iter().filter_map(|one| one.last.as_ref()).any(|last| last.name == name)
    }

    /// Whether all alternatives are members of the same holders.
    pub(super) fn has_one_holder(&self) -> bool {
        self.alternatives.iter().all(|one| one.last.is_some() && one.holders == self.alternatives[0].holders)
    }

    /// The elements it leads to from `root`, alternative by alternative, each in document order.
    pub(super) fn follow<'a>(&self, root: &'a Json, primitive: bool) -> Result<Vec<Found<'a>>, Misshapen> {
        let mut found = Vec::new();
        for one in &self.alternatives {
            match &one.last {
                Some(last) => {
                    for holder in one.holders(root)? {
                        last.take(holder, primitive, &mut found)?;
                    }
                }
                None => found.push(Found { value: Some(root) }),
            }
        }
        Ok(found)
    }

    /// For every holder of the attribute, the names of the members among the alternatives that it has; where `shadows` count,
    /// the extensions of a member are enough.
    pub(super) fn choices(&self, root: &Json, shadows: bool) -> Result<Vec<Vec<&str>>, Misshapen> {
        let holders = self.alternatives[0].holders(root)?;
        let lasts = || self.alternatives.iter().filter_map(|one| one.last.as_ref());
        let present = |holder: &Json| {
            lasts().filter(|last| last.is_in(holder, shadows)).map(|last| last.name).collect()
        };
        Ok(holders.into_iter().map(present).collect())
    }
}

impl<'p> Alternative<'p> {
    fn parse(text: &'p str) -> Option<Alternative<'p>> {
        if text == "$" {
            return Some(Alternative { holders: Vec::new(), last: None });
        }
        let mut holders = text.split('.').map(Step::parse).collect::<Option<Vec<_>>>()?;
        let last = holders.pop();
        Some(Alternative { holders, last })
    }

    fn holders<'a>(&self, root: &'a Json) -> Result<Vec<&'a Json>, Misshapen> {
        let mut holders = vec![root];
        for step in &self.holders {
            let mut next = Vec::new();
            for holder in holders {
                step.into(holder, &mut next)?;
            }
            holders = next;
        }
        holders.iter().all(|holder| matches!(holder, Json::Object(_))).then_some(holders).ok_or(Misshapen)
    }
}

impl<'p> Step<'p> {
    fn parse(text: &'p str) -> Option<Step<'p>> {
        let (name, each) = match text.strip_suffix("[*]") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then_some(Step { name, each })
    }

    /// Adds the elements that this step leads to from `holder`.
    fn into<'a>(&self, holder: &'a Json, found: &mut Vec<&'a Json>) -> Result<(), Misshapen> {
        match (holder, holder.member(self.name)) {
            (Json::Object(_), None) => {}
            (Json::Object(_), Some(Json::Array(elements))) if self.each && !elements.is_empty() => {
                found.extend(elements);
            }
            (Json::Object(_), Some(element @ Json::Object(_))) if !self.each => found.push(element),
            _ => return Err(Misshapen),
        }
        Ok(())
    }

    /// Whether the object `holder` has this member, or the extensions of this member where they count.
    fn is_in(&self, holder: &Json, shadows: bool) -> bool {
        holder.member(self.name).is_some() || shadows && holder.member(&self.shadow()).is_some()
    }

    /// The member that has the extensions of a member of primitive type.
    fn shadow(&self) -> String {
        format!("_{}", self.name)
    }

    /// As [`Step::into`] for the last step, where `null`s and extensions count.
    fn take<'a>(
        &self,
        holder: &'a Json,
        primitive: bool,
        found: &mut Vec<Found<'a>>,
    ) -> Result<(), Misshapen> {
        let element = holder.member(self.name);
        let shadow = if primitive { holder.member(&self.shadow()) } else { None };
        match (element, shadow) {
            (None, None) => {}
            (Some(Json::Array(elements)), _) if self.each && !elements.is_empty() => {
                let value = |element: &'a Json| {
                    Some(element).filter(|&element| !(primitive && *element == Json::Null))
                };
                found.extend(elements.iter().map(|element| Found { value: value(element) }));
            }
            (None, Some(Json::Array(elements))) if self.each && !elements.is_empty() => {
                found.extend(elements.iter().map(|_| Found { value: None }));
            }
            (Some(value), _) if !self.each && !matches!(value, Json::Array(_) | Json::Null) => {
                found.push(Found { value: Some(value) });
            }
            (None, Some(Json::Object(members))) if !self.each && members.contains_key("extension") => {
                found.push(Found { value: None });
            }
            _ => return Err(Misshapen),
        }
        Ok(())
    }
}
