//! `/openapi.json`, made of the handlers themselves.

#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

use axum::Router;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{Modify, OpenApi as _, PartialSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::{AlignEnded, AttemptTold, PollTold, Removed};
use super::{
    Web, catalogue, config, cost, destinations, events, exchanges, export, guard, health, history,
    login, meters, orders, ports, scrape, status,
};

/// All routes, and the document that describes them.
pub(super) fn split() -> (Router<Web>, String) {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(status::get))
        .routes(routes!(meters::list))
        .routes(routes!(meters::get))
        .routes(routes!(orders::read))
        .routes(routes!(orders::align, orders::stop_aligning))
        .routes(routes!(history::series))
        .routes(routes!(history::amounts))
        .routes(routes!(export::get))
        .routes(routes!(cost::get))
        .routes(routes!(exchanges::list))
        .routes(routes!(exchanges::recording))
        .routes(routes!(events::get))
        .routes(routes!(catalogue::get))
        .routes(routes!(ports::list))
        .routes(routes!(ports::test))
        .routes(routes!(config::get, config::put))
        .routes(routes!(config::check))
        .routes(routes!(config::draft))
        .routes(routes!(destinations::test))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(health::get))
        .routes(routes!(scrape::get))
        .split_for_parts();
    // It is made of strings, numbers and maps of strings.
    (router, document.to_json().unwrap_or_default())
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "heatmeter",
        description = "Heat meters at this gateway: readings, history, and what it is busy with. \
                       Values are decimal strings, exactly what the meter sent. Errors are \
                       `{\"error\": {\"code\", \"message\", \"help\"}}`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "meters", description = "Meters, their readings and their lines."),
        (name = "gateway", description = "The gateway itself."),
        (name = "set-up", description = "Ports, configuration and destinations."),
        (name = "access", description = "Logging in, where the gateway asks for its token."),
    ),
    components(schemas(
        Removed,
        PollTold,
        AttemptTold,
        AlignEnded,
    )),
    security(("token" = []), ("cookie" = [])),
    modifiers(&Secrets),
)]
struct Document;

/// How a token is shown.
struct Secrets;

impl Modify for Secrets {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
        components.add_security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(guard::COOKIE))),
        );
    }
}

/// The schema of a poll, which the history writes itself: the object of `heatmeter read --json` with
/// its id and its verdict.
pub(super) struct PollSchema;

impl utoipa::ToSchema for PollSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Poll".into()
    }
}

impl PartialSchema for PollSchema {
    fn schema() -> RefOr<Schema> {
        let text = || kind([Type::String]);
        let text_or_null = || kind([Type::String, Type::Null]);
        let count = || kind([Type::Integer]);
        let reading = object([
            ("register", count()),
            ("key", text_or_null()),
            ("value", text_or_null()),
            ("unit", text_or_null()),
            ("quality", text()),
        ])
        .property("reason", text());
        let meter = object([
            ("manufacturer", text()),
            ("model", text_or_null()),
            ("type", text_or_null()),
            ("software", text_or_null()),
            ("serial", text()),
        ]);
        let line = object([
            ("requests", count()),
            ("retries", count()),
            ("bytes_sent", count()),
            ("bytes_received", count()),
            ("seconds", kind([Type::Number])),
        ]);
        object([("id", text()), ("time", text())])
            .property("meter", meter)
            .required("meter")
            .property("verdict", text())
            .required("verdict")
            .property("readings", ArrayBuilder::new().items(reading))
            .required("readings")
            .property("line", line)
            .required("line")
            .examples([serde_json::json!({
                "id": "84968362-1764002130000",
                "time": "2026-11-24T16:35:30Z",
                "meter": {
                    "manufacturer": "Kamstrup", "model": "MULTICAL 403", "type": "0x08f1",
                    "software": "G1", "serial": "84968362",
                },
                "verdict": "ok",
                "readings": [{
                    "register": 60, "key": "heat_energy", "value": "84.817", "unit": "GJ",
                    "quality": "good",
                }],
                "line": {
                    "requests": 1, "retries": 0, "bytes_sent": 11, "bytes_received": 21,
                    "seconds": 0.412,
                },
            })])
            .into()
    }
}

fn kind(types: impl IntoIterator<Item = Type>) -> ObjectBuilder {
    let types: Vec<Type> = types.into_iter().collect();
    ObjectBuilder::new().schema_type(match types.as_slice() {
        [one] => SchemaType::Type(one.clone()),
        _ => SchemaType::Array(types),
    })
}

/// An object all of whose properties are there.
fn object<const N: usize>(properties: [(&str, ObjectBuilder); N]) -> ObjectBuilder {
    properties
        .into_iter()
        .fold(kind([Type::Object]), |object, (name, property)| {
            object.property(name, property).required(name)
        })
}
