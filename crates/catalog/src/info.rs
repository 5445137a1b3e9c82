//! Info codes: what the flags a meter raises mean.
//!
//! Three codings are in use (facts in `meters/infocodes.toml`): a sum of weights on register 99 of
//! the older meters, a word of bits in register 369 of the newer ones, and eight decimal digits,
//! one per part of the meter, which the newer ones show on their display and in register 99. What a
//! table does not know is reported as unknown, never dropped.

use core::fmt;

use crate::data::INFO_TABLES;
use crate::register::Confidence;
use crate::{Labels, Language, RegisterId};

/// All tables, in alphabetical order of their slugs.
pub fn info_tables() -> &'static [InfoTable] {
    &INFO_TABLES
}

/// The meaning of the info codes of one or several families.
#[derive(Debug, PartialEq, Eq)]
pub struct InfoTable {
    /// Name of the table.
    pub slug: &'static str,
    /// The registers it explains.
    pub words: &'static [InfoWord],
}

impl InfoTable {
    /// The flags set in a register's raw value; `None` if this table does not explain that
    /// register.
    ///
    /// An empty list says that the meter has nothing to report.
    pub fn decode(&self, register: RegisterId, raw: u64) -> Option<Vec<Info>> {
        let word = self.words.iter().find(|word| word.register == register)?;
        Some(match word.coding {
            Coding::Weights | Coding::Bits => word.decode_bits(raw),
            Coding::Digits => word.decode_digits(raw),
        })
    }

    /// All flags it knows; one may come several times.
    pub fn flags(&self) -> impl Iterator<Item = &'static InfoFlag> + use<> {
        let words = self.words.iter();
        words.flat_map(|word| word.entries.iter().map(|entry| entry.flag))
    }
}

/// One flag that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Info {
    /// The table knows it.
    Known(&'static InfoEntry),
    /// A bit the table does not know, counted from 0.
    UnknownBit(u8),
    /// A digit the table does not know.
    UnknownDigit {
        /// Its place on the display, counted from 1 on the left.
        place: u8,
        /// The digit.
        digit: u8,
    },
    /// More than eight digits: not a code this table can explain.
    UnknownCode(u64),
}

impl Info {
    /// Whether a person should look at the meter. What is not known might matter, so it counts.
    pub fn is_problem(&self) -> bool {
        match self {
            Self::Known(entry) => entry.flag.severity == Severity::Problem,
            _ => true,
        }
    }

    /// The flag's key, or a key made of its place, such as `unknown_bit_26`.
    pub fn key(&self) -> String {
        match self {
            Self::Known(entry) => entry.flag.key.to_owned(),
            Self::UnknownBit(bit) => format!("unknown_bit_{bit}"),
            Self::UnknownDigit { place, digit } => format!("unknown_digit_{place}_{digit}"),
            Self::UnknownCode(code) => format!("unknown_code_{code}"),
        }
    }
}

impl fmt::Display for Info {
    /// In English; [`InfoFlag::label`] has the other languages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(entry) => f.write_str(entry.flag.label(Language::En)),
            Self::UnknownBit(bit) => write!(f, "unknown flag, bit {bit}"),
            Self::UnknownDigit { place, digit } => {
                write!(f, "unknown flag, digit {digit} in place {place}")
            }
            Self::UnknownCode(code) => write!(f, "unknown info code {code}"),
        }
    }
}

/// How one register carries info flags.
#[derive(Debug, PartialEq, Eq)]
pub struct InfoWord {
    /// The register.
    pub register: RegisterId,
    /// How the flags are packed into it.
    pub coding: Coding,
    /// What is known of it.
    pub entries: &'static [InfoEntry],
    /// Where this comes from.
    pub source: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

impl InfoWord {
    fn decode_bits(&self, raw: u64) -> Vec<Info> {
        (0..64)
            .filter(|bit| raw >> bit & 1 == 1)
            .map(|bit| {
                self.entries
                    .iter()
                    .find(|entry| entry.bit == Some(bit))
                    .map_or(Info::UnknownBit(bit), Info::Known)
            })
            .collect()
    }

    fn decode_digits(&self, raw: u64) -> Vec<Info> {
        let Some(digits) = split_digits(raw) else {
            return vec![Info::UnknownCode(raw)];
        };
        let mut explained = [false; 8];
        let mut found = Vec::new();
        for entry in self.entries {
            let fits = entry
                .digits
                .iter()
                .all(|&(place, digit)| digits[usize::from(place)] == digit);
            let said_before = entry
                .digits
                .iter()
                .all(|&(place, _)| explained[usize::from(place)]);
            if fits && !said_before {
                for &(place, _) in entry.digits {
                    explained[usize::from(place)] = true;
                }
                found.push(Info::Known(entry));
            }
        }
        for (place, digit) in (1..).zip(digits) {
            if digit != 0 && !explained[usize::from(place) - 1] {
                found.push(Info::UnknownDigit { place, digit });
            }
        }
        found
    }
}

/// How flags are packed into a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// A decimal number, the sum of the weights of all flags.
    Weights,
    /// A word of bits.
    Bits,
    /// Eight decimal digits, one per part of the meter.
    Digits,
}

/// A flag in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct InfoEntry {
    /// The bit, counted from 0, in words of weights or bits.
    pub bit: Option<u8>,
    /// Places, counted from 0 on the left, and the digits they hold, in codes of digits.
    pub digits: &'static [(u8, u8)],
    /// What it means.
    pub flag: &'static InfoFlag,
    /// How long the meter takes to raise it.
    pub response: Option<&'static str>,
}

/// What a flag means, whichever bit carries it.
#[derive(Debug, PartialEq, Eq)]
pub struct InfoFlag {
    /// Name for scripts: `t1_above_range`.
    pub key: &'static str,
    /// Whether a person has to do something.
    pub severity: Severity,
    /// Its meaning in every language.
    pub labels: Labels,
}

impl InfoFlag {
    /// Its meaning in one language.
    pub fn label(&self, language: Language) -> &'static str {
        self.labels.get(language)
    }
}

/// Whether a person has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; passes by itself.
    Notice,
    /// Needs a person.
    Problem,
}

/// The eight digits of a code, from the left.
fn split_digits(mut raw: u64) -> Option<[u8; 8]> {
    let mut digits = [0; 8];
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(raw % 10).ok()?;
        raw /= 10;
    }
    (raw == 0).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    const INFO_CODE: RegisterId = RegisterId(99);
    const INFO_BITS: RegisterId = RegisterId(369);

    fn keys(slug: &str, register: RegisterId, raw: u64) -> Vec<String> {
        let table = model(slug).and_then(|model| model.info).unwrap();
        table
            .decode(register, raw)
            .unwrap()
            .iter()
            .map(Info::key)
            .collect()
    }

    #[test]
    fn nothing_set_is_nothing_to_report() {
        for slug in ["multical-403", "multical-602", "multical-603"] {
            assert!(keys(slug, INFO_CODE, 0).is_empty(), "{slug}");
        }
    }

    #[test]
    fn the_older_meters_add_weights() {
        assert_eq!(
            keys("602", INFO_CODE, 8 + 4),
            ["t2_out_of_range", "t1_out_of_range"]
        );
        assert_eq!(keys("601", INFO_CODE, 16), ["flow_1_communication"]);
    }

    #[test]
    fn the_newer_meters_set_bits() {
        assert_eq!(keys("403", INFO_BITS, 0x8), ["t1_above_range"]);
        assert_eq!(keys("603", INFO_BITS, 1 << 31), ["leak_inwards"]);
    }

    #[test]
    fn the_newer_meters_show_a_digit_per_part() {
        assert_eq!(keys("403", INFO_CODE, 90_000_000), ["external_alarm"]);
        assert_eq!(keys("403", INFO_CODE, 1_000_000), ["t1_above_range"]);
        let several = [
            "flow_1_wrong_direction",
            "input_b_leak",
            "unknown_digit_4_2",
        ];
        assert_eq!(keys("403", INFO_CODE, 24_008), several);
    }

    #[test]
    fn two_nines_are_one_flag() {
        assert_eq!(keys("403", INFO_CODE, 9_900_000), ["difference_invalid"]);
        assert_eq!(keys("403", INFO_CODE, 9_000_000), ["unknown_digit_2_9"]);
    }

    #[test]
    fn what_is_not_known_is_said_and_not_dropped() {
        assert_eq!(
            keys("403", INFO_BITS, 1 << 10 | 1 << 40),
            ["unknown_bit_10", "unknown_bit_40"]
        );
        assert_eq!(
            keys("403", INFO_CODE, 123_456_789),
            ["unknown_code_123456789"]
        );
        let table = model("403").and_then(|model| model.info).unwrap();
        assert_eq!(table.decode(RegisterId(60), 1), None);
    }
}
