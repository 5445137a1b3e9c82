//! `decode` explains frames from the wild, those that trip other readers included.

mod support;

use std::process::Stdio;

use heatmeter_catalog::{CaptureKind, captures};
use serde_json::{Value, json};
use support::{Ended, command, heatmeter, run};

fn decode(hex: &str) -> Ended {
    heatmeter(["decode", "--json", hex])
}

/// The one register of the one sound frame: value, unit, quality.
fn register(hex: &str) -> (Value, Value, Value) {
    let ended = decode(hex);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let frame = ended.json();
    assert_eq!(frame["direction"], "from_meter");
    assert_eq!(frame["command"], "GetRegister");
    assert_eq!(frame["crc"], "ok");
    assert_eq!(frame["registers"].as_array().unwrap().len(), 1, "{frame}");
    let reading = &frame["registers"][0];
    (
        reading["value"].clone(),
        reading["unit"].clone(),
        reading["quality"].clone(),
    )
}

fn good(hex: &str, value: &str, unit: &str) {
    assert_eq!(
        register(hex),
        (json!(value), json!(unit), json!("good")),
        "{hex}"
    );
}

fn error_of(hex: &str) -> (String, Value) {
    let ended = decode(hex);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let frame = ended.json();
    assert!(!frame["error"]["help"].as_str().unwrap().is_empty());
    (frame["error"]["code"].as_str().unwrap().to_owned(), frame)
}

#[test]
fn golden_frames_of_a_meter_in_mwh() {
    good(
        "40 3f 10 00 3c 03 04 43 00 00 d6 de 03 22 0d",
        "55.006",
        "MWh",
    );
    good("40 3f 10 00 50 16 02 41 00 00 2f 5c 0d", "0.0", "kW");
    good("40 3f 10 00 56 25 02 42 14 f5 69 dc 0d", "53.65", "°C");
    good("40 3f 10 00 57 25 02 42 11 e3 a1 7e 0d", "45.79", "°C");
    good("40 3f 10 00 59 26 02 42 03 12 55 20 0d", "7.86", "K");
    good("40 3f 10 00 4a 29 02 00 00 00 f0 50 0d", "0", "l/h");
    good(
        "40 3f 10 00 44 28 04 42 00 02 dc a4 7c 0a 0d",
        "1875.56",
        "m³",
    );
    good("40 3f 10 00 8b 29 02 00 00 f5 b4 7a 0d", "245", "l/h");
    good(
        "40 3f 10 00 9b 01 04 41 00 29 62 31 a0 ec 0d",
        "271211.3",
        "Wh",
    );
    let date = register("40 3f 10 00 8a 30 04 00 00 03 5e e5 0a 58 0d");
    assert_eq!(date, (json!("2022-09-01"), Value::Null, json!("good")));
    let clock = register("40 3f 10 03 ea 2f 04 00 00 03 0e 33 b2 32 0d");
    assert_eq!(clock, (json!("20:02:43"), Value::Null, json!("good")));
}

#[test]
fn requests_list_what_they_ask_for() {
    let ended = decode("80 3f 10 08 00 3c 00 3f 00 50 00 56 00 57 00 59 00 4a 00 44 c1 38 0d");
    let frame = ended.json();
    assert_eq!(frame["direction"], "to_meter");
    assert_eq!((&frame["address"], &frame["cid"]), (&json!(63), &json!(16)));
    let asked: Vec<_> = frame["registers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["register"].as_u64())
        .collect();
    assert_eq!(asked, [60, 63, 80, 86, 87, 89, 74, 68].map(Some));
    assert_eq!(frame["registers"][0]["key"], "heat_energy");
    assert_eq!(
        decode("80 3f 01 05 8a 0d").stdout,
        "{\"direction\":\"to_meter\",\"address\":63,\"cid\":1,\"command\":\"GetType\",\"crc\":\"ok\"}\n"
    );
}

#[test]
fn a_wrong_checksum_never_becomes_a_value() {
    // G1: another reader made 2 147 568.465 GJ of this.
    let (code, frame) = error_of("40 3f 10 00 3c 08 04 43 1b 7f 01 4b 51 ac d4 0d");
    assert_eq!(
        (code.as_str(), &frame["crc"]),
        ("crc_mismatch", &json!("mismatch"))
    );
    assert!(frame.get("registers").is_none(), "{frame}");
    assert_eq!(
        frame["error"]["message"],
        "wrong checksum: acd4 found, acd5 expected"
    );
}

#[test]
fn a_register_that_is_left_out_costs_only_itself() {
    // G2: 266 was asked for, too.
    let frame = decode(
        "40 3f 10 00 3c 08 04 43 00 01 4b 51 00 44 28 04 42 00 00 cb 49 03 e9 33 04 00 05 10 83 aa \
         20 a0 0d",
    )
    .json();
    let values: Vec<_> = frame["registers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["value"])
        .collect();
    assert_eq!(values, ["84.817", "520.41", "84968362"]);
    let empty = decode("40 3f 10 07 9a 0d").json();
    assert_eq!(empty["registers"], json!([]));
}

#[test]
fn frames_that_break_off_or_break_in_two_are_named() {
    assert_eq!(error_of("40 0d").0, "too_short");
    assert_eq!(error_of("40 3f 10 00 3c 08 1b 0d").0, "bad_escape");
    assert_eq!(error_of("40 3f 10 00 3c 08 04").0, "truncated");
    let ended = decode("40 3f 10 00 3c 08 04 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d");
    let frames = ended.objects();
    assert_eq!(frames.len(), 2, "the second one is found: {frames:?}");
    assert_eq!(frames[0]["error"]["code"], "truncated");
    assert_eq!(frames[1]["registers"][0]["value"], "84.817");
    assert_eq!(ended.code, Some(6));
}

#[test]
fn an_echo_is_told_from_the_answer() {
    // M1 and E1: other readers stop here.
    let ended = decode("80 3f 10 01 00 3c b2 5f 0d 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d");
    let directions: Vec<_> = ended
        .objects()
        .iter()
        .map(|frame| frame["direction"].clone())
        .collect();
    assert_eq!(directions, ["to_meter", "from_meter"]);
}

#[test]
fn a_mangled_echo_is_a_request_with_a_wrong_checksum() {
    let (code, frame) = error_of("80 02 12 f0 00 02 00 00 42 00 60 03 c0 03 c8 1a 00 0d");
    assert_eq!(
        (code.as_str(), &frame["direction"]),
        ("crc_mismatch", &json!("to_meter"))
    );
}

#[test]
fn dates_that_do_not_exist_are_invalid_and_old_ones_are_right() {
    // G10 and G11.
    let (value, _, quality) = register("40 3f 10 00 8a 30 04 00 00 00 00 00 d3 33 0d");
    assert_eq!((value, quality), (Value::Null, json!("invalid")));
    let (value, ..) = register("40 3f 10 00 8a 30 04 00 00 01 5f f5 45 38 0d");
    assert_eq!(value, "2009-01-01", "not 1990-10-01");
}

#[test]
fn the_unit_of_the_frame_counts() {
    // G12: 3.5 m³/h is not 3.5 l/h. E3: no unit code is out of bounds.
    good("40 3f 10 00 4a 2a 02 41 00 23 20 1e 0d", "3.5", "m³/h");
    good(
        "40 3f 10 00 3c c8 04 43 00 00 00 01 bb 0b 0d",
        "0.001",
        "unit 200",
    );
}

#[test]
fn no_digit_is_lost() {
    // E4: more than a 32-bit float holds. E5: eight bytes. Negative: dT while cooling.
    good(
        "40 3f 10 01 0a 01 04 00 01 31 2d 01 c0 c7 0d",
        "20000001",
        "Wh",
    );
    let text = register("40 3f 10 03 f2 36 08 00 31 32 33 34 35 36 37 38 79 08 0d");
    assert_eq!(text, (json!("12345678"), Value::Null, json!("good")));
    good("40 3f 10 00 59 26 02 c2 00 7d a6 60 0d", "-1.25", "K");
}

#[test]
fn escapes_are_undone_in_one_pass() {
    // P1: another reader can never read this volume.
    good(
        "40 3f 10 00 44 28 04 42 00 00 1b e4 f9 16 f1 0d",
        "71.61",
        "m³",
    );
}

#[test]
fn a_coarse_and_a_fine_counter_stand_side_by_side() {
    let frame =
        decode("40 3f 10 00 3c 08 04 42 00 00 17 6c 01 0a 01 04 00 00 65 8f 3f a1 2e 0d").json();
    assert_eq!(frame["registers"][0]["value"], "59.96");
    assert_eq!(frame["registers"][1]["value"], "6655807");
}

#[test]
fn a_lone_acknowledgement_is_one() {
    // P7.
    assert_eq!(
        decode("06").json(),
        json!({"direction": "from_meter", "command": "Acknowledge"})
    );
}

#[test]
fn type_serial_number_and_clock_are_read() {
    let serial = decode("40 3f 02 00 69 2d 32 cd 5d 0d").json();
    assert_eq!(serial["serial"], "6892850");
    let battery = decode("40 3f 10 02 46 3e 02 00 14 20 13 0b 0d").json();
    assert_eq!(battery["registers"][0]["value"], "5152");
    assert_eq!(battery["registers"][0]["unit"], "d");
}

#[test]
fn a_logger_request_is_read() {
    // Printed unescaped by its source, as `80 3f a0 ...`; so the 80 of the seconds is escaped here.
    let frame = decode("80 3f a0 01 01 00 44 0c 1b 7f 17 05 09 17 2d 00 00 00 00 f1 0d").json();
    assert_eq!(frame["command"], "GetLogTimePresent");
    assert_eq!(frame["crc"], "ok");
    assert_eq!(frame["log"]["registers"][0]["key"], "volume");
}

#[test]
fn text_without_hex_is_wrong_usage_and_hex_without_a_frame_is_noise() {
    assert_eq!(decode("hello world").failure(), ("usage".to_owned(), 2));
    assert_eq!(decode("").failure(), ("usage".to_owned(), 2));
    assert_eq!(decode("01 02 03").failure(), ("noise".to_owned(), 6));
}

#[test]
fn standard_input_may_be_a_log_a_dump_or_raw_bytes() {
    let log = "\
2026-07-25 20:49:35.101 DEBUG (MainThread) [custom_components.kamstrup_403] Get values for [60, 80]
2026-07-25 20:49:35.980 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 40
2026-07-25 20:49:35.989 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 3f
2026-07-25 20:49:35.998 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 10
2026-07-25 20:49:36.007 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 07
2026-07-25 20:49:36.016 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 9a
2026-07-25 20:49:36.025 DEBUG (MainThread) [custom_components.kamstrup_403.pykamstrup] Read: 0d
";
    let dump = "Wr:b'803f1001003cb25f0d'\nRd:b'403f10003c0304430000d6de03220d'\n";
    let raw: Vec<u8> = vec![0x00, 0x40, 0x3f, 0x10, 0x07, 0x9a, 0x0d];
    for (input, frames) in [(log.as_bytes(), 1), (dump.as_bytes(), 2), (&raw, 1)] {
        let ended = piped(input);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.objects().len(), frames, "{ended:?}");
    }
    assert_eq!(piped(b"").failure(), ("usage".to_owned(), 2));
}

fn piped(input: &[u8]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, input).unwrap();
    let mut decode = command(["decode", "--json"]);
    decode.stdin(Stdio::from(std::fs::File::open(&file).unwrap()));
    run(decode)
}

#[test]
fn every_capture_of_the_catalogue_says_what_its_file_expects() {
    let hex = |bytes: &[u8]| {
        let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(" ")
    };
    let mut values = 0;
    for capture in captures() {
        let expected = &capture.expected;
        if let (Some(request), None) = (capture.request, expected.request_error)
            && !expected.asks.is_empty()
        {
            let frame = decode(&hex(request)).json();
            let asked = frame["registers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["register"].as_u64());
            let asks = expected.asks.iter().map(|id| Some(u64::from(id.0)));
            assert!(asked.eq(asks), "{}: {frame}", capture.id);
        }
        let Some(response) = capture.response else {
            continue;
        };
        let ended = decode(&hex(response));
        if let Some(error) = expected.response_error {
            assert_eq!(
                (&ended.json()["error"]["code"], ended.code),
                (&json!(error), Some(6))
            );
            continue;
        }
        if capture.kind == CaptureKind::Partial {
            assert_eq!(ended.code, Some(6), "{}: {ended:?}", capture.id);
            continue;
        }
        assert_eq!(ended.code, Some(0), "{}: {ended:?}", capture.id);
        let frame = ended.json();
        for reading in expected.readings {
            let found = frame["registers"].as_array().unwrap().iter();
            let found = found.filter(|found| found["register"] == reading.register.0);
            let found: Vec<_> = found.collect();
            assert_eq!(found.len(), 1, "{}: {frame}", capture.id);
            assert_eq!(found[0]["quality"], reading.quality, "{}", capture.id);
            if reading.quality == "good" {
                assert_eq!(found[0]["value"], reading.value, "{}", capture.id);
                assert_eq!(found[0]["unit"].as_str(), reading.unit, "{}", capture.id);
                values += 1;
            }
        }
        if let Some(code) = expected.type_code {
            assert_eq!(frame["type"], format!("{code:#06x}"), "{}", capture.id);
        }
        if let Some(serial) = expected.serial {
            assert_eq!(frame["serial"], serial.to_string(), "{}", capture.id);
        }
    }
    assert!(values > 60, "{values}");
}
