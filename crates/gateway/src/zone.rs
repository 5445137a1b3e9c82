//! Time zones by name: a browser knows them by nothing else.

use jiff::tz::{self, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The zone; one without a name gives way to one that tells the same time. In a container `/etc/localtime` is
/// often a file and no link, and then nothing says what it is called.
pub(crate) fn named(zone: TimeZone, now: Timestamp) -> TimeZone {
    if zone.iana_name().is_some() {
        return zone;
    }
    let same = |other: &TimeZone| moments(now).all(|at| zone.to_offset(at) == other.to_offset(at));
    tz::db()
        .available()
        .filter_map(|name| TimeZone::get(name.as_str()).ok())
        .find(same)
        .unwrap_or(zone)
}

/// Every week of the ten years that a history may have, and of the next: zones change their clocks in
/// different ones.
fn moments(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let week = move |number: i64| now.checked_add(SignedDuration::from_hours(7 * 24 * number));
    (-520..=52).filter_map(move |number| week(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_without_a_name_gets_that_of_its_twin() {
        let now: Timestamp = "2026-11-26T16:00:00Z".parse().unwrap();
        let nameless = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(nameless.iana_name(), None);
        let found = named(nameless.clone(), now);
        assert!(found.iana_name().is_some());
        for at in moments(now) {
            assert_eq!(found.to_offset(at), nameless.to_offset(at), "{at}");
        }
        let fixed = named(TimeZone::fixed(tz::offset(2)), now);
        assert!(fixed.iana_name().is_some(), "{fixed:?}");
    }

    #[test]
    fn a_zone_with_a_name_keeps_it() {
        let zone = TimeZone::get("Europe/Copenhagen").unwrap();
        let kept = named(zone, Timestamp::UNIX_EPOCH);
        assert_eq!(kept.iana_name(), Some("Europe/Copenhagen"));
    }
}
