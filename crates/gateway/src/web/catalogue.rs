//! `GET /api/catalogue`: what registers, verdicts and models are called.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use heatmeter_catalog::{
    InfoTable, Kind, Language, Register, Tier, info_tables, models, registers,
};
use kamstrup_kmp::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Web;
use super::answer::{Answer, Asked, Refusal};
use super::status::Advice;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The language of labels; without it the gateway's own.
    #[param(example = "de")]
    language: Option<String>,
}

/// What registers, verdicts and models are called.
#[derive(Serialize, ToSchema)]
pub(super) struct Catalogue {
    language: &'static str,
    /// By key.
    registers: BTreeMap<&'static str, RegisterView>,
    /// By code.
    verdicts: BTreeMap<&'static str, Advice>,
    /// What meters report about themselves, by key.
    info: BTreeMap<&'static str, &'static str>,
    models: Vec<ModelView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Register)]
struct RegisterView {
    register: u16,
    label: &'static str,
    /// What sort of thing it holds: `energy`, `power`, `temperature`, ...
    #[schema(example = "energy")]
    unit_kind: &'static str,
    /// The units it is usual in.
    units: Vec<String>,
    /// How often it is worth asking for: `poll`, `hourly`, `daily` or `once`.
    #[schema(example = "poll")]
    tier: &'static str,
    /// Whether it only grows.
    counter: bool,
    /// Whether it is shown unless somebody turns it off.
    default: bool,
    #[schema(example = "mdi:radiator")]
    icon: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Model)]
struct ModelView {
    #[schema(example = "multical-403")]
    slug: &'static str,
    #[schema(example = "MULTICAL 403")]
    name: &'static str,
    /// Keys of the registers that a reading has unless others are asked for.
    usual: Vec<&'static str>,
    /// Keys of all registers it may have.
    registers: Vec<&'static str>,
}

/// What registers, verdicts and models are called.
#[utoipa::path(
    get, path = "/api/catalogue", tag = "gateway",
    params(Which),
    responses((status = 200, body = Catalogue), (status = 400, body = Refusal)),
)]
pub(super) async fn get(
    State(web): State<Web>,
    Asked(which): Asked<Which>,
) -> Answer<Json<Catalogue>> {
    let language = match which.language {
        None => web.site.hub.general().language,
        Some(tag) => tag.parse().map_err(|error| {
            Refusal::bad_request(
                format!("`{tag}` is none of the languages: {error}."),
                "Ask for one of these.",
            )
        })?,
    };
    Ok(Json(Catalogue::of(language)))
}

impl Catalogue {
    fn of(language: Language) -> Self {
        let verdicts = Verdict::ALL.into_iter().map(|verdict| {
            let advice = Advice {
                message: verdict.message().to_owned(),
                help: verdict.help().to_owned(),
            };
            (verdict.code(), advice)
        });
        Self {
            language: language.code(),
            registers: registers()
                .iter()
                .map(|register| (register.key, RegisterView::of(register, language)))
                .collect(),
            verdicts: verdicts.collect(),
            info: info_tables()
                .iter()
                .flat_map(InfoTable::flags)
                .map(|flag| (flag.key, flag.label(language)))
                .collect(),
            models: models()
                .iter()
                .map(|model| ModelView {
                    slug: model.slug,
                    name: model.name,
                    usual: keys(model.usual),
                    registers: keys(model.registers),
                })
                .collect(),
        }
    }
}

fn keys(ids: &[heatmeter_catalog::RegisterId]) -> Vec<&'static str> {
    ids.iter()
        .filter_map(|id| heatmeter_catalog::register(*id))
        .map(|register| register.key)
        .collect()
}

impl RegisterView {
    fn of(register: &'static Register, language: Language) -> Self {
        Self {
            register: register.id.0,
            label: register.label(language),
            unit_kind: word(register.kind),
            units: register.units.iter().map(ToString::to_string).collect(),
            tier: match register.tier {
                Tier::Poll => "poll",
                Tier::Hourly => "hourly",
                Tier::Daily => "daily",
                Tier::Once => "once",
            },
            counter: register.is_counter(),
            default: register.default,
            icon: register.icon,
        }
    }
}

/// A kind, for programs.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Energy => "energy",
        Kind::ReactiveEnergy => "reactive_energy",
        Kind::Volume => "volume",
        Kind::Water => "water",
        Kind::Mass => "mass",
        Kind::VolumeTemperature => "volume_temperature",
        Kind::Flow => "flow",
        Kind::Power => "power",
        Kind::ReactivePower => "reactive_power",
        Kind::Temperature => "temperature",
        Kind::TemperatureDifference => "temperature_difference",
        Kind::Pressure => "pressure",
        Kind::Voltage => "voltage",
        Kind::Current => "current",
        Kind::Hours => "hours",
        Kind::Duration => "duration",
        Kind::Remaining => "remaining",
        Kind::Events => "events",
        Kind::Ratio => "ratio",
        Kind::Identifier => "identifier",
        Kind::Date => "date",
        Kind::YearDay => "year_day",
        Kind::Clock => "clock",
        Kind::DateTime => "date_time",
        Kind::Flags => "flags",
        Kind::Unknown => "unknown",
    }
}
