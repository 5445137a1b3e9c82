//! Every key of the configuration: the one table that the parser, the commented example and the
//! documentation are made of.

/// A table of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its header as it is written: nothing for the top, `[mqtt]`, `[[meter]]`.
    pub header: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// What can stand in it.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What kind of value it takes, in words.
    pub kind: &'static str,
    /// A value, written as in the file: the default, or an example where there is none.
    pub example: &'static str,
    /// Whether the example is what holds without the key.
    pub is_default: bool,
    /// What it is for, in a sentence.
    pub text: &'static str,
}

const fn default(
    name: &'static str,
    kind: &'static str,
    example: &'static str,
    text: &'static str,
) -> Key {
    Key {
        name,
        kind,
        example,
        is_default: true,
        text,
    }
}

const fn example(
    name: &'static str,
    kind: &'static str,
    example: &'static str,
    text: &'static str,
) -> Key {
    Key {
        name,
        kind,
        example,
        is_default: false,
        text,
    }
}

/// All tables.
pub const SECTIONS: [&Section; 8] = [
    &TOP, &WEB, &HISTORY, &METER, &MQTT, &INFLUX, &POSTGRES, &WEBHOOK,
];

pub(super) const TOP: Section = Section {
    header: "",
    text: "heatmeter's configuration. A port alone is enough: everything else has a sensible default.",
    keys: &[
        example(
            "port",
            "text",
            "\"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0\"",
            "The port of a single meter, instead of a [[meter]] table.",
        ),
        default(
            "language",
            "text",
            "\"en\"",
            "The language of names: en, nl, da, de, sv, fi, nb or pl.",
        ),
        example(
            "time_zone",
            "text",
            "\"Europe/Copenhagen\"",
            "Where days and months begin, and what schedules mean; without it the machine's zone.",
        ),
    ],
};

pub(super) const WEB: Section = Section {
    header: "[web]",
    text: "The page, the HTTP API and the metrics.",
    keys: &[
        default(
            "listen",
            "text",
            "\"127.0.0.1:8403\"",
            "Where it listens. Anything but this machine itself needs a token.",
        ),
        example(
            "token_file",
            "text",
            "\"/etc/heatmeter/token\"",
            "A file with the token that people log in with; HEATMETER_WEB_TOKEN_FILE does the same.",
        ),
        example(
            "token",
            "text",
            "\"a long random word\"",
            "The token itself; a file is better.",
        ),
        example(
            "prefix",
            "text",
            "\"/heatmeter\"",
            "The path that a reverse proxy serves the page under.",
        ),
        example(
            "hosts",
            "list of texts",
            "[\"meter.example.org\"]",
            "More names that the page may be called by, besides localhost and IP addresses.",
        ),
    ],
};

pub(super) const HISTORY: Section = Section {
    header: "[history]",
    text: "What is kept. Hourly and daily figures are kept for ever.",
    keys: &[
        example(
            "path",
            "text",
            "\"/var/lib/heatmeter/history.db\"",
            "The file; without it history.db in $STATE_DIRECTORY, or beside the configuration.",
        ),
        default(
            "keep_readings",
            "time",
            "\"730d\"",
            "How long every single poll is kept.",
        ),
        default(
            "keep_undelivered",
            "time",
            "\"730d\"",
            "How long polls wait for a destination that does not take them, if that is longer.",
        ),
    ],
};

pub(super) const METER: Section = Section {
    header: "[[meter]]",
    text: "A meter. Repeat the table for each.",
    keys: &[
        default("name", "text", "\"Heat meter\"", "What people call it."),
        example(
            "port",
            "text",
            "\"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0\"",
            "Where it is: /dev/..., socket://HOST:PORT or rfc2217://HOST:PORT.",
        ),
        default(
            "schedule",
            "text",
            "\"hourly at :59:50\"",
            "When it is read: `hourly at :59:50`, `every 15 min`, `daily at 06:00`, or five fields as cron has them.",
        ),
        example(
            "model",
            "text",
            "\"403\"",
            "What it is, where it does not say so itself.",
        ),
        example(
            "registers",
            "list of texts",
            "[\"heat_energy\", \"flow\", \"power\"]",
            "What is read, by key or number; without it what the model has, slow values rarely.",
        ),
        example(
            "serial",
            "text",
            "\"84968362\"",
            "The serial number that is expected; another meter's values are then refused.",
        ),
        default(
            "timeout",
            "time",
            "\"2s\"",
            "How long to wait for an answer to begin; more where a slow network is between.",
        ),
        default(
            "mains_powered",
            "true or false",
            "false",
            "Whether it is fed by the mains, so that no battery is spent.",
        ),
    ],
};

pub(super) const MQTT: Section = Section {
    header: "[mqtt]",
    text: "An MQTT broker, with Home Assistant's discovery.",
    keys: &[
        example(
            "host",
            "text",
            "\"127.0.0.1\"",
            "The broker's name or address.",
        ),
        example(
            "port",
            "number",
            "1883",
            "Its port; without it 1883, or 8883 with TLS.",
        ),
        example("user", "text", "\"heatmeter\"", "The user to log in as."),
        example(
            "password_file",
            "text",
            "\"/etc/heatmeter/mqtt-password\"",
            "A file with its password; HEATMETER_MQTT_PASSWORD_FILE does the same.",
        ),
        example(
            "password",
            "text",
            "\"secret\"",
            "The password itself; a file is better.",
        ),
        default(
            "protocol",
            "number",
            "5",
            "The version of MQTT: 5, or 3 for 3.1.1.",
        ),
        default(
            "tls",
            "true or false",
            "false",
            "Whether the connection is encrypted; a ca_file switches it on, too.",
        ),
        example(
            "ca_file",
            "text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
        example(
            "cert_file",
            "text",
            "\"/etc/heatmeter/client.pem\"",
            "Our certificate, where the broker wants to see one.",
        ),
        example(
            "key_file",
            "text",
            "\"/etc/heatmeter/client.key\"",
            "Its key.",
        ),
        default(
            "base_topic",
            "text",
            "\"heatmeter\"",
            "What all topics begin with. Two gateways on one broker need two of them.",
        ),
        default(
            "discovery",
            "true or false",
            "true",
            "Whether meters are announced to Home Assistant.",
        ),
        default(
            "discovery_prefix",
            "text",
            "\"homeassistant\"",
            "What Home Assistant's discovery topics begin with.",
        ),
    ],
};

pub(super) const INFLUX: Section = Section {
    header: "[[influx]]",
    text: "An InfluxDB, or whatever speaks its line protocol, such as VictoriaMetrics.",
    keys: &[
        default(
            "name",
            "text",
            "\"influx\"",
            "What it is called, here and in the outbox.",
        ),
        example("url", "text", "\"http://127.0.0.1:8086\"", "Where it is."),
        example(
            "database",
            "text",
            "\"heat\"",
            "The database, for InfluxDB 1 and VictoriaMetrics.",
        ),
        example("user", "text", "\"heatmeter\"", "The user of a database."),
        example(
            "password_file",
            "text",
            "\"/etc/heatmeter/influx-password\"",
            "A file with its password.",
        ),
        example(
            "org",
            "text",
            "\"home\"",
            "The organisation, for InfluxDB 2.",
        ),
        example(
            "bucket",
            "text",
            "\"heat\"",
            "The bucket, for InfluxDB 2 and 3.",
        ),
        example(
            "token_file",
            "text",
            "\"/etc/heatmeter/influx-token\"",
            "A file with the token of a bucket; HEATMETER_INFLUX_TOKEN_FILE does the same.",
        ),
        default("measurement", "text", "\"heatmeter\"", "The measurement."),
        default(
            "texts",
            "true or false",
            "false",
            "Whether dates and other texts are written, too.",
        ),
        example(
            "ca_file",
            "text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
    ],
};

pub(super) const POSTGRES: Section = Section {
    header: "[[postgres]]",
    text: "A PostgreSQL, with or without TimescaleDB.",
    keys: &[
        default(
            "name",
            "text",
            "\"postgres\"",
            "What it is called, here and in the outbox.",
        ),
        example(
            "url",
            "text",
            "\"postgresql://heatmeter@127.0.0.1/heat\"",
            "How to connect.",
        ),
        example(
            "url_file",
            "text",
            "\"/etc/heatmeter/postgres-url\"",
            "A file with the URL, because of its password; HEATMETER_POSTGRES_URL_FILE does the same.",
        ),
        default(
            "table",
            "text",
            "\"readings\"",
            "The table, perhaps with its schema.",
        ),
        example(
            "ca_file",
            "text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
    ],
};

pub(super) const WEBHOOK: Section = Section {
    header: "[[webhook]]",
    text: "An address that every poll is posted to as JSON.",
    keys: &[
        default(
            "name",
            "text",
            "\"webhook\"",
            "What it is called, here and in the outbox.",
        ),
        example(
            "url",
            "text",
            "\"https://example.org/heat\"",
            "Where polls are posted to.",
        ),
        example(
            "url_file",
            "text",
            "\"/etc/heatmeter/webhook-url\"",
            "A file with the URL, where that is a secret.",
        ),
        example(
            "headers",
            "table of texts",
            "{ Authorization = \"Bearer ...\" }",
            "More headers.",
        ),
        example(
            "secret_file",
            "text",
            "\"/etc/heatmeter/webhook-secret\"",
            "A file with the word that bodies are signed with; HEATMETER_WEBHOOK_SECRET_FILE does the same.",
        ),
        default(
            "array",
            "true or false",
            "false",
            "Whether several polls come as one array.",
        ),
        default("timeout", "time", "\"30s\"", "How long an answer may take."),
        example(
            "ca_file",
            "text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
    ],
};

/// The whole configuration as a commented file: every key, what it is for, and its default.
pub fn commented() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        if !text.is_empty() {
            text.push('\n');
        }
        for line in wrapped(section.text) {
            text += &format!("# {line}\n");
        }
        // A table that is there is a destination that is wanted: only what costs nothing stands open.
        let is_open = matches!(section.header, "" | "[web]" | "[history]");
        if !section.header.is_empty() {
            text += if is_open { "" } else { "#" };
            text += section.header;
            text.push('\n');
        }
        for key in section.keys {
            text.push('\n');
            for line in wrapped(key.text) {
                text += &format!("# {line}\n");
            }
            text += &format!("#{} = {}\n", key.name, key.example);
        }
    }
    text
}

/// The same as a page of the documentation.
pub fn reference() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        let title = match section.header {
            "" => "At the top",
            header => header,
        };
        text += &format!(
            "### `{title}`\n\n{}\n\n| key | takes | default | |\n| --- | --- | --- | --- |\n",
            section.text
        );
        for key in section.keys {
            let default = if key.is_default {
                format!("`{}`", key.example)
            } else {
                String::new()
            };
            text += &format!(
                "| `{}` | {} | {default} | {} |\n",
                key.name,
                key.kind,
                key.text.replace('|', "\\|")
            );
        }
        text.push('\n');
    }
    text
}

/// Lines of at most 90 letters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.len() + word.len() < 90);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
