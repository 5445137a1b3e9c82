//! `infocodes.toml`: flags, and the tables that say which bit or digit raises which flag.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::problem::{File, Problems};
use super::registers::{Registers, is_key};
use super::schema::{EntryRow, InfoFile, TableRow, Text, WordRow};
use super::{option, slice, words};

/// Flags and tables, as Rust source.
#[derive(Default)]
pub(super) struct InfoCodes {
    flags: BTreeMap<String, String>,
    tables: BTreeMap<String, String>,
}

impl InfoCodes {
    /// The table with this slug as Rust source, or a note that there is none.
    pub(super) fn table(&self, slug: &Text, file: &File<'_>, problems: &mut Problems) -> String {
        let position = self.tables.keys().position(|known| known == slug.get_ref());
        if position.is_none() {
            let slugs = self.tables.keys().map(String::as_str);
            problems.unknown(file, slug.span().start, "info table", slug.get_ref(), slugs);
        }
        format!("&INFO_TABLES[{}]", position.unwrap_or_default())
    }

    /// Writes the tables.
    pub(super) fn write(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "static INFO_FLAGS: [InfoFlag; {}] = [",
            self.flags.len()
        );
        for flag in self.flags.values() {
            let _ = writeln!(out, "{flag},");
        }
        let count = self.tables.len();
        let _ = writeln!(
            out,
            "];\npub(crate) static INFO_TABLES: [InfoTable; {count}] = ["
        );
        for table in self.tables.values() {
            let _ = writeln!(out, "{table},");
        }
        let _ = writeln!(out, "];");
    }

    fn flag(&self, key: &Text, file: &File<'_>, problems: &mut Problems) -> usize {
        let position = self.flags.keys().position(|known| known == key.get_ref());
        if position.is_none() {
            let keys = self.flags.keys().map(String::as_str);
            problems.unknown(file, key.span().start, "info flag", key.get_ref(), keys);
        }
        position.unwrap_or_default()
    }
}

/// Checks the whole file.
pub(super) fn check(
    file: &File<'_>,
    rows: InfoFile,
    registers: &Registers,
    problems: &mut Problems,
) -> InfoCodes {
    let mut info = InfoCodes::default();
    for row in rows.flag {
        let key = row.key.get_ref();
        let of = format!("info flag \"{key}\"");
        if !is_key(key) {
            let reason = format!("{of} is not made of a-z, 0-9 and _");
            problems.add(file, row.key.span().start, reason);
        }
        let severity = words::variant(words::SEVERITIES, "severity", &row.severity, file, problems);
        let labels = words::labels(&row.label, &of, file, problems);
        let source = format!("InfoFlag {{ key: {key:?}, severity: {severity}, labels: {labels} }}");
        if info.flags.insert(key.clone(), source).is_some() {
            problems.add(file, row.key.span().start, format!("{of} stands twice"));
        }
    }
    for row in rows.table {
        let slug = row.slug.get_ref().clone();
        let source = row.write(&info, registers, file, problems);
        if info.tables.insert(slug.clone(), source).is_some() {
            problems.add(
                file,
                row.slug.span().start,
                format!("info table \"{slug}\" stands twice"),
            );
        }
    }
    info
}

impl TableRow {
    fn write(
        &self,
        info: &InfoCodes,
        registers: &Registers,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> String {
        let words = slice(&self.word, |word| {
            word.write(info, registers, file, problems)
        });
        format!(
            "InfoTable {{ slug: {:?}, words: {words} }}",
            self.slug.get_ref()
        )
    }
}

impl WordRow {
    fn write(
        &self,
        info: &InfoCodes,
        registers: &Registers,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> String {
        let register = registers
            .id(&self.register, file, problems)
            .unwrap_or_default();
        let coding = words::variant(words::CODINGS, "coding", &self.coding, file, problems);
        let confidence = words::variant(
            words::CONFIDENCES,
            "confidence",
            &self.confidence,
            file,
            problems,
        );
        let digits = self.coding.get_ref() == "digits";
        let mut places = Vec::new();
        let entries = slice(&self.entries, |entry| {
            let place = entry.place(digits, file, problems);
            if places.contains(&place) {
                let reason = format!("two flags have the same place, {place}");
                problems.add(file, entry.flag.span().start, reason);
            }
            let source = format!(
                "InfoEntry {{ {place}, flag: &INFO_FLAGS[{}], response: {} }}",
                info.flag(&entry.flag, file, problems),
                option(entry.response.as_ref().map(|text| format!("{text:?}"))),
            );
            places.push(place);
            source
        });
        format!(
            "InfoWord {{ register: RegisterId({register}), coding: {coding}, entries: {entries}, \
             source: {:?}, confidence: {confidence} }}",
            self.source
        )
    }
}

impl EntryRow {
    /// The fields that say where the flag is.
    fn place(&self, digits: bool, file: &File<'_>, problems: &mut Problems) -> String {
        match (&self.bit, &self.digits) {
            (Some(bit), None) if !digits => {
                if *bit.get_ref() > 31 {
                    let reason = format!("bit {} is beyond the 32 of a word", bit.get_ref());
                    problems.add(file, bit.span().start, reason);
                }
                format!("bit: Some({}), digits: &[]", bit.get_ref())
            }
            (None, Some(pattern)) if digits => {
                let set: Vec<_> = (0_u8..)
                    .zip(pattern.get_ref().bytes())
                    .filter(|(_, digit)| digit.is_ascii_digit())
                    .map(|(place, digit)| (place, digit - b'0'))
                    .collect();
                let fits = pattern.get_ref().len() == 8
                    && pattern
                        .get_ref()
                        .bytes()
                        .all(|b| b == b'.' || b.is_ascii_digit());
                if set.is_empty() || !fits {
                    let reason = format!(
                        "\"{}\" is not a pattern of eight digits and dots",
                        pattern.get_ref()
                    );
                    problems.add(file, pattern.span().start, reason);
                }
                format!("bit: None, digits: &{set:?}")
            }
            _ => {
                let wanted = if digits { "digits" } else { "bit" };
                let reason = format!("an entry of this coding has a flag and `{wanted}`");
                problems.add(file, self.flag.span().start, reason);
                "bit: None, digits: &[]".to_owned()
            }
        }
    }
}
