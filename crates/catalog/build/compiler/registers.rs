//! `registers.toml`: every register once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Spanned;

use super::problem::{File, Problems};
use super::schema::{GroupRow, KindRow, LabelRow, RegisterRow, RegistersFile, Text};
use super::{option, slice, words};

/// The registers that stand in the file, as Rust source.
#[derive(Default)]
pub(super) struct Registers {
    by_id: BTreeMap<u16, Entry>,
    by_key: BTreeMap<String, u16>,
}

struct Entry {
    line: usize,
    source: String,
}

impl Registers {
    /// The number of the register with this key, or a note that there is none.
    pub(super) fn id(&self, key: &Text, file: &File<'_>, problems: &mut Problems) -> Option<u16> {
        let id = self.by_key.get(key.get_ref()).copied();
        if id.is_none() {
            let keys = self.by_key.keys().map(String::as_str);
            problems.unknown(file, key.span().start, "register key", key.get_ref(), keys);
        }
        id
    }

    /// The numbers of all registers.
    pub(super) fn ids(&self) -> impl Iterator<Item = u16> {
        self.by_id.keys().copied()
    }

    /// Writes the tables.
    pub(super) fn write(&self, out: &mut String) {
        let count = self.by_id.len();
        let _ = writeln!(out, "pub(crate) static REGISTERS: [Register; {count}] = [");
        for entry in self.by_id.values() {
            let _ = writeln!(out, "{},", entry.source);
        }
        let _ = writeln!(
            out,
            "];\n/// Positions in `REGISTERS`, in the order of the keys."
        );
        let _ = write!(
            out,
            "pub(crate) static REGISTERS_BY_KEY: [u16; {count}] = ["
        );
        let positions: BTreeMap<u16, usize> = self.by_id.keys().copied().zip(0..).collect();
        for id in self.by_key.values() {
            let _ = write!(out, "{}, ", positions[id]);
        }
        let _ = writeln!(out, "];");
    }

    fn add(&mut self, row: &RegisterRow, context: &Context<'_>, problems: &mut Problems) {
        let Context { file, rows } = context;
        let (id, key) = (*row.id.get_ref(), row.key.get_ref().as_str());
        if let Some(first) = self.by_id.get(&id) {
            let reason = format!(
                "register id {id} stands twice, the first time in line {}",
                first.line
            );
            problems.add(file, row.id.span().start, reason);
            return;
        }
        if let Some(first) = self.by_key.get(key) {
            let line = self.by_id[first].line;
            let reason = format!(
                "register key \"{key}\" stands twice, the first time in line {line} for {first}"
            );
            problems.add(file, row.key.span().start, reason);
            return;
        }
        if !is_key(key) {
            let reason = format!("register key \"{key}\" is not made of a-z, 0-9 and _");
            problems.add(file, row.key.span().start, reason);
        }
        let source = row.write(rows, file, problems);
        self.by_key.insert(key.to_owned(), id);
        self.by_id.insert(
            id,
            Entry {
                line: file.line(row.id.span().start),
                source,
            },
        );
    }
}

struct Context<'a> {
    file: File<'a>,
    rows: RegistersFile,
}

/// Checks the whole file.
pub(super) fn check(
    file: &File<'_>,
    mut rows: RegistersFile,
    problems: &mut Problems,
) -> Registers {
    for (name, kind) in &rows.kind {
        words::variant(words::KINDS, "kind", name, file, problems);
        kind.check(file, problems);
    }
    let singles = std::mem::take(&mut rows.register);
    let groups = std::mem::take(&mut rows.group);
    let context = Context { file: *file, rows };
    let mut registers = Registers::default();
    for row in &singles {
        registers.add(row, &context, problems);
    }
    for group in groups {
        for row in group.members(file, problems) {
            registers.add(&row, &context, problems);
        }
    }
    registers
}

impl KindRow {
    fn check(&self, file: &File<'_>, problems: &mut Problems) {
        for unit in &self.units {
            words::unit(unit, file, problems);
        }
        words::home_assistant(
            self.device_class.as_ref(),
            self.state_class.as_ref(),
            self.entity_category.as_ref(),
            &self.units,
            file,
            problems,
        );
        check_icon(&self.icon, file, problems);
    }
}

impl RegisterRow {
    /// The register as Rust source; what it does not say comes from its kind.
    fn write(&self, rows: &RegistersFile, file: &File<'_>, problems: &mut Problems) -> String {
        let of = format!("register \"{}\"", self.key.get_ref());
        let kind_variant = words::variant(words::KINDS, "kind", &self.kind, file, problems);
        let kind = rows.kind.get(&self.kind);
        if kind.is_none() && !kind_variant.is_empty() {
            let reason = format!("there is no [kind.{}]", self.kind.get_ref());
            problems.add(file, self.kind.span().start, reason);
        }
        let units = self.units.as_ref().or(kind.map(|kind| &kind.units));
        let units = units.map_or(&[][..], Vec::as_slice);
        let device_class = said(
            self.device_class.as_ref(),
            kind.and_then(|k| k.device_class.as_ref()),
        );
        let state_class = said(
            self.state_class.as_ref(),
            kind.and_then(|k| k.state_class.as_ref()),
        );
        let category = said(
            self.entity_category.as_ref(),
            kind.and_then(|k| k.entity_category.as_ref()),
        );
        if self.units.is_some() || self.device_class.is_some() || self.state_class.is_some() {
            words::home_assistant(device_class, state_class, category, units, file, problems);
        } else if self.entity_category.is_some() {
            words::home_assistant(None, None, category, &[], file, problems);
        }
        if let Some(icon) = &self.icon {
            check_icon(icon, file, problems);
        }
        for name in &self.source {
            if !rows.source.contains_key(name.get_ref()) {
                let names = rows.source.keys().map(String::as_str);
                problems.unknown(file, name.span().start, "source", name.get_ref(), names);
            }
        }
        let units = slice(units, |unit| {
            format!("Unit({})", words::unit(unit, file, problems))
        });
        let tier = words::variant(words::TIERS, "tier", &self.tier, file, problems);
        let confidence = words::variant(
            words::CONFIDENCES,
            "confidence",
            &self.confidence,
            file,
            problems,
        );
        let labels = words::labels(&self.label, &of, file, problems);
        let icon = self
            .icon
            .as_ref()
            .or(kind.map(|kind| &kind.icon))
            .map_or("", |i| i.get_ref());
        let seed = option(self.seed.as_ref().map(|seed| {
            format!(
                "Seed {{ name: {:?}, enabled: {} }}",
                seed.name, seed.enabled
            )
        }));
        let sources = slice(&self.source, |name| {
            format!(
                "{:?}",
                rows.source.get(name.get_ref()).map_or("", String::as_str)
            )
        });
        format!(
            "Register {{ id: RegisterId({id}), key: {key:?}, kind: {kind_variant}, units: {units}, \
             tier: {tier}, default: {default}, wraps: {wraps}, home_assistant: HomeAssistant {{ \
             device_class: {device_class}, state_class: {state_class}, \
             entity_category: {category} }}, icon: {icon:?}, seed: {seed}, sources: {sources}, \
             confidence: {confidence}, labels: {labels} }}",
            id = self.id.get_ref(),
            key = self.key.get_ref(),
            default = self.default,
            wraps = self.wraps,
            device_class = quoted(device_class),
            state_class = quoted(state_class),
            category = quoted(category),
        )
    }
}

impl GroupRow {
    /// The registers of a group, with `{n}` replaced.
    fn members(self, file: &File<'_>, problems: &mut Problems) -> Vec<RegisterRow> {
        let texts = self
            .label
            .get_ref()
            .languages()
            .into_iter()
            .filter_map(|(_, text)| text);
        for text in texts.chain([self.key.get_ref().as_str()]) {
            if !text.contains("{n}") {
                let reason = format!("\"{text}\" stands for several registers and has no {{n}}");
                problems.add(file, self.key.span().start, reason);
                return Vec::new();
            }
        }
        let numbered = |id: &Spanned<u16>, n: usize| RegisterRow {
            id: id.clone(),
            key: Spanned::new(self.key.span(), number(self.key.get_ref(), n)),
            kind: self.kind.clone(),
            tier: self.tier.clone(),
            default: false,
            wraps: false,
            units: self.units.clone(),
            device_class: None,
            state_class: None,
            entity_category: None,
            icon: self.icon.clone(),
            seed: None,
            source: self.source.clone(),
            confidence: self.confidence.clone(),
            label: Spanned::new(self.label.span(), self.label.get_ref().numbered(n)),
        };
        self.ids
            .iter()
            .zip(1..)
            .map(|(id, n)| numbered(id, n))
            .collect()
    }
}

impl LabelRow {
    fn numbered(&self, n: usize) -> Self {
        let numbered = |text: &Option<String>| text.as_ref().map(|text| number(text, n));
        Self {
            en: numbered(&self.en),
            nl: numbered(&self.nl),
            da: numbered(&self.da),
            de: numbered(&self.de),
            sv: numbered(&self.sv),
            fi: numbered(&self.fi),
            nb: numbered(&self.nb),
            pl: numbered(&self.pl),
        }
    }
}

/// A word used where a kind says something that a register must take back.
const NONE: &str = "none";

fn said<'a>(own: Option<&'a Text>, of_kind: Option<&'a Text>) -> Option<&'a Text> {
    own.or(of_kind).filter(|word| word.get_ref() != NONE)
}

fn quoted(word: Option<&Text>) -> String {
    option(word.map(|word| format!("{:?}", word.get_ref())))
}

fn number(text: &str, n: usize) -> String {
    text.replace("{n}", &n.to_string())
}

/// Whether a key is fit for JSON, MQTT topics and entity ids.
pub(super) fn is_key(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_icon(icon: &Text, file: &File<'_>, problems: &mut Problems) {
    if !icon.get_ref().starts_with("mdi:") {
        let reason = format!("icon \"{}\" does not begin with \"mdi:\"", icon.get_ref());
        problems.add(file, icon.span().start, reason);
    }
}
