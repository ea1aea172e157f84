//! Writes a source file anew, in which every mutant is a branch that a number switches on. What is not switched on does what the file did.
//!
//! It only inserts, around what the parser finds at the mutant's place. Nothing here knows types: what does not compile as a branch is for the
//! caller to take out.

use crate::list::{Genre, Mutant, Point};
use proc_macro2::{LineColumn, Span};
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A file with branches.
pub(crate) struct Branched {
    pub(crate) text: String,
    /// Which bytes of it belong to which mutant.
    pub(crate) places: Vec<(Range<usize>, usize)>,
    /// Mutants that have no branch here.
    pub(crate) left_out: Vec<usize>,
}

/// What stands at a place.
enum Found {
    /// A function's body, inside its braces; whether it returns an `impl Trait`.
    Body {
        inside: Range<usize>,
        opaque: bool,
    },
    Binary {
        whole: Range<usize>,
        operator: Range<usize>,
        chained: bool,
    },
    Unary {
        whole: Range<usize>,
        operator: Range<usize>,
    },
    Arm {
        guard: Option<Range<usize>>,
        arrow: usize,
    },
    Guard(Range<usize>),
    Field {
        value: Range<usize>,
        name: Option<String>,
        rest: Range<usize>,
    },
}

/// Text around a range. Wraps nest.
struct Wrap {
    around: Range<usize>,
    open: Vec<(String, Option<usize>)>,
    close: &'static str,
}

/// Writes `source` with a branch for each of these mutants of it, by their numbers.
pub(crate) fn branch(source: &str, mutants: &[(usize, &Mutant)]) -> Result<Branched, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let lines = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut finder = Finder { source, lines, found: BTreeMap::new(), constants: Vec::new() };
    finder.visit_file(&file);
    let mut by_place: BTreeMap<(Point, &'static str), Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in mutants {
        by_place.entry((mutant.start, kind(mutant.genre))).or_default().push((*number, mutant));
    }
    let (mut wraps, mut left_out) = (Vec::new(), Vec::new());
    for (place, here) in &by_place {
        match finder.found.get(place) {
            Some(Found::Binary { chained: true, .. }) if here.iter().any(|(_, m)| m.replacement == "||") => {
                left_out.extend(here.iter().map(|(number, _)| number));
            }
            Some(Found::Body { opaque: true, .. }) => {
                // Of two iterators the types are one only where nothing is lent: the empty one has any type.
                let (empty, other): (Vec<_>, Vec<_>) =
                    here.iter().partition(|(_, mutant)| mutant.replacement.ends_with("::empty()"));
                let found = &finder.found[place];
                wraps.extend(wrapped(source, found, &empty));
                left_out.extend(other.iter().map(|(number, _)| number));
            }
            Some(found) => wraps.extend(wrapped(source, found, here)),
            None => left_out.extend(here.iter().map(|(number, _)| number)),
        }
    }
    let open = || vec![("/* ".to_owned(), None)];
    wraps.extend(finder.constants.into_iter().map(|around| Wrap { around, open: open(), close: " */" }));
    let (text, places) = written(source, wraps);
    Ok(Branched { text, places, left_out })
}

fn kind(genre: Genre) -> &'static str {
    match genre {
        Genre::FnValue => "body",
        Genre::BinaryOperator => "binary",
        Genre::UnaryOperator => "unary",
        Genre::MatchArm => "arm",
        Genre::MatchArmGuard => "guard",
        Genre::StructField => "field",
    }
}

fn wrapped(source: &str, found: &Found, mutants: &[(usize, &Mutant)]) -> Vec<Wrap> {
    let whether = |number: usize| format!("crate::mutant::on({number})");
    // A choice between the text of each mutant and what stands there.
    let choice = |around: &Range<usize>, said: &dyn Fn(&Mutant) -> String| {
        let mut open = vec![("(".to_owned(), None)];
        for (number, mutant) in mutants {
            let text = format!("if {} {{ {} }} else ", whether(*number), said(mutant));
            open.push((text, Some(*number)));
        }
        open.push(("{ ".to_owned(), None));
        Wrap { around: around.clone(), open, close: " })" }
    };
    match found {
        Found::Body { inside, opaque } => mutants
            .iter()
            .map(|(number, mutant)| {
                let value = &mutant.replacement;
                let (text, close) = match opaque {
                    true => (format!(" crate::mutant::either({number}, || {value}, {{"), "})"),
                    false => (format!(" if {} {{ return {value}; }}", whether(*number)), ""),
                };
                Wrap { around: inside.clone(), open: vec![(text, Some(*number))], close }
            })
            .collect(),
        Found::Binary { whole, operator, .. } => {
            let said = |mutant: &Mutant| {
                let (left, right) = (&source[whole.start..operator.start], &source[operator.end..whole.end]);
                format!("{left}{}{right}", mutant.replacement)
            };
            vec![choice(whole, &said)]
        }
        Found::Unary { whole, operator } => {
            vec![choice(whole, &|_| source[operator.end..whole.end].to_owned())]
        }
        Found::Arm { guard, arrow } => mutants
            .iter()
            .map(|(number, _)| match guard {
                Some(guard) => Wrap {
                    around: guard.clone(),
                    open: vec![(format!("!{} && (", whether(*number)), Some(*number))],
                    close: ")",
                },
                None => Wrap {
                    around: *arrow..*arrow,
                    open: vec![(format!("if !{} ", whether(*number)), Some(*number))],
                    close: "",
                },
            })
            .collect(),
        Found::Guard(guard) => vec![choice(guard, &|mutant| mutant.replacement.clone())],
        Found::Field { value, name, rest } => {
            let base = &source[rest.clone()];
            let mut wrap = choice(value, &|mutant| {
                let field = mutant.name.split(' ').nth(3).unwrap_or_default();
                format!("({base}).{field}")
            });
            if let Some(name) = name {
                wrap.open.insert(0, (format!("{name}: "), None));
            }
            vec![wrap]
        }
    }
}

/// Inserts the wraps: outer ones before inner ones, and of several around one range the first is the outermost.
fn written(source: &str, mut wraps: Vec<Wrap>) -> (String, Vec<(Range<usize>, usize)>) {
    wraps.sort_by_key(|wrap| (wrap.around.start, std::cmp::Reverse(wrap.around.end)));
    let (mut text, mut places) = (String::new(), Vec::new());
    let (mut done, mut pending): (usize, Vec<(usize, &str)>) = (0, Vec::new());
    let closing = |text: &mut String, done: &mut usize, pending: &mut Vec<(usize, &str)>, until: usize| {
        while let Some((end, close)) = pending.pop_if(|(end, _)| *end <= until) {
            text.push_str(&source[*done..end]);
            text.push_str(close);
            *done = end;
        }
    };
    for wrap in &wraps {
        closing(&mut text, &mut done, &mut pending, wrap.around.start);
        text.push_str(&source[done..wrap.around.start]);
        done = wrap.around.start;
        for (open, number) in &wrap.open {
            let start = text.len();
            text.push_str(open);
            places.extend(number.map(|number| (start..text.len(), number)));
        }
        pending.push((wrap.around.end, wrap.close));
    }
    closing(&mut text, &mut done, &mut pending, source.len());
    text.push_str(&source[done..]);
    (text, places)
}

/// Walks a file and notes what a mutant may be at.
struct Finder<'a> {
    source: &'a str,
    lines: Vec<usize>,
    found: BTreeMap<(Point, &'static str), Found>,
    /// The `const` of functions, none of which can ask what is switched on.
    constants: Vec<Range<usize>>,
}

impl Finder<'_> {
    fn offset(&self, at: LineColumn) -> usize {
        let start = self.lines[at.line - 1];
        let line = &self.source[start..];
        start + line.char_indices().nth(at.column).map_or(line.len(), |(offset, _)| offset)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.start())..self.offset(span.end())
    }

    fn note(&mut self, at: Span, kind: &'static str, found: Found) {
        let LineColumn { line, column } = at.start();
        self.found.insert((Point { line, column: column + 1 }, kind), found);
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.constants.extend(signature.constness.as_ref().map(|word| self.range(word.span())));
        let Some(first) = block.stmts.first() else { return };
        let braces = block.brace_token.span;
        let inside = self.offset(braces.open().end())..self.offset(braces.close().start());
        let opaque = matches!(&signature.output, syn::ReturnType::Type(_, returned)
            if matches!(**returned, syn::Type::ImplTrait(_)));
        self.note(first.span(), "body", Found::Body { inside, opaque });
    }
}

/// Whether an operand of this chain is a `let`, which stands only beside `&&`.
fn has_let(chain: &syn::Expr) -> bool {
    match chain {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) if matches!(binary.op, syn::BinOp::And(_)) => {
            has_let(&binary.left) || has_let(&binary.right)
        }
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.body(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.body(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.body(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let (whole, operator) = (self.range(binary.span()), self.range(binary.op.span()));
        let chained = has_let(&binary.left) || has_let(&binary.right);
        self.note(binary.op.span(), "binary", Found::Binary { whole, operator, chained });
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let (whole, operator) = (self.range(unary.span()), self.range(unary.op.span()));
        self.note(unary.op.span(), "unary", Found::Unary { whole, operator });
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let guard = arm.guard.as_ref().map(|(_, guard)| self.range(guard.span()));
        let arrow = self.offset(arm.fat_arrow_token.span().start());
        if let (Some((_, expression)), Some(guard)) = (&arm.guard, &guard) {
            self.note(expression.span(), "guard", Found::Guard(guard.clone()));
        }
        self.note(arm.span(), "arm", Found::Arm { guard, arrow });
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        if let Some(rest) = &literal.rest {
            let rest = self.range(rest.span());
            for field in &literal.fields {
                let short = field.colon_token.is_none();
                let value = self.range(field.expr.span());
                let name = short.then(|| self.source[value.clone()].to_owned());
                self.note(field.span(), "field", Found::Field { value, name, rest: rest.clone() });
            }
        }
        visit::visit_expr_struct(self, literal);
    }
}
