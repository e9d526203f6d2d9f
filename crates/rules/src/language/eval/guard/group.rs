//! Guards that look at the same term.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use bstr::Finder;
use rustc_hash::FxHashMap;

use crate::language::{
    Literal,
    eval::{
        compile::TermId,
        glob::PathPrefix,
        machine::Pass,
        pred::Pred,
        value::{Scalar, Value},
    },
};

/// Guards that look at the same term.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) term: TermId,
    texts: FxHashMap<Box<[u8]>, Vec<u32>>,
    numbers: FxHashMap<i128, Vec<u32>>,
    /// Sorted.
    prefixes: Vec<Prefix>,
    /// By their last byte.
    ends: FxHashMap<u8, Ends>,
    words: Words,
    /// Rules whose prefixes are those of paths, which mean more than their bytes: `/a//b` begins with `/a/b`.
    paths: Vec<u32>,
    /// Every rule of the group.
    pub(super) all: Vec<u32>,
    /// The same, a bit each.
    pub(super) bits: Box<[u64]>,
}

/// Ends, each with its rule.
type Ends = Vec<(Box<[u8]>, u32)>;

/// Words that may stand anywhere.
#[derive(Debug, Default)]
struct Words {
    words: Vec<Box<[u8]>>,
    /// By word.
    rules: Vec<u32>,
    /// The same, a bit each.
    bits: Box<[u64]>,
    search: Search,
}

/// How words are looked for.
#[derive(Debug, Default)]
enum Search {
    /// There are none, or too many for an automaton: then every word may be there.
    #[default]
    Nothing,
    /// In paths, which are short, a few words are found faster one by one.
    Few(Vec<Finder<'static>>),
    Many(AhoCorasick),
}

/// So many words are few.
const FEW: usize = 4;

#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    /// The longest other prefix that this one begins with.
    shorter: Option<usize>,
    rules: Vec<u32>,
}

impl Group {
    /// Without guards yet; `words` holds a bit for each rule.
    pub(super) fn new(term: TermId, words: usize) -> Self {
        Self {
            term,
            texts: FxHashMap::default(),
            numbers: FxHashMap::default(),
            prefixes: Vec::new(),
            ends: FxHashMap::default(),
            words: Words { bits: vec![0; words].into(), ..Words::default() },
            paths: Vec::new(),
            all: Vec::new(),
            bits: vec![0; words].into(),
        }
    }

    /// More than one rule is in it.
    pub(super) fn several(&self) -> bool {
        self.all.iter().any(|place| self.all.first() != Some(place))
    }

    pub(super) fn add(&mut self, pred: &Pred, place: u32) {
        self.all.push(place);
        set(&mut self.bits, place);
        match pred {
            Pred::Is(Literal::Text(text)) => {
                self.texts.entry(text.as_slice().into()).or_default().push(place)
            }
            Pred::Texts(texts) => {
                for text in texts {
                    self.texts.entry(text.clone()).or_default().push(place);
                }
            }
            Pred::Is(Literal::Signed(number)) => {
                self.numbers.entry((*number).into()).or_default().push(place)
            }
            Pred::Is(Literal::Unsigned(number)) => {
                self.numbers.entry((*number).into()).or_default().push(place);
            }
            Pred::Prefixes(prefixes) => {
                for prefix in prefixes {
                    self.prefixes.push(Prefix { text: prefix.clone(), shorter: None, rules: vec![place] });
                }
            }
            Pred::Glob(pattern, _) => {
                self.prefixes.push(Prefix {
                    text: literal(pattern).into(),
                    shorter: None,
                    rules: vec![place],
                });
            }
            Pred::Paths(paths) => {
                self.paths.push(place);
                for text in paths.iter().filter_map(PathPrefix::literal) {
                    self.prefixes.push(Prefix { text: text.into(), shorter: None, rules: vec![place] });
                }
            }
            Pred::EndsWith(end) => {
                if let Some(last) = end.last() {
                    self.ends.entry(*last).or_default().push((end.clone(), place));
                }
            }
            Pred::Contains(word) => {
                self.words.words.push(word.needle().into());
                self.words.rules.push(place);
                set(&mut self.words.bits, place);
            }
            _ => {}
        }
    }

    pub(super) fn sort(&mut self) {
        let words = &self.words.words;
        self.words.search = match words.len() {
            0 => Search::Nothing,
            1..=FEW => Search::Few(words.iter().map(|word| Finder::new(word).into_owned()).collect()),
            _ => AhoCorasick::new(words).map_or(Search::Nothing, Search::Many),
        };
        self.prefixes.sort_by(|left, right| left.text.cmp(&right.text));
        self.prefixes.dedup_by(|later, kept| {
            let same = later.text == kept.text;
            if same {
                kept.rules.append(&mut later.rules);
            }
            same
        });
        let mut chain: Vec<usize> = Vec::new();
        for at in 0..self.prefixes.len() {
            let begins = |shorter: &usize| match (self.prefixes.get(at), self.prefixes.get(*shorter)) {
                (Some(prefix), Some(shorter)) => prefix.text.starts_with(&shorter.text),
                _ => false,
            };
            while chain.last().is_some_and(|last| !begins(last)) {
                chain.pop();
            }
            let shorter = chain.last().copied();
            if let Some(prefix) = self.prefixes.get_mut(at) {
                prefix.shorter = shorter;
            }
            chain.push(at);
        }
    }

    /// Sets the bits of the rules that the value lets through; perhaps not of those that are not `left`.
    pub(super) fn pick(&self, value: Value<'_>, pass: &Pass<'_, '_>, left: &[u64], bits: &mut [u64]) {
        let mut add = |rules: Option<&Vec<u32>>| {
            rules.into_iter().flatten().for_each(|place| set(bits, *place));
        };
        match pass.scratch.scalar(value) {
            None if matches!(value, Value::Missing) => {}
            Some(Scalar::Text(text)) => {
                if !self.texts.is_empty() {
                    add(self.texts.get(text));
                }
                // What the value begins with is what stands before it in the order, or begins that.
                let behind = self.prefixes.partition_point(|prefix| *prefix.text <= *text);
                let mut next = behind.checked_sub(1);
                while let Some(prefix) = next.and_then(|at| self.prefixes.get(at)) {
                    if text.starts_with(&prefix.text) {
                        add(Some(&prefix.rules));
                    }
                    next = prefix.shorter;
                }
                if !self.paths.is_empty() && !is_plain(text) {
                    add(Some(&self.paths));
                }
                let ends = text.last().and_then(|last| self.ends.get(last));
                for (end, place) in ends.into_iter().flatten() {
                    if text.ends_with(end) {
                        set(bits, *place);
                    }
                }
                if self.words.may_add(left, bits) {
                    self.words.find(text, |place| set(bits, place));
                }
            }
            Some(Scalar::Signed(number)) => add(self.numbers.get(&number.into())),
            Some(Scalar::Unsigned(number)) => add(self.numbers.get(&number.into())),
            // Several values, or what no guard looks at.
            Some(Scalar::Bool(_) | Scalar::Address(_)) | None => add(Some(&self.all)),
        }
    }
}

impl Words {
    /// Whether a word could let a rule through that is left and that nothing else has let through.
    fn may_add(&self, left: &[u64], bits: &[u64]) -> bool {
        let all = self.bits.iter().zip(left).zip(bits);
        all.into_iter().any(|((words, left), bits)| words & left & !bits != 0)
    }

    fn find(&self, text: &[u8], mut found: impl FnMut(u32)) {
        match &self.search {
            Search::Nothing => self.rules.iter().for_each(|place| found(*place)),
            Search::Few(words) => {
                let there = words.iter().zip(&self.rules).filter(|(word, _)| word.find(text).is_some());
                there.for_each(|(_, place)| found(*place));
            }
            Search::Many(search) => {
                for word in search.find_overlapping_iter(text) {
                    if let Some(place) = self.rules.get(word.pattern().as_usize()) {
                        found(*place);
                    }
                }
            }
        }
    }
}

/// Whether a path is written in the usual way: absolute, one slash between components.
fn is_plain(path: &[u8]) -> bool {
    static DOUBLED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"//"));
    path.first() == Some(&b'/') && DOUBLED.find(path).is_none()
}

/// What every match of a glob begins with.
pub(super) fn literal(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| b"*?[\\{".contains(byte));
    pattern.get(..end.unwrap_or(pattern.len())).unwrap_or_default()
}

pub(super) fn set(bits: &mut [u64], place: u32) {
    if let Some(word) = bits.get_mut(place as usize / 64) {
        *word |= 1 << (place % 64);
    }
}
