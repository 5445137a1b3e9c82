//! What is wrong with a configuration, and where.

use core::fmt;
use core::ops::Range;
use std::io;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Something in a configuration that is wrong, or that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in letters.
    pub column: usize,
    /// How many letters it is about.
    pub length: usize,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Both with the place underlined.
    pub rendered: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something in it is wrong; all of it is listed.
    #[error("{}", Rendered(problems))]
    Wrong {
        /// In the order of the file.
        problems: Vec<Problem>,
    },
}

struct Rendered<'a>(&'a [Problem]);

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            f.write_str(&problem.rendered)?;
        }
        Ok(())
    }
}

impl Problem {
    pub(super) fn error(
        source: &Source<'_>,
        span: Range<usize>,
        message: String,
        help: String,
    ) -> Self {
        Self::new(source, Level::ERROR, span, message, help)
    }

    pub(super) fn warning(
        source: &Source<'_>,
        span: Range<usize>,
        message: String,
        help: String,
    ) -> Self {
        Self::new(source, Level::WARNING, span, message, help)
    }

    fn new(
        source: &Source<'_>,
        level: Level<'_>,
        span: Range<usize>,
        message: String,
        help: String,
    ) -> Self {
        let start = span.start.min(source.text.len());
        let end = span.end.clamp(start, source.text.len());
        let before = &source.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let snippet = Snippet::source(source.text).path(source.name).annotation(
            AnnotationKind::Primary
                .span(start..end)
                .label(help.as_str()),
        );
        let report = [level.primary_title(message.as_str()).element(snippet)];
        let rendered = Renderer::plain().render(&report);
        Self {
            line: before.matches('\n').count() + 1,
            column: source.text[line_start..start].chars().count() + 1,
            length: source.text[start..end].chars().count(),
            rendered,
            message,
            help,
        }
    }
}

/// A text and the name of its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a str,
}
