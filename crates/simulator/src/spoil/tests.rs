use super::*;
use kamstrup_kmp::frame::{Decoder, Found, FrameError};
use kamstrup_kmp::message::Answer;
use kamstrup_kmp::{Decimal, RegisterId, Scale, Unit, Value};

fn record(register: u16, mantissa: i128) -> Record {
    Record {
        register: RegisterId(register),
        unit: Unit::GJ,
        length: 4,
        scale: Scale(0x43),
        value: Value::Number(Decimal::new(mantissa, -3)),
    }
}

fn reply() -> Reply {
    Reply::Registers(vec![
        record(60, 84_817),
        record(68, 0x001b_800d),
        record(74, 267),
    ])
}

fn plan_of(kind: FaultKind, seed: u128) -> Plan {
    let mut faults = FaultSet::from_iter([kind]);
    let late = Duration::from_secs(2)..=Duration::from_secs(6);
    let others = vec![record(1001, 40_300_001)];
    let gone_for = Duration::from_secs(3);
    let means = Means {
        rng: Rand64::new(seed),
        late: &late,
        gone_for,
        others,
    };
    let plan = plan(Some(reply()), &mut faults, means).unwrap();
    assert!(faults.contains(kind));
    plan
}

fn bytes(plan: &Plan) -> Vec<u8> {
    let byte = |step: &Step| match step.item {
        Item::Byte(byte) => Some(byte),
        Item::Event(_) => None,
    };
    plan.steps.iter().filter_map(byte).collect()
}

fn truth() -> Vec<u8> {
    reply().encode(Address::METER).unwrap()
}

/// The records of every sound answer in the bytes.
fn decode(mut bytes: &[u8]) -> Vec<Vec<Record>> {
    let mut decoder = Decoder::new();
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        if let Some(Found::Frame(frame)) = decoder.next(&mut bytes)
            && let Ok(Answer::Registers(records)) = Answer::decode(&frame)
        {
            answers.push(records.map(|record| record.unwrap().decode()).collect());
        }
    }
    answers
}

fn seeds() -> impl Iterator<Item = u128> {
    (0..500).map(|seed| seed * 0x9e37_79b9_7f4a_7c15)
}

#[test]
fn without_faults_the_answer_is_the_answer() {
    let late = Duration::ZERO..=Duration::ZERO;
    let means = Means {
        rng: Rand64::new(1),
        late: &late,
        gone_for: Duration::ZERO,
        others: Vec::new(),
    };
    let plan = plan(Some(reply()), &mut FaultSet::default(), means).unwrap();
    assert_eq!(bytes(&plan), truth());
    assert!(!plan.then_noise && plan.steps.iter().all(|step| step.pause.is_zero()));
}

#[test]
fn bit_flip_turns_exactly_one_bit() {
    for seed in seeds() {
        let (found, truth) = (bytes(&plan_of(FaultKind::BitFlip, seed)), truth());
        assert_eq!(found.len(), truth.len());
        let bits: u32 = found
            .iter()
            .zip(&truth)
            .map(|(a, b)| (a ^ b).count_ones())
            .sum();
        assert_eq!(bits, 1);
    }
}

#[test]
fn burst_damages_up_to_64_neighbouring_bits() {
    let mut longest = 0;
    for seed in seeds() {
        let (found, truth) = (bytes(&plan_of(FaultKind::Burst, seed)), truth());
        let damaged: Vec<usize> = (0..truth.len() * 8)
            .filter(|bit| (found[bit / 8] ^ truth[bit / 8]) & (0x80 >> (bit % 8)) != 0)
            .collect();
        let length = damaged.last().unwrap() - damaged.first().unwrap() + 1;
        assert!((2..=64).contains(&length), "{length}");
        longest = longest.max(length);
    }
    assert!(longest > 60);
}

#[test]
fn drop_loses_one_to_three_bytes() {
    for seed in seeds() {
        let found = bytes(&plan_of(FaultKind::Drop, seed));
        assert!((1..=3).contains(&(truth().len() - found.len())));
    }
}

#[test]
fn double_repeats_one_to_three_bytes() {
    for seed in seeds() {
        let (found, truth) = (bytes(&plan_of(FaultKind::Double, seed)), truth());
        let count = found.len() - truth.len();
        assert!((1..=3).contains(&count));
        let repeated = (0..=truth.len() - count).any(|first| {
            let (head, tail) = truth.split_at(first);
            found == [head, &tail[..count], tail].concat()
        });
        assert!(repeated);
    }
}

#[test]
fn noise_before_leaves_the_answer_behind_it() {
    for seed in seeds() {
        let found = bytes(&plan_of(FaultKind::NoiseBefore, seed));
        assert!((1..=24).contains(&(found.len() - truth().len())));
        assert!(found.ends_with(&truth()));
    }
}

#[test]
fn noise_inside_lies_between_the_first_and_the_last_byte() {
    for seed in seeds() {
        let (found, truth) = (bytes(&plan_of(FaultKind::NoiseInside, seed)), truth());
        assert!((1..=4).contains(&(found.len() - truth.len())));
        assert_eq!((found[0], found.last()), (truth[0], truth.last()));
    }
}

#[test]
fn noise_endless_breaks_the_answer_off_and_goes_on() {
    for seed in seeds() {
        let plan = plan_of(FaultKind::NoiseEndless, seed);
        assert!(plan.then_noise);
        assert!(plan.steps.len() < truth().len() && truth().starts_with(&bytes(&plan)));
    }
}

#[test]
fn truncate_sends_some_and_not_all() {
    for seed in seeds() {
        let found = bytes(&plan_of(FaultKind::Truncate, seed));
        assert!((1..truth().len()).contains(&found.len()) && truth().starts_with(&found));
    }
}

#[test]
fn silence_and_a_mangled_echo_come_without_an_answer() {
    assert_eq!(plan_of(FaultKind::Silence, 1), Plan::default());
    assert_eq!(plan_of(FaultKind::EchoMangled, 1), Plan::default());
}

#[test]
fn late_waits_two_to_six_seconds_before_the_first_byte_only() {
    let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
    for seed in seeds() {
        let plan = plan_of(FaultKind::Late, seed);
        assert_eq!(bytes(&plan), truth());
        assert!(plan.steps[1..].iter().all(|step| step.pause.is_zero()));
        (least, most) = (
            least.min(plan.steps[0].pause),
            most.max(plan.steps[0].pause),
        );
    }
    assert!((2000..2200).contains(&least.as_millis()) && (5800..=6000).contains(&most.as_millis()));
}

#[test]
fn drip_waits_900_ms_before_every_other_byte() {
    let plan = plan_of(FaultKind::Drip, 1);
    assert_eq!(bytes(&plan), truth());
    assert!(plan.steps[0].pause.is_zero());
    assert!(plan.steps[1..].iter().all(|step| step.pause == DRIP));
}

#[test]
fn wrong_crc_changes_nothing_but_the_checksum() {
    for seed in seeds() {
        let found = bytes(&plan_of(FaultKind::WrongCrc, seed));
        assert!(decode(&found).is_empty());
        // All but the checksum, which may be escaped, and the stop byte.
        assert_eq!(found[..truth().len() - 5], truth()[..truth().len() - 5]);
        let mut decoder = Decoder::new();
        let is_checksum = matches!(
            decoder.next(&mut found.as_slice()),
            Some(Found::Broken {
                error: FrameError::CrcMismatch { .. },
                ..
            })
        );
        assert!(is_checksum, "{found:02x?}");
    }
}

#[test]
fn missing_register_leaves_one_out_and_the_others_right() {
    for seed in seeds() {
        let answers = decode(&bytes(&plan_of(FaultKind::MissingRegister, seed)));
        let Reply::Registers(all) = reply() else {
            unreachable!()
        };
        assert_eq!(answers[0].len(), all.len() - 1);
        assert!(answers[0].iter().all(|record| all.contains(record)));
    }
}

#[test]
fn ack_is_a_lone_06() {
    assert_eq!(bytes(&plan_of(FaultKind::Ack, 1)), [0x06]);
}

#[test]
fn other_answer_is_sound_and_not_what_was_asked() {
    let answers = decode(&bytes(&plan_of(FaultKind::OtherAnswer, 1)));
    assert_eq!(answers, [[record(1001, 40_300_001)]]);
}

#[test]
fn crc_forged_damages_one_value_under_a_right_checksum() {
    for seed in seeds() {
        let answers = decode(&bytes(&plan_of(FaultKind::CrcForged, seed)));
        let Reply::Registers(all) = reply() else {
            unreachable!()
        };
        assert_eq!(answers[0].len(), all.len());
        let wrong = answers[0]
            .iter()
            .zip(&all)
            .filter(|(found, truth)| found != truth)
            .count();
        assert_eq!(wrong, 1);
        assert!(
            answers[0]
                .iter()
                .zip(&all)
                .all(|(a, b)| (a.register, a.unit) == (b.register, b.unit))
        );
    }
}

#[test]
fn wrong_protocol_is_text_with_even_parity() {
    for seed in seeds().take(20) {
        let found = bytes(&plan_of(FaultKind::WrongProtocol, seed));
        assert!(found.iter().all(|byte| byte.count_ones() % 2 == 0));
        let text: Vec<u8> = found.iter().map(|byte| byte & 0x7f).collect();
        assert!(text.is_ascii() && text.ends_with(b"\r") && decode(&found).is_empty());
    }
}

#[test]
fn peer_close_and_port_gone_end_the_answer_anywhere() {
    let gone = LineEvent::PortGone(Duration::from_secs(3));
    for (kind, event) in [
        (FaultKind::PeerClose, LineEvent::PeerClose),
        (FaultKind::PortGone, gone),
    ] {
        let mut lengths = Vec::new();
        for seed in seeds() {
            let plan = plan_of(kind, seed);
            assert_eq!(
                plan.steps.last().map(|step| step.item),
                Some(Item::Event(event))
            );
            assert!(truth().starts_with(&bytes(&plan)));
            lengths.push(plan.steps.len() - 1);
        }
        assert!(lengths.contains(&0) && lengths.contains(&truth().len()));
    }
}

#[test]
fn faults_combine() {
    let mut faults: FaultSet = [FaultKind::Late, FaultKind::NoiseBefore, FaultKind::Truncate]
        .into_iter()
        .collect();
    let late = Duration::from_secs(3)..=Duration::from_secs(3);
    let means = Means {
        rng: Rand64::new(9),
        late: &late,
        gone_for: Duration::ZERO,
        others: Vec::new(),
    };
    let plan = plan(Some(reply()), &mut faults, means).unwrap();
    assert_eq!(plan.steps[0].pause, Duration::from_secs(3));
    assert!(!bytes(&plan).ends_with(&truth()));
    assert_eq!(faults.iter().count(), 3);
}

#[test]
fn a_fault_that_finds_nothing_to_do_is_not_counted() {
    let late = Duration::ZERO..=Duration::ZERO;
    for (reply, kind) in [
        (Some(Reply::SerialNo(1)), FaultKind::MissingRegister),
        (Some(Reply::SerialNo(1)), FaultKind::CrcForged),
        (None, FaultKind::BitFlip),
    ] {
        let mut faults = FaultSet::from_iter([kind]);
        let means = Means {
            rng: Rand64::new(1),
            late: &late,
            gone_for: Duration::ZERO,
            others: Vec::new(),
        };
        plan(reply, &mut faults, means).unwrap();
        assert!(faults.is_empty(), "{kind}");
    }
}

#[test]
fn a_mangled_echo_is_never_the_echo() {
    let mut rng = Rand64::new(3);
    assert!((0..=255).all(|byte| mangle(byte, &mut rng) != byte));
}
