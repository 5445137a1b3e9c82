//! `/healthz`: what keeps the gateway from its work, and nothing else.

use hyper::StatusCode;
use kamstrup_kmp::Verdict;

use super::site::{TestSite, house, stranger};

#[tokio::test]
async fn a_silent_meter_is_not_a_sick_gateway() {
    let site = TestSite::start().await;
    let mut state = house();
    state.verdict = Some(Verdict::Silent);
    site.hub.tell(state);
    let answered = site.get("/healthz").send().await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.json()["healthy"], true);
}

#[tokio::test]
async fn a_line_that_nobody_works_at_is_told() {
    let mut site = TestSite::start().await;
    site.hub.tell(stranger());
    let answered = site.get("/healthz").send().await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
    let reasons = serde_json::json!(["nobody works at the line of shed"]);
    assert_eq!(answered.json()["reasons"], reasons);
    site.hub.remove("shed");
    assert_eq!(site.get("/healthz").send().await.status, StatusCode::OK);
    site.orders.close();
    let answered = site.get("/healthz").send().await;
    assert_eq!(answered.status, StatusCode::SERVICE_UNAVAILABLE);
}
