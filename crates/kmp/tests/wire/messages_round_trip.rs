use kamstrup_kmp::frame::{Address, Decoder, Found};
use kamstrup_kmp::message::{Answer, Batch, MeterType, Request, Software, command_name};
use kamstrup_kmp::responder::Reply;
use kamstrup_kmp::{DateTime, Decimal, Record, RegisterId, Scale, Unit, Value};
use proptest::prelude::*;

use crate::bytes::hex;

fn decoded(wire: &[u8]) -> Request {
    let mut decoder = Decoder::new();
    let mut rest = wire;
    match decoder.next(&mut rest) {
        Some(Found::Frame(frame)) => Request::decode(&frame).unwrap(),
        other => panic!("a frame expected, not {other:?}"),
    }
}

#[test]
fn requests_are_those_of_the_vendor_and_of_captures() {
    let batch = |ids: &[u16]| {
        let ids: Vec<_> = ids.iter().copied().map(RegisterId).collect();
        Request::GetRegister(Batch::new(&ids).unwrap())
    };
    for (request, wire) in [
        (Request::GetType, "80 3f 01 05 8a 0d"),
        (Request::GetSerialNo, "80 3f 02 35 e9 0d"),
        (batch(&[60]), "80 3f 10 01 00 3c b2 5f 0d"),
        (batch(&[128]), "80 3f 10 01 00 1b 7f d4 08 0d"),
        (batch(&[1003, 1002]), "80 3f 10 02 03 eb 03 ea 4f 48 0d"),
        (batch(&[346, 154]), "80 3f 10 02 01 5a 00 9a 1b bf 2b 0d"),
        (
            batch(&[60, 68, 74, 80, 86, 87, 89, 266]),
            "80 3f 10 08 00 3c 00 44 00 4a 00 50 00 56 00 57 00 59 01 0a 9e 82 0d",
        ),
    ] {
        assert_eq!(request.encode(Address::METER), hex(wire), "{request:?}");
        assert_eq!(decoded(&hex(wire)), request);
    }
}

#[test]
fn a_clock_is_set_with_decimal_digits() {
    let moment = DateTime::from_seconds_since_epoch(239_127_357).unwrap();
    assert_eq!(moment.to_string(), "2007-07-30T16:15:57");
    let wire = Request::SetClock(moment).encode(Address::METER);
    // The vendor's example with the checksum that its bytes really have.
    assert_eq!(wire, hex("80 3f 09 00 01 14 4a 00 02 77 15 77 4e 0d"));
}

#[test]
fn software_is_a_letter_and_a_number() {
    assert_eq!(Software(0x0601).to_string(), "F1");
    assert_eq!(Software(0x0701).to_string(), "G1");
    assert_eq!(Software(0xff01).to_string(), "0xff01");
    assert!(!Software(0).is_available());
}

#[test]
fn commands_have_the_vendors_names() {
    assert_eq!(command_name(0x10), Some("GetRegister"));
    assert_eq!(command_name(0xb8), Some("LoggerReadOut"));
    assert_eq!(command_name(0x62), None);
}

fn any_request() -> impl Strategy<Value = Request> {
    let ids = prop::collection::vec(any::<u16>().prop_map(RegisterId), 1..=8);
    prop_oneof![
        Just(Request::GetType),
        Just(Request::GetSerialNo),
        ids.prop_map(|ids| Request::GetRegister(Batch::new(&ids).unwrap())),
        (0_i64..3_155_760_000)
            .prop_map(|s| Request::SetClock(DateTime::from_seconds_since_epoch(s).unwrap())),
        (0x12_u8.., prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(command, data)| Request::Raw { command, data }),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    (any::<u16>(), any::<u32>(), -63_i8..=63, any::<bool>()).prop_map(
        |(id, magnitude, exponent, negative)| {
            let sign = if negative && magnitude > 0 { -1 } else { 1 };
            Record {
                register: RegisterId(id),
                unit: Unit::GJ,
                length: 4,
                scale: Scale::new(sign < 0, exponent).unwrap(),
                value: Value::Number(Decimal::new(sign * i128::from(magnitude), exponent)),
            }
        },
    )
}

fn any_reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        (any::<u16>(), any::<u16>()).prop_map(|(code, software)| Reply::Type(MeterType {
            code,
            software: Software(software)
        })),
        any::<u32>().prop_map(Reply::SerialNo),
        prop::collection::vec(any_record(), 0..=8).prop_map(Reply::Registers),
        (0x12_u8.., prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(command, data)| Reply::Raw { command, data }),
    ]
}

proptest! {
    #[test]
    fn every_request_comes_back(request in any_request(), address in any::<u8>()) {
        prop_assert_eq!(decoded(&request.encode(Address(address))), request);
    }

    #[test]
    fn every_answer_comes_back(reply in any_reply()) {
        let wire = reply.encode(Address::METER).unwrap();
        let mut decoder = Decoder::new();
        let mut rest = wire.as_slice();
        let Some(Found::Frame(frame)) = decoder.next(&mut rest) else { panic!("a frame expected") };
        let read = match Answer::decode(&frame).unwrap() {
            Answer::Type(meter_type) => Reply::Type(meter_type),
            Answer::SerialNo(serial) => Reply::SerialNo(serial),
            Answer::Registers(records) => {
                Reply::Registers(records.map(|record| record.unwrap().decode()).collect())
            }
            Answer::Raw { command, data } => Reply::Raw { command, data: data.to_vec() },
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(read, reply);
    }

    #[test]
    fn any_sound_frame_is_a_message_or_an_error(
        command in prop_oneof![any::<u8>(), prop::sample::select(vec![0x01, 0x02, 0x09, 0x10])],
        data in prop::collection::vec(any::<u8>(), 0..80),
        to_meter in any::<bool>(),
    ) {
        let direction = if to_meter {
            kamstrup_kmp::frame::Direction::ToMeter
        } else {
            kamstrup_kmp::frame::Direction::FromMeter
        };
        let frame = kamstrup_kmp::frame::Frame { direction, address: Address::METER, command, data: &data };
        prop_assert_eq!(Request::decode(&frame).is_ok() && !to_meter, false);
        if let Ok(Answer::Registers(records)) = Answer::decode(&frame) {
            let bytes: usize = records.map_while(Result::ok).map(|record| 5 + record.bytes.len()).sum();
            prop_assert!(bytes <= data.len());
        }
    }
}
