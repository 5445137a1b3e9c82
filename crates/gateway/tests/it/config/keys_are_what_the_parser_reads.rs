//! The table of keys is what the parser accepts, and the commented example is made of it.

use heatmeter_catalog::Language;
use heatmeter_gateway::config::keys::{Key, SECTIONS, Section};
use heatmeter_gateway::config::{Config, ConfigError, example};

use super::right;

/// What is said about a key on the third line of a text.
fn said(section: &Section, key: &Key, value: &str) -> Vec<String> {
    let text = format!("# a comment\n{}\n{} = {value}\n", section.header, key.name);
    match Config::parse(&text, "heatmeter.toml", &|_| None) {
        Err(ConfigError::Wrong { problems }) => problems
            .into_iter()
            .filter(|problem| problem.line == 3)
            .map(|problem| problem.message)
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_key_is_read_and_another_kind_of_value_is_refused() {
    for section in SECTIONS {
        for key in section.keys {
            let wrong = if key.kind == "true or false" {
                "7"
            } else {
                "true"
            };
            let said = said(section, key, wrong);
            assert!(
                said.iter().any(|message| message.starts_with("found ")
                    && message.ends_with(key.kind)
                    && message.contains(&format!("`{}`", key.name))),
                "{} {}: {said:?}",
                section.header,
                key.name
            );
        }
    }
}

#[test]
fn every_example_is_right() {
    for section in SECTIONS {
        for key in section.keys {
            let mut said = said(section, key, key.example);
            // The files of the examples are not there, and what goes with a key is not either.
            said.retain(|message| {
                !message.starts_with("cannot read") && !message.starts_with("found a password, and")
            });
            assert!(said.is_empty(), "{} {}: {said:?}", section.header, key.name);
        }
    }
}

#[test]
fn the_commented_example_is_right_and_has_every_key() {
    let example = example();
    let defaults = right(&example);
    assert_eq!(defaults, right(""));
    for section in SECTIONS {
        assert!(example.contains(section.header), "{}", section.header);
        for key in section.keys {
            let line = format!("\n#{} = {}\n", key.name, key.example);
            assert!(example.contains(&line), "{line}");
        }
    }
}

#[test]
fn every_language_is_named() {
    let keys = SECTIONS[0].keys;
    let key = keys.iter().find(|key| key.name == "language").unwrap();
    let words: Vec<_> = key.text.split([' ', ',', '.']).collect();
    for language in Language::ALL {
        assert!(words.contains(&language.code()), "{language}");
    }
}
