//! What was read, as lines and as bars.

use axum::Json;
use axum::extract::{Path, State};
use heatmeter_catalog::{Register, nearest_key, register_by_key};
use heatmeter_history::{Bars, By, Gap, Point};
use jiff::{SignedDuration, Timestamp};
use kamstrup_kmp::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Asked, Refusal};
use super::meters::find;
use super::moment::Moment;
use crate::hub::MeterState;

/// Which part of the history.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// The register's key.
    #[param(example = "power")]
    key: String,
    /// ISO 8601 or seconds since 1970; a day ago without it.
    from: Option<Moment>,
    /// Now without it.
    to: Option<Moment>,
    /// At most so many; 1000 without it.
    points: Option<usize>,
}

/// A register over a span of time, for a chart. The lists are of one length; null is a gap.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesView {
    key: &'static str,
    label: &'static str,
    unit: Option<String>,
    from: Moment,
    to: Moment,
    /// Seconds since 1970.
    #[schema(value_type = Vec<f64>)]
    times: Vec<Exact>,
    /// The last reading of each point, exactly.
    #[schema(value_type = Vec<Option<f64>>)]
    last: Vec<Option<Exact>>,
    #[schema(value_type = Vec<Option<f64>>)]
    min: Vec<Option<Exact>>,
    #[schema(value_type = Vec<Option<f64>>)]
    max: Vec<Option<Exact>>,
    gaps: Vec<GapView>,
}

/// A time in which nothing was read.
#[derive(Serialize, ToSchema)]
#[schema(as = Gap)]
struct GapView {
    from: Moment,
    to: Moment,
    /// What polls came to for most of it; null where there were none.
    verdict: Option<&'static str>,
}

/// Which bars.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BarsAsked {
    /// The key of a counter.
    #[param(example = "heat_energy")]
    key: String,
    /// `hour`, `day`, `month` or `year`.
    #[param(example = "day")]
    by: String,
    /// The first bar holds this moment; two days, a month, a year or ten years ago without it.
    from: Option<Moment>,
    /// The last bar holds the moment before this one; now without it.
    to: Option<Moment>,
}

/// How much a counter counted, in the gateway's time zone.
#[derive(Serialize, ToSchema)]
#[schema(as = Amounts)]
pub(super) struct AmountsView {
    key: &'static str,
    label: &'static str,
    unit: Option<String>,
    by: &'static str,
    bars: Vec<BarView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Bar)]
struct BarView {
    from: Moment,
    to: Moment,
    /// A decimal string; null where no reading tells. The next one that has an amount carries it.
    #[schema(example = "1.234")]
    amount: Option<String>,
    /// Whether the amount is all of it: the time is over, and was read at both of its ends.
    complete: bool,
}

/// A number written exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact(Decimal);

/// A register over a span of time.
#[utoipa::path(
    get, path = "/api/meters/{id}/history", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name."), Span),
    responses(
        (status = 200, body = SeriesView),
        (status = 400, body = Refusal),
        (status = 404, body = Refusal),
        (status = 503, body = Refusal),
    ),
)]
pub(super) async fn series(
    State(web): State<Web>,
    Path(id): Path<String>,
    Asked(span): Asked<Span>,
) -> Answer<Json<SeriesView>> {
    let state = find(&web, &id)?;
    let register = register(&span.key)?;
    let to = span.to.map_or_else(Web::now, |to| to.0);
    let from = span.from.map_or_else(|| before(to, A_DAY), |from| from.0);
    let points = span.points.unwrap_or(1000).clamp(1, POINTS_MAX);
    let series = web
        .site
        .history
        .series(serial(&state), register.id, (from, to), points)
        .await
        .map_err(|error| Refusal::history(&error))?;
    let mut view = SeriesView {
        key: register.key,
        label: register.label(web.site.hub.general().language),
        unit: series.unit.map(|unit| unit.to_string()),
        from: from.into(),
        to: to.into(),
        times: Vec::new(),
        last: Vec::new(),
        min: Vec::new(),
        max: Vec::new(),
        gaps: series.gaps.iter().map(Into::into).collect(),
    };
    let mut gaps = series.gaps.iter().peekable();
    for point in &series.points {
        while let Some(gap) = gaps.next_if(|gap| gap.to <= point.at) {
            view.break_line(gap);
        }
        view.push(point);
    }
    Ok(Json(view))
}

/// How much a counter counted, as bars.
#[utoipa::path(
    get, path = "/api/meters/{id}/amounts", tag = "meters",
    params(("id" = String, Path, description = "Serial number, or the slot's name."), BarsAsked),
    responses(
        (status = 200, body = AmountsView),
        (status = 400, body = Refusal),
        (status = 404, body = Refusal),
        (status = 503, body = Refusal),
    ),
)]
pub(super) async fn amounts(
    State(web): State<Web>,
    Path(id): Path<String>,
    Asked(asked): Asked<BarsAsked>,
) -> Answer<Json<AmountsView>> {
    let state = find(&web, &id)?;
    let register = register(&asked.key)?;
    if !register.is_counter() {
        return Err(Refusal::bad_request(
            format!("`{}` is no counter: nothing adds up.", register.key),
            "Ask for its `history` instead.",
        ));
    }
    let by = By::from_word(&asked.by).ok_or_else(|| {
        Refusal::bad_request(
            format!(
                "Bars are by hour, day, month or year, not by `{}`.",
                asked.by
            ),
            "Ask for one of these.",
        )
    })?;
    let general = web.site.hub.general();
    let now = Web::now();
    let to = asked.to.map_or(now, |to| to.0);
    let bars = Bars {
        register: register.id,
        by,
        from: asked
            .from
            .map_or_else(|| before(to, usual(by)), |from| from.0),
        to,
        time_zone: general.time_zone.clone(),
        now,
    };
    let amounts = web
        .site
        .history
        .amounts(serial(&state), bars)
        .await
        .map_err(|error| Refusal::history(&error))?;
    if amounts.bars.last().is_some_and(|bar| bar.to < to) {
        return Err(Refusal::bad_request(
            format!(
                "From there to the end there are more bars than {}.",
                amounts.bars.len()
            ),
            "Ask for longer bars, or for a shorter time.",
        ));
    }
    let bars = amounts.bars.iter().map(|bar| BarView {
        from: bar.from.into(),
        to: bar.to.into(),
        amount: bar.amount.map(|amount| amount.to_string()),
        complete: bar.complete,
    });
    Ok(Json(AmountsView {
        key: register.key,
        label: register.label(general.language),
        unit: amounts.unit.map(|unit| unit.to_string()),
        by: by.word(),
        bars: bars.collect(),
    }))
}

/// More points than this no screen has.
const POINTS_MAX: usize = 20_000;

/// How far back a line goes unless somebody says it.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// So long before a moment, which may be the first that there is.
fn before(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// How far back bars go unless somebody says it.
fn usual(by: By) -> SignedDuration {
    let days = match by {
        By::Hour => 2,
        By::Day => 31,
        By::Month => 366,
        By::Year => 3653,
    };
    SignedDuration::from_hours(24 * days)
}

/// A meter that has not said who it is has no history; nobody has this number.
fn serial(state: &MeterState) -> &str {
    state.meter.as_ref().map_or("", |meter| &meter.serial)
}

fn register(key: &str) -> Answer<&'static Register> {
    register_by_key(key).ok_or_else(|| {
        let help = match nearest_key(key) {
            Some(near) => format!("Did you mean `{near}`? /api/catalogue has all of them."),
            None => "/api/catalogue has those there are.".to_owned(),
        };
        Refusal::bad_request(format!("There is no register `{key}`."), help)
    })
}

impl SeriesView {
    fn push(&mut self, point: &Point) {
        self.times.push(Exact::seconds(point.at));
        self.last.push(Some(Exact(point.last)));
        self.min.push(Some(Exact(point.min)));
        self.max.push(Some(Exact(point.max)));
    }

    /// A place without a value, so that nobody draws a line across.
    fn break_line(&mut self, gap: &Gap) {
        let half = gap.to.duration_since(gap.from) / 2;
        self.times.push(Exact::seconds(gap.from + half));
        for list in [&mut self.last, &mut self.min, &mut self.max] {
            list.push(None);
        }
    }
}

impl Exact {
    fn seconds(at: Timestamp) -> Self {
        let ms = at.as_millisecond();
        Self(match ms % 1000 {
            0 => Decimal::new((ms / 1000).into(), 0),
            _ => Decimal::new(ms.into(), -3),
        })
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number =
            RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl From<&Gap> for GapView {
    fn from(gap: &Gap) -> Self {
        Self {
            from: gap.from.into(),
            to: gap.to.into(),
            verdict: gap.verdict.map(kamstrup_kmp::Verdict::code),
        }
    }
}
