//! Who a meter is.

use heatmeter_catalog::{Identity, identify, is_simulated};
use kamstrup_kmp::message::MeterType;
use serde::Serialize;

use crate::output::style::{self, styled};

/// Who a meter is, as it stands in JSON. What is not known is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    pub(crate) manufacturer: &'static str,
    pub(crate) model: Option<&'static str>,
    #[serde(rename = "type")]
    pub(crate) meter_type: Option<String>,
    pub(crate) software: Option<String>,
    pub(crate) serial: Option<String>,
    #[serde(skip)]
    pub(crate) is_simulated: bool,
}

impl Who {
    /// What its type alone tells of a meter.
    pub(crate) fn of(meter_type: Option<MeterType>) -> Self {
        let identity = Identity {
            type_code: meter_type.map(|meter_type| meter_type.code),
            software: meter_type.map(|meter_type| meter_type.software.0),
            ..Identity::default()
        };
        let software = meter_type.map(|meter_type| meter_type.software);
        Self {
            manufacturer: "Kamstrup",
            model: identify(&identity).map(|model| model.name),
            meter_type: identity.type_code.map(|code| format!("{code:#06x}")),
            software: software
                .filter(|software| software.is_available())
                .map(|software| software.to_string()),
            serial: None,
            is_simulated: identity.type_code.is_some_and(is_simulated),
        }
    }

    /// The same in one line.
    pub(crate) fn headline(&self) -> String {
        let name = match (self.model, &self.meter_type) {
            (Some(model), _) if self.is_simulated => format!("{model} (simulated)"),
            (Some(model), _) => model.to_owned(),
            (None, Some(code)) => format!("Unknown Kamstrup meter, type {code}"),
            (None, None) => "Unknown Kamstrup meter".to_owned(),
        };
        let serial = self.serial.as_ref();
        let software = self.software.as_ref();
        let parts = [
            Some(styled(style::STRONG, name)),
            serial.map(|serial| format!("serial number {serial}")),
            software.map(|software| format!("software {software}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_a_meter_is_null() {
        let who = Who {
            manufacturer: "Kamstrup",
            model: None,
            meter_type: Some("0x1234".to_owned()),
            software: None,
            serial: None,
            is_simulated: false,
        };
        assert_eq!(
            serde_json::to_string(&who).unwrap(),
            r#"{"manufacturer":"Kamstrup","model":null,"type":"0x1234","software":null,"serial":null}"#
        );
    }
}
