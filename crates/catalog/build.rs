//! Compiles the data files of `meters/` into the crate.
//!
//! What is wrong with them is printed as `file:line: reason` and fails the build; see
//! `build/compiler/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "build/compiler/mod.rs"]
mod compiler;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let meters = root.join("../../meters");
    println!("cargo::rerun-if-changed={}", meters.display());
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/nearest.rs");

    let compiled = compiler::read_folder(&meters).and_then(|files| compiler::compile(&files));
    match compiled {
        Ok(source) => {
            let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
            fs::write(folder.join("catalog.rs"), source).expect("OUT_DIR can be written");
        }
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
        }
    }
}
