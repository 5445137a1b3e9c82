//! The file of a family: what tells it, what it has, what it can possibly say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::infocodes::InfoCodes;
use super::problem::{File, Problems};
use super::registers::Registers;
use super::schema::{ModelFile, Text};
use super::{option, slice, words};

/// Most registers one request can ask for (vendor document 5512-447, section 6.2.4).
const REQUEST: usize = 8;

/// The family of meters nobody knows; it has to exist.
const UNKNOWN: &str = "unknown";

/// All families, as Rust source.
#[derive(Default)]
pub(super) struct Models {
    by_slug: BTreeMap<String, String>,
    /// Slugs, names and aliases, in small letters, with the file that has them.
    names: BTreeMap<String, String>,
    simulated: BTreeMap<u16, String>,
    types: BTreeMap<u16, String>,
}

impl Models {
    /// Checks one file.
    pub(super) fn check(
        &mut self,
        file: &File<'_>,
        model: &ModelFile,
        registers: &Registers,
        info: &InfoCodes,
        problems: &mut Problems,
    ) {
        let slug = model.slug.get_ref().clone();
        if file.name() != format!("{slug}.toml") {
            let reason = format!("slug \"{slug}\" is not the name of this file");
            problems.add(file, model.slug.span().start, reason);
        }
        self.check_names(model, file, problems);
        self.check_types(model, file, problems);
        let source = model.write(registers, info, file, problems);
        self.by_slug.insert(slug, source);
    }

    /// Checks what only all files together show.
    pub(super) fn finish(&self, problems: &mut Problems) {
        if !self.by_slug.contains_key(UNKNOWN) {
            problems.add(&File::new("unknown.toml", ""), 0, "this file is missing");
        }
    }

    /// Writes the table.
    pub(super) fn write(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "pub(crate) static MODELS: [Model; {}] = [",
            self.by_slug.len()
        );
        for model in self.by_slug.values() {
            let _ = writeln!(out, "{model},");
        }
        let unknown = self
            .by_slug
            .keys()
            .position(|slug| slug == UNKNOWN)
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "];\npub(crate) const UNKNOWN_MODEL: usize = {unknown};"
        );
    }

    fn check_names(&mut self, model: &ModelFile, file: &File<'_>, problems: &mut Problems) {
        let mut own = Vec::new();
        for name in [&model.slug, &model.name].into_iter().chain(&model.aliases) {
            let folded = name.get_ref().to_lowercase();
            if own.contains(&folded) {
                let reason = format!("name \"{}\" stands twice", name.get_ref());
                problems.add(file, name.span().start, reason);
            } else if let Some(other) = self.names.get(&folded) {
                let reason = format!("name \"{}\" is also one of meters/{other}", name.get_ref());
                problems.add(file, name.span().start, reason);
            }
            own.push(folded);
        }
        self.names
            .extend(own.into_iter().map(|name| (name, file.name().to_owned())));
    }

    fn check_types(&mut self, model: &ModelFile, file: &File<'_>, problems: &mut Problems) {
        if let Some(code) = &model.simulated_type {
            let (value, offset) = (*code.get_ref(), code.span().start);
            if value >> 12 != 0xf {
                let reason = format!("simulated_type {value:#06x} is not in 0xf000 to 0xffff");
                problems.add(file, offset, reason);
            }
            if let Some(other) = self.simulated.insert(value, file.name().to_owned()) {
                let reason = format!("simulated_type {value:#06x} is also that of meters/{other}");
                problems.add(file, offset, reason);
            }
        }
        for rule in &model.identity {
            for code in &rule.get_ref().types {
                if let Some(other) = self.types.insert(*code, file.name().to_owned()) {
                    let reason = format!("type {code:#06x} also tells meters/{other}");
                    problems.add(file, rule.span().start, reason);
                }
            }
        }
    }
}

impl ModelFile {
    fn write(
        &self,
        registers: &Registers,
        info: &InfoCodes,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> String {
        let mut all = ids(&self.registers, registers, file, problems);
        let mut inferred = ids(&self.inferred, registers, file, problems);
        all.extend(&inferred);
        if self.every_register {
            all.extend(registers.ids());
            all.dedup();
        }
        all.sort_unstable();
        inferred.sort_unstable();
        self.check_repeats(file, problems);
        let usual = self.check_usual(&all, registers, file, problems);

        let one = |key: &Text, problems: &mut Problems| {
            let id = registers.id(key, file, problems);
            if let Some(id) = id
                && !all.contains(&id)
            {
                let reason = format!(
                    "register \"{}\" is not among the model's registers",
                    key.get_ref()
                );
                problems.add(file, key.span().start, reason);
            }
            id.unwrap_or_default()
        };
        let overrides = slice(&self.overrides, |row| {
            let id = one(&row.register, problems);
            row.write(id, file, problems)
        });
        let mut sentinels = Vec::new();
        for row in &self.sentinel {
            for key in &row.registers {
                let id = one(key, problems);
                sentinels.push(row.write(id, file, problems));
            }
        }
        let identity: Vec<String> = self
            .identity
            .iter()
            .flat_map(|row| row.get_ref().write(row, registers, file, problems))
            .collect();
        let limits = &self.limits;
        let numbers = |ids: &[u16]| slice(ids, |id| format!("RegisterId({id})"));
        format!(
            "Model {{ slug: {slug:?}, name: {name:?}, aliases: {aliases}, medium: {medium}, \
             simulated_type: {simulated}, identity: {identity}, registers: {all}, \
             inferred: {inferred}, usual: {usual}, overrides: {overrides}, info: {info}, \
             limits: Limits {{ flow: {flow}, power: {power}, temperature: {temperature} }}, \
             sentinels: {sentinels}, battery: {battery} }}",
            slug = self.slug.get_ref(),
            name = self.name.get_ref(),
            aliases = slice(&self.aliases, |alias| format!("{:?}", alias.get_ref())),
            medium = words::variant(words::MEDIA, "medium", &self.medium, file, problems),
            simulated = option(
                self.simulated_type
                    .as_ref()
                    .map(|code| code.get_ref().to_string())
            ),
            identity = slice(&identity, String::clone),
            all = numbers(&all),
            inferred = numbers(&inferred),
            usual = numbers(&usual),
            info = option(
                self.info
                    .as_ref()
                    .map(|slug| info.table(slug, file, problems))
            ),
            flow = option(
                limits
                    .flow
                    .as_ref()
                    .map(|row| row.most("m³/h", file, problems))
            ),
            power = option(
                limits
                    .power
                    .as_ref()
                    .map(|row| row.most("kW", file, problems))
            ),
            temperature = option(
                limits
                    .temperature
                    .as_ref()
                    .map(|row| row.range("°C", file, problems))
            ),
            sentinels = slice(&sentinels, String::clone),
            battery = option(self.battery.as_ref().map(|row| row.write(file, problems))),
        )
    }

    fn check_repeats(&self, file: &File<'_>, problems: &mut Problems) {
        let mut seen = Vec::new();
        for key in self.registers.iter().chain(&self.inferred) {
            if seen.contains(&key.get_ref()) {
                let reason = format!("register \"{}\" stands twice", key.get_ref());
                problems.add(file, key.span().start, reason);
            }
            seen.push(key.get_ref());
        }
    }

    fn check_usual(
        &self,
        all: &[u16],
        registers: &Registers,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> Vec<u16> {
        let keys = self.usual.get_ref();
        if keys.is_empty() || keys.len() > REQUEST {
            let reason = format!(
                "usual has {} registers, one request asks for 1 to {REQUEST}",
                keys.len()
            );
            problems.add(file, self.usual.span().start, reason);
        }
        for key in keys {
            if let Some(id) = registers.id(key, file, problems)
                && !all.contains(&id)
            {
                let reason = format!(
                    "usual register \"{}\" is not among the model's registers",
                    key.get_ref()
                );
                problems.add(file, key.span().start, reason);
            }
        }
        let mut ignored = Problems::default();
        ids(keys, registers, file, &mut ignored)
    }
}

fn ids(keys: &[Text], registers: &Registers, file: &File<'_>, problems: &mut Problems) -> Vec<u16> {
    keys.iter()
        .filter_map(|key| registers.id(key, file, problems))
        .collect()
}
