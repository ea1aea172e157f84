//! Parses bytes by the tables alone, and writes them again.

use super::types::{Bounds, Enumeration, Type};
use super::{Definition, Message, Tables};

/// A value as the tables see it. Opaque parts point into the bytes that were parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<'a> {
    /// A number of so many bytes.
    Number {
        /// Bytes on the wire.
        width: u8,
        /// Its value.
        value: u64,
    },
    /// A value of an enum.
    Choice {
        /// Bytes on the wire.
        width: u8,
        /// Its value.
        value: u64,
        /// Its name in the list.
        name: &'a str,
    },
    /// Bytes without a length.
    Fixed(&'a [u8]),
    /// Bytes behind a length.
    Opaque {
        /// Bytes of the length.
        prefix: u8,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Values behind their length in bytes.
    List {
        /// Bytes of the length.
        prefix: u8,
        /// The values.
        items: Vec<Tree<'a>>,
    },
    /// A value that may be absent.
    Optional(Option<Box<Tree<'a>>>),
    /// A message, or the case of a select.
    Message {
        /// Its name.
        name: &'a str,
        /// Its fields and theirs.
        fields: Vec<(&'a str, Tree<'a>)>,
    },
}

/// Bytes are not what a table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The field, from the outermost message inwards, such as `Vote.body.ballot`.
    pub field: String,
    /// The byte at which the field begins.
    pub offset: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}: {}", self.field, self.offset, self.what)
    }
}

impl std::error::Error for Mismatch {}

/// The rest of the bytes, and where in the whole they begin.
struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

type Read<T> = Result<T, Mismatch>;

impl<'a> Cursor<'a> {
    fn take(&mut self, size: u64, path: &Path<'_>) -> Read<&'a [u8]> {
        let taken = usize::try_from(size).ok().and_then(|size| self.rest.split_at_checked(size));
        let (taken, rest) =
            taken.ok_or_else(|| path.mismatch(self.offset, "the bytes end before it does"))?;
        self.rest = rest;
        self.offset += taken.len();
        Ok(taken)
    }

    fn number(&mut self, width: u8, path: &Path<'_>) -> Read<u64> {
        let bytes = self.take(width.into(), path)?;
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn behind_length(&mut self, bounds: Bounds, path: &Path<'_>) -> Read<Cursor<'a>> {
        let start = self.offset;
        let length = self.number(bounds.prefix(), path)?;
        if length < bounds.least || bounds.most < length {
            return Err(path.mismatch(start, "its length is out of bounds"));
        }
        let offset = self.offset;
        Ok(Cursor { rest: self.take(length, path)?, offset })
    }
}

/// Where in a message the parser is.
struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    name: &'p str,
}

impl Path<'_> {
    fn mismatch(&self, offset: usize, what: &'static str) -> Mismatch {
        let mut names = vec![self.name];
        let mut at = self;
        while let Some(outer) = at.outer {
            names.push(outer.name);
            at = outer;
        }
        names.reverse();
        Mismatch { field: names.join("."), offset, what }
    }
}

impl Tables {
    /// Parses all of `bytes` as the message or enum `name`.
    ///
    /// It recurses as deep as the tables nest and holds one node for each value, so never more than bytes.
    ///
    /// # Errors
    /// The first field that is not what its table says; bytes after the end; a name that has no table.
    pub fn walk<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> Result<Tree<'a>, Mismatch> {
        let path = Path { outer: None, name };
        let mut cursor = Cursor { rest: bytes, offset: 0 };
        let tree = self.named(name, &mut cursor, &path)?;
        if cursor.rest.is_empty() {
            Ok(tree)
        } else {
            Err(path.mismatch(cursor.offset, "bytes follow its end"))
        }
    }

    fn named<'a>(&'a self, name: &str, cursor: &mut Cursor<'a>, path: &Path<'_>) -> Read<Tree<'a>> {
        match self.definitions.get(name) {
            Some(Definition::Message(message)) => self.fields(message, cursor, path),
            Some(Definition::Enum { values, .. }) => choice(values, cursor, path),
            Some(Definition::Known(ty)) => self.value(ty, cursor, path),
            None => Err(path.mismatch(cursor.offset, "no table has this name")),
        }
    }

    fn fields<'a>(
        &'a self,
        message: &'a Message,
        cursor: &mut Cursor<'a>,
        path: &Path<'_>,
    ) -> Read<Tree<'a>> {
        let mut fields: Vec<(&'a str, Tree<'a>)> = Vec::with_capacity(message.fields.len());
        for field in &message.fields {
            let path = Path { outer: Some(path), name: &field.name };
            let tree = match &field.ty {
                Type::Select(on) => {
                    let chosen = fields.iter().find_map(|(name, tree)| match tree {
                        Tree::Choice { name: case, .. } if name == on => Some(*case),
                        _ => None,
                    });
                    let case =
                        chosen.ok_or_else(|| path.mismatch(cursor.offset, "nothing selects its case"))?;
                    let values = self.selector(&message.fields, on);
                    self.named(&self.case_table(&message.name, values, case), cursor, &path)?
                }
                ty => self.value(ty, cursor, &path)?,
            };
            fields.push((&field.name, tree));
        }
        Ok(Tree::Message { name: &message.name, fields })
    }

    fn value<'a>(&'a self, ty: &'a Type, cursor: &mut Cursor<'a>, path: &Path<'_>) -> Read<Tree<'a>> {
        let start = cursor.offset;
        match ty {
            Type::Number(width) => Ok(Tree::Number { width: *width, value: cursor.number(*width, path)? }),
            Type::Fixed(size) => Ok(Tree::Fixed(cursor.take(*size, path)?)),
            Type::Opaque(bounds) => {
                Ok(Tree::Opaque { prefix: bounds.prefix(), bytes: cursor.behind_length(*bounds, path)?.rest })
            }
            Type::Vector(element, bounds) => {
                let mut inner = cursor.behind_length(*bounds, path)?;
                let mut items = Vec::new();
                while !inner.rest.is_empty() {
                    items.push(self.value(element, &mut inner, path)?);
                }
                Ok(Tree::List { prefix: bounds.prefix(), items })
            }
            Type::Optional(inner) => match cursor.number(1, path)? {
                0 => Ok(Tree::Optional(None)),
                1 => Ok(Tree::Optional(Some(Box::new(self.value(inner, cursor, path)?)))),
                _ => Err(path.mismatch(start, "its first byte is neither 0 nor 1")),
            },
            Type::Enum(values) => choice(values, cursor, path),
            Type::Name => {
                let text = cursor.behind_length(Bounds { least: 1, most: 64 }, path)?.rest;
                match text.iter().all(u8::is_ascii_graphic) {
                    true => Ok(Tree::Opaque { prefix: 1, bytes: text }),
                    false => Err(path.mismatch(start, "a byte of it is not in a name")),
                }
            }
            Type::Text => {
                let text = cursor.behind_length(Bounds { least: 0, most: 0xffff }, path)?.rest;
                match std::str::from_utf8(text) {
                    Ok(_) => Ok(Tree::Opaque { prefix: 2, bytes: text }),
                    Err(_) => Err(path.mismatch(start, "it is not UTF-8")),
                }
            }
            Type::Reference(name) => self.named(name, cursor, path),
            Type::Select(_) => Err(path.mismatch(start, "a select stands outside a message")),
        }
    }
}

fn choice<'a>(values: &'a Enumeration, cursor: &mut Cursor<'a>, path: &Path<'_>) -> Read<Tree<'a>> {
    let start = cursor.offset;
    let value = cursor.number(values.width, path)?;
    let name = values.name(value).ok_or_else(|| path.mismatch(start, "its value is not in the list"))?;
    Ok(Tree::Choice { width: values.width, value, name })
}

impl<'a> Tree<'a> {
    /// The bytes that the tables say this value has.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The field at a path such as `body.ballot`.
    pub fn at(&self, path: &str) -> Option<&Tree<'a>> {
        path.split('.').try_fold(self, |tree, wanted| match tree {
            Tree::Message { fields, .. } => {
                fields.iter().find(|(name, _)| *name == wanted).map(|(_, tree)| tree)
            }
            _ => None,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Tree::Number { width, value } | Tree::Choice { width, value, .. } => {
                write_number(*width, *value, out)
            }
            Tree::Fixed(bytes) => out.extend_from_slice(bytes),
            Tree::Opaque { prefix, bytes } => {
                write_number(*prefix, bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Tree::List { prefix, items } => {
                let start = out.len();
                write_number(*prefix, 0, out);
                let content = out.len();
                items.iter().for_each(|item| item.write(out));
                let length = (out.len() - content) as u64;
                let mut written = Vec::new();
                write_number(*prefix, length, &mut written);
                out[start..content].copy_from_slice(&written);
            }
            Tree::Optional(None) => out.push(0),
            Tree::Optional(Some(inner)) => {
                out.push(1);
                inner.write(out);
            }
            Tree::Message { fields, .. } => fields.iter().for_each(|(_, field)| field.write(out)),
        }
    }
}

fn write_number(width: u8, value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes()[8 - usize::from(width)..]);
}
