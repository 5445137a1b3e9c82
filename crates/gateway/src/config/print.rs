//! The table of keys for people: as a commented file, and as a page of the documentation.

use core::fmt::{self, Write};

use super::keys::SECTIONS;

/// Lines of comments have so many letters.
const WIDTH: usize = 100;

/// A configuration in which every key is commented out, with what it is for and its default.
pub fn example() -> String {
    let mut text = String::new();
    // A string takes everything.
    let _ = write_example(&mut text);
    text
}

/// The keys as tables in Markdown.
pub fn reference() -> String {
    let mut text = String::new();
    let _ = write_reference(&mut text);
    text
}

fn write_example(text: &mut String) -> fmt::Result {
    for section in SECTIONS {
        if !text.is_empty() {
            text.push('\n');
        }
        comment(text, section.text);
        // A table that is there is a meter or a destination that is wanted; these two cost nothing.
        let is_open = matches!(section.header, "" | "[web]" | "[history]");
        if !section.header.is_empty() {
            let mark = if is_open { "" } else { "#" };
            writeln!(text, "{mark}{}", section.header)?;
        }
        for key in section.keys {
            text.push('\n');
            comment(text, key.text);
            writeln!(text, "#{} = {}", key.name, key.example)?;
        }
    }
    Ok(())
}

fn write_reference(text: &mut String) -> fmt::Result {
    for section in SECTIONS {
        let title = match section.header {
            "" => "At the top".to_owned(),
            header => format!("`{header}`"),
        };
        writeln!(
            text,
            "\n### {title}\n\n{}\n\n| key | takes | default | |\n| --- | --- | --- | --- |",
            section.text
        )?;
        for key in section.keys {
            let default = if key.is_default {
                format!("`{}`", key.example)
            } else {
                format!("(such as `{}`)", key.example)
            };
            writeln!(
                text,
                "| `{}` | {} | {default} | {} |",
                key.name, key.kind, key.text
            )?;
        }
    }
    text.push('\n');
    Ok(())
}

fn comment(text: &mut String, sentence: &str) {
    let mut length = WIDTH;
    for word in sentence.split(' ') {
        if length + word.len() + 1 > WIDTH {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push('#');
            length = 1;
        }
        text.push(' ');
        text.push_str(word);
        length += word.len() + 1;
    }
    text.push('\n');
}
