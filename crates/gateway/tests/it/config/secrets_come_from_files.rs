//! Secrets stand in files, named by a key or by the environment.

use std::fs;

use heatmeter_gateway::config::Config;

use super::{problems, problems_with};

#[test]
fn a_key_or_the_environment_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "a b c\n").unwrap();
    let path = file.display().to_string();

    let text = format!("[mqtt]\nhost = \"broker\"\nuser = \"me\"\npassword_file = \"{path}\"\n");
    let config = Config::parse(&text, "heatmeter.toml", &|_| None).unwrap();
    assert_eq!(config.mqtt.unwrap().password.as_deref(), Some("a b c"));

    let text = "[mqtt]\nhost = \"broker\"\nuser = \"me\"\n";
    let environment = |name: &str| (name == "HEATMETER_MQTT_PASSWORD_FILE").then(|| path.clone());
    let config = Config::parse(text, "heatmeter.toml", &environment).unwrap();
    assert_eq!(config.mqtt.unwrap().password.as_deref(), Some("a b c"));
}

#[test]
fn a_path_begins_where_the_configuration_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    let file = folder.path().join("heatmeter.toml");
    fs::write(
        &file,
        "[web]\nlisten = \"0.0.0.0:8403\"\ntoken_file = \"token\"\n[history]\npath = \"h.db\"\n",
    )
    .unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.history.path, Some(folder.path().join("h.db")));
}

#[test]
fn destinations_of_a_kind_have_variables_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "secret").unwrap();
    let path = file.display().to_string();
    let text = "\
[[influx]]
url = \"http://127.0.0.1:8086\"
bucket = \"heat\"

[[influx]]
name = \"far away\"
url = \"http://127.0.0.1:8087\"
bucket = \"heat\"
";
    let environment = |name: &str| (name == "HEATMETER_FAR_AWAY_TOKEN_FILE").then(|| path.clone());
    let config = Config::parse(text, "heatmeter.toml", &environment).unwrap();
    let shown: Vec<_> = config
        .influx
        .iter()
        .map(|named| format!("{:?}", named.settings.target))
        .collect();
    assert!(shown[0].contains("token: None"), "{}", shown[0]);
    assert!(shown[1].contains("token: Some"), "{}", shown[1]);
}

#[test]
fn a_file_that_cannot_be_read_is_underlined() {
    let found = problems("[web]\ntoken_file = \"/nowhere/token\"\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].line, found[0].column), (2, 14));
    assert!(found[0].message.contains("/nowhere/token"));

    let environment =
        |name: &str| (name == "HEATMETER_WEB_TOKEN_FILE").then(|| "/nowhere/token".to_owned());
    let found = problems_with("[web]\n", &environment);
    assert!(found[0].message.contains("HEATMETER_WEB_TOKEN_FILE"));

    // That it is also missing would mislead.
    let environment =
        |name: &str| (name == "HEATMETER_POSTGRES_URL_FILE").then(|| "/nowhere/url".to_owned());
    let found = problems_with("[[postgres]]\n", &environment);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_secret_in_two_places_is_no_secret() {
    let found = problems("[web]\ntoken = \"0123456789abcdef\"\ntoken_file = \"/dev/null\"\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].line, 3);
}
