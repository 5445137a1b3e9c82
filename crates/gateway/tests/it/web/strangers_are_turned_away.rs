//! Who may ask, and as what.

use heatmeter_gateway::web::{Access, Token};
use hyper::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{Ask, PATIENCE};
use super::site::TestSite;

const TOKEN: &str = "a-token-of-some-length";

async fn guarded() -> TestSite {
    TestSite::with(Access::with_token(Token::new(TOKEN).unwrap())).await
}

fn login(site: &TestSite, token: &str) -> Ask {
    site.post("/api/login").json(&json!({"token": token}))
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_not_answered() {
    let site = TestSite::start().await;
    let ask = site.get("/api/meters").header("host", "evil.example:8403");
    let answered = ask.send().await;
    assert_eq!(answered.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(answered.code(), "unknown_host");
    let named = TestSite::with(Access::open().hosts(vec!["meter.lan".to_owned()])).await;
    let ask = named.get("/api/meters").header("host", "meter.lan");
    assert_eq!(ask.send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_from_elsewhere_changes_nothing() {
    let mut site = TestSite::start().await;
    let address = site.address;
    let align = || Ask::new(address, "POST", "/api/meters/house/align");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answered = align().header("origin", origin).send().await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let answered = align().header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(answered.code(), "foreign_origin");
    assert!(answered.header("access-control-allow-origin").is_empty());

    let ours = align().header("origin", &format!("http://{address}"));
    assert_eq!(ours.send().await.status, StatusCode::ACCEPTED);
    // As Home Assistant and other proxies show us.
    let proxied = align()
        .header("origin", "https://home.example")
        .header("x-forwarded-host", "home.example");
    assert_eq!(proxied.send().await.status, StatusCode::ACCEPTED);
    site.orders.close();
    let mut orders = 0;
    while site.orders.recv().await.is_some() {
        orders += 1;
    }
    assert_eq!(orders, 2);
}

#[tokio::test]
async fn without_the_token_there_is_the_page_and_no_more() {
    let site = guarded().await;
    for path in ["/api/status", "/api/events", "/metrics", "/api/nothing"] {
        let answered = site.get(path).send().await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{path}");
        let challenge = answered.header("www-authenticate");
        assert_eq!(challenge, "Bearer realm=\"heatmeter\"");
    }
    for path in ["/", "/openapi.json", "/healthz"] {
        assert_eq!(site.get(path).send().await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_token_opens_as_bearer_and_as_cookie() {
    let site = guarded().await;
    let bearer = format!("Bearer {TOKEN}");
    let ask = site.get("/metrics").header("authorization", &bearer);
    assert_eq!(ask.send().await.status, StatusCode::OK);

    let answered = login(&site, TOKEN).send().await;
    assert_eq!(answered.status, StatusCode::NO_CONTENT);
    let cookie = answered.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/;"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let cookies = format!("other=1; {pair}");
    let ask = site.get("/api/status").header("cookie", &cookies);
    assert_eq!(ask.send().await.status, StatusCode::OK);

    let answered = site.post("/api/logout").send().await;
    assert!(answered.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn the_cookie_stays_on_the_path_that_home_assistant_shows() {
    let site = guarded().await;
    for (shown, path) in [
        (
            "/api/hassio_ingress/a-B_c",
            "Path=/api/hassio_ingress/a-B_c;",
        ),
        ("/; Domain=evil.example", "Path=/;"),
    ] {
        let ask = login(&site, TOKEN).header("x-ingress-path", shown);
        let answered = ask.send().await;
        let cookie = answered.header("set-cookie");
        assert!(cookie.contains(path), "{cookie}");
    }
}

#[tokio::test]
async fn a_wrong_token_opens_nothing() {
    let site = guarded().await;
    let answered = login(&site, "a-token-of-some-lengtH").send().await;
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    assert!(answered.header("set-cookie").is_empty());
    let in_cookie = format!("heatmeter={TOKEN}");
    for (header, value) in [
        ("authorization", "Bearer wrong"),
        ("cookie", "heatmeter="),
        ("cookie", "heatmeter=0000"),
        ("cookie", &in_cookie),
    ] {
        let ask = site.get("/api/status").header(header, value);
        assert_eq!(ask.send().await.status, StatusCode::UNAUTHORIZED, "{value}");
    }
}

#[tokio::test]
async fn guesses_are_taken_one_at_a_time() {
    let site = guarded().await;
    let guesses = (0..8).map(|_| login(&site, "a-guess-that-is-wrong").send());
    let guesses = futures_util::future::join_all(guesses).await;
    let count = |status| {
        guesses
            .iter()
            .filter(|guess| guess.status == status)
            .count()
    };
    let looked_at = count(StatusCode::UNAUTHORIZED);
    assert!(looked_at >= 1);
    assert_eq!(looked_at + count(StatusCode::TOO_MANY_REQUESTS), 8);
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_it_may_do() {
    let site = TestSite::start().await;
    for path in ["/", "/api/status", "/nothing", "/openapi.json"] {
        let answered = site.get(path).send().await;
        let policy = answered.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answered.header("x-content-type-options"), "nosniff");
        assert!(!answered.header("cache-control").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_endless_head_is_not_read_to_its_end() {
    let site = TestSite::start().await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let line = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'x'; 1000]].concat();
    let mut sent = 0;
    while sent < 50_000_000 && stream.write_all(&line).await.is_ok() {
        sent += line.len();
    }
    let mut answer = Vec::new();
    // Whether an answer can still be read or the connection was reset is up to the system.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection ends");
    assert!(sent < 50_000_000, "all of it was taken");
    assert_eq!(site.get("/healthz").send().await.status, StatusCode::OK);
}
