//! A configuration while it is read: its text, and what was found wrong so far.

use core::ops::Range;
use std::cell::RefCell;
use std::path::Path;

use toml::de::DeTable;
use toml_edit::Document;

use super::problem::{Problem, Source};

/// What is read, and what was found wrong so far.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// Where paths begin that are not absolute.
    pub(super) folder: &'a Path,
    /// Whether there are lines that could not be read at all.
    pub(super) is_broken: bool,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source<'a>, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            source,
            environment,
            folder: Path::new(source.name).parent().unwrap_or(Path::new("")),
            is_broken: false,
            problems: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// The document, without the lines that are no TOML, which are noted; none if what is left of it
    /// would be misunderstood.
    pub(super) fn document(&mut self) -> Option<Document<String>> {
        let text = self.source.text;
        let (_, errors) = DeTable::parse_recoverable(text);
        let mut rest = text.as_bytes().to_vec();
        let mut last_line = None;
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let at = span.start.min(text.len());
            let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
            let end = text[at..]
                .find('\n')
                .map_or(text.len(), |length| at + length);
            // What follows from the first mistake of a line is none of its own.
            if last_line.replace(start) == Some(start) {
                continue;
            }
            self.wrong(span, error.message().trim_end(), help_for(error.message()));
            self.is_broken = true;
            if text[start..end].trim_start().starts_with('[') {
                return None;
            }
            rest[start..end].fill(b' ');
        }
        // Whole lines were overwritten, so it is text still.
        Document::parse(String::from_utf8(rest).ok()?).ok()
    }

    pub(super) fn wrong(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem::error(&self.source, span, message.into(), help.into());
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn warn(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem::warning(&self.source, span, message.into(), help.into());
        self.warnings.borrow_mut().push(problem);
    }

    /// What was wrong and what was odd, in the order of the file.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        let sorted = |problems: RefCell<Vec<Problem>>| {
            let mut problems = problems.into_inner();
            problems.sort_by_key(|problem| (problem.line, problem.column));
            problems
        };
        (sorted(self.problems), sorted(self.warnings))
    }
}

/// What to do about text that is no TOML.
fn help_for(message: &str) -> &'static str {
    if message.contains("quote") || message.contains("string") {
        "a text stands between \"quotes\", which begin and end on the same line"
    } else if message.contains("duplicate") {
        "keep one of the two"
    } else {
        "a line is: key = value, with texts in \"quotes\""
    }
}
