//! Which family a meter belongs to, by what it says about itself.
//!
//! The manufacturer published type codes for the MULTICAL 601 only; everything else in `meters/` is
//! marked with how sure it is. Where no rule fits there is no answer: the raw figures are kept and
//! shown.

use crate::RegisterId;
use crate::model::{Model, models};
use crate::register::Confidence;

/// Registers whose content helps to tell the family, for meters whose type code does not.
pub const IDENTIFYING: [RegisterId; 4] = [
    RegisterId(1005),
    RegisterId(254),
    RegisterId(404),
    RegisterId(640),
];

/// What a meter said about itself. What it did not say is left empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Type code of the answer to `GetType`, raw.
    pub type_code: Option<u16>,
    /// Software revision of the answer to `GetType`, raw: `0x0601` is F1.
    pub software: Option<u16>,
    /// Register 1005, meter type or software edition.
    pub meter_type: Option<String>,
    /// Register 254, type number.
    pub type_number: Option<String>,
    /// Register 404, meter type of newer meters.
    pub meter_type_code: Option<String>,
    /// Register 640, type in words.
    pub type_text: Option<String>,
}

impl Identity {
    /// Keeps what a register said, if it is one of [`IDENTIFYING`]; numbers in decimal digits.
    pub fn learn(&mut self, id: RegisterId, text: &str) {
        let kept = match id.0 {
            1005 => &mut self.meter_type,
            254 => &mut self.type_number,
            404 => &mut self.meter_type_code,
            640 => &mut self.type_text,
            _ => return,
        };
        *kept = Some(text.trim().to_owned());
    }

    fn said(&self, id: RegisterId) -> Option<&str> {
        match id.0 {
            1005 => self.meter_type.as_deref(),
            254 => self.type_number.as_deref(),
            404 => self.meter_type_code.as_deref(),
            640 => self.type_text.as_deref(),
            _ => None,
        }
    }
}

/// The family of a meter, or `None` where nothing known fits.
///
/// Rules are tried from the surest to the least sure; a simulated meter says so itself.
pub fn identify(identity: &Identity) -> Option<&'static Model> {
    if let Some(code) = identity.type_code
        && let Some(model) = models()
            .iter()
            .find(|model| model.simulated_type == Some(code))
    {
        return Some(model);
    }
    models()
        .iter()
        .flat_map(|model| model.identity.iter().map(move |rule| (rule, model)))
        .filter(|(rule, _)| rule.fits(identity))
        .min_by_key(|(rule, _)| rule.confidence)
        .map(|(_, model)| model)
}

/// Whether a type code is one only our simulator answers.
pub fn is_simulated(type_code: u16) -> bool {
    models()
        .iter()
        .any(|model| model.simulated_type == Some(type_code))
}

/// One thing that tells a family.
#[derive(Debug, PartialEq, Eq)]
pub struct IdentityRule {
    /// What has to be so.
    pub condition: Condition,
    /// What it shows, in English, for logs and documentation.
    pub note: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

impl IdentityRule {
    /// Whether what a meter said satisfies this rule.
    pub fn fits(&self, identity: &Identity) -> bool {
        match self.condition {
            Condition::TypeCode(code) => identity.type_code == Some(code),
            Condition::TypeFamily(high) => identity
                .type_code
                .is_some_and(|code| code >> 8 == u16::from(high)),
            Condition::TextPrefix(id, prefix) => identity
                .said(id)
                .is_some_and(|text| text.starts_with(prefix)),
        }
    }
}

/// What has to be so for an identity rule to fit.
#[derive(Debug, PartialEq, Eq)]
pub enum Condition {
    /// `GetType` answers exactly this type code.
    TypeCode(u16),
    /// The first byte of the type code is this one.
    TypeFamily(u8),
    /// The text of a register begins so.
    TextPrefix(RegisterId, &'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(identity: &Identity) -> Option<&'static str> {
        identify(identity).map(|model| model.slug)
    }

    #[test]
    fn the_documented_type_codes_are_a_601() {
        for code in [0x0001, 0x0004, 0x0005, 0x1501, 0x1504, 0x1505] {
            let identity = Identity {
                type_code: Some(code),
                ..Identity::default()
            };
            assert_eq!(slug(&identity), Some("multical-601"), "{code:#06x}");
        }
    }

    #[test]
    fn an_unknown_type_code_is_nobody() {
        let identity = Identity {
            type_code: Some(0x0abc),
            ..Identity::default()
        };
        assert_eq!(slug(&identity), None);
        assert_eq!(slug(&Identity::default()), None);
    }

    #[test]
    fn a_water_meter_is_known_by_its_type_in_words() {
        let mut identity = Identity::default();
        identity.learn(RegisterId(640), "KWM2231 ");
        assert_eq!(slug(&identity), Some("water"));
    }

    #[test]
    fn an_electricity_meter_is_known_by_the_first_byte() {
        let identity = Identity {
            type_code: Some(0x5a03),
            ..Identity::default()
        };
        assert_eq!(slug(&identity), Some("electricity"));
    }

    #[test]
    fn every_simulated_type_leads_back_to_its_model_and_no_two_share_one() {
        let mut seen = Vec::new();
        for model in models() {
            let Some(code) = model.simulated_type else {
                continue;
            };
            assert!(!seen.contains(&code), "{code:#06x} stands twice");
            seen.push(code);
            assert!(is_simulated(code));
            let identity = Identity {
                type_code: Some(code),
                ..Identity::default()
            };
            assert_eq!(slug(&identity), Some(model.slug));
        }
        assert!(!is_simulated(0x0001));
    }
}
