//! Bytes that make other readers go wrong, each with what it must come to here. What concerns an
//! exchange rather than single frames is tested with the session.

use crate::bytes::registers;

fn one(text: &str) -> (u16, String, String) {
    let mut all = registers(text).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn row(register: u16, value: &str, unit: &str) -> (u16, String, String) {
    (register, unit.into(), value.into())
}

#[test]
fn a_frame_with_a_wrong_checksum_is_no_value() {
    let error = registers("40 3f 10 00 3c 08 04 43 1b 7f 01 4b 51 ac d4 0d").unwrap_err();
    assert!(error.starts_with("wrong checksum: acd4 found, "), "{error}");
}

#[test]
fn a_register_left_out_shifts_nothing() {
    let frame = "40 3f 10 00 3c 08 04 43 00 01 4b 51 00 44 28 04 42 00 00 cb 49 03 e9 33 04 00 05 10 83 aa 20 a0 0d";
    let expected = [
        row(60, "84.817", "GJ"),
        row(68, "520.41", "m³"),
        row(1001, "84968362", ""),
    ];
    assert_eq!(registers(frame).unwrap(), expected);
}

#[test]
fn an_answer_without_registers_is_sound_and_empty() {
    assert_eq!(registers("40 3f 10 07 9a 0d").unwrap(), []);
}

#[test]
fn two_bytes_are_no_frame() {
    assert!(
        registers("40 0d")
            .unwrap_err()
            .starts_with("frame too short")
    );
    assert!(registers("00 0d").unwrap_err().starts_with("nothing"));
}

#[test]
fn a_frame_that_ends_in_an_escape_is_broken() {
    assert!(
        registers("40 3f 10 00 3c 1b")
            .unwrap_err()
            .contains("breaks off")
    );
    assert!(
        registers("40 3f 10 00 3c 1b 0d")
            .unwrap_err()
            .starts_with("bad escape: 1b 0d found")
    );
}

#[test]
fn decimals_are_exact() {
    // Two decimals for which multiplying floats gives 64.57000000000001.
    let (register, unit, value) = one(&number_frame(6457));
    assert_eq!(
        (register, unit.as_str(), value.as_str()),
        (86, "°C", "64.57")
    );
    for hundredths in 0..10_000_u32 {
        let expected = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        assert_eq!(one(&number_frame(hundredths)).2, expected);
    }
}

#[test]
fn a_date_of_zero_is_invalid_and_costs_only_itself() {
    let (register, _, value) = one("40 3f 10 00 8a 30 04 00 00 00 00 00 d3 33 0d");
    assert_eq!((register, value.as_str()), (138, "no such date: 0"));
}

#[test]
fn a_flow_in_cubic_metres_is_not_a_thousand_times_too_small() {
    assert_eq!(
        one("40 3f 10 00 4a 2a 02 41 00 23 20 1e 0d"),
        row(74, "3.5", "m³/h")
    );
}

#[test]
fn an_echo_before_the_answer_is_not_the_answer() {
    let frames = "80 3f 10 01 00 3c b2 5f 0d 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d";
    assert_eq!(one(frames), row(60, "84.817", "GJ"));
}

#[test]
fn sixty_four_bytes_of_nothing_overflow_nothing() {
    assert_eq!(registers(&"55".repeat(64)).unwrap_err(), "nothing");
}

#[test]
fn an_unknown_unit_is_shown_by_its_code() {
    assert_eq!(
        one("40 3f 10 00 3c c8 04 43 00 00 00 01 bb 0b 0d"),
        row(60, "0.001", "unit 200")
    );
}

#[test]
fn a_counter_beyond_what_a_short_float_holds_is_exact() {
    assert_eq!(
        one("40 3f 10 01 0a 01 04 00 01 31 2d 01 c0 c7 0d"),
        row(266, "20000001", "Wh")
    );
}

#[test]
fn a_value_of_eight_characters_is_text() {
    assert_eq!(
        one("40 3f 10 03 f2 36 08 00 31 32 33 34 35 36 37 38 79 08 0d"),
        row(1010, "12345678", "")
    );
}

#[test]
fn an_escape_followed_by_what_looks_escaped_is_itself() {
    assert_eq!(
        one("40 3f 10 00 44 28 04 42 00 00 1b e4 f9 16 f1 0d"),
        row(68, "71.61", "m³")
    );
    assert_eq!(
        one("40 3f 10 00 44 28 04 42 00 00 1b e4 bf 3e f3 0d"),
        row(68, "71.03", "m³")
    );
}

#[test]
fn a_leading_zero_and_a_broken_start_do_not_hide_the_answer() {
    assert_eq!(
        one("00 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d"),
        row(60, "84.817", "GJ")
    );
    let cut = "40 3f 10 00 3c 08 04 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d";
    assert!(
        registers(cut)
            .unwrap_err()
            .starts_with("a new frame begins")
    );
    assert_eq!(one(&cut[7 * 3..]), row(60, "84.817", "GJ"));
}

#[test]
fn a_record_without_bytes_costs_only_itself() {
    let data = [
        0x00, 0x3c, 0x08, 0x00, 0x00, 0x00, 0x44, 0x28, 0x01, 0x00, 0x07,
    ];
    let records = registers(&answer_with(&data)).unwrap();
    assert_eq!(
        records,
        [row(60, "no value: 0 bytes found", "GJ"), row(68, "7", "m³")]
    );
}

#[test]
fn a_record_longer_than_its_answer_is_an_error_with_figures() {
    let error = registers(&answer_with(&[0x00, 0x3c, 0x08, 0x09, 0x00, 0x01])).unwrap_err();
    assert_eq!(
        error,
        "the register record at byte 0 of the data needs 14 bytes, 6 are left"
    );
}

#[test]
fn a_negative_difference_keeps_its_sign() {
    assert_eq!(
        one("40 3f 10 00 59 26 02 c2 00 7d a6 60 0d"),
        row(89, "-1.25", "K")
    );
}

#[test]
fn coarse_and_fine_energy_stand_side_by_side() {
    let frame = "40 3f 10 00 3c 08 04 42 00 00 17 6c 01 0a 01 04 00 00 65 8f 3f a1 2e 0d";
    assert_eq!(
        registers(frame).unwrap(),
        [row(60, "59.96", "GJ"), row(266, "6655807", "Wh")]
    );
}

#[test]
fn values_from_the_wild_are_what_their_owners_saw() {
    for (frame, register, value, unit) in [
        (
            "40 3f 10 00 3c 03 04 43 00 00 d6 de 03 22 0d",
            60,
            "55.006",
            "MWh",
        ),
        ("40 3f 10 00 50 16 02 41 00 00 2f 5c 0d", 80, "0.0", "kW"),
        ("40 3f 10 00 56 25 02 42 14 f5 69 dc 0d", 86, "53.65", "°C"),
        ("40 3f 10 00 57 25 02 42 11 e3 a1 7e 0d", 87, "45.79", "°C"),
        ("40 3f 10 00 59 26 02 42 03 12 55 20 0d", 89, "7.86", "K"),
        ("40 3f 10 00 4a 29 02 00 00 00 f0 50 0d", 74, "0", "l/h"),
        (
            "40 3f 10 00 44 28 04 42 00 02 dc a4 7c 0a 0d",
            68,
            "1875.56",
            "m³",
        ),
        ("40 3f 10 00 8b 29 02 00 00 f5 b4 7a 0d", 139, "245", "l/h"),
        (
            "40 3f 10 00 8a 30 04 00 00 03 5e e5 0a 58 0d",
            138,
            "2022-09-01",
            "",
        ),
        (
            "40 3f 10 00 9b 01 04 41 00 29 62 31 a0 ec 0d",
            155,
            "271211.3",
            "Wh",
        ),
        ("40 3f 10 02 46 3e 02 00 14 20 13 0b 0d", 582, "5152", "d"),
        (
            "40 3f 10 03 ea 2f 04 00 00 03 0e 33 b2 32 0d",
            1002,
            "20:02:43",
            "",
        ),
    ] {
        assert_eq!(one(frame), row(register, value, unit));
    }
}

/// T1 with two decimals, checksum and escapes included.
fn number_frame(hundredths: u32) -> String {
    let [a, b, c, d] = hundredths.to_be_bytes();
    answer_with(&[0x00, 0x56, 0x25, 0x04, 0x42, a, b, c, d])
}

fn answer_with(data: &[u8]) -> String {
    let reply = kamstrup_kmp::responder::Reply::Raw {
        command: 0x10,
        data: data.to_vec(),
    };
    let wire = reply.encode(kamstrup_kmp::frame::Address::METER).unwrap();
    format!("{wire:02x?}")
}
