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

impl Section {
    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
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
            "a text",
            "\"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0\"",
            "The port of a single meter, where all the rest of it is as it is by default; otherwise use [[meter]].",
        ),
        default(
            "language",
            "a text",
            "\"en\"",
            "The language of names: en, nl, da, de, sv, fi, nb or pl.",
        ),
        example(
            "time_zone",
            "a text",
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
            "a text",
            "\"127.0.0.1:8403\"",
            "Where it listens. Anything but this machine itself needs a token.",
        ),
        example(
            "token_file",
            "a text",
            "\"/etc/heatmeter/token\"",
            "A file with the token that people log in with; HEATMETER_WEB_TOKEN_FILE does the same.",
        ),
        example(
            "token",
            "a text",
            "\"bb0ad6a3f1c94d7e8a52\"",
            "The token itself; a file is better.",
        ),
        example(
            "prefix",
            "a text",
            "\"/heatmeter\"",
            "The path that a reverse proxy serves the page under.",
        ),
        example(
            "hosts",
            "a list of texts",
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
            "a text",
            "\"/var/lib/heatmeter/history.db\"",
            "The file; without it history.db in $STATE_DIRECTORY, or beside the configuration.",
        ),
        default(
            "keep_readings",
            "a time, such as \"15min\"",
            "\"2 years\"",
            "How long every single poll is kept; `for ever` is possible.",
        ),
        default(
            "keep_undelivered",
            "a time, such as \"15min\"",
            "\"2 years\"",
            "How long polls wait for a destination that does not take them, if that is longer; `for ever`, too.",
        ),
    ],
};

pub(super) const METER: Section = Section {
    header: "[[meter]]",
    text: "A meter. Repeat the table for each.",
    keys: &[
        default("name", "a text", "\"Heat meter\"", "What people call it."),
        example(
            "port",
            "a text",
            "\"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0\"",
            "Where it is: /dev/..., socket://HOST:PORT or rfc2217://HOST:PORT.",
        ),
        default(
            "schedule",
            "a text",
            "\"hourly at :59:50\"",
            "When it is read: `hourly at :59:50`, `every 15 min`, `daily at 06:00`, or five fields as cron has them.",
        ),
        example(
            "model",
            "a text",
            "\"403\"",
            "What it is, where it does not say so itself.",
        ),
        example(
            "registers",
            "a list of texts",
            "[\"heat_energy\", \"flow\", \"power\"]",
            "What is read, by key or number; without it what the model has, slow values rarely.",
        ),
        example(
            "serial",
            "a text",
            "\"84968362\"",
            "The serial number that is expected; another meter's values are then refused.",
        ),
        default(
            "timeout",
            "a time, such as \"15min\"",
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
            "a text",
            "\"127.0.0.1\"",
            "The broker's name or address.",
        ),
        example(
            "port",
            "a number",
            "1883",
            "Its port; without it 1883, or 8883 with TLS.",
        ),
        example("user", "a text", "\"heatmeter\"", "The user to log in as."),
        example(
            "password_file",
            "a text",
            "\"/etc/heatmeter/mqtt-password\"",
            "A file with its password; HEATMETER_MQTT_PASSWORD_FILE does the same.",
        ),
        example(
            "password",
            "a text",
            "\"secret\"",
            "The password itself; a file is better.",
        ),
        default(
            "protocol",
            "a number",
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
            "a text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
        example(
            "cert_file",
            "a text",
            "\"/etc/heatmeter/client.pem\"",
            "Our certificate, where the broker wants to see one.",
        ),
        example(
            "key_file",
            "a text",
            "\"/etc/heatmeter/client.key\"",
            "Its key.",
        ),
        default(
            "base_topic",
            "a text",
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
            "a text",
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
            "a text",
            "\"influx\"",
            "What it is called; two of a kind need two names. HEATMETER_NAME_... in the environment follow it.",
        ),
        example("url", "a text", "\"http://127.0.0.1:8086\"", "Where it is."),
        example(
            "database",
            "a text",
            "\"heat\"",
            "The database, for InfluxDB 1 and VictoriaMetrics.",
        ),
        example("user", "a text", "\"heatmeter\"", "The user of a database."),
        example(
            "password_file",
            "a text",
            "\"/etc/heatmeter/influx-password\"",
            "A file with its password; HEATMETER_INFLUX_PASSWORD_FILE does the same.",
        ),
        example(
            "password",
            "a text",
            "\"secret\"",
            "The password itself; a file is better.",
        ),
        example(
            "org",
            "a text",
            "\"home\"",
            "The organisation, for InfluxDB 2.",
        ),
        example(
            "bucket",
            "a text",
            "\"heat\"",
            "The bucket, for InfluxDB 2 and 3.",
        ),
        example(
            "token_file",
            "a text",
            "\"/etc/heatmeter/influx-token\"",
            "A file with the token of a bucket; HEATMETER_INFLUX_TOKEN_FILE does the same.",
        ),
        example(
            "token",
            "a text",
            "\"secret\"",
            "The token itself; a file is better.",
        ),
        default("measurement", "a text", "\"heatmeter\"", "The measurement."),
        default(
            "texts",
            "true or false",
            "false",
            "Whether dates and other texts are written, too.",
        ),
        example(
            "ca_file",
            "a text",
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
            "a text",
            "\"postgres\"",
            "What it is called; two of a kind need two names. HEATMETER_NAME_... in the environment follow it.",
        ),
        example(
            "url",
            "a text",
            "\"postgresql://heatmeter@127.0.0.1/heat\"",
            "How to connect.",
        ),
        example(
            "url_file",
            "a text",
            "\"/etc/heatmeter/postgres-url\"",
            "A file with the URL, because of its password; HEATMETER_POSTGRES_URL_FILE does the same.",
        ),
        default(
            "table",
            "a text",
            "\"readings\"",
            "The table, perhaps with its schema.",
        ),
        example(
            "ca_file",
            "a text",
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
            "a text",
            "\"webhook\"",
            "What it is called; two of a kind need two names. HEATMETER_NAME_... in the environment follow it.",
        ),
        example(
            "url",
            "a text",
            "\"https://example.org/heat\"",
            "Where polls are posted to.",
        ),
        example(
            "url_file",
            "a text",
            "\"/etc/heatmeter/webhook-url\"",
            "A file with the URL, where that is a secret; HEATMETER_WEBHOOK_URL_FILE does the same.",
        ),
        example(
            "headers",
            "a table of texts",
            "{ Authorization = \"Bearer ...\" }",
            "More headers.",
        ),
        example(
            "secret_file",
            "a text",
            "\"/etc/heatmeter/webhook-secret\"",
            "A file with the word that bodies are signed with; HEATMETER_WEBHOOK_SECRET_FILE does the same.",
        ),
        example(
            "secret",
            "a text",
            "\"secret\"",
            "The word itself; a file is better.",
        ),
        default(
            "array",
            "true or false",
            "false",
            "Whether several polls come as one array.",
        ),
        default(
            "timeout",
            "a time, such as \"15min\"",
            "\"30s\"",
            "How long an answer may take.",
        ),
        example(
            "ca_file",
            "a text",
            "\"/etc/heatmeter/ca.pem\"",
            "The only authority that is believed; without it those that the machine believes.",
        ),
    ],
};
