use super::*;
use kamstrup_kmp::message::{Batch, command};
use kamstrup_kmp::{Date, DateTime, Time};
use proptest::prelude::*;

use crate::faults::Fault;
use crate::models::Model;

fn config() -> Config {
    Config::new(Model::M403)
}

fn at(millis: u64) -> Instant {
    Instant::from_start(Duration::from_millis(millis))
}

fn read(registers: &[u16]) -> Vec<u8> {
    let ids: Vec<RegisterId> = registers.iter().copied().map(RegisterId).collect();
    Request::GetRegister(Batch::new(&ids).unwrap()).encode(Address::METER)
}

fn usual() -> Vec<u8> {
    read(&[60, 68, 74, 80, 86, 87, 89, 266])
}

fn always(kind: FaultKind) -> Fault {
    Fault::new(kind, 1.0).unwrap()
}

type Timed<T> = Vec<(Instant, T)>;

/// Everything that comes within `time` after `now`, byte by byte with its moment, and the events.
fn listen(
    meter: &mut SimulatedMeter,
    now: Instant,
    time: Duration,
) -> (Timed<u8>, Timed<LineEvent>) {
    let (mut bytes, mut events) = (Vec::new(), Vec::new());
    let mut moment = now;
    loop {
        let mut due = Vec::new();
        meter.poll_transmit(moment, &mut due);
        bytes.extend(due.into_iter().map(|byte| (moment, byte)));
        if let Some(event) = meter.poll_event(moment) {
            events.push((moment, event));
        }
        match meter.next_wakeup() {
            Some(next) if next <= now.after(time) => moment = next.max(moment),
            _ => return (bytes, events),
        }
    }
}

/// The bytes that come within a minute after a request.
fn ask(meter: &mut SimulatedMeter, request: &[u8], now: Instant) -> Vec<u8> {
    meter.receive(request, now);
    let (bytes, _) = listen(meter, now, Duration::from_mins(1));
    bytes.into_iter().map(|(_, byte)| byte).collect()
}

#[test]
fn an_answer_begins_when_the_request_has_crossed_the_wire_and_goes_on_byte_by_byte() {
    let mut meter = SimulatedMeter::new(config().pace(true));
    let now = at(5_000);
    let request = usual();
    meter.receive(&request, now);
    let (bytes, _) = listen(&mut meter, now, Duration::from_secs(10));
    let heard = now.after(wire_time(request.len()));
    for (index, (moment, _)) in bytes.iter().enumerate() {
        let due = heard.after(wire_time(index + 1));
        assert_eq!(*moment, due, "byte {index}");
    }
    assert!(bytes.len() > 60);
}

#[test]
fn not_a_byte_comes_before_its_last_bit() {
    let mut meter = SimulatedMeter::new(config().pace(true));
    let request = usual();
    meter.receive(&request, at(0));
    let first = at(0).after(wire_time(request.len())).after(wire_time(1));
    let before = Instant::from_start(first.since_start().saturating_sub(Duration::from_nanos(1)));
    let mut due = Vec::new();
    meter.poll_transmit(before, &mut due);
    assert!(due.is_empty());
    meter.poll_transmit(first, &mut due);
    assert_eq!(due, [0x40]);
}

#[test]
fn a_thousand_paced_polls_take_what_their_bytes_take() {
    let mut meter = SimulatedMeter::new(config().pace(true));
    let request = usual();
    let mut now = at(0);
    let mut bytes = 0;
    for _ in 0..1000 {
        meter.receive(&request, now);
        let (answer, _) = listen(&mut meter, now, Duration::from_secs(10));
        bytes += request.len() + answer.len();
        now = answer.last().unwrap().0;
    }
    // Each run of bytes is cut off to whole nanoseconds, once for the request and once for the answer.
    let lost = wire_time(bytes).saturating_sub(now.since_start());
    assert!(lost < Duration::from_micros(3), "{lost:?}");
}

#[test]
fn turnaround_lies_between_request_and_answer() {
    let mut meter = SimulatedMeter::new(config().turnaround(Duration::from_millis(120)));
    meter.receive(&usual(), at(1_000));
    assert_eq!(meter.next_wakeup(), Some(at(1_120)));
}

#[test]
fn a_paced_echo_comes_back_byte_by_byte_before_the_answer() {
    let mut meter = SimulatedMeter::new(config().pace(true).echo(true));
    let request = usual();
    meter.receive(&request, at(0));
    let (bytes, _) = listen(&mut meter, at(0), Duration::from_secs(10));
    for (index, (moment, byte)) in bytes.iter().take(request.len()).enumerate() {
        assert_eq!(
            (*moment, *byte),
            (at(0).after(wire_time(index + 1)), request[index])
        );
    }
    assert_eq!(bytes[request.len()].1, 0x40);
}

#[test]
fn a_sleeping_meter_returns_its_heads_echo_and_nothing_else() {
    let minutes = Duration::from_mins(4);
    let mut meter = SimulatedMeter::new(config().echo(true).sleep_after(minutes));
    let request = usual();
    assert!(ask(&mut meter, &request, at(239_000)).len() > request.len());
    assert_eq!(ask(&mut meter, &request, at(240_000)), request);
    assert_eq!(meter.journal().unheard(), 1);
    meter.wake(at(300_000));
    assert!(ask(&mut meter, &request, at(301_000)).len() > request.len());
}

#[test]
fn refusals_are_silence() {
    let mut meter = SimulatedMeter::new(config());
    let wrong_crc = [0x80, 0x3f, 0x01, 0x05, 0x8b, 0x0d];
    let other_address = Request::GetType.encode(Address::TOP_MODULE);
    let unknown = Request::Raw {
        command: 0xb8,
        data: vec![5, 2],
    }
    .encode(Address::METER);
    let nine: Vec<u8> = [9].into_iter().chain([0, 60].repeat(9)).collect();
    let nine = Request::Raw {
        command: command::GET_REGISTER,
        data: nine,
    }
    .encode(Address::METER);
    // 30 February
    let mut data = 260_230_u32.to_be_bytes().to_vec();
    data.extend([0; 4]);
    let no_such_day = Request::Raw {
        command: command::SET_CLOCK,
        data,
    }
    .encode(Address::METER);
    for request in [
        &wrong_crc[..],
        &other_address,
        &unknown,
        &nine,
        &no_such_day,
    ] {
        assert!(ask(&mut meter, request, at(0)).is_empty(), "{request:02x?}");
    }
    assert!(!ask(&mut meter, &usual(), at(1)).is_empty());
}

#[test]
fn the_clock_is_set_with_an_acknowledge() {
    let mut meter = SimulatedMeter::new(config());
    let moment = DateTime::new(Date::new(2027, 5, 6).unwrap(), Time::new(7, 8, 9).unwrap());
    let request = Request::SetClock(moment).encode(Address::METER);
    assert_eq!(ask(&mut meter, &request, at(0)), [0x06]);
    let clock = meter.read(&[RegisterId(1003), RegisterId(1002)], at(1_000));
    let shown: Vec<String> = clock
        .iter()
        .map(|record| record.value.to_string())
        .collect();
    assert_eq!(shown, ["2027-05-06", "07:08:10"]);
}

#[test]
fn only_a_strict_meter_drops_a_request_with_a_gap() {
    for (gap, strict, answers) in [(26, true, true), (28, true, false), (500, false, true)] {
        let mut meter = SimulatedMeter::new(config().strict(strict));
        let request = usual();
        let (head, tail) = request.split_at(10);
        meter.receive(head, at(0));
        let answer = ask(&mut meter, tail, at(gap));
        assert_eq!(!answer.is_empty(), answers, "a gap of {gap} ms");
    }
}

#[test]
fn a_strict_meter_is_deaf_for_1600_ms_after_something_invalid() {
    let mut meter = SimulatedMeter::new(config().strict(true));
    let mut broken = usual();
    broken[5] ^= 1;
    assert!(ask(&mut meter, &broken, at(0)).is_empty());
    assert!(ask(&mut meter, &usual(), at(1_599)).is_empty());
    assert!(!ask(&mut meter, &usual(), at(1_600)).is_empty());
}

#[test]
fn a_strict_meter_does_not_hear_while_it_sends() {
    let mut meter = SimulatedMeter::new(config().strict(true).pace(true));
    let request = read(&[60]);
    meter.receive(&request, at(0));
    meter.receive(&request, at(200));
    let (bytes, _) = listen(&mut meter, at(200), Duration::from_secs(10));
    assert_eq!(bytes.iter().filter(|(_, byte)| *byte == 0x0d).count(), 1);
    assert_eq!(meter.journal().exchanges(), 1);
}

#[test]
fn time_runs_at_the_speed_asked_for() {
    let hours = |speed| {
        let mut meter = SimulatedMeter::new(config().speed(speed));
        let id = [RegisterId(1004)];
        let mut hours = |now| {
            let value = &meter.read(&id, now)[0].value;
            value.as_number().unwrap().mantissa()
        };
        let before = hours(at(0));
        hours(at(10_000_000)) - before
    };
    assert_eq!(hours(0.0), 0);
    assert_eq!(hours(1.0), 2);
    assert_eq!(hours(3_600.0), 10_000);
}

#[test]
fn an_answer_behind_a_late_one_waits_for_it() {
    let late = Duration::from_secs(3)..=Duration::from_secs(3);
    let config = config()
        .faults([Fault::new(FaultKind::Late, 0.5).unwrap()])
        .late(late);
    let mut meter = SimulatedMeter::new(config);
    let mut now = 0;
    // Until an answer is late and the next one is not.
    let bytes = loop {
        meter.receive(&read(&[60]), at(now));
        meter.receive(&read(&[68]), at(now + 1_000));
        let (bytes, _) = listen(&mut meter, at(now + 1_000), Duration::from_mins(1));
        let faults: Vec<_> = meter
            .journal()
            .kept()
            .rev()
            .take(2)
            .map(|e| e.faults)
            .collect();
        if faults[0].is_empty() && !faults[1].is_empty() {
            break bytes;
        }
        now += 100_000;
    };
    // Register 60 first, though 68 was ready two seconds before.
    let registers: Vec<u8> = bytes
        .windows(3)
        .filter(|w| w[0].1 == 0x10)
        .map(|w| w[2].1)
        .collect();
    assert_eq!(registers, [60, 68]);
    assert_eq!(bytes[0].0, at(now + 3_000));
}

#[test]
fn endless_noise_ends_with_the_next_request_or_after_its_time() {
    let noise = Duration::from_secs(5);
    let config = config()
        .faults([always(FaultKind::NoiseEndless)])
        .noise_for(noise);
    let mut meter = SimulatedMeter::new(config);
    meter.receive(&usual(), at(0));
    let (bytes, _) = listen(&mut meter, at(0), Duration::from_mins(1));
    let (last, _) = bytes.last().unwrap();
    assert!(
        (4_900..5_000).contains(&last.since_start().as_millis()),
        "{last:?}"
    );
    // 1200 baud: 109 bytes a second
    assert!((540..640).contains(&bytes.len()), "{}", bytes.len());

    meter.receive(&usual(), at(100_000));
    listen(&mut meter, at(100_000), Duration::from_secs(1));
    meter.receive(&[0x80], at(101_500));
    assert_eq!(meter.next_wakeup(), None);
}

#[test]
fn a_closed_or_gone_port_takes_what_was_on_its_way_along() {
    for (kind, event) in [
        (FaultKind::PeerClose, LineEvent::PeerClose),
        (
            FaultKind::PortGone,
            LineEvent::PortGone(Duration::from_secs(3)),
        ),
    ] {
        let mut meter = SimulatedMeter::new(config().pace(true).faults([always(kind)]));
        for exchange in 0..50 {
            let now = at(exchange * 10_000);
            meter.receive(&usual(), now);
            let (bytes, events) = listen(&mut meter, now, Duration::from_secs(9));
            assert_eq!(events.len(), 1);
            assert_eq!(events[0].1, event);
            assert!(bytes.iter().all(|(moment, _)| *moment <= events[0].0));
            assert_eq!(meter.next_wakeup(), None);
        }
    }
}

#[test]
fn a_mangled_echo_is_all_that_comes_back() {
    for echo in [true, false] {
        let mut meter =
            SimulatedMeter::new(config().echo(echo).faults([always(FaultKind::EchoMangled)]));
        let request = usual();
        let back = ask(&mut meter, &request, at(0));
        assert_eq!(back.len(), request.len());
        assert!(back.iter().zip(&request).all(|(back, sent)| back != sent));
    }
}

#[test]
fn the_journal_knows_the_truth_behind_spoiled_answers() {
    for kind in FaultKind::ALL {
        let fault = Fault::new(kind, 0.2).unwrap();
        let mut meter = SimulatedMeter::new(config().faults([fault]).speed(10.0));
        for exchange in 0..500 {
            let now = at(exchange * 120_000);
            ask(&mut meter, &usual(), now);
            let last = meter.journal().last().unwrap().clone();
            let ids: Vec<RegisterId> = last.truth.iter().map(|record| record.register).collect();
            assert_eq!(ids, [60, 68, 74, 80, 86, 87, 89, 266].map(RegisterId));
            assert_eq!(last.truth, meter.read(&ids, now));
            assert!(meter.journal().said(RegisterId(60), &last.truth[0].value));
        }
        let journal = meter.journal();
        assert_eq!(journal.exchanges(), 500);
        assert!(
            (65..140).contains(&journal.spoiled_by(kind)),
            "{kind} {}",
            journal.spoiled()
        );
        assert_eq!(journal.spoiled_by(kind), journal.spoiled());
        assert_eq!(journal.kept().count(), 64);
    }
}

#[test]
fn the_same_seed_says_the_same_bytes_at_the_same_moments() {
    let all = FaultKind::ALL.map(|kind| Fault::new(kind, 0.1).unwrap());
    let run = |seed| {
        let config = config()
            .seed(seed)
            .faults(all)
            .pace(true)
            .echo(true)
            .speed(10.0);
        let mut meter = SimulatedMeter::new(config);
        let mut everything = Vec::new();
        for exchange in 0..50 {
            let now = at(exchange * 150_000);
            meter.receive(&usual(), now);
            everything.push(listen(&mut meter, now, Duration::from_secs(149)));
        }
        everything
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_a_request_is_cut_does_not_matter(cuts in prop::collection::vec(0_usize..23, 0..6), pace: bool) {
        let request = usual();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % request.len()).collect();
        cuts.sort_unstable();
        let mut whole = SimulatedMeter::new(config().pace(pace));
        let mut pieces = whole.clone();
        whole.receive(&request, at(0));
        let mut from = 0;
        for cut in cuts.into_iter().chain([request.len()]) {
            pieces.receive(&request[from..cut], at(0));
            from = cut;
        }
        let minute = Duration::from_mins(1);
        prop_assert_eq!(listen(&mut pieces, at(0), minute), listen(&mut whole, at(0), minute));
    }

    #[test]
    fn garbage_never_stops_a_meter_for_good(garbage in prop::collection::vec(any::<u8>(), 0..400), strict: bool) {
        let mut meter = SimulatedMeter::new(config().strict(strict));
        meter.receive(&garbage, at(0));
        listen(&mut meter, at(0), Duration::from_mins(1));
        // A frame that the garbage began swallows at most one request.
        ask(&mut meter, &usual(), at(100_000));
        let answer = ask(&mut meter, &usual(), at(200_000));
        prop_assert!(answer.len() > 60);
    }
}

#[test]
fn a_history_goes_on_with_a_meter_that_is_started_later() {
    let day = |month, day| DateTime::new(Date::new(2026, month, day).unwrap(), Time::default());
    let (began, now) = (day(1, 20), day(2, 3));
    let ids = [
        RegisterId(60),
        RegisterId(68),
        RegisterId(86),
        RegisterId(80),
    ];
    let old = Config::new(Model::M403).start(began);
    let fortnight = Instant::from_start(Duration::from_hours(14 * 24));
    let expected = SimulatedMeter::new(old).read(&ids, fortnight);
    let new = Config::new(Model::M403).start(now).lived_since(began);
    let found = SimulatedMeter::new(new).read(&ids, Instant::default());
    assert_eq!(found, expected);
}
