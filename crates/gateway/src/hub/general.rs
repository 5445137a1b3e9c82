//! What holds for the whole gateway: how it speaks, and where it delivers to.

use heatmeter_catalog::Language;
use heatmeter_publish::Progress;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::Trouble;

/// How the gateway speaks to people.
#[derive(Clone, Debug)]
pub struct General {
    /// The language of labels.
    pub language: Language,
    /// Where days and months begin.
    pub time_zone: TimeZone,
    /// Why the configuration's file, or a part of it, was not taken up.
    pub trouble: Option<Trouble>,
}

impl Default for General {
    fn default() -> Self {
        Self {
            language: Language::En,
            time_zone: TimeZone::UTC,
            trouble: None,
        }
    }
}

/// A destination, and how it goes with it.
#[derive(Clone, Debug)]
pub struct Supply {
    /// Its name, which its place in the outbox has, too.
    pub name: String,
    /// What sort it is: `mqtt`, `influx`, `postgres`, `webhook`.
    pub kind: &'static str,
    /// How it goes.
    pub progress: watch::Receiver<Progress>,
}
