//! `/openapi.json` tells of every route, and every answer is as it says.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::client::{Answered, Ask};
use super::schema::problems;
use super::site::{SERIAL, TestSite, stranger};

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

#[tokio::test]
async fn answers_to_those_who_look_are_as_told() {
    let site = TestSite::start().await;
    site.hub.tell(stranger());
    let document = document(&site).await;
    let meter = format!("/api/meters/{SERIAL}");
    for (template, path) in [
        ("/api/status", "/api/status"),
        ("/api/meters", "/api/meters"),
        ("/api/meters/{id}", meter.as_str()),
        ("/api/meters/{id}", "/api/meters/shed"),
        ("/api/meters/{id}", "/api/meters/nobody"),
        ("/api/catalogue", "/api/catalogue?language=de"),
        ("/api/catalogue", "/api/catalogue?language=xx"),
        ("/healthz", "/healthz"),
    ] {
        let answered = site.get(path).send().await;
        check(&document, "get", template, &answered);
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
