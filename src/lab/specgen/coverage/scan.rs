//! Finds `Clause::Name` in tokens, and the item that contains it.

use super::{Place, Sources};
use bemr_spec::Clause;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// The places that name each clause.
pub(super) type Mentions = BTreeMap<Clause, BTreeSet<Place>>;

/// The clauses and words in one function or constant.
#[derive(Default)]
struct Item {
    is_test: bool,
    clauses: BTreeSet<Clause>,
    words: BTreeSet<String>,
}

/// The items of one file.
#[derive(Default)]
struct File {
    code: BTreeMap<String, Item>,
    tests: BTreeMap<String, Item>,
    /// The modules that it declares only for tests, in files of their own.
    test_modules: Vec<String>,
}

/// The context of the scan.
#[derive(Clone, Default)]
struct Scope {
    in_tests: bool,
    is_test: bool,
    owner: String,
    item: Option<String>,
}

/// The places outside tests and the tests that name each clause.
pub(super) fn mentions(sources: &Sources) -> io::Result<(Mentions, Mentions)> {
    let mut files = BTreeMap::new();
    for (path, text) in sources.iter() {
        files.insert(path, read(path, text, is_test_file(path))?);
    }
    let test_modules: Vec<String> = files
        .iter()
        .flat_map(|(path, file)| file.test_modules.iter().map(|name| child(path, name)))
        .collect();
    let of_tests = |path: &str| {
        test_modules
            .iter()
            .any(|stem| path.strip_prefix(stem.as_str()).is_some_and(|rest| rest.starts_with(['/', '.'])))
    };
    for (path, text) in sources.iter().filter(|(path, _)| of_tests(path)) {
        files.insert(path, read(path, text, true)?);
    }
    let (mut enforced, mut shown) = (Mentions::new(), Mentions::new());
    for (path, file) in files {
        for (name, item) in &file.code {
            record(&mut enforced, path, name, &item.clauses);
        }
        for (name, item) in file.tests.iter().filter(|(_, item)| item.is_test) {
            record(&mut shown, path, name, &reachable(item, &file.tests));
        }
    }
    Ok((enforced, shown))
}

fn read(path: &str, text: &str, in_tests: bool) -> io::Result<File> {
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {error}")))?;
    let mut file = File::default();
    scan(tokens, &Scope { in_tests, ..Scope::default() }, &mut file);
    Ok(file)
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.split('/').any(|part| part == "tests")
        || path.starts_with("proptests/")
}

/// The path, without extension, of the module `name` that the file at `path` declares.
fn child(path: &str, name: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    let folder = ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem);
    format!("{folder}/{name}")
}

fn record(mentions: &mut Mentions, file: &str, item: &str, clauses: &BTreeSet<Clause>) {
    for clause in clauses {
        let place = Place { file: file.to_owned(), item: item.to_owned() };
        mentions.entry(*clause).or_default().insert(place);
    }
}

/// The clauses that a test names, itself or through helpers.
fn reachable(test: &Item, items: &BTreeMap<String, Item>) -> BTreeSet<Clause> {
    let (mut clauses, mut seen, mut open) = (test.clauses.clone(), BTreeSet::new(), vec![test]);
    while let Some(item) = open.pop() {
        for (name, helper) in items {
            let word = name.rsplit("::").next().unwrap_or(name);
            if !helper.is_test && item.words.contains(word) && seen.insert(name) {
                clauses.extend(&helper.clauses);
                open.push(helper);
            }
        }
    }
    clauses
}

fn scan(tokens: TokenStream, scope: &Scope, file: &mut File) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut only_tests, mut is_test) = (false, false);
    let mut at = 0;
    while at < tokens.len() {
        let word = word(&tokens, at);
        let next = self::word(&tokens, at + 1);
        let mut inner = scope.clone();
        inner.in_tests |= only_tests;
        let end = match (word.as_deref(), next) {
            (Some("mod"), Some(name)) => {
                let end = item_end(&tokens, at, false);
                if only_tests && is_punct(&tokens, end, ';') {
                    file.test_modules.push(name);
                }
                end
            }
            (Some("impl" | "trait"), _) if scope.item.is_none() => {
                let end = item_end(&tokens, at, false);
                inner.owner = owner(&tokens[at + 1..end]);
                end
            }
            (Some("fn"), Some(name)) => {
                inner.is_test |= is_test;
                inner.item.get_or_insert_with(|| in_owner(&scope.owner, &name));
                item_end(&tokens, at, false)
            }
            (Some("const" | "static"), Some(name)) if name != "fn" && !follows_generics(&tokens, at) => {
                inner.item.get_or_insert_with(|| in_owner(&scope.owner, &name));
                item_end(&tokens, at, true)
            }
            (Some("macro_rules"), None) => {
                inner.item = self::word(&tokens, at + 2).map(|name| format!("{name}!"));
                item_end(&tokens, at, false)
            }
            _ => {
                let token = &tokens[at];
                if let (TokenTree::Punct(mark), Some(TokenTree::Group(group))) = (token, tokens.get(at + 1))
                    && mark.as_char() == '#'
                    && group.delimiter() == Delimiter::Bracket
                {
                    let attribute = words_of(group.stream());
                    is_test |= attribute.last().is_some_and(|word| word == "test") && attribute[0] != "cfg";
                    only_tests |= attribute.first().is_some_and(|word| word == "cfg")
                        && attribute.iter().any(|word| word == "test")
                        && !attribute.iter().any(|word| word == "not");
                    at += 2;
                    continue;
                }
                note(&tokens, at, scope, file);
                if let TokenTree::Group(group) = token {
                    scan(group.stream(), scope, file);
                }
                if is_punct(&tokens, at, ';') || is_block(token) {
                    (only_tests, is_test) = (false, false);
                }
                at += 1;
                continue;
            }
        };
        for place in at + 1..tokens.len().min(end + 1) {
            note(&tokens, place, &inner, file);
            if let TokenTree::Group(group) = &tokens[place] {
                scan(group.stream(), &inner, file);
            }
        }
        (only_tests, is_test) = (false, false);
        at = end + 1;
    }
}

/// Records the word at `at`, and the clause if it is one.
fn note(tokens: &[TokenTree], at: usize, scope: &Scope, file: &mut File) {
    let Some(found) = word(tokens, at) else { return };
    let clause = clause(tokens, at, &found);
    if clause.is_none() && !scope.in_tests {
        return;
    }
    let items = if scope.in_tests { &mut file.tests } else { &mut file.code };
    let name = scope.item.clone().unwrap_or_else(|| "(module)".to_owned());
    let item = items.entry(name).or_default();
    item.is_test |= scope.is_test;
    item.words.insert(found);
    item.clauses.extend(clause.filter(|_| scope.in_tests || !is_compared(tokens, at)));
}

/// The clause in `Clause::Name`, seen from `Name`.
fn clause(tokens: &[TokenTree], at: usize, name: &str) -> Option<Clause> {
    let start = path_step(tokens, at)?;
    (word(tokens, start)? == "Clause").then_some(())?;
    Clause::ALL.into_iter().find(|clause| clause.name() == name)
}

/// The place of the word before `::` and the word at `at`.
fn path_step(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let start = at.checked_sub(3)?;
    (is_punct(tokens, at - 1, ':') && is_punct(tokens, at - 2, ':') && word(tokens, start).is_some())
        .then_some(start)
}

/// Whether the path that ends at `at` is a pattern or is compared with something.
fn is_compared(tokens: &[TokenTree], at: usize) -> bool {
    let arrow = is_punct(tokens, at + 1, '=') && is_punct(tokens, at + 2, '>');
    let equals = is_punct(tokens, at + 1, '=') && is_punct(tokens, at + 2, '=');
    let differs = is_punct(tokens, at + 1, '!') && is_punct(tokens, at + 2, '=');
    let or = is_punct(tokens, at + 1, '|') && !is_punct(tokens, at + 2, '|');
    let mut start = at;
    while let Some(before) = path_step(tokens, start) {
        start = before;
    }
    let compared = start >= 2
        && is_punct(tokens, start - 1, '=')
        && (is_punct(tokens, start - 2, '=') || is_punct(tokens, start - 2, '!'));
    let alternative = start >= 1 && is_punct(tokens, start - 1, '|') && (arrow || or);
    arrow || equals || differs || or || compared || alternative
}

/// The last token of the item that begins at `at`: its block, or its semicolon.
fn item_end(tokens: &[TokenTree], at: usize, at_semicolon: bool) -> usize {
    (at..tokens.len())
        .find(|&end| is_punct(tokens, end, ';') || !at_semicolon && is_block(&tokens[end]))
        .unwrap_or(tokens.len() - 1)
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Whether a `const` at `at` is a parameter or a raw pointer's rather than an item.
fn follows_generics(tokens: &[TokenTree], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| ['<', ',', '*'].iter().any(|mark| is_punct(tokens, before, *mark)))
}

/// The type in the head of an `impl` or `trait`, without its parameters.
fn owner(head: &[TokenTree]) -> String {
    let (mut depth, mut name) = (0_usize, String::new());
    for (at, token) in head.iter().enumerate() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '<' => depth += 1,
            TokenTree::Punct(mark) if mark.as_char() == '>' && !(at > 0 && is_punct(head, at - 1, '-')) => {
                depth = depth.saturating_sub(1);
            }
            TokenTree::Ident(ident) if depth == 0 => match ident.to_string().as_str() {
                "for" => name.clear(),
                "where" => break,
                "dyn" | "mut" | "crate" => {}
                word => word.clone_into(&mut name),
            },
            TokenTree::Punct(mark) if depth == 0 && mark.as_char() == ':' && !is_path(head, at) => break,
            _ => {}
        }
    }
    name
}

fn is_path(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens, at + 1, ':') || at > 0 && is_punct(tokens, at - 1, ':')
}

fn in_owner(owner: &str, name: &str) -> String {
    if owner.is_empty() { name.to_owned() } else { format!("{owner}::{name}") }
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Every word in the tokens, those in groups included.
fn words_of(tokens: TokenStream) -> Vec<String> {
    let mut words = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => words.push(ident.to_string()),
            TokenTree::Group(group) => words.extend(words_of(group.stream())),
            _ => {}
        }
    }
    words
}
