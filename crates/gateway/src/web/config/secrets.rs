//! Secrets of a configuration: never shown, and kept when a text comes back in which they are masked.

use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::values;

/// What is shown of a secret.
const MASK: &str = "********";

/// What is shown of one that the file does not have yet.
const NEW: &str = "(new) ********";

/// Keys whose values are secrets. The names of files that hold them are none.
const SECRET: [&str; 4] = ["password", "token", "secret", "passphrase"];

/// A masked secret that cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Its key, and the tables around it.
    place: String,
    /// Whether the file has one, for another address.
    is_elsewhere: bool,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, .. } = self;
        if self.is_elsewhere {
            write!(f, "the secret `{place}` is kept for another address")
        } else {
            write!(
                f,
                "the secret `{place}` is masked, and the file has none there"
            )
        }
    }
}

/// The text with its secrets masked; those that are not in `old` are marked as new. What cannot be
/// read as TOML is not shown at all if it might hold a secret.
pub(super) fn mask(text: &str, old: Option<&str>) -> String {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return mask_lines(text);
    };
    let known: Vec<String> = old.map(secrets).unwrap_or_default();
    for_each(document.as_table_mut(), &mut |_, value| {
        for secret in secrets_in(value) {
            let is_new = old.is_some() && !known.contains(&secret.text);
            secret.replace(value, if is_new { NEW } else { MASK });
        }
    });
    document.to_string()
}

/// The text with the secrets of the file where they are masked.
///
/// # Errors
///
/// A masked secret that the file does not have, or has for another address.
pub(super) fn unmask(text: &str, file: &str) -> Result<String, Unknown> {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        // What it is will be said by whoever checks it.
        return Ok(text.to_owned());
    };
    let file: DocumentMut = file.parse().unwrap_or_default();
    let mut missing = None;
    for_each(document.as_table_mut(), &mut |place, value| {
        for masked in secrets_in(value)
            .into_iter()
            .filter(|secret| secret.text == MASK)
        {
            let old = place.find(&file).map(|found| found.map(secrets_in));
            match old.map(|found| found.and_then(|mut found| found.pop())) {
                Ok(Some(old)) => masked.replace(value, &old.text),
                Ok(None) => missing = Some((place.to_string(), false)),
                Err(Elsewhere) => missing = Some((place.to_string(), true)),
            }
        }
    });
    match missing {
        Some((place, is_elsewhere)) => Err(Unknown {
            place,
            is_elsewhere,
        }),
        None => Ok(document.to_string()),
    }
}

/// A text about a configuration without the secrets of that.
pub(super) fn hide(text: &str, configuration: &str) -> String {
    secrets(configuration)
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
}

/// Fills in the masked secrets of a destination's settings from the file's table of the same address: a
/// secret goes nowhere but where the file sends it. `place` is the table that is meant if several fit.
/// Whether there is such a table.
///
/// # Errors
///
/// The key of a secret that only the file's table could have: a masked one, or one in a file.
pub(in crate::web) fn fill_in(
    settings: &mut Json,
    file: &str,
    kind: &str,
    place: usize,
) -> Result<bool, String> {
    let file = values::of(file);
    let tables = match file.get(kind) {
        Some(Json::Array(tables)) => tables.as_slice(),
        Some(table) => std::slice::from_ref(table),
        None => &[],
    };
    let wanted = address(settings);
    let old = tables
        .get(place)
        .into_iter()
        .chain(tables)
        .find(|table| address(table) == wanted);
    fill_in_from(settings, old)?;
    Ok(old.is_some())
}

fn fill_in_from(settings: &mut Json, old: Option<&Json>) -> Result<(), String> {
    let Some(settings) = settings.as_object_mut() else {
        return Ok(());
    };
    let masked_password = format!(":{MASK}@");
    for (key, value) in settings {
        let was = old.and_then(|old| old.get(key));
        let Json::String(text) = value else {
            fill_in_from(value, was)?;
            continue;
        };
        let names_file = key
            .strip_suffix("_file")
            .is_some_and(|name| name == "url" || SECRET.contains(&name));
        if names_file && old.is_none() {
            return Err(key.clone());
        }
        let is_whole = text == MASK;
        if !is_whole && !text.contains(&masked_password) {
            continue;
        }
        let was = was.and_then(Json::as_str);
        match was.map(|was| (was, url_password(was))) {
            Some((was, _)) if is_whole => was.clone_into(text),
            Some((_, Some(password))) => {
                *text = text.replace(&masked_password, &format!(":{password}@"));
            }
            _ => return Err(key.clone()),
        }
    }
    Ok(())
}

/// Where a destination is, and how safe the way there: scheme and host of its address, or its host and
/// port, and what is asked of TLS.
fn address(settings: &Json) -> Vec<Option<Json>> {
    let url = settings.get("url").and_then(Json::as_str);
    let origin = url
        .filter(|url| !has_settings(url))
        .and_then(|url| url.split_once("://"))
        .map(|(scheme, rest)| {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            Json::from(format!("{scheme}://{host}"))
        });
    let others = ["host", "port", "tls", "ca_file"]
        .map(|key| settings.get(key).filter(|value| !value.is_null()).cloned());
    std::iter::once(origin).chain(others).collect()
}

/// A secret inside a value: the whole, or the password of an address.
struct Secret {
    text: String,
    is_whole: bool,
}

impl Secret {
    fn replace(&self, value: &mut Value, with: &str) {
        let text = value.as_str().unwrap_or_default();
        let new = if self.is_whole {
            with.to_owned()
        } else {
            text.replacen(&format!(":{}@", self.text), &format!(":{with}@"), 1)
        };
        let decor = value.decor().clone();
        *value = new.into();
        *value.decor_mut() = decor;
    }
}

/// The secret that a value is or holds.
fn secrets_in(value: &Value) -> Vec<Secret> {
    let Some(text) = value.as_str() else {
        return Vec::new();
    };
    match url_password(text) {
        Some(password) if !has_settings(text) => vec![Secret {
            text: password.to_owned(),
            is_whole: false,
        }],
        None if text.contains("://") && !has_settings(text) => Vec::new(),
        _ => vec![Secret {
            text: text.to_owned(),
            is_whole: true,
        }],
    }
}

/// Whether an address has a password or a host among settings, as PostgreSQL takes them:
/// `host=db password=secret`, or `postgres://db/?password=secret`. It is a secret as a whole then, because
/// what stands before the settings does not tell where it leads.
fn has_settings(address: &str) -> bool {
    let settings = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('?').map_or("", |(_, settings)| settings),
        None => address,
    };
    settings.contains("password") || settings.contains("host")
}

/// `secret` of `postgres://user:secret@host/`.
fn url_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(password)
}

/// All secrets of a text.
fn secrets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(mut document) = text.parse::<DocumentMut>() {
        for_each(document.as_table_mut(), &mut |_, value| {
            found.extend(secrets_in(value).into_iter().map(|secret| secret.text));
        });
    }
    found
}

/// Where a value stands: the table's name, which one of several it is, and the key in it.
#[derive(Clone, Debug, Default)]
struct Place {
    tables: Vec<Named>,
    key: String,
}

/// A table, told from others of its name by what it says about itself, or by its place.
#[derive(Clone, Debug)]
struct Named {
    key: String,
    place: Option<usize>,
    says: Vec<(&'static str, String)>,
    address: Vec<Option<Json>>,
}

/// The same place of another document is about another address.
#[derive(Debug)]
struct Elsewhere;

impl Place {
    /// The value that stands in the same place of another document.
    fn find<'a>(&self, document: &'a DocumentMut) -> Result<Option<&'a Value>, Elsewhere> {
        let mut table: &dyn TableLike = document.as_table();
        for named in &self.tables {
            let found = table.get(&named.key).and_then(|item| match several(item) {
                Some(tables) => named.choose(&tables),
                None => item.as_table_like(),
            });
            let Some(found) = found else { return Ok(None) };
            if address(&values::table(found)) != named.address {
                return Err(Elsewhere);
            }
            table = found;
        }
        Ok(table.get(&self.key).and_then(Item::as_value))
    }
}

impl Named {
    fn choose<'a>(&self, tables: &[&'a dyn TableLike]) -> Option<&'a dyn TableLike> {
        let says_same = |table: &&dyn TableLike| {
            self.says
                .iter()
                .any(|(key, said)| table.get(key).and_then(Item::as_str) == Some(said))
        };
        let is_there = |table: &&dyn TableLike| address(&values::table(*table)) == self.address;
        let in_place = self.place.and_then(|place| tables.get(place));
        let all = || tables.iter();
        all()
            .find(|table| says_same(table))
            .or_else(|| {
                in_place
                    .into_iter()
                    .chain(all())
                    .find(|table| is_there(table))
            })
            .or(in_place)
            .copied()
    }
}

/// The tables of a list of them, however it is written.
fn several(item: &Item) -> Option<Vec<&dyn TableLike>> {
    match item {
        Item::ArrayOfTables(tables) => {
            Some(tables.iter().map(|table| table as &dyn TableLike).collect())
        }
        Item::Value(Value::Array(values)) => {
            let tables = values.iter().filter_map(Value::as_inline_table);
            Some(tables.map(|table| table as &dyn TableLike).collect())
        }
        _ => None,
    }
}

/// The same, to be changed.
fn several_mut(item: &mut Item) -> Vec<&mut dyn TableLike> {
    match item {
        Item::ArrayOfTables(tables) => tables
            .iter_mut()
            .map(|table| table as &mut dyn TableLike)
            .collect(),
        Item::Value(Value::Array(values)) => values
            .iter_mut()
            .filter_map(Value::as_inline_table_mut)
            .map(|table| table as &mut dyn TableLike)
            .collect(),
        _ => Vec::new(),
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for named in &self.tables {
            write!(f, "{}.", named.key)?;
        }
        f.write_str(&self.key)
    }
}

/// Visits every value that may be or hold a secret.
fn for_each(table: &mut dyn TableLike, visit: &mut impl FnMut(&Place, &mut Value)) {
    walk(table, &mut Place::default(), visit);
}

fn walk(table: &mut dyn TableLike, place: &mut Place, visit: &mut impl FnMut(&Place, &mut Value)) {
    let in_headers = place
        .tables
        .last()
        .is_some_and(|named| named.key == "headers");
    for (key, item) in table.iter_mut() {
        let key = key.get().to_owned();
        if let Item::Value(value @ Value::String(_)) = item {
            let text = value.as_str().unwrap_or_default();
            let holds_one = url_password(text).is_some()
                || (key == "url" && (text == MASK || has_settings(text)));
            if SECRET.contains(&key.as_str()) || in_headers || holds_one {
                place.key = key;
                visit(place, value);
            }
            continue;
        }
        if let Some(table) = item.as_table_like_mut() {
            place.tables.push(Named {
                key,
                place: None,
                says: Vec::new(),
                address: address(&values::table(table)),
            });
            walk(table, place, visit);
            place.tables.pop();
            continue;
        }
        for (number, table) in several_mut(item).into_iter().enumerate() {
            let says = ["name", "url", "host"].into_iter().filter_map(|key| {
                let said = table.get(key)?.as_str()?;
                let is_secret = url_password(said).is_some() || has_settings(said);
                (!is_secret).then(|| (key, said.to_owned()))
            });
            place.tables.push(Named {
                key: key.clone(),
                place: Some(number),
                says: says.collect(),
                address: address(&values::table(table)),
            });
            walk(table, place, visit);
            place.tables.pop();
        }
    }
}

/// Without knowing its structure: nothing behind an equals sign of a line that names a secret.
fn mask_lines(text: &str) -> String {
    let masked = text.split_inclusive('\n').map(|line| {
        let named = SECRET.iter().any(|key| line.contains(key)) || line.contains('@');
        match line.split_once('=') {
            Some((key, _)) if named => format!("{key}= \"{MASK}\"\n"),
            _ => line.to_owned(),
        }
    });
    masked.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "\
[mqtt]
host = \"broker\"
password = \"hunter2\" # not to be told

[[influx]]
url = \"http://one\"
token = \"first\"

[[influx]]
url = \"http://two\"
token = \"second\"

[[postgres]]
url = \"postgres://u:p4ss@db/heat\"

[[webhook]]
url = \"http://hook\"
headers = { Authorization = \"Bearer abc\" }
";

    #[test]
    fn no_secret_is_shown_and_all_come_back() {
        let masked = mask(FILE, None);
        for secret in ["hunter2", "first", "second", "p4ss", "abc"] {
            assert!(!masked.contains(secret), "{masked}");
        }
        assert!(masked.contains("postgres://u:********@db/heat"), "{masked}");
        assert!(masked.contains("# not to be told"));
        assert_eq!(unmask(&masked, FILE).unwrap(), FILE);
    }

    #[test]
    fn a_password_among_the_settings_of_an_address_is_one() {
        for url in [
            "host=db user=heat password=p4ss",
            "postgres://heat@db/heat?sslmode=require&password=p4ss",
            "postgres://heat:p4ss@db/heat?password=p4ss",
        ] {
            let file = format!("[[postgres]]\nurl = \"{url}\"\ntable = \"heat\"\n");
            let masked = mask(&file, None);
            assert!(!masked.contains("p4ss"), "{masked}");
            assert_eq!(unmask(&masked, &file).unwrap(), file);
            assert!(!hide(&format!("{url}?"), &file).contains("p4ss"));
        }
    }

    #[test]
    fn a_list_in_brackets_is_a_list_of_tables() {
        let file = "postgres = [{ name = \"a\", url = \"host=one password=p4ss1\" }, \
                    { name = \"b\", url = \"host=two password=p4ss2\" }]\n\
                    influx = [{ url = \"http://one\", token = \"first\" }]\n\
                    webhook = [{ url = \"http://hook\", headers = { X = \"abc\" } }]\n";
        let masked = mask(file, None);
        for secret in ["p4ss", "first", "abc"] {
            assert!(!masked.contains(secret), "{masked}");
        }
        assert_eq!(unmask(&masked, file).unwrap(), file);
        let moved = masked.replace("http://one", "http://mine");
        assert!(unmask(&moved, file).is_err());
    }

    #[test]
    fn secrets_stay_with_their_own_when_the_order_changes() {
        let masked = mask(FILE, None);
        let first = masked.find("[[influx]]").unwrap();
        let second = masked[first + 1..].find("[[influx]]").unwrap() + first + 1;
        let without_first = format!("{}{}", &masked[..first], &masked[second..]);
        let back = unmask(&without_first, FILE).unwrap();
        assert!(back.contains("second") && !back.contains("first"), "{back}");
    }

    #[test]
    fn a_new_secret_is_marked_and_not_told() {
        let text = FILE.replace("hunter2", "hunter3");
        let shown = mask(&text, Some(FILE));
        assert!(shown.contains("password = \"(new) ********\""), "{shown}");
        assert!(!shown.contains("hunter3"));
    }

    #[test]
    fn a_masked_secret_that_nobody_knows_is_named() {
        let text = "[mqtt]\npassword = \"********\"\n";
        let unknown = unmask(text, "").unwrap_err().to_string();
        assert!(unknown.contains("`mqtt.password` is masked"), "{unknown}");
    }

    #[test]
    fn a_secret_does_not_go_to_another_address() {
        let masked = mask(FILE, None);
        for (from, to) in [
            ("host = \"broker\"", "host = \"mine\""),
            ("host = \"broker\"", "host = \"broker\"\nport = 1884"),
            ("host = \"broker\"", "host = \"broker\"\ntls = false"),
            ("http://two", "http://mine"),
            ("@db/heat", "@mine/heat"),
            ("http://hook", "http://mine"),
        ] {
            let moved = masked.replace(from, to);
            assert_ne!(moved, masked);
            let unknown = unmask(&moved, FILE).unwrap_err().to_string();
            assert!(unknown.contains("for another address"), "{to}: {unknown}");
        }
        let elsewhere = masked.replace("# not to be told", "# changed\ndiscovery = false");
        assert!(unmask(&elsewhere, FILE).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_text_that_is_no_toml_tells_nothing_either() {
        let shown = mask("password = \"hunter2\nhost = 1", None);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("host = 1"));
    }

    #[test]
    fn settings_that_are_tested_get_the_secrets_of_the_file() {
        let filled = |settings: Json, kind, place| {
            let mut settings = settings;
            fill_in(&mut settings, FILE, kind, place).map(|_| settings)
        };
        let two = filled(
            json!({"url": "http://two/write", "token": MASK}),
            "influx",
            1,
        )
        .unwrap();
        assert_eq!(two["token"], "second");
        let db = filled(
            json!({"url": "postgres://u:********@db/other"}),
            "postgres",
            0,
        )
        .unwrap();
        assert_eq!(db["url"], "postgres://u:p4ss@db/other");
        // The list may have been changed on the page: it is the address that tells.
        let two = filled(json!({"url": "http://two", "token": MASK}), "influx", 0).unwrap();
        assert_eq!(two["token"], "second");
        let headers = json!({"Authorization": MASK});
        let hook = json!({"url": "http://hook", "headers": headers});
        let hook = filled(hook, "webhook", 0).unwrap();
        assert_eq!(hook["headers"]["Authorization"], "Bearer abc");
    }

    #[test]
    fn a_secret_is_not_sent_to_another_address() {
        for (kind, settings) in [
            (
                "postgres",
                json!({"url": "postgres://u:********@elsewhere/heat"}),
            ),
            ("influx", json!({"url": "https://one", "token": MASK})),
            ("mqtt", json!({"host": "elsewhere", "password": MASK})),
            (
                "mqtt",
                json!({"host": "broker", "port": 1884, "password": MASK}),
            ),
            (
                "postgres",
                json!({"url": "postgres://u:********@db/heat?host=elsewhere"}),
            ),
            (
                "mqtt",
                json!({"host": "broker", "tls": false, "password": MASK}),
            ),
            (
                "mqtt",
                json!({"host": "elsewhere", "password_file": "/etc/heatmeter/token"}),
            ),
            (
                "webhook",
                json!({"url": "http://elsewhere", "headers": {"Authorization": MASK}}),
            ),
        ] {
            let mut asked = settings.clone();
            assert!(fill_in(&mut asked, FILE, kind, 0).is_err(), "{settings}");
        }
    }
}
