//! A table of the configuration while it is read: gives out values of the right kind, notes what is
//! wrong, and knows the keys that the configuration does not have.

use core::ops::Range;
use core::str::FromStr;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heatmeter_catalog::nearest;
use toml_edit::{Item, TableLike, Value};

use super::keys::{self, Section};
use super::reader::Reader;
use crate::duration;

/// A table.
pub(super) struct Table<'a> {
    pub(super) reader: &'a Reader<'a>,
    written: Option<&'a dyn TableLike>,
    section: &'static Section,
    /// Where the table is, for what is missing in it.
    pub(super) span: Range<usize>,
    /// Secrets that the environment names and that cannot be read, which is noted.
    unread: RefCell<Vec<String>>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<T> Found<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        Found {
            value: change(self.value),
            span: self.span,
        }
    }
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
        for (name, item) in table.iter() {
            if section.key(name).is_some() || tables.contains(&name) {
                continue;
            }
            let place = match section.header {
                "" => "at the top",
                header => &format!("in {header}"),
            };
            let span = table
                .get_key_value(name)
                .and_then(|(key, _)| key.span())
                .or_else(|| item.span())
                .unwrap_or(span.clone());
            reader.wrong(
                span,
                format!("there is no key `{name}` {place}"),
                meant(name, section, tables),
            );
        }
        Self {
            reader,
            written: Some(table),
            section,
            span,
            unread: RefCell::default(),
        }
    }

    /// A table that is not there: everything in it is as it is by default.
    pub(super) fn missing(reader: &'a Reader<'a>, section: &'static Section) -> Self {
        Self {
            reader,
            written: None,
            section,
            span: 0..0,
            unread: RefCell::default(),
        }
    }

    /// A text; an empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<Found<String>> {
        let text = self.value(name, |value| value.as_str().map(str::to_owned))?;
        if text.value.trim().is_empty() {
            self.reader.wrong(
                text.span,
                format!("found an empty text for `{name}`"),
                "write something between the quotes, or leave the line out",
            );
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&self, name: &str) -> Option<Found<bool>> {
        self.value(name, Value::as_bool)
    }

    pub(super) fn number(&self, name: &str) -> Option<Found<i64>> {
        self.value(name, Value::as_integer)
    }

    /// A list of texts; numbers in it are taken as they are written.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<Found<String>>> {
        let list = self.value(name, |value| value.as_array().cloned())?;
        let items = list.value.iter().filter_map(|value| {
            let span = value.span().unwrap_or(list.span.clone());
            let text = value
                .as_str()
                .map(str::to_owned)
                .or_else(|| value.as_integer().map(|number| number.to_string()));
            if text.is_none() {
                self.no_text(value, span.clone());
            }
            text.map(|value| Found { value, span })
        });
        Some(items.collect())
    }

    /// Texts by name, in a table of their own.
    pub(super) fn pairs(&self, name: &str) -> Option<Found<Vec<(String, String)>>> {
        let item = self.written?.get(name)?;
        let span = item.span().unwrap_or(self.span.clone());
        let Some(table) = item.as_table_like() else {
            return self.value(name, |_| None);
        };
        let pairs = table.iter().filter_map(|(name, item)| {
            let Some(text) = item.as_str() else {
                let place = item.span().unwrap_or(span.clone());
                match item.as_value() {
                    Some(value) => self.no_text(value, place),
                    None => {
                        self.reader
                            .wrong(place, "found a table, expected a text", "write a text");
                    }
                }
                return None;
            };
            Some((name.to_owned(), text.to_owned()))
        });
        Some(Found {
            value: pairs.collect(),
            span,
        })
    }

    /// A text that means something; `help` says what may be written.
    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &str,
        help: impl FnOnce(&T::Err) -> String,
    ) -> Option<Found<T>>
    where
        T::Err: core::fmt::Display,
    {
        let text = self.text(name)?;
        match text.value.parse() {
            Ok(value) => Some(Found {
                value,
                span: text.span,
            }),
            Err(error) => {
                let help = help(&error);
                self.reader.wrong(text.span, error.to_string(), help);
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
                    "write a time such as 30s, 15min, 12h, 90 days or 2 years",
                );
                None
            }
        }
    }

    /// A path; one that is not absolute begins where the configuration is.
    pub(super) fn path(&self, name: &str) -> Option<Found<PathBuf>> {
        let text = self.text(name)?;
        Some(text.map(|path| self.reader.folder.join(path)))
    }

    /// A path to a file that has to be there.
    pub(super) fn file(&self, name: &str) -> Option<Found<PathBuf>> {
        let path = self.path(name)?;
        let opened = File::open(&path.value).and_then(|file| file.metadata());
        let error = match opened {
            Ok(metadata) if !metadata.is_dir() => return Some(path),
            Ok(_) => io::ErrorKind::IsADirectory.into(),
            Err(error) => error,
        };
        self.reader.wrong(
            path.span,
            format!("cannot read {}: {error}", path.value.display()),
            help_for(&error),
        );
        None
    }

    /// A secret: the key itself, the content of the file that `NAME_file` names, or of the one that the
    /// environment names as `HEATMETER_OWNER_NAME_FILE`.
    pub(super) fn secret(&self, name: &str, owner: &str) -> Option<Found<String>> {
        let file_key = format!("{name}_file");
        let (text, file) = (self.text(name), self.path(&file_key));
        if let (Some(_), Some(file)) = (&text, &file) {
            self.reader.wrong(
                file.span.clone(),
                format!("found `{name}` and `{file_key}`, expected one of them"),
                format!("keep `{file_key}`: a secret is safer in a file of its own"),
            );
        }
        if text.is_some() {
            return text;
        }
        if let Some(file) = file {
            return self.read_secret(&file.value, "", file.span);
        }
        if self.is_written(name) || self.is_written(&file_key) {
            return None;
        }
        let variable = variable(owner, &file_key);
        let path = (self.reader.environment)(&variable).filter(|path| !path.is_empty())?;
        let named = format!(", which {variable} names");
        let secret = self.read_secret(Path::new(&path), &named, self.span.clone());
        if secret.is_none() {
            self.unread.borrow_mut().push(name.to_owned());
        }
        secret
    }

    /// A file's last line ending does not belong to the secret.
    fn read_secret(&self, path: &Path, named: &str, span: Range<usize>) -> Option<Found<String>> {
        let (found, help) = match std::fs::read_to_string(path) {
            Ok(text) => {
                let value = text.trim_end_matches(['\r', '\n']).to_owned();
                if !value.is_empty() {
                    return Some(Found { value, span });
                }
                ("it is empty".to_owned(), "write the secret into it")
            }
            Err(error) => (error.to_string(), help_for(&error)),
        };
        self.reader.wrong(
            span,
            format!(
                "cannot read the secret in {}{named}: {found}",
                path.display()
            ),
            help,
        );
        None
    }

    /// A key that has to be there. What was written and is wrong is noted already.
    pub(super) fn needs<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        let is_written = self.is_written(name) || self.is_written(&format!("{name}_file"));
        let is_unread = self.unread.borrow().iter().any(|unread| unread == name);
        // Where lines could not be read it may well stand in one of them.
        if found.is_none() && !is_written && !is_unread && !self.reader.is_broken {
            let example = self.section.key(name).map_or("...", |key| key.example);
            self.reader.wrong(
                self.span.clone(),
                format!("`{name}` is missing in {}", self.section.header),
                format!("add: {name} = {example}"),
            );
        }
        found
    }

    /// Notes keys that mean nothing beside another one.
    pub(super) fn useless(&self, names: &[&str], beside: &str, help: &str) {
        for name in names {
            let Some((key, _)) = self.written.and_then(|table| table.get_key_value(name)) else {
                continue;
            };
            self.reader.wrong(
                key.span().unwrap_or(self.span.clone()),
                format!("`{name}` means nothing beside `{beside}`"),
                help,
            );
        }
    }

    /// Whether both keys are written, whatever they say.
    pub(super) fn has_both(&self, one: &str, other: &str) -> bool {
        self.is_written(one) && self.is_written(other)
    }

    fn is_written(&self, name: &str) -> bool {
        self.written.is_some_and(|table| table.contains_key(name))
    }

    fn no_text(&self, value: &Value, span: Range<usize>) {
        self.reader.wrong(
            span,
            format!("found {}, expected a text", kind(value)),
            "put it in quotes",
        );
    }

    fn value<T>(&self, name: &str, take: impl FnOnce(&Value) -> Option<T>) -> Option<Found<T>> {
        let Some(key) = self.section.key(name) else {
            // What is read stands in the table of keys: a test reads every key of every section.
            unreachable!("`{name}` is not among the keys of {}", self.section.header)
        };
        let item = self.written?.get(name)?;
        let span = item.span().unwrap_or(self.span.clone());
        let value = item.as_value();
        if let Some(found) = value.and_then(take) {
            return Some(Found { value: found, span });
        }
        self.reader.wrong(
            span,
            format!(
                "found {} for `{name}`, expected {}",
                value.map_or("a table", kind),
                key.kind
            ),
            format!("for example: {name} = {}", key.example),
        );
        None
    }
}

/// The tables of an item that stands for several.
pub(super) fn tables<'a>(
    reader: &Reader<'_>,
    item: Option<&'a Item>,
) -> Vec<(&'a dyn TableLike, Range<usize>)> {
    match item {
        Some(Item::ArrayOfTables(many)) => many
            .iter()
            .map(|table| (table as &dyn TableLike, table.span().unwrap_or(0..0)))
            .collect(),
        Some(Item::Value(Value::Array(many))) => many
            .iter()
            .filter_map(|value| {
                let span = value.span().unwrap_or(0..0);
                let Some(table) = value.as_inline_table() else {
                    reader.wrong(
                        span,
                        format!("found {}, expected a table", kind(value)),
                        "write { key = ..., key = ... }",
                    );
                    return None;
                };
                Some((table as &dyn TableLike, span))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What an unknown key was meant to be, or where it belongs.
fn meant(name: &str, section: &Section, tables: &[&str]) -> String {
    let known = || {
        let keys = section.keys.iter().map(|key| key.name);
        keys.chain(tables.iter().copied())
    };
    if let Some(near) = nearest(name, known()) {
        return format!("did you mean `{near}`?");
    }
    let elsewhere = keys::SECTIONS
        .into_iter()
        .find(|section| section.key(name).is_some());
    match elsewhere {
        Some(Section { header: "", .. }) => {
            "it belongs to the top, before the first line in [brackets]".to_owned()
        }
        Some(Section { header, .. }) => format!("it belongs below {header}"),
        None => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
    }
}

/// The variable of the environment that names a secret's file.
fn variable(owner: &str, key: &str) -> String {
    format!("HEATMETER_{owner}_{key}")
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
            _ => '_',
        })
        .collect()
}

fn help_for(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "name a file that exists",
        io::ErrorKind::PermissionDenied => {
            "let the user that heatmeter runs as read it, such as with: chown heatmeter FILE"
        }
        _ => "name a file that heatmeter can read",
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
