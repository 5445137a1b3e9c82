//! The configuration: shown without its secrets, changed without losing its comments.

mod change;
mod file;
mod secrets;
mod values;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use similar::TextDiff;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Body, Refusal};
use super::service::ConfigProblem;
use super::status::is_writable;

pub(super) use change::Change;
pub(super) use file::ConfigFile;
pub(super) use secrets::fill_in;

/// The configuration as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Config)]
pub(super) struct ConfigView {
    /// The file's text, secrets masked.
    toml: String,
    /// The same as values, for forms; empty where the text cannot be read.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    values: serde_json::Value,
    /// Null if the gateway runs without a file.
    path: Option<String>,
    writable: bool,
    /// Changes with the file.
    etag: String,
}

/// A configuration to be.
#[derive(Deserialize, ToSchema)]
pub(super) struct Text {
    toml: String,
}

/// Whether a configuration can be used.
#[derive(Serialize, ToSchema)]
pub(super) struct Checked {
    ok: bool,
    problems: Vec<ConfigProblem>,
}

/// What to change.
#[derive(Deserialize, ToSchema)]
pub(super) struct DraftAsked {
    changes: Vec<Change>,
    /// In which text; without it, in the file's.
    #[serde(default)]
    toml: Option<String>,
}

/// A configuration as it would be.
#[derive(Serialize, ToSchema)]
pub(super) struct Draft {
    toml: String,
    /// What changes against the file, as a unified diff, secrets masked.
    diff: String,
    problems: Vec<ConfigProblem>,
}

/// A configuration to be kept.
#[derive(Deserialize, ToSchema)]
pub(super) struct Put {
    toml: String,
    /// That of the text that was changed; `If-Match` does as well.
    #[serde(default)]
    etag: Option<String>,
}

/// The configuration's file, secrets masked.
#[utoipa::path(
    get, path = "/api/config", tag = "set-up",
    responses((status = 200, body = ConfigView), (status = 500, body = Refusal)),
)]
pub(super) async fn get(State(web): State<Web>) -> Answer<Response> {
    let file = ConfigFile::read(web.site.config.as_deref())?;
    Ok(view(&web, &file))
}

/// Whether a configuration can be used.
#[utoipa::path(
    post, path = "/api/config/check", tag = "set-up",
    request_body = Text,
    responses((status = 200, body = Checked), (status = 500, body = Refusal)),
)]
pub(super) async fn check(
    State(web): State<Web>,
    Body(Text { toml }): Body<Text>,
) -> Answer<Json<Checked>> {
    let file = ConfigFile::read(web.site.config.as_deref())?;
    let problems = problems(&web, &file, &toml);
    Ok(Json(Checked {
        ok: problems.is_empty(),
        problems,
    }))
}

/// Changes a configuration, keeps its comments, and shows what would become of it. Nothing is written.
#[utoipa::path(
    post, path = "/api/config/draft", tag = "set-up",
    request_body = DraftAsked,
    responses(
        (status = 200, body = Draft),
        (status = 400, description = "A change does not fit the text.", body = Refusal),
        (status = 500, body = Refusal),
    ),
)]
pub(super) async fn draft(
    State(web): State<Web>,
    Body(asked): Body<DraftAsked>,
) -> Answer<Json<Draft>> {
    let file = ConfigFile::read(web.site.config.as_deref())?;
    let base = asked
        .toml
        .unwrap_or_else(|| secrets::mask(&file.text, None));
    let toml = change::apply(&base, &asked.changes)?;
    let problems = problems(&web, &file, &toml);
    let whole = secrets::unmask(&toml, &file.text).unwrap_or_else(|_| toml.clone());
    let before = secrets::mask(&file.text, None);
    let after = secrets::mask(&whole, Some(&file.text));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .to_string();
    Ok(Json(Draft {
        toml,
        diff,
        problems,
    }))
}

/// Keeps a configuration and uses it from now on.
#[utoipa::path(
    put, path = "/api/config", tag = "set-up",
    request_body = Put,
    responses(
        (status = 200, body = ConfigView),
        (status = 409, description = "There is no file, or it cannot be written.", body = Refusal),
        (status = 412, description = "The file was changed meanwhile.", body = Refusal),
        (status = 422, description = "It cannot be used.", body = Checked),
        (status = 428, description = "It is not said which text was changed.", body = Refusal),
        (status = 500, body = Refusal),
    ),
)]
pub(super) async fn put(
    State(web): State<Web>,
    headers: HeaderMap,
    Body(put): Body<Put>,
) -> Answer<Response> {
    // Of two who save at once, the second finds the first one's file.
    let _turn = web.saving.lock().await;
    let file = ConfigFile::read(web.site.config.as_deref())?;
    let if_match = headers
        .get(header::IF_MATCH)
        .and_then(|tag| tag.to_str().ok())
        .map(|tag| tag.trim_matches('"').to_owned());
    let Some(etag) = if_match.or(put.etag) else {
        return Err(Refusal::new(
            StatusCode::PRECONDITION_REQUIRED,
            "no_etag",
            "It is not said which configuration this one replaces.",
            "Send the `etag` of GET /api/config along.",
        ));
    };
    if etag != file.etag() {
        return Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "changed_meanwhile",
            "The configuration's file was changed meanwhile.",
            "Load it again and change that.",
        ));
    }
    let problems = problems(&web, &file, &put.toml);
    if !problems.is_empty() {
        let checked = Checked {
            ok: false,
            problems,
        };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(checked)).into_response());
    }
    let whole = secrets::unmask(&put.toml, &file.text).map_err(|unknown| {
        Refusal::bad_request(format!("Nothing was kept: {unknown}."), "Type it again.")
    })?;
    let written = file.write(whole)?;
    web.site.service.reload().await.map_err(|trouble| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "not_reloaded",
            trouble.message,
            trouble.help,
        )
    })?;
    Ok(view(&web, &written))
}

fn view(web: &Web, file: &ConfigFile) -> Response {
    let etag = file.etag();
    let toml = secrets::mask(&file.text, None);
    let body = Json(ConfigView {
        values: values::of(&toml),
        toml,
        path: file.path.as_ref().map(|path| path.display().to_string()),
        writable: web.site.config.as_deref().is_some_and(is_writable),
        etag: etag.clone(),
    });
    let mut response = body.into_response();
    // Hexadecimal digits in quotes are a header's value.
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// What is wrong with a text whose secrets may be masked.
fn problems(web: &Web, file: &ConfigFile, toml: &str) -> Vec<ConfigProblem> {
    match secrets::unmask(toml, &file.text) {
        Ok(whole) => {
            let mut problems = web.site.service.check(&whole);
            // What is shown of the text must not tell more than the text did.
            for problem in &mut problems {
                problem.rendered = secrets::hide(&problem.rendered, &whole);
                problem.message = secrets::hide(&problem.message, &whole);
            }
            problems
        }
        Err(unknown) => vec![ConfigProblem {
            line: 0,
            column: 0,
            length: 0,
            message: unknown.to_string(),
            help: "type it again".to_owned(),
            rendered: String::new(),
        }],
    }
}
