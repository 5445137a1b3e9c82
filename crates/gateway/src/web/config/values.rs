//! A configuration as JSON, for forms that show what is set.

use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item, TableLike, Value};

/// The values of a text; none where it cannot be read.
pub(super) fn of(text: &str) -> Json {
    let document: DocumentMut = text.parse().unwrap_or_default();
    table(document.as_table())
}

/// A table's values.
pub(super) fn table(table: &dyn TableLike) -> Json {
    let pairs = table
        .iter()
        .filter_map(|(key, item)| Some((key.to_owned(), value_of(item)?)));
    Json::Object(pairs.collect::<Map<_, _>>())
}

fn value_of(item: &Item) -> Option<Json> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(plain(value)),
        Item::Table(inner) => Some(table(inner)),
        Item::ArrayOfTables(tables) => {
            Some(tables.iter().map(|inner| table(inner)).collect::<Json>())
        }
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::String(text) => text.value().as_str().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => (*number.value()).into(),
        Value::Boolean(is) => (*is.value()).into(),
        Value::Datetime(moment) => moment.value().to_string().into(),
        Value::Array(values) => values.iter().map(plain).collect::<Json>(),
        Value::InlineTable(inner) => table(inner),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_and_table_is_there() {
        let text = "port = \"/dev/a\"\n\n[[meter]]\nname = \"House\" # ours\nregisters = [\"flow\", 60]\n\n\
                    [[meter]]\nmains_powered = true\n\n[mqtt]\nport = 1883\nextra = { a = 1.5 }\n";
        assert_eq!(
            of(text),
            json!({
                "port": "/dev/a",
                "meter": [
                    { "name": "House", "registers": ["flow", 60] },
                    { "mains_powered": true },
                ],
                "mqtt": { "port": 1883, "extra": { "a": 1.5 } },
            })
        );
    }

    #[test]
    fn what_cannot_be_read_has_no_values() {
        assert_eq!(of("port = "), json!({}));
    }
}
