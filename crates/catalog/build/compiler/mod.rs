//! From the text of the data files to Rust source, or to a list of what is wrong with them.
//!
//! Used by the build script and by `tests/data_errors.rs`; nothing here is part of the crate. The
//! shape of the files is `schema`, the words they may use are `words`, and each file has a module
//! that checks it and writes its tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

mod captures;
mod infocodes;
mod model_parts;
mod models;
#[allow(unreachable_pub, reason = "the crate exports it")]
#[path = "../../src/nearest.rs"]
mod nearest;
mod problem;
mod registers;
mod schema;
mod words;

pub(crate) use problem::Problem;
use problem::{File, Problems};

/// Names and texts of the data files, in the order of their names.
pub(crate) type Files = BTreeMap<String, String>;

const REGISTERS: &str = "registers.toml";
const INFO_CODES: &str = "infocodes.toml";

/// Reads every `.toml` file of a folder.
pub(crate) fn read_folder(folder: &Path) -> Result<Files, Vec<Problem>> {
    let unreadable = |error: std::io::Error| {
        vec![Problem {
            file: folder.display().to_string(),
            line: 0,
            reason: error.to_string(),
        }]
    };
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.insert(
                name.to_owned(),
                fs::read_to_string(&path).map_err(unreadable)?,
            );
        }
    }
    Ok(files)
}

/// The source of the crate's tables, or everything that is wrong with the files.
pub(crate) fn compile(files: &Files) -> Result<String, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut source = String::from("// Made from meters/ by build.rs.\n");

    let Some(registers) = parse(files, REGISTERS, &mut problems) else {
        return Err(problems.into_list());
    };
    let registers = registers::check(&registers.0, registers.1, &mut problems);
    registers.write(&mut source);

    let Some(info) = parse(files, INFO_CODES, &mut problems) else {
        return Err(problems.into_list());
    };
    let info = infocodes::check(&info.0, info.1, &registers, &mut problems);
    info.write(&mut source);

    let mut models = models::Models::default();
    let mut captures = captures::Captures::default();
    for name in files
        .keys()
        .filter(|name| ![REGISTERS, INFO_CODES].contains(&name.as_str()))
    {
        if let Some((file, model)) = parse::<schema::ModelFile>(files, name, &mut problems) {
            captures.check(&file, &model, &registers, &mut problems);
            models.check(&file, &model, &registers, &info, &mut problems);
        }
    }
    models.finish(&mut problems);
    models.write(&mut source);
    captures.write(&mut source);

    if problems.is_empty() {
        Ok(source)
    } else {
        Err(problems.into_list())
    }
}

fn parse<'a, T: serde::de::DeserializeOwned>(
    files: &'a Files,
    name: &'a str,
    problems: &mut Problems,
) -> Option<(File<'a>, T)> {
    let Some(text) = files.get(name) else {
        problems.add(&File::new(name, ""), 0, "this file is missing");
        return None;
    };
    let file = File::new(name, text);
    match toml::from_str(text) {
        Ok(parsed) => Some((file, parsed)),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            problems.add(&file, offset, error.message());
            None
        }
    }
}

/// Writes a slice literal.
fn slice<T>(items: &[T], mut item: impl FnMut(&T) -> String) -> String {
    let mut text = String::from("&[");
    for element in items {
        let _ = write!(text, "{}, ", item(element));
    }
    text.push(']');
    text
}

/// Writes an `Option`.
fn option(item: Option<impl AsRef<str>>) -> String {
    item.map_or_else(
        || "None".to_owned(),
        |item| format!("Some({})", item.as_ref()),
    )
}
