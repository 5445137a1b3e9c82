//! The configuration is read, changed and kept; what is secret in it never leaves.

use std::os::unix::fs::PermissionsExt;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::client::Answered;
use super::site::{CONFIG, TestSite};

fn file(site: &TestSite) -> std::path::PathBuf {
    site.folder.path().join("heatmeter.toml")
}

async fn config(site: &TestSite) -> Value {
    site.get("/api/config").send().await.json()
}

async fn draft(site: &TestSite, changes: Value) -> Answered {
    let ask = site.post("/api/config/draft");
    ask.json(&json!({"changes": changes})).send().await
}

async fn put(site: &TestSite, toml: &Value, etag: &Value) -> Answered {
    let ask = site.ask("PUT", "/api/config");
    ask.json(&json!({"toml": toml, "etag": etag})).send().await
}

#[tokio::test]
async fn secrets_are_masked_and_comments_are_not() {
    let site = TestSite::start().await;
    let answered = site.get("/api/config").send().await;
    assert!(!answered.text().contains("hunter2"));
    let config = answered.json();
    assert_eq!(config["toml"], CONFIG.replace("hunter2", "********"));
    assert_eq!(config["writable"], true);
    let etag = config["etag"].as_str().unwrap();
    assert_eq!(answered.header("etag"), format!("\"{etag}\""));
}

#[tokio::test]
async fn a_change_is_shown_before_it_is_made() {
    let site = TestSite::start().await;
    let port = "socket://127.0.0.1:2";
    let change = json!([{"op": "set", "path": ["port"], "value": port}]);
    let shown = draft(&site, change).await.json();
    let diff = shown["diff"].as_str().unwrap();
    assert!(
        diff.contains("-port = \"socket://127.0.0.1:1\"\n+port = \"socket://127.0.0.1:2\"\n"),
        "{diff}"
    );
    assert_eq!(shown["problems"], json!([]));
    assert_eq!(std::fs::read_to_string(file(&site)).unwrap(), CONFIG);
    // It is checked with the secrets in it, as it would be used.
    let checked = site.service.checked.lock().unwrap().pop().unwrap();
    assert!(checked.contains("hunter2"), "{checked}");
}

#[tokio::test]
async fn a_secret_is_not_kept_for_another_address() {
    let site = TestSite::start().await;
    let move_away = json!({"op": "set", "path": ["mqtt", "host"], "value": "mine"});
    let shown = draft(&site, json!([move_away])).await.json();
    let problem = &shown["problems"][0];
    assert!(
        problem["message"]
            .as_str()
            .unwrap()
            .contains("another address"),
        "{shown}"
    );
    assert_eq!(problem["help"], "type it again");
    let etag = config(&site).await["etag"].take();
    let answered = put(&site, &shown["toml"], &etag).await;
    assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(std::fs::read_to_string(file(&site)).unwrap(), CONFIG);

    let typed = json!({"op": "set", "path": ["mqtt", "password"], "value": "s3cret"});
    let shown = draft(&site, json!([move_away, typed])).await.json();
    assert_eq!(shown["problems"], json!([]));
}

#[tokio::test]
async fn a_secret_that_is_typed_is_not_shown_in_the_diff() {
    let site = TestSite::start().await;
    let change = json!([{"op": "set", "path": ["mqtt", "password"], "value": "s3cret"}]);
    let shown = draft(&site, change).await.json();
    let diff = shown["diff"].as_str().unwrap();
    assert!(diff.contains("+password = \"(new) ********\""), "{diff}");
    assert!(
        !diff.contains("s3cret") && !diff.contains("hunter2"),
        "{diff}"
    );
}

#[tokio::test]
async fn what_is_kept_has_its_secrets_and_its_comments() {
    let site = TestSite::start().await;
    let path = file(&site);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let change = json!([{"op": "set", "path": ["language"], "value": "da"}]);
    let shown = draft(&site, change).await.json();
    let etag = config(&site).await["etag"].take();
    let answered = put(&site, &shown["toml"], &etag).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    assert!(!answered.text().contains("hunter2"));
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("language = \"da\""), "{kept}");
    assert!(
        kept.contains("password = \"hunter2\" # the broker's"),
        "{kept}"
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(*site.service.reloads.lock().unwrap(), 1);
    let names = std::fs::read_dir(site.folder.path()).unwrap();
    let left = names.filter(|name| {
        name.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains(".new")
    });
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_file_that_was_changed_meanwhile_is_not_overwritten() {
    let site = TestSite::start().await;
    let config = config(&site).await;
    let edited = format!("{CONFIG}# by hand\n");
    std::fs::write(file(&site), &edited).unwrap();
    let answered = put(&site, &config["toml"], &config["etag"]).await;
    assert_eq!(answered.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(answered.code(), "changed_meanwhile");
    assert_eq!(std::fs::read_to_string(file(&site)).unwrap(), edited);
    let ask = site.ask("PUT", "/api/config").json(&json!({"toml": ""}));
    assert_eq!(ask.send().await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(*site.service.reloads.lock().unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_used_is_not_kept() {
    let site = TestSite::start().await;
    let etag = config(&site).await["etag"].take();
    let wrong = json!("shedule = \"hourly\"\n");
    let answered = put(&site, &wrong, &etag).await;
    assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answered.json()["problems"][0]["help"],
        "did you mean `schedule`?"
    );
    assert_eq!(std::fs::read_to_string(file(&site)).unwrap(), CONFIG);
}

#[tokio::test]
async fn problems_do_not_tell_secrets() {
    let site = TestSite::start().await;
    let text = "[mqtt]\npassword = \"********\" # shedule\n";
    let ask = site.post("/api/config/check").json(&json!({"toml": text}));
    let answered = ask.send().await;
    assert_eq!(answered.json()["ok"], false);
    assert!(!answered.text().contains("hunter2"), "{}", answered.text());
}

#[tokio::test]
async fn a_change_that_does_not_fit_is_refused() {
    let site = TestSite::start().await;
    let change = json!([{"op": "set", "path": ["meter", 4, "name"], "value": "x"}]);
    let answered = draft(&site, change).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
}
