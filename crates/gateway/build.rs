//! Makes sure that there is a folder to take the page from, and that it is looked at again when
//! `scripts/page.sh` has built it. Without a page the program says how to build one.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let workspace = crate_folder.join("../..");
    // A crate taken from its registry has no workspace around it.
    if workspace.join("scripts/page.sh").exists() || workspace.join("meters").is_dir() {
        let page = workspace.join("web/dist");
        // A folder that is not there would count as changed with every build.
        fs::create_dir_all(&page)?;
        println!("cargo::rerun-if-changed={}", page.display());
    }
    Ok(())
}
