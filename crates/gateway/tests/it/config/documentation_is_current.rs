//! The manual's list of keys and its commented example are made of the table of keys. `make generate`
//! runs this test with `HEATMETER_GENERATE` set, and then it writes them.

use std::path::Path;
use std::{env, fs};

use heatmeter_gateway::config::{example, reference};

#[test]
fn documentation_is_current() {
    const BEGIN: &str = "<!-- configuration:begin -->\n";
    const END: &str = "<!-- configuration:end -->";

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let manual = docs.join("configuration.md");
    let text = fs::read_to_string(&manual).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let parts = [
        (
            manual,
            format!("{before}{BEGIN}{}{END}{after}", reference()),
        ),
        (docs.join("heatmeter.toml"), example()),
    ];
    for (path, current) in parts {
        if env::var_os("HEATMETER_GENERATE").is_some() {
            fs::write(&path, &current).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == current,
            "{} is not current; run: make generate",
            path.display()
        );
    }
}
