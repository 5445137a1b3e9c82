//! The page's files; and what stands in their place if they were not built.

use heatmeter_gateway::web::Access;
use hyper::StatusCode;

use super::site::TestSite;

#[tokio::test]
async fn there_is_something_to_look_at_with_or_without_a_built_page() {
    let site = TestSite::start().await;
    let answered = site.get("/").send().await;
    assert_eq!(answered.status, StatusCode::OK);
    let is_built = answered.header("content-type").starts_with("text/html");
    assert!(is_built || answered.text().contains("scripts/page.sh"));
    if is_built {
        let etag = answered.header("etag").to_owned();
        let again = site.get("/").header("if-none-match", &etag).send().await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert!(again.body.is_empty());
    }
}

#[tokio::test]
async fn a_prefix_that_a_proxy_leaves_is_cut_off() {
    let site = TestSite::with(Access::open().below("/heat/")).await;
    for path in ["/heat/api/status", "/api/status"] {
        assert_eq!(site.get(path).send().await.status, StatusCode::OK, "{path}");
    }
    let answered = site.get("/heat").send().await;
    assert_eq!(answered.header("location"), "/heat/");
}

#[tokio::test]
async fn the_page_is_only_looked_at() {
    let site = TestSite::start().await;
    let answered = site.post("/").send().await;
    assert_eq!(answered.status, StatusCode::METHOD_NOT_ALLOWED);
}
