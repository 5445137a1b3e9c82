//! How a meter is announced to Home Assistant.
//!
//! One message for a device and all its entities, with exactly the keys that the releases from
//! 2026.5 to 2026.11 accept (`homeassistant/components/mqtt`, `schemas.py` and the schema of each
//! platform): one unknown key outside of a component, and the whole message is refused. A component
//! that has to go is sent once with nothing but its platform.

use std::collections::{BTreeMap, BTreeSet};

use heatmeter_catalog::reading::{Content, Quality, Reading};
use heatmeter_catalog::{Model, Register, RegisterId, home_assistant_unit, register};
use kamstrup_kmp::Verdict;
use serde_json::{Map, Value, json};

use super::board::MeterCard;
use super::names;
use super::settings::Settings;
use super::state::key;
use super::topics::{Topics, device_id};

/// The name under which Home Assistant shows where an announcement comes from.
const ORIGIN: &str = "heatmeter";

/// An announcement, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Announcement {
    device: Value,
    /// By their keys. Those that have to go have nothing but a platform.
    pub(super) components: BTreeMap<String, Value>,
}

impl Announcement {
    /// A meter as it is to be announced, given how it was announced before.
    ///
    /// A register that is read and was announced stays as it was until there is a reading that says
    /// more: its unit is known only then. What was announced and is not read any more has to go.
    pub(super) fn of(
        card: &MeterCard,
        settings: &Settings,
        topics: &Topics,
        before: Option<&Self>,
    ) -> Self {
        let maker = Maker {
            card,
            settings,
            topics,
        };
        let mut components = maker.about_the_reading();
        let readings: BTreeMap<RegisterId, &Reading> = card
            .readings
            .iter()
            .map(|reading| (reading.register, reading))
            .collect();
        for id in &card.registers {
            let key = key(*id);
            let was = before.and_then(|before| before.components.get(&key));
            let made = readings
                .get(id)
                .and_then(|reading| maker.register(reading, was));
            let kept = was.filter(|was| !is_removal(was)).cloned();
            if let Some(component) = made.or(kept) {
                components.insert(key, component);
            }
        }
        if maker.has_info() {
            components.extend(maker.info());
        }
        for (key, component) in before.iter().flat_map(|before| &before.components) {
            if !components.contains_key(key) {
                components.insert(key.clone(), removal_of(component));
            }
        }
        Self {
            device: maker.device(),
            components,
        }
    }

    /// Reads an announcement if it is one of ours: made by this program, for this base topic.
    pub(super) fn read(payload: &[u8], topics: &Topics) -> Option<Self> {
        let mut message: Map<String, Value> = serde_json::from_slice(payload).ok()?;
        let is_ours = message.get("origin")?.get("name")? == ORIGIN
            && message
                .get("availability")?
                .as_array()?
                .iter()
                .any(|entry| {
                    entry
                        .get("topic")
                        .is_some_and(|topic| *topic == topics.status())
                });
        if !is_ours {
            return None;
        }
        let components = message.remove("components")?;
        Some(Self {
            device: message.remove("device")?,
            components: serde_json::from_value(components).ok()?,
        })
    }

    /// The message that says it.
    pub(super) fn message(&self, serial: &str, topics: &Topics) -> String {
        json!({
            "device": self.device,
            "origin": {
                "name": ORIGIN,
                "sw_version": env!("CARGO_PKG_VERSION"),
                "support_url": env!("CARGO_PKG_REPOSITORY"),
            },
            "availability": [
                {"topic": topics.status()},
                {"topic": topics.availability(serial)},
            ],
            "availability_mode": "all",
            "state_topic": topics.state(serial),
            "qos": 1,
            "components": self.components,
        })
        .to_string()
    }

    /// The keys of what has to go.
    pub(super) fn removals(&self) -> BTreeSet<String> {
        self.components
            .iter()
            .filter(|(_, component)| is_removal(component))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The same without what has to go.
    pub(super) fn without_removals(&self) -> Self {
        let mut rest = self.clone();
        rest.components
            .retain(|_, component| !is_removal(component));
        rest
    }

    /// What has to go, as if it had to come: Home Assistant removes only what it has seen since its
    /// start.
    pub(super) fn revived(&self, serial: &str) -> Self {
        let revive = |(key, component): (&String, &Value)| {
            let mut revived = component.clone();
            let id = json!(unique_id(serial, key));
            revived.as_object_mut()?.insert("unique_id".to_owned(), id);
            Some((key.clone(), revived))
        };
        let removals = self
            .components
            .iter()
            .filter(|(_, component)| is_removal(component));
        Self {
            device: self.device.clone(),
            components: removals.filter_map(revive).collect(),
        }
    }

    /// Of what has to go, this one alone.
    pub(super) fn only(&self, key: &str) -> Self {
        Self {
            device: self.device.clone(),
            components: self
                .components
                .get_key_value(key)
                .map(|(key, component)| (key.clone(), component.clone()))
                .into_iter()
                .collect(),
        }
    }
}

fn is_removal(component: &Value) -> bool {
    component
        .as_object()
        .is_none_or(|component| component.keys().all(|key| key == "platform" || key == "p"))
}

fn removal_of(component: &Value) -> Value {
    let platform = component.get("platform").or_else(|| component.get("p"));
    json!({"platform": platform.cloned().unwrap_or_else(|| json!("sensor"))})
}

fn unique_id(serial: &str, key: &str) -> String {
    format!("{}_{key}", device_id(serial))
}

struct Maker<'a> {
    card: &'a MeterCard,
    settings: &'a Settings,
    topics: &'a Topics,
}

impl Maker<'_> {
    fn device(&self) -> Value {
        let meter = &self.card.meter;
        let mut device = json!({
            "identifiers": [device_id(&meter.serial)],
            "name": self.card.name,
            "manufacturer": "Kamstrup",
            "serial_number": meter.serial,
        });
        let model = self.card.model.map(|model| model.name.to_owned());
        let more = [
            ("model", meter.model.clone().or(model)),
            (
                "model_id",
                meter.type_code.map(|code| format!("{code:#06x}")),
            ),
            ("sw_version", meter.software.clone()),
            ("configuration_url", self.settings.page.clone()),
        ];
        for (key, value) in more {
            if let Some(value) = value {
                device[key] = json!(value);
            }
        }
        device
    }

    /// A register's sensor; nothing as long as nobody knows what it holds.
    fn register(&self, reading: &Reading, was: Option<&Value>) -> Option<Value> {
        if matches!(reading.quality, Quality::Unsupported | Quality::Unanswered) {
            return None;
        }
        let unit = reading.unit?;
        let known = register(reading.register);
        let id = &key(reading.register);
        let mut sensor = self.component("sensor", id, &reading.label(self.settings.language));
        let classes = known.map(|known| self.model().home_assistant(known).in_unit(unit));
        let is_text = match &reading.value {
            Some(content) => matches!(content, Content::Text(_)),
            // Which of the two it is, stays as it was.
            None => was.is_none_or(|was| was.get("state_class").is_none()),
        };
        if let Some(classes) = classes {
            // A meter's clock does not say which time zone it means.
            let class = classes.device_class.filter(|class| *class != "timestamp");
            let is_class_of_text = matches!(class, Some("date" | "enum"));
            if let Some(class) = class.filter(|_| is_text == is_class_of_text) {
                sensor["device_class"] = json!(class);
            }
            if let Some(class) = classes.state_class.filter(|_| !is_text) {
                sensor["state_class"] = json!(class);
            }
            if let Some(category) = classes.entity_category {
                sensor["entity_category"] = json!(category);
            }
        }
        let has_class = sensor.get("device_class").is_some();
        let unit = home_assistant_unit(unit)
            .map(str::to_owned)
            .or_else(|| reading.unit_text().filter(|_| !has_class));
        if let Some(unit) = unit.filter(|_| !is_text) {
            sensor["unit_of_measurement"] = json!(unit);
        }
        if sensor.get("state_class").is_some() {
            sensor["suggested_display_precision"] = json!(precision(reading, was));
        }
        let is_numeric =
            sensor.get("state_class").is_some() || sensor.get("unit_of_measurement").is_some();
        // Empty is "as before" for a number.
        let missing = if is_numeric { "''" } else { "none" };
        sensor["value_template"] = json!(format!("{{{{ value_json.{id} | default({missing}) }}}}"));
        if let Some(known) = known {
            sensor["icon"] = json!(known.icon);
        }
        if !known.is_some_and(|known| self.is_shown(known)) {
            sensor["enabled_by_default"] = json!(false);
        }
        Some(sensor)
    }

    fn is_shown(&self, known: &Register) -> bool {
        self.model().shows(known)
    }

    fn model(&self) -> &'static Model {
        self.card.model.unwrap_or_else(Model::unknown)
    }

    /// What there is to say about the reading itself. It is there when the meter is not.
    fn about_the_reading(&self) -> BTreeMap<String, Value> {
        let language = self.settings.language;
        let serial = &self.card.meter.serial;
        let always = json!([{"topic": self.topics.status()}]);
        let diagnostics = self.topics.diagnostics(serial);
        let sensor = |key: &str, name: &names::Name| {
            let mut sensor = self.component("sensor", key, name.in_language(language));
            sensor["entity_category"] = json!("diagnostic");
            sensor["availability"] = always.clone();
            sensor
        };

        let mut last_read = sensor("last_read", &names::LAST_READ);
        last_read["device_class"] = json!("timestamp");
        last_read["value_template"] = json!("{{ value_json.read_at | default(none) }}");

        let mut verdict = sensor("verdict", &names::VERDICT);
        verdict["device_class"] = json!("enum");
        verdict["options"] = json!(Verdict::ALL.map(Verdict::code));
        verdict["value_template"] = json!("{{ value_json.verdict }}");
        verdict["state_topic"] = json!(diagnostics);
        verdict["json_attributes_topic"] = json!(diagnostics);
        verdict["json_attributes_template"] =
            json!("{{ {'message': value_json.message, 'help': value_json.help} | tojson }}");
        verdict["icon"] = json!("mdi:stethoscope");

        let mut line_quality = sensor("line_quality", &names::LINE_QUALITY);
        line_quality["unit_of_measurement"] = json!("%");
        line_quality["state_class"] = json!("measurement");
        line_quality["value_template"] = json!("{{ value_json.line_quality }}");
        line_quality["state_topic"] = json!(diagnostics);
        line_quality["icon"] = json!("mdi:signal");
        line_quality["enabled_by_default"] = json!(false);

        let name = names::READ_NOW.in_language(language);
        let mut read_now = self.component("button", "read_now", name);
        read_now["command_topic"] = json!(self.topics.read(serial));
        read_now["availability"] = always;
        read_now["icon"] = json!("mdi:refresh");

        [
            ("last_read", last_read),
            ("verdict", verdict),
            ("line_quality", line_quality),
            ("read_now", read_now),
        ]
        .map(|(key, component)| (key.to_owned(), component))
        .into()
    }

    /// Whether one of the info codes is read.
    fn has_info(&self) -> bool {
        self.model().info.is_some_and(|table| {
            table
                .words
                .iter()
                .any(|word| self.card.registers.contains(&word.register))
        })
    }

    /// What the meter says about itself: in words, whether anything is wrong, and each thing that
    /// may be.
    fn info(&self) -> BTreeMap<String, Value> {
        let language = self.settings.language;
        let diagnostics = self.topics.diagnostics(&self.card.meter.serial);
        let component = |platform: &str, key: &str, name: &str| {
            let mut component = self.component(platform, key, name);
            component["entity_category"] = json!("diagnostic");
            component["state_topic"] = json!(diagnostics);
            component
        };
        let problem = |key: &str, name: &str, condition: &str, source: &str| {
            let mut problem = component("binary_sensor", key, name);
            problem["device_class"] = json!("problem");
            problem["value_template"] = json!(format!(
                "{{{{ none if {source} is none else 'ON' if {condition} else 'OFF' }}}}"
            ));
            problem
        };

        let mut info = component("sensor", "info_text", names::INFO.in_language(language));
        info["value_template"] = json!("{{ value_json.info }}");
        info["icon"] = json!("mdi:information-outline");
        let any = problem(
            "problem",
            names::PROBLEM.in_language(language),
            "value_json.problem",
            "value_json.problem",
        );
        let mut components =
            BTreeMap::from([("info_text".to_owned(), info), ("problem".to_owned(), any)]);

        let words = self.model().info.map(|table| table.words);
        for entry in words.into_iter().flatten().flat_map(|word| word.entries) {
            let flag = entry.flag;
            let key = format!("info_{}", flag.key);
            let mut one = problem(
                &key,
                flag.label(language),
                &format!("'{}' in value_json.flags", flag.key),
                "value_json.flags",
            );
            one["enabled_by_default"] = json!(false);
            components.insert(key, one);
        }
        components
    }

    fn component(&self, platform: &str, key: &str, name: &str) -> Value {
        json!({
            "platform": platform,
            "unique_id": unique_id(&self.card.meter.serial, key),
            "name": name,
        })
    }
}

/// The decimals that a meter sends; never fewer than it did before.
fn precision(reading: &Reading, was: Option<&Value>) -> u64 {
    let now = match &reading.value {
        Some(Content::Number(number)) => {
            u64::from(0_i8.saturating_sub(number.exponent()).max(0).unsigned_abs())
        }
        _ => 0,
    };
    let before = was
        .and_then(|was| was.get("suggested_display_precision"))
        .and_then(Value::as_u64);
    now.max(before.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use heatmeter_catalog::{info_tables, registers};

    use super::*;

    #[test]
    fn no_entity_about_the_reading_has_the_key_of_a_register() {
        let flags = info_tables()
            .iter()
            .flat_map(|table| table.words)
            .flat_map(|word| word.entries)
            .map(|entry| format!("info_{}", entry.flag.key));
        let others = [
            "last_read",
            "verdict",
            "line_quality",
            "read_now",
            "info_text",
            "problem",
        ];
        let taken: BTreeSet<String> = flags.chain(others.map(str::to_owned)).collect();
        // These are of the message, not of the meter.
        let taken = taken.iter().map(String::as_str).chain(["read_at", "id"]);
        for key in taken {
            assert!(
                registers().iter().all(|register| register.key != key),
                "{key}"
            );
        }
    }
}
