//! The names of topics.

use super::settings::Settings;

/// What the topics of one gateway are called.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    base: String,
    discovery: String,
}

/// What an object id in Home Assistant's discovery begins with.
const DEVICE: &str = "kamstrup_";

impl Topics {
    pub(super) fn new(settings: &Settings) -> Self {
        let trimmed = |topic: &str| topic.trim_matches('/').to_owned();
        Self {
            base: trimmed(&settings.base_topic),
            discovery: trimmed(&settings.discovery_prefix),
        }
    }

    /// Whether the gateway is there.
    pub(super) fn status(&self) -> String {
        format!("{}/status", self.base)
    }

    /// What the button "test" writes to.
    pub(super) fn test(&self) -> String {
        format!("{}/test", self.base)
    }

    /// Whether a meter answers.
    pub(super) fn availability(&self, serial: &str) -> String {
        self.of(serial, "availability")
    }

    /// A meter's values.
    pub(super) fn state(&self, serial: &str) -> String {
        self.of(serial, "state")
    }

    /// What there is to say about a meter's last poll besides the values.
    pub(super) fn diagnostics(&self, serial: &str) -> String {
        self.of(serial, "diagnostics")
    }

    /// The command to read a meter now.
    pub(super) fn read(&self, serial: &str) -> String {
        self.of(serial, "read")
    }

    /// Where a meter is announced.
    pub(super) fn announcement(&self, serial: &str) -> String {
        format!("{}/device/{DEVICE}{}/config", self.discovery, part(serial))
    }

    /// Where Home Assistant says that it has started.
    pub(super) fn birth(&self) -> String {
        format!("{}/status", self.discovery)
    }

    /// Everything we listen to.
    pub(super) fn subscriptions(&self, with_discovery: bool) -> Vec<String> {
        let mut filters = vec![self.commands()];
        if with_discovery {
            filters.push(self.birth());
            filters.push(format!("{}/device/+/config", self.discovery));
        }
        filters
    }

    /// The commands to read any meter now.
    pub(super) fn commands(&self) -> String {
        format!("{}/+/read", self.base)
    }

    /// The meter that a command is for.
    pub(super) fn commanded<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic
            .strip_prefix(&self.base)?
            .strip_prefix('/')?
            .strip_suffix("/read")
    }

    /// The meter that an announcement is about.
    pub(super) fn announced<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic
            .strip_prefix(&self.discovery)?
            .strip_prefix("/device/")?
            .strip_prefix(DEVICE)?
            .strip_suffix("/config")
    }

    fn of(&self, serial: &str, what: &str) -> String {
        format!("{}/{}/{what}", self.base, part(serial))
    }
}

/// A meter's identifier in Home Assistant.
pub(super) fn device_id(serial: &str) -> String {
    format!("{DEVICE}{}", part(serial))
}

/// A serial number as a part of a topic: Home Assistant takes these characters only.
pub(super) fn part(serial: &str) -> String {
    serial
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => letter,
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_those_of_the_interface() {
        let topics = Topics::new(&Settings::new("broker"));
        assert_eq!(topics.status(), "heatmeter/status");
        assert_eq!(topics.state("84968362"), "heatmeter/84968362/state");
        assert_eq!(topics.read("84968362"), "heatmeter/84968362/read");
        assert_eq!(
            topics.announcement("84968362"),
            "homeassistant/device/kamstrup_84968362/config"
        );
        assert_eq!(
            topics.commanded("heatmeter/84968362/read"),
            Some("84968362")
        );
        assert_eq!(topics.commanded("heatmeter/84968362/state"), None);
        assert_eq!(
            topics.announced("homeassistant/device/kamstrup_84968362/config"),
            Some("84968362")
        );
        assert_eq!(topics.announced("homeassistant/device/0x00/config"), None);
    }

    #[test]
    fn a_serial_number_cannot_leave_its_place_in_a_topic() {
        let topics = Topics::new(&Settings::new("broker"));
        assert_eq!(topics.state("1/#+ 2"), "heatmeter/1____2/state");
    }
}
