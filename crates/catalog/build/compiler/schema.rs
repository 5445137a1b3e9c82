//! The shape of the data files. Every field is explained in `meters/README.md`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// Text with its place in the file.
pub(super) type Text = Spanned<String>;

/// `registers.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistersFile {
    pub(super) source: BTreeMap<String, String>,
    pub(super) kind: BTreeMap<Text, KindRow>,
    pub(super) register: Vec<RegisterRow>,
    #[serde(default)]
    pub(super) group: Vec<GroupRow>,
}

/// What registers of one kind have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindRow {
    #[serde(default)]
    pub(super) units: Vec<Text>,
    pub(super) device_class: Option<Text>,
    pub(super) state_class: Option<Text>,
    pub(super) entity_category: Option<Text>,
    pub(super) icon: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterRow {
    pub(super) id: Spanned<u16>,
    pub(super) key: Text,
    pub(super) kind: Text,
    pub(super) tier: Text,
    #[serde(default)]
    pub(super) default: bool,
    #[serde(default)]
    pub(super) wraps: bool,
    pub(super) units: Option<Vec<Text>>,
    pub(super) device_class: Option<Text>,
    pub(super) state_class: Option<Text>,
    pub(super) entity_category: Option<Text>,
    pub(super) icon: Option<Text>,
    pub(super) seed: Option<SeedRow>,
    pub(super) source: Vec<Text>,
    pub(super) confidence: Text,
    pub(super) label: Spanned<LabelRow>,
}

/// Several registers that differ in a number only: `{n}` in the key and the labels counts from 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRow {
    pub(super) ids: Vec<Spanned<u16>>,
    pub(super) key: Text,
    pub(super) kind: Text,
    pub(super) tier: Text,
    pub(super) units: Option<Vec<Text>>,
    pub(super) icon: Option<Text>,
    pub(super) source: Vec<Text>,
    pub(super) confidence: Text,
    pub(super) label: Spanned<LabelRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeedRow {
    pub(super) name: String,
    pub(super) enabled: bool,
}

/// A text in every language.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelRow {
    pub(super) en: Option<String>,
    pub(super) nl: Option<String>,
    pub(super) da: Option<String>,
    pub(super) de: Option<String>,
    pub(super) sv: Option<String>,
    pub(super) fi: Option<String>,
    pub(super) nb: Option<String>,
    pub(super) pl: Option<String>,
}

impl LabelRow {
    /// Code and text of each language, in the order of `Language::ALL`.
    pub(super) fn languages(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("en", self.en.as_deref()),
            ("nl", self.nl.as_deref()),
            ("da", self.da.as_deref()),
            ("de", self.de.as_deref()),
            ("sv", self.sv.as_deref()),
            ("fi", self.fi.as_deref()),
            ("nb", self.nb.as_deref()),
            ("pl", self.pl.as_deref()),
        ]
    }
}

/// `infocodes.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InfoFile {
    pub(super) flag: Vec<FlagRow>,
    pub(super) table: Vec<TableRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlagRow {
    pub(super) key: Text,
    pub(super) severity: Text,
    pub(super) label: Spanned<LabelRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableRow {
    pub(super) slug: Text,
    pub(super) word: Vec<WordRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WordRow {
    pub(super) register: Text,
    pub(super) coding: Text,
    pub(super) source: String,
    pub(super) confidence: Text,
    pub(super) entries: Vec<EntryRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryRow {
    pub(super) bit: Option<Spanned<u8>>,
    pub(super) digits: Option<Text>,
    pub(super) flag: Text,
    pub(super) response: Option<String>,
}

/// A model's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelFile {
    pub(super) slug: Text,
    pub(super) name: Text,
    #[serde(default)]
    pub(super) aliases: Vec<Text>,
    pub(super) medium: Text,
    pub(super) simulated_type: Option<Spanned<u16>>,
    pub(super) info: Option<Text>,
    pub(super) usual: Spanned<Vec<Text>>,
    #[serde(default)]
    pub(super) registers: Vec<Text>,
    #[serde(default)]
    pub(super) inferred: Vec<Text>,
    #[serde(default)]
    pub(super) every_register: bool,
    #[serde(default)]
    pub(super) identity: Vec<Spanned<IdentityRow>>,
    #[serde(default, rename = "override")]
    pub(super) overrides: Vec<OverrideRow>,
    #[serde(default)]
    pub(super) limits: LimitsRow,
    #[serde(default)]
    pub(super) sentinel: Vec<SentinelRow>,
    pub(super) battery: Option<BatteryRow>,
    #[serde(default)]
    pub(super) capture: Vec<CaptureRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityRow {
    #[serde(default)]
    pub(super) types: Vec<u16>,
    #[serde(default)]
    pub(super) type_families: Vec<u8>,
    pub(super) register: Option<Text>,
    pub(super) prefix: Option<String>,
    pub(super) note: String,
    pub(super) source: String,
    pub(super) confidence: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideRow {
    pub(super) register: Text,
    pub(super) units: Option<Vec<Text>>,
    pub(super) device_class: Option<Text>,
    pub(super) tier: Option<Text>,
    pub(super) default: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsRow {
    pub(super) flow: Option<LimitRow>,
    pub(super) power: Option<LimitRow>,
    pub(super) temperature: Option<LimitRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitRow {
    pub(super) least: Option<Text>,
    pub(super) most: Text,
    pub(super) source: String,
    pub(super) confidence: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentinelRow {
    pub(super) registers: Vec<Text>,
    pub(super) value: Text,
    pub(super) meaning: String,
    pub(super) source: String,
    pub(super) confidence: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatteryRow {
    pub(super) readings_per_hour: u16,
    pub(super) years: Option<[u8; 2]>,
    pub(super) source: String,
    pub(super) confidence: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureRow {
    pub(super) id: Text,
    pub(super) kind: Text,
    pub(super) source: String,
    pub(super) note: Option<String>,
    pub(super) request: Option<Text>,
    pub(super) response: Option<Text>,
    pub(super) request_error: Option<Text>,
    pub(super) response_error: Option<Text>,
    #[serde(default)]
    pub(super) asks: Vec<u16>,
    pub(super) type_code: Option<u16>,
    pub(super) software: Option<String>,
    pub(super) serial: Option<u32>,
    pub(super) set_clock: Option<String>,
    #[serde(default)]
    pub(super) readings: Vec<ReadingRow>,
    #[serde(default)]
    pub(super) reported: Vec<ReadingRow>,
    pub(super) logger: Option<LoggerRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadingRow {
    pub(super) register: Text,
    pub(super) value: Text,
    pub(super) unit: Option<Text>,
    pub(super) quality: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggerRow {
    pub(super) command: u8,
    pub(super) sub_command: Option<u8>,
    pub(super) logger: Option<u8>,
    #[serde(default)]
    pub(super) registers: Vec<u16>,
    pub(super) first: Option<u32>,
    pub(super) newest: Option<u32>,
    pub(super) depth: Option<u16>,
    pub(super) info: Option<u16>,
    #[serde(default)]
    pub(super) rows: Vec<Vec<String>>,
}
