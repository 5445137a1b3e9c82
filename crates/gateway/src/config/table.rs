//! A table of the configuration while it is read: gives out values of the right kind, notes what is
//! wrong, and knows the keys that nobody asked for.

use core::ops::Range;
use core::str::FromStr;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use heatmeter_catalog::nearest;
use toml_edit::{Item, TableLike, Value};

use super::keys::Section;
use super::problem::{Problem, Source};
use crate::duration;

/// What is read, and what was found wrong so far.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source<'a>, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            source,
            environment,
            problems: RefCell::default(),
            warnings: RefCell::default(),
        }
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

/// A table.
pub(super) struct Table<'a> {
    pub(super) reader: &'a Reader<'a>,
    table: Option<&'a dyn TableLike>,
    section: &'static Section,
    /// Where the table is, for what is missing in it.
    pub(super) span: Range<usize>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'a> Table<'a> {
    /// Notes every key that the section does not have; `tables` are those that are read elsewhere.
    pub(super) fn new(
        reader: &'a Reader<'a>,
        table: &'a dyn TableLike,
        section: &'static Section,
        span: Range<usize>,
        tables: &[&str],
    ) -> Self {
        let known = || {
            section
                .keys
                .iter()
                .map(|key| key.name)
                .chain(tables.iter().copied())
        };
        for (name, item) in table.iter() {
            if known().any(|key| key == name) {
                continue;
            }
            let place = if section.header.is_empty() {
                "here".to_owned()
            } else {
                format!("in {}", section.header)
            };
            let help = match nearest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
            };
            let span = table
                .get_key_value(name)
                .and_then(|(key, _)| key.span())
                .or_else(|| item.span())
                .unwrap_or(span.clone());
            reader.wrong(span, format!("there is no key `{name}` {place}"), help);
        }
        Self {
            reader,
            table: Some(table),
            section,
            span,
        }
    }

    /// A table that is not there: everything in it is as it is by default.
    pub(super) fn missing(reader: &'a Reader<'a>, section: &'static Section) -> Self {
        Self {
            reader,
            table: None,
            section,
            span: 0..0,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<Found<String>> {
        self.value(name, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&self, name: &str) -> Option<Found<bool>> {
        self.value(name, Value::as_bool)
    }

    pub(super) fn number(&self, name: &str) -> Option<Found<i64>> {
        self.value(name, Value::as_integer)
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<Found<String>>> {
        let list = self.value(name, |value| value.as_array().cloned())?;
        let items = list.value.iter().filter_map(|value| {
            let span = value.span().unwrap_or(list.span.clone());
            if let Some(text) = value.as_str() {
                return Some(Found {
                    value: text.to_owned(),
                    span,
                });
            }
            if let Some(number) = value.as_integer() {
                return Some(Found {
                    value: number.to_string(),
                    span,
                });
            }
            self.reader.wrong(
                span,
                format!("found {}, expected a text", kind(value)),
                "put it in quotes",
            );
            None
        });
        Some(items.collect())
    }

    /// Texts by name, in a table within the line.
    pub(super) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let found = self.value(name, |value| value.as_inline_table().cloned());
        let Some(found) = found else {
            return Vec::new();
        };
        let pairs = found.value.iter().filter_map(|(name, value)| {
            let text = value.as_str();
            if text.is_none() {
                let span = value.span().unwrap_or(found.span.clone());
                self.reader.wrong(
                    span,
                    format!("found {}, expected a text", kind(value)),
                    "put it in quotes",
                );
            }
            Some((name.to_owned(), text?.to_owned()))
        });
        pairs.collect()
    }

    /// A text that means something; `help` says what may be written.
    pub(super) fn parsed<T: FromStr<Err: core::fmt::Display>>(
        &self,
        name: &str,
        help: &str,
    ) -> Option<Found<T>> {
        let text = self.text(name)?;
        match text.value.parse() {
            Ok(value) => Some(Found {
                value,
                span: text.span,
            }),
            Err(error) => {
                self.reader.wrong(text.span, format!("{error}"), help);
                None
            }
        }
    }

    pub(super) fn time(&self, name: &str) -> Option<Duration> {
        let text = self.text(name)?;
        match duration::parse(&text.value) {
            Ok(time) => Some(time),
            Err(error) => {
                self.reader.wrong(
                    text.span,
                    error.to_string(),
                    "write a time such as 30s, 15min, 12h or 730d",
                );
                None
            }
        }
    }

    /// A path to a file that has to be there.
    pub(super) fn file(&self, name: &str) -> Option<Found<PathBuf>> {
        let text = self.text(name)?;
        let path = PathBuf::from(&text.value);
        if let Err(error) = std::fs::File::open(&path) {
            self.reader.wrong(
                text.span,
                format!("cannot read {}: {error}", path.display()),
                "name a file that heatmeter may read",
            );
            return None;
        }
        Some(Found {
            value: path,
            span: text.span,
        })
    }

    /// A secret: from the key itself, from the file that `NAME_file` names, or from the file that the
    /// environment names. A file's last line ending does not belong to it.
    pub(super) fn secret(&self, name: &str, variable: Option<&str>) -> Option<Found<String>> {
        let file_key = format!("{name}_file");
        if self.has_key(name)
            && let Some(text) = self.text(name)
        {
            return Some(text);
        }
        if let Some(file) = self
            .has_key(&file_key)
            .then(|| self.file(&file_key))
            .flatten()
        {
            return self.read_secret(&file.value, file.span);
        }
        let path = (self.reader.environment)(variable?)?;
        let path = PathBuf::from(path);
        self.read_secret(&path, self.span.clone())
    }

    fn read_secret(&self, path: &std::path::Path, span: Range<usize>) -> Option<Found<String>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Some(Found {
                value: text.trim_end_matches(['\r', '\n']).to_owned(),
                span,
            }),
            Err(error) => {
                self.reader.wrong(
                    span,
                    format!("cannot read the secret in {}: {error}", path.display()),
                    "name a file that heatmeter may read",
                );
                None
            }
        }
    }

    /// A key that has to be there.
    pub(super) fn needs<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.is_written(name) {
            let header = self.section.header;
            let example = self
                .section
                .keys
                .iter()
                .find(|key| key.name == name)
                .map_or("...", |key| key.example);
            self.reader.wrong(
                self.span.clone(),
                format!("`{name}` is missing in {header}"),
                format!("add: {name} = {example}"),
            );
        }
        found
    }

    fn is_written(&self, name: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(name))
    }

    fn has_key(&self, name: &str) -> bool {
        self.section.keys.iter().any(|key| key.name == name)
    }

    fn value<T>(&self, name: &str, take: impl FnOnce(&Value) -> Option<T>) -> Option<Found<T>> {
        let Some(key) = self.section.keys.iter().find(|key| key.name == name) else {
            // A key that is read stands in the table of keys; the test of the example sees to that.
            unreachable!("`{name}` is not among the keys of {}", self.section.header)
        };
        let item = self.table?.get(name)?;
        let span = item.span().unwrap_or(self.span.clone());
        let value = item.as_value();
        if let Some(found) = value.and_then(take) {
            return Some(Found { value: found, span });
        }
        let found = value.map_or("a table", kind);
        self.reader.wrong(
            span,
            format!(
                "found {found} for `{name}`, expected {}",
                with_article(key.kind)
            ),
            format!("for example: {name} = {}", key.example),
        );
        None
    }
}

/// The tables of an item that may be one table or many.
pub(super) fn tables(item: Option<&Item>) -> Vec<(&dyn TableLike, Range<usize>)> {
    match item {
        Some(Item::ArrayOfTables(many)) => many
            .iter()
            .map(|table| (table as &dyn TableLike, table.span().unwrap_or(0..0)))
            .collect(),
        Some(Item::Value(Value::Array(many))) => many
            .iter()
            .filter_map(|value| {
                let table = value.as_inline_table()?;
                Some((table as &dyn TableLike, value.span().unwrap_or(0..0)))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a number with decimals",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::InlineTable(_) => "a table",
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "true or false" => kind.to_owned(),
        "time" => "a time in quotes".to_owned(),
        kind => format!("a {kind}"),
    }
}
