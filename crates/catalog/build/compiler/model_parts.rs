//! The tables inside the file of a family: identity, overrides, limits, sentinels, battery.

use toml::Spanned;

use super::problem::{File, Problems};
use super::registers::Registers;
use super::schema::{BatteryRow, IdentityRow, LimitRow, OverrideRow, SentinelRow, Text};
use super::{option, slice, words};

impl IdentityRow {
    pub(super) fn write(
        &self,
        place: &Spanned<Self>,
        registers: &Registers,
        file: &File<'_>,
        problems: &mut Problems,
    ) -> Vec<String> {
        let mut conditions: Vec<String> = Vec::new();
        conditions.extend(
            self.types
                .iter()
                .map(|code| format!("Condition::TypeCode({code})")),
        );
        conditions.extend(
            self.type_families
                .iter()
                .map(|high| format!("Condition::TypeFamily({high})")),
        );
        match (&self.register, &self.prefix) {
            (Some(key), Some(prefix)) => {
                let id = registers.id(key, file, problems).unwrap_or_default();
                conditions.push(format!(
                    "Condition::TextPrefix(RegisterId({id}), {prefix:?})"
                ));
            }
            (None, None) => {}
            _ => problems.add(
                file,
                place.span().start,
                "`register` and `prefix` go together",
            ),
        }
        if conditions.is_empty() {
            let reason =
                "an identity rule needs `types`, `type_families` or `register` and `prefix`";
            problems.add(file, place.span().start, reason);
        }
        let confidence = words::variant(
            words::CONFIDENCES,
            "confidence",
            &self.confidence,
            file,
            problems,
        );
        conditions
            .into_iter()
            .map(|condition| {
                format!(
                    "IdentityRule {{ condition: {condition}, note: {:?}, source: {:?}, \
                     confidence: {confidence} }}",
                    self.note, self.source
                )
            })
            .collect()
    }
}

impl OverrideRow {
    pub(super) fn write(&self, id: u16, file: &File<'_>, problems: &mut Problems) -> String {
        let units = self.units.as_ref().map(|units| {
            slice(units, |unit| {
                format!("Unit({})", words::unit(unit, file, problems))
            })
        });
        let device_class = self.device_class.as_ref();
        words::home_assistant(device_class, None, None, &[], file, problems);
        let tier = self
            .tier
            .as_ref()
            .map(|tier| words::variant(words::TIERS, "tier", tier, file, problems));
        format!(
            "Override {{ register: RegisterId({id}), units: {}, device_class: {}, tier: {}, default: {:?} }}",
            option(units),
            option(device_class.map(|class| format!("{:?}", class.get_ref()))),
            option(tier),
            self.default
        )
    }
}

impl LimitRow {
    pub(super) fn most(&self, unit: &str, file: &File<'_>, problems: &mut Problems) -> String {
        if let Some(least) = &self.least {
            problems.add(file, least.span().start, "this limit has no `least`");
        }
        format!(
            "Limit {{ most: {}, {} }}",
            amount(&self.most, unit, file, problems),
            self.origin(file, problems)
        )
    }

    pub(super) fn range(&self, unit: &str, file: &File<'_>, problems: &mut Problems) -> String {
        let Some(least) = &self.least else {
            problems.add(
                file,
                self.most.span().start,
                "this limit needs `least` as well",
            );
            return String::new();
        };
        format!(
            "Range {{ least: {}, most: {}, {} }}",
            amount(least, unit, file, problems),
            amount(&self.most, unit, file, problems),
            self.origin(file, problems)
        )
    }

    fn origin(&self, file: &File<'_>, problems: &mut Problems) -> String {
        origin(&self.source, &self.confidence, file, problems)
    }
}

impl SentinelRow {
    pub(super) fn write(&self, id: u16, file: &File<'_>, problems: &mut Problems) -> String {
        let unit = self
            .value
            .get_ref()
            .split_once(' ')
            .map_or("", |(_, unit)| unit)
            .to_owned();
        format!(
            "Sentinel {{ register: RegisterId({id}), value: {}, meaning: {:?}, {} }}",
            amount(&self.value, &unit, file, problems),
            self.meaning,
            origin(&self.source, &self.confidence, file, problems)
        )
    }
}

impl BatteryRow {
    pub(super) fn write(&self, file: &File<'_>, problems: &mut Problems) -> String {
        let years = self.years.map(|[least, most]| format!("({least}, {most})"));
        format!(
            "Battery {{ readings_per_hour: {}, years: {}, {} }}",
            self.readings_per_hour,
            option(years),
            origin(&self.source, &self.confidence, file, problems)
        )
    }
}

fn origin(source: &str, confidence: &Text, file: &File<'_>, problems: &mut Problems) -> String {
    let confidence = words::variant(words::CONFIDENCES, "confidence", confidence, file, problems);
    format!("source: {source:?}, confidence: {confidence}")
}

/// A decimal with its unit, such as `185.00 °C`, kept to the last digit.
fn amount(text: &Text, unit: &str, file: &File<'_>, problems: &mut Problems) -> String {
    let parsed = text.get_ref().strip_suffix(unit).and_then(|number| {
        let number = number.strip_suffix(' ')?;
        let decimals = number
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let mantissa: i64 = number.replacen('.', "", 1).parse().ok()?;
        Some((mantissa, i8::try_from(decimals).ok()?))
    });
    let Some((mantissa, decimals)) = parsed.filter(|_| !unit.is_empty()) else {
        let wanted = if unit.is_empty() { "a unit" } else { unit };
        let reason = format!("\"{}\" is not a decimal number in {wanted}", text.get_ref());
        problems.add(file, text.span().start, reason);
        return String::new();
    };
    let unit = Spanned::new(text.span(), unit.to_owned());
    let code = words::unit(&unit, file, problems);
    format!("Amount {{ value: Decimal::new({mantissa}, -{decimals}), unit: Unit({code}) }}")
}
