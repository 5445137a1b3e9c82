//! `/openapi.json` tells of every route, and every answer is as it says.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::client::{Answered, Ask};
use super::schema::problems;
use super::site::{CONFIG, SERIAL, TestSite, meter, poll, stranger};

async fn document(site: &TestSite) -> Value {
    site.get("/openapi.json").send().await.json()
}

/// Checks an answer against what the document says about it.
fn check(document: &Value, method: &str, path: &str, answered: &Answered) {
    let status = answered.status;
    let response = &document["paths"][path][method]["responses"][status.as_str()];
    assert!(
        response.is_object(),
        "{method} {path}: {status} is not told"
    );
    let Some(schema) = response.pointer("/content/application~1json/schema") else {
        return;
    };
    let problems = problems(document, schema, &answered.json());
    assert!(
        problems.is_empty(),
        "{method} {path}: {problems:#?}\n{:#}",
        answered.json()
    );
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_all_its_references_lead_somewhere() {
    let site = TestSite::start().await;
    let document = document(&site).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let told = operation["summary"].as_str().unwrap_or_default();
            assert!(!told.is_empty(), "{method} {path} says nothing");
        }
    }
}

/// Routes whose answers are no JSON, or that others test: the line has to play along.
const ELSEWHERE: [&str; 6] = [
    "get /api/events",
    "get /metrics",
    "get /api/meters/{id}/recording",
    "post /api/meters/{id}/read",
    "post /api/login",
    "post /api/logout",
];

/// What can be looked at: the route, and what is asked.
fn to_look_at() -> Vec<(&'static str, String)> {
    let m = |rest: &str| format!("/api/meters/{SERIAL}{rest}");
    vec![
        ("/api/status", "/api/status".into()),
        ("/api/meters", "/api/meters".into()),
        ("/api/meters/{id}", m("")),
        ("/api/meters/{id}", "/api/meters/shed".into()),
        ("/api/meters/{id}", "/api/meters/nobody".into()),
        ("/api/meters/{id}/history", m("/history?key=power")),
        (
            "/api/meters/{id}/history",
            m("/history?key=heat_energy&points=2"),
        ),
        ("/api/meters/{id}/history", m("/history?key=nothing")),
        (
            "/api/meters/{id}/amounts",
            m("/amounts?key=heat_energy&by=hour"),
        ),
        (
            "/api/meters/{id}/amounts",
            m("/amounts?key=heat_energy&by=week"),
        ),
        ("/api/meters/{id}/amounts", m("/amounts?key=power&by=day")),
        ("/api/meters/{id}/export", m("/export?format=xlsx")),
        (
            "/api/meters/{id}/export",
            "/api/meters/nobody/export".into(),
        ),
        (
            "/api/meters/{id}/cost",
            m("/cost?schedule=every%2015%20min"),
        ),
        ("/api/meters/{id}/cost", m("/cost?schedule=now+and+then")),
        ("/api/meters/{id}/exchanges", m("/exchanges")),
        ("/api/catalogue", "/api/catalogue?language=de".into()),
        ("/api/catalogue", "/api/catalogue?language=xx".into()),
        ("/api/ports", "/api/ports".into()),
        ("/api/config", "/api/config".into()),
        ("/healthz", "/healthz".into()),
    ]
}

/// What does something: its method, the route, and what is asked.
fn to_do(site: &TestSite, etag: &Value) -> Vec<(&'static str, &'static str, Ask)> {
    let toml = json!({"toml": CONFIG, "etag": etag});
    let draft = json!({"changes": [{"op": "set", "path": ["language"], "value": "de"}]});
    let mqtt = |host| json!({"kind": "mqtt", "settings": {"host": host}});
    let align = format!("/api/meters/{SERIAL}/align");
    vec![
        ("post", "/api/meters/{id}/align", site.post(&align)),
        (
            "delete",
            "/api/meters/{id}/align",
            site.ask("DELETE", &align),
        ),
        (
            "post",
            "/api/ports/test",
            // Nobody listens there.
            site.post("/api/ports/test")
                .json(&json!({"port": "socket://127.0.0.1:9"})),
        ),
        (
            "post",
            "/api/ports/test",
            site.post("/api/ports/test").json(&json!({"port": "COM1"})),
        ),
        (
            "post",
            "/api/config/check",
            site.post("/api/config/check").json(&toml),
        ),
        (
            "post",
            "/api/config/draft",
            site.post("/api/config/draft").json(&draft),
        ),
        (
            "put",
            "/api/config",
            site.ask("PUT", "/api/config").json(&toml),
        ),
        (
            "post",
            "/api/destinations/test",
            site.post("/api/destinations/test").json(&mqtt("broker")),
        ),
        (
            "post",
            "/api/destinations/test",
            site.post("/api/destinations/test").json(&mqtt("nobody")),
        ),
    ]
}

#[tokio::test]
async fn every_route_answers_as_the_document_tells() {
    let site = TestSite::start().await;
    site.hub.tell(stranger());
    site.history.introduce(meter()).await.unwrap();
    let at = jiff::Timestamp::now() - std::time::Duration::from_mins(90);
    for minutes in [0, 30, 60, 90] {
        let at = at + std::time::Duration::from_mins(minutes);
        site.history.record(poll(at)).await.unwrap();
    }
    let document = document(&site).await;
    let etag = site.get("/api/config").send().await.json()["etag"].take();
    let mut seen: Vec<String> = ELSEWHERE.map(str::to_owned).to_vec();
    for (template, path) in to_look_at() {
        let answered = site.get(&path).send().await;
        check(&document, "get", template, &answered);
        seen.push(format!("get {template}"));
    }
    for (method, template, ask) in to_do(&site, &etag) {
        check(&document, method, template, &ask.send().await);
        seen.push(format!("{method} {template}"));
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let route = format!("{method} {path}");
            assert!(seen.contains(&route), "nobody has tried {route}");
        }
    }
}

#[tokio::test]
async fn a_meter_is_told_with_all_that_is_known_of_it() {
    let site = TestSite::start().await;
    let meter = site.get("/api/meters/house").send().await.json();
    assert_eq!(meter["id"], SERIAL);
    assert_eq!(meter["name"], "House <b>1</b>");
    assert_eq!(meter["verdict"]["code"], "ok");
    assert_eq!(meter["stale"], false);
    let reading = |key: &str| {
        let mut readings = meter["readings"].as_array().unwrap().iter();
        readings.find(|reading| reading["key"] == key).unwrap()
    };
    assert_eq!(reading("power")["value"], "0.0");
    assert_eq!(reading("heat_energy")["kind"], "counter");
    assert_eq!(reading("mass")["quality"], "held");
    assert_eq!(reading("date")["kind"], "date");
    assert_eq!(meter["info"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_language_is_chosen_by_whoever_asks() {
    let site = TestSite::start().await;
    let asked = site.get("/api/catalogue?language=de-AT").send().await;
    let catalogue = asked.json();
    assert_eq!(catalogue["language"], "de");
    let energy = &catalogue["registers"]["heat_energy"];
    assert_eq!(energy["label"], "Wärmeenergie");
    assert_eq!(energy["unit_kind"], "energy");
}

#[tokio::test]
async fn errors_are_json_wherever_they_come_from() {
    let site = TestSite::start().await;
    let read = || site.post("/api/meters/house/read");
    let json_read = || read().header("content-type", "application/json");
    let nobody = site.post("/api/meters/nobody/read").json(&json!({}));
    let cases: [(Ask, StatusCode, &str); 6] = [
        (site.get("/api/nothing"), StatusCode::NOT_FOUND, "not_found"),
        (site.get("/nothing.js"), StatusCode::NOT_FOUND, "not_found"),
        (nobody, StatusCode::NOT_FOUND, "no_such_meter"),
        (
            read().body("{}"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
        ),
        (
            json_read().body("{"),
            StatusCode::BAD_REQUEST,
            "bad_request",
        ),
        (
            json_read().body(vec![b' '; 70_000]),
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
        ),
    ];
    for (ask, status, code) in cases {
        let answered = ask.send().await;
        assert_eq!(answered.status, status, "{}", answered.text());
        assert_eq!(answered.code(), code);
    }
}

#[tokio::test]
async fn the_manual_names_every_route() {
    let site = TestSite::start().await;
    let document = document(&site).await;
    let manual = include_str!("../../../../../docs/api.md");
    let table = manual.lines().filter_map(|line| {
        let route = line.strip_prefix("| `")?.split('`').next()?;
        let (method, path) = route.split_once(' ')?;
        Some(format!("{} {path}", method.to_lowercase()))
    });
    let mut told: Vec<String> = table.collect();
    told.sort_unstable();
    let paths = document["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{method} {path}"))
    });
    let mut routes: Vec<String> = routes.collect();
    routes.sort_unstable();
    assert_eq!(told, routes);
}
