//! What is wrong with a data file, and where.

use std::fmt;

use super::nearest::nearest;

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// A data file's name and text, to find lines in.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'a> File<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    pub(super) fn name(&self) -> &str {
        self.name
    }

    /// The line a byte stands in, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.split(|&byte| byte == b'\n').count()
    }
}

/// Everything found wrong so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem at a byte of a file.
    pub(super) fn add(&mut self, file: &File<'_>, offset: usize, reason: impl Into<String>) {
        let problem = Problem {
            file: format!("meters/{}", file.name),
            line: file.line(offset),
            reason: reason.into(),
        };
        // What a kind of register gets wrong would be said again for each register of that kind.
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Notes a word that is none of those allowed, with the one that was probably meant.
    pub(super) fn unknown<'w>(
        &mut self,
        file: &File<'_>,
        offset: usize,
        what: &str,
        word: &str,
        allowed: impl IntoIterator<Item = &'w str>,
    ) {
        let hint = nearest(word, allowed)
            .map_or_else(String::new, |meant| format!(", did you mean \"{meant}\"?"));
        self.add(file, offset, format!("unknown {what} \"{word}\"{hint}"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}
