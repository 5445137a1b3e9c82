use super::*;
use kamstrup_kmp::Time;
use proptest::prelude::*;

fn house(seed: u64, start: DateTime) -> House {
    House::lived_in(seed, start, start, 60)
}

fn day(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).unwrap()
}

fn at(year: u16, month: u8, date: u8, hour: u8, minute: u8, second: u8) -> DateTime {
    DateTime::new(
        day(year, month, date),
        Time::new(hour, minute, second).unwrap(),
    )
}

/// Everything a meter could show, for comparison.
fn everything(house: &House) -> impl PartialEq + std::fmt::Debug + use<> {
    let extremes = |of: &Extremes| (of.max_flow, of.min_flow, of.max_power, of.min_power);
    (
        (house.flow(), house.totals(), house.info()),
        (
            extremes(house.extremes_month()),
            extremes(house.extremes_year()),
        ),
        [Over::Hour, Over::Day, Over::Month, Over::Year].map(|over| house.averages(over)),
    )
}

#[test]
fn counters_are_the_sums_of_what_was_shown() {
    let mut house = house(4, at(2026, 1, 12, 0, 0, 0));
    let before = house.totals();
    let mut sum = Totals::default();
    let start = house.cell * CELL;
    for cell in 1..=8640 {
        house.advance(start + cell * CELL);
        let flow = house.flow();
        let volume = i64::from(flow.litres_per_hour) * CELL;
        sum.energy += flow.milliwatts * CELL;
        sum.volume += volume;
        sum.volume_inlet += volume * i64::from(flow.inlet);
        sum.volume_outlet += volume * i64::from(flow.outlet);
    }
    let now = house.totals();
    assert_eq!(now.energy - before.energy, sum.energy);
    assert_eq!(now.volume - before.volume, sum.volume);
    assert_eq!(now.volume_inlet - before.volume_inlet, sum.volume_inlet);
    assert_eq!(now.volume_outlet - before.volume_outlet, sum.volume_outlet);
    assert_eq!(now.operating - before.operating, 86_400);
}

#[test]
fn a_year_of_a_house_is_a_year_of_a_house() {
    for seed in 0..3 {
        let mut house = house(seed, at(2026, 1, 1, 0, 0, 0));
        let before = house.totals();
        house.advance(seconds_of(at(2027, 1, 1, 0, 0, 0)));
        let now = house.totals();
        let heat = now.energy - before.energy;
        let gigajoules = heat / 1_000_000_000_000;
        let cubic_metres = (now.volume - before.volume) / 3_600_000;
        assert!((15..100).contains(&gigajoules), "{gigajoules} GJ");
        assert!((80..700).contains(&cubic_metres), "{cubic_metres} m³");

        // E8 and E9 say what the energy is: k at a heating system's temperatures is 4.09 to
        // 4.17 MJ/(m³ K). Here mJ over 1/3600 l · 0.01 K, in kJ/(m³ K).
        let inlet = now.volume_inlet - before.volume_inlet;
        let outlet = now.volume_outlet - before.volume_outlet;
        let k = i128::from(heat) * 360 / i128::from(inlet - outlet);
        assert!((4_090..4_170).contains(&k), "{k}");
    }
}

#[test]
fn outlet_is_never_warmer_than_inlet_and_power_never_negative() {
    let mut house = house(11, at(2026, 1, 1, 0, 0, 0));
    let start = house.cell * CELL;
    let (mut still, mut hottest) = (0, 0);
    for cell in 1..=365 * 8640 {
        house.advance(start + cell * CELL);
        let flow = house.flow();
        assert!(
            flow.outlet <= flow.inlet && flow.milliwatts >= 0,
            "{flow:?}"
        );
        assert!((1_500..10_000).contains(&flow.inlet), "{flow:?}");
        assert!(flow.litres_per_hour < 3500, "{flow:?}");
        still += u32::from(flow.litres_per_hour == 0);
        hottest = hottest.max(flow.milliwatts);
    }
    // Summer nights stand still, showers do not.
    assert!(still > 100_000, "{still}");
    assert!(hottest > 15_000_000, "{hottest}");
}

#[test]
fn a_year_at_once_equals_a_year_in_steps() {
    let start = at(2025, 11, 3, 7, 12, 44);
    let mut at_once = house(9, start);
    let mut in_steps = house(9, start);
    let end = seconds_of(at(2026, 11, 3, 7, 12, 44));
    at_once.advance(end);
    let mut now = seconds_of(start);
    while now < end {
        now += 3_607;
        in_steps.advance(now.min(end));
    }
    assert_eq!(everything(&at_once), everything(&in_steps));
}

#[test]
fn where_the_simulation_began_does_not_matter_within_a_year() {
    let early = {
        let mut house = house(5, at(2026, 2, 1, 3, 0, 0));
        house.advance(seconds_of(at(2026, 5, 9, 10, 0, 0)));
        house
    };
    let late = house(5, at(2026, 5, 9, 10, 0, 0));
    assert_eq!(everything(&early), everything(&late));
}

#[test]
fn seeds_are_houses() {
    let noon = at(2026, 1, 20, 12, 0, 0);
    assert_eq!(everything(&house(1, noon)), everything(&house(1, noon)));
    assert_ne!(house(1, noon).totals(), house(2, noon).totals());
}

#[test]
fn time_does_not_run_back() {
    let mut house = house(1, at(2026, 3, 1, 0, 0, 0));
    let before = house.totals();
    house.advance(0);
    assert_eq!(house.totals(), before);
}

#[test]
fn extremes_are_those_of_the_averaging_time() {
    let start = at(2026, 1, 1, 0, 0, 0);
    let mut house = House::lived_in(3, start, start, 15);
    let start = house.cell * CELL;
    let (mut most, mut least) = (i64::MIN, i64::MAX);
    for quarter in 0..4 * 24 * 20 {
        let before = house.totals();
        house.advance(start + (quarter + 1) * 900);
        let mean = (house.totals().energy - before.energy + 450) / 900;
        (most, least) = (most.max(mean), least.min(mean));
    }
    let extremes = house.extremes_year();
    assert!((extremes.max_power.value - most).abs() <= 1);
    assert!((extremes.min_power.value - least).abs() <= 1);
    assert_eq!(extremes.max_power, house.extremes_month().max_power);
    assert!(extremes.max_power.at.date <= day(2026, 1, 20));
}

#[test]
fn a_new_month_and_a_new_year_forget_the_old_extremes() {
    let mut house = house(6, at(2026, 2, 1, 2, 0, 0));
    assert_eq!(house.extremes_month().max_flow.at.date, day(2026, 2, 1));
    assert!(house.extremes_year().max_flow.at.date < day(2026, 2, 1));
    house.advance(seconds_of(at(2027, 1, 1, 2, 0, 0)));
    assert_eq!(house.extremes_year().max_flow.at.date, day(2027, 1, 1));
    assert_eq!(
        house.extremes_year().min_power,
        house.extremes_month().min_power
    );
}

#[test]
fn air_in_the_sensor_stops_the_flow_and_is_counted_twice() {
    let mut house = house(2, at(2026, 1, 1, 0, 0, 0));
    let (before, start) = (house.info().events, house.cell * CELL);
    let mut seen = 0;
    for cell in 1..=365 * 8640 {
        let was = house.info();
        house.advance(start + cell * CELL);
        seen += u32::from(was.air != house.info().air);
        if was.air {
            assert_eq!(house.flow().litres_per_hour, 0);
        }
    }
    assert_eq!(house.info().events - before, seen);
}

#[test]
fn a_year_takes_well_under_a_second() {
    let mut house = house(1, at(2026, 1, 1, 0, 0, 0));
    let began = std::time::Instant::now();
    house.advance(seconds_of(at(2027, 1, 1, 0, 0, 0)));
    let took = began.elapsed();
    // Generous: unoptimised builds on a busy machine count too.
    assert!(took.as_secs() < 5, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn steps_do_not_matter(seed in 0_u64..1000, steps in prop::collection::vec(1_i64..50_000, 1..30)) {
        let start = at(2026, 1, 1, 0, 0, 0);
        let mut stepped = house(seed, start);
        let mut now = seconds_of(start);
        for step in steps {
            now += step;
            stepped.advance(now);
        }
        let mut at_once = house(seed, start);
        at_once.advance(now);
        prop_assert_eq!(everything(&stepped), everything(&at_once));
    }
}
