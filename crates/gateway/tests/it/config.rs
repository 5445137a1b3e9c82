//! What is written in a configuration, what is wrong in it, and what is made of its table of keys.

mod documentation_is_current;
mod keys_are_what_the_parser_reads;
mod mistakes_are_underlined;
mod secrets_come_from_files;

use heatmeter_gateway::config::{Config, ConfigError, Problem};

/// Reads a configuration that is right.
fn right(text: &str) -> Config {
    match Config::parse(text, "heatmeter.toml", &|_| None) {
        Ok(config) => config,
        Err(error) => panic!("it is right, but:\n{error}"),
    }
}

/// What is wrong with a configuration.
fn problems(text: &str) -> Vec<Problem> {
    problems_with(text, &|_| None)
}

fn problems_with(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Vec<Problem> {
    match Config::parse(text, "heatmeter.toml", environment) {
        Err(ConfigError::Wrong { problems }) => problems,
        other => panic!("expected problems, found {other:?}"),
    }
}
