//! Checks a value against a schema of the document, as far as our schemas go; and, the other way
//! round, that a value holds nothing that its schema does not tell.

use serde_json::Value;

/// What is wrong, each with the place where it is.
pub(crate) fn problems(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        match document.pointer(reference.trim_start_matches('#')) {
            Some(schema) => check(document, schema, value, at, found),
            None => found.push(format!("{at}: there is no {reference}")),
        }
        return;
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            let fits = |schema| problems(document, schema, value).is_empty();
            if !schemas.iter().any(fits) {
                found.push(format!("{at}: {value} fits none of {schemas:?}"));
            }
            return;
        }
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    if !types.iter().any(|name| is(value, name)) {
        found.push(format!("{at}: expected {types:?}, found {value}"));
    } else if let Value::Object(object) = value {
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().unwrap();
            if !object.contains_key(name) {
                found.push(format!("{at}: there is no {name}"));
            }
        }
        let others = &schema["additionalProperties"];
        for (name, value) in object {
            let at = format!("{at}.{name}");
            match schema["properties"].get(name) {
                Some(schema) => check(document, schema, value, &at, found),
                None if others.is_object() => check(document, others, value, &at, found),
                None => found.push(format!("{at}: the document does not tell of it")),
            }
        }
    } else if let Value::Array(items) = value {
        for (position, item) in items.iter().enumerate() {
            let at = format!("{at}[{position}]");
            check(document, &schema["items"], item, &at, found);
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let document = serde_json::json!({"components": {"schemas": {"A": {
        "type": "object", "required": ["a"],
        "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "integer"}},
    }}}});
    let schema = serde_json::json!({"$ref": "#/components/schemas/A"});
    let problems = |value| problems(&document, &schema, &value);
    assert!(problems(serde_json::json!({"a": null, "b": 1})).is_empty());
    assert_eq!(problems(serde_json::json!({"b": 1})).len(), 1);
    assert_eq!(problems(serde_json::json!({"a": "", "c": 1})).len(), 1);
    assert_eq!(problems(serde_json::json!({"a": 1, "b": 1.5})).len(), 2);
}
