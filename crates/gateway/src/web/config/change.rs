//! Changes single places of a configuration, and leaves everything else as it was written.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};
use utoipa::ToSchema;

use crate::web::answer::{Answer, Refusal};

/// One change.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(example = json!({"op": "set", "path": ["meter", 0, "schedule"], "value": "every 15 min"}))]
pub(in crate::web) struct Change {
    op: Op,
    /// Names of keys, and places in lists counted from 0.
    path: Vec<Step>,
    /// For `set` and `add`.
    #[serde(default)]
    #[schema(value_type = Object)]
    value: Option<Json>,
}

/// `set` writes a value, `add` appends one to a list, `remove` takes one away.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Op {
    Set,
    Add,
    Remove,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Step {
    Place(usize),
    Key(String),
}

/// The text with all changes in it.
pub(super) fn apply(text: &str, changes: &[Change]) -> Answer<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "not_toml",
            format!("The configuration cannot be read: {}.", error.message()),
            "Mend it as a text first.",
        )
    })?;
    for change in changes {
        change.apply(document.as_item_mut())?;
    }
    let after = document.to_string();
    // What the file says about itself stands above its first key, and is not removed with that.
    let heading = heading(text);
    if after.contains(heading.trim()) {
        return Ok(after);
    }
    let rest = after.trim_start_matches('\n');
    Ok(format!("{}\n\n{rest}", heading.trim_end()))
}

/// The comments at the head of the file.
fn heading(text: &str) -> String {
    text.split_inclusive('\n')
        .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
        .collect()
}

impl Change {
    fn apply(&self, root: &mut Item) -> Answer<()> {
        let Some((last, way)) = self.path.split_last() else {
            return Err(misfit("The path of a change is empty."));
        };
        match self.op {
            Op::Remove => {
                // What is not there need not be removed.
                if let Some(parent) = find(root, way) {
                    last.remove(parent);
                }
                Ok(())
            }
            Op::Set => {
                let value = self.value()?;
                last.set(make(root, way)?, value)
            }
            Op::Add => {
                let value = self.value()?;
                add(make(root, &self.path)?, value)
            }
        }
    }

    fn value(&self) -> Answer<&Json> {
        self.value
            .as_ref()
            .ok_or_else(|| misfit("A change that writes something needs a `value`."))
    }
}

impl Step {
    fn get<'a>(&self, parent: &'a mut Item) -> Option<&'a mut Item> {
        match self {
            Self::Key(key) => parent.get_mut(key.as_str()),
            Self::Place(place) => parent.get_mut(*place),
        }
    }

    fn remove(&self, parent: &mut Item) {
        match self {
            Self::Key(key) => {
                if let Some(table) = parent.as_table_like_mut() {
                    table.remove(key);
                }
            }
            Self::Place(place) => match parent {
                Item::ArrayOfTables(tables) if *place < tables.len() => {
                    tables.remove(*place);
                }
                Item::Value(Value::Array(array)) if *place < array.len() => {
                    array.remove(*place);
                }
                _ => {}
            },
        }
    }

    fn set(&self, parent: &mut Item, value: &Json) -> Answer<()> {
        match self {
            Self::Key(key) => {
                let table = parent
                    .as_table_like_mut()
                    .ok_or_else(|| misfit(format!("There is no place for `{key}`.")))?;
                let mut new = item(value)?;
                // Its key stays, with the comment above it; and the comment behind the value does.
                match table.get_mut(key) {
                    Some(old) => {
                        if let (Item::Value(old), Item::Value(new)) = (&*old, &mut new) {
                            *new.decor_mut() = old.decor().clone();
                        }
                        *old = new;
                    }
                    None => {
                        table.insert(key, new);
                    }
                }
                Ok(())
            }
            Self::Place(place) => {
                let target = parent
                    .get_mut(*place)
                    .ok_or_else(|| misfit(format!("There is no number {place}.")))?;
                *target = item(value)?;
                Ok(())
            }
        }
    }
}

fn find<'a>(root: &'a mut Item, way: &[Step]) -> Option<&'a mut Item> {
    way.iter().try_fold(root, |item, step| step.get(item))
}

/// Goes down, and makes tables where there are none.
fn make<'a>(root: &'a mut Item, way: &[Step]) -> Answer<&'a mut Item> {
    let mut item = root;
    for step in way {
        item = match step {
            Step::Key(key) => {
                let table = item
                    .as_table_like_mut()
                    .ok_or_else(|| misfit(format!("There is no place for `{key}`.")))?;
                table.entry(key).or_insert(Item::None)
            }
            Step::Place(place) => item
                .get_mut(*place)
                .ok_or_else(|| misfit(format!("There is no number {place}.")))?,
        };
        if item.is_none() {
            *item = Item::Table(Table::new());
        }
    }
    Ok(item)
}

fn add(list: &mut Item, value: &Json) -> Answer<()> {
    let is_new = list.as_table().is_some_and(Table::is_empty);
    match (&mut *list, item(value)?) {
        (Item::ArrayOfTables(tables), Item::Table(table)) => tables.push(table),
        (Item::Value(Value::Array(array)), Item::Value(value)) => array.push(value),
        (Item::Value(Value::Array(array)), Item::Table(table)) => {
            array.push(Value::InlineTable(table.into_inline_table()));
        }
        (_, Item::Table(table)) if is_new => {
            let mut tables = ArrayOfTables::new();
            tables.push(table);
            *list = Item::ArrayOfTables(tables);
        }
        (_, Item::Value(value)) if is_new => {
            *list = Item::Value(Value::Array([value].into_iter().collect()));
        }
        _ => return Err(misfit("There is no list to add to.")),
    }
    Ok(())
}

fn item(value: &Json) -> Answer<Item> {
    let Json::Object(object) = value else {
        return plain(value).map(Item::Value);
    };
    let mut table = Table::new();
    for (key, value) in object {
        table.insert(key, item(value)?);
    }
    Ok(Item::Table(table))
}

fn plain(value: &Json) -> Answer<Value> {
    Ok(match value {
        Json::Null => return Err(misfit("TOML knows no null; remove the key instead.")),
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(number)) => number.into(),
            (None, None) => return Err(misfit(format!("{number} is too large."))),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(values) => {
            let values: Answer<Vec<Value>> = values.iter().map(plain).collect();
            Value::Array(values?.into_iter().collect())
        }
        Json::Object(object) => {
            let mut table = InlineTable::new();
            for (key, value) in object {
                table.insert(key, plain(value)?);
            }
            Value::InlineTable(table)
        }
    })
}

fn misfit(message: impl Into<String>) -> Refusal {
    Refusal::bad_request(
        message,
        "A change is {\"op\", \"path\", \"value\"}; /openapi.json describes it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Our house.
language = \"da\"   # as we speak

[[meter]]
name = \"House\"  # the big one
port = \"/dev/ttyUSB0\"

# The broker in the cellar.
[mqtt]
host = \"broker\"
";

    fn changed(changes: &Json) -> String {
        let changes: Vec<Change> = serde_json::from_value(changes.clone()).unwrap();
        apply(TEXT, &changes).unwrap()
    }

    #[test]
    fn a_value_is_set_and_the_comments_stay() {
        let text = changed(&serde_json::json!([
            {"op": "set", "path": ["meter", 0, "name"], "value": "Home"},
            {"op": "set", "path": ["meter", 0, "schedule"], "value": "every 15 min"},
            {"op": "set", "path": ["language"], "value": "de"},
        ]));
        let expected = TEXT
            .replace("name = \"House\"  #", "name = \"Home\"  #")
            .replace("ttyUSB0\"\n", "ttyUSB0\"\nschedule = \"every 15 min\"\n")
            .replace("\"da\"", "\"de\"");
        assert_eq!(text, expected);
    }

    #[test]
    fn a_meter_and_a_destination_are_added() {
        let text = changed(&serde_json::json!([
            {"op": "add", "path": ["meter"], "value": {"name": "Shed", "port": "/dev/ttyUSB1"}},
            {"op": "add", "path": ["webhook"], "value": {"url": "http://localhost/x"}},
            {"op": "set", "path": ["history", "path"], "value": "/tmp/x"},
        ]));
        let document: DocumentMut = text.parse().unwrap();
        assert_eq!(document["meter"][1]["name"].as_str(), Some("Shed"));
        assert_eq!(
            document["webhook"][0]["url"].as_str(),
            Some("http://localhost/x")
        );
        assert_eq!(document["history"]["path"].as_str(), Some("/tmp/x"));
        assert!(text.contains("# The broker in the cellar."), "{text}");
    }

    #[test]
    fn what_is_removed_is_gone_and_what_was_not_there_is_no_error() {
        let text = changed(&serde_json::json!([
            {"op": "remove", "path": ["meter", 0]},
            {"op": "remove", "path": ["mqtt", "host"]},
            {"op": "remove", "path": ["influx", 7, "url"]},
        ]));
        let document: DocumentMut = text.parse().unwrap();
        assert!(!text.contains("ttyUSB0"), "{text}");
        assert!(document["mqtt"].get("host").is_none());
    }

    #[test]
    fn the_heading_of_the_file_stays_when_the_first_key_goes() {
        let text = "# Our house.\nport = \"/dev/ttyUSB0\" # the head\n";
        let changes = serde_json::json!([
            {"op": "remove", "path": ["port"]},
            {"op": "add", "path": ["meter"], "value": {"name": "House", "port": "/dev/ttyUSB0"}},
        ]);
        let changes: Vec<Change> = serde_json::from_value(changes).unwrap();
        let after = apply(text, &changes).unwrap();
        assert_eq!(
            after,
            "# Our house.\n\n[[meter]]\nname = \"House\"\nport = \"/dev/ttyUSB0\"\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for change in [
            serde_json::json!({"op": "set", "path": ["language", "x"], "value": 1}),
            serde_json::json!({"op": "set", "path": ["meter", 4, "name"], "value": "x"}),
            serde_json::json!({"op": "set", "path": [], "value": "x"}),
            serde_json::json!({"op": "set", "path": ["x"], "value": null}),
            serde_json::json!({"op": "add", "path": ["language"], "value": {"a": 1}}),
        ] {
            let change: Change = serde_json::from_value(change).unwrap();
            assert!(
                apply(TEXT, std::slice::from_ref(&change)).is_err(),
                "{change:?}"
            );
        }
    }
}
