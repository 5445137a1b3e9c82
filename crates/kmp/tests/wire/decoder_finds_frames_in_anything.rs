use kamstrup_kmp::frame::{Address, Decoder, Direction, Found, Frame, FrameError};
use proptest::prelude::*;

use crate::bytes::{Item, found, found_in_pieces, hex};

const FROM: Direction = Direction::FromMeter;

#[test]
fn a_start_byte_inside_a_frame_begins_a_new_one_and_the_loss_is_counted() {
    let bytes = hex("40 3f 10 00 3c 08 04 40 3f 10 00 3c 08 04 43 00 01 4b 51 71 ed 0d");
    let items = found(&bytes);
    assert_eq!(
        items[0],
        Item::Broken(FROM, FrameError::Interrupted { dropped: 7 })
    );
    assert!(matches!(&items[1], Item::Frame { command: 0x10, data, .. } if data.len() == 9));
    assert_eq!(items.len(), 2);
}

#[test]
fn a_bad_escape_says_what_was_found() {
    let items = found(&hex("40 3f 10 1b 00 00 0d"));
    assert_eq!(
        items,
        [Item::Broken(
            FROM,
            FrameError::BadEscape {
                found: 0x00,
                dropped: 5
            }
        )]
    );
    let items = found(&hex("40 3f 10 00 3c 1b 0d"));
    assert_eq!(
        items,
        [Item::Broken(
            FROM,
            FrameError::BadEscape {
                found: 0x0d,
                dropped: 7
            }
        )]
    );
}

#[test]
fn a_wrong_checksum_says_what_was_found_and_expected() {
    let items = found(&hex("40 3f 10 00 1b 7f 16 04 11 01 2a f0 24 f3 8a 0d"));
    let [Item::Broken(FROM, error)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(
        error.to_string(),
        "wrong checksum: f38a found, 6303 expected"
    );
}

#[test]
fn a_frame_without_room_for_a_message_is_too_short() {
    assert_eq!(
        found(&hex("40 0d")),
        [Item::Broken(FROM, FrameError::TooShort { found: 0 })]
    );
    assert_eq!(
        found(&hex("40 3f 10 07 0d")),
        [Item::Broken(FROM, FrameError::TooShort { found: 3 })]
    );
}

#[test]
fn a_frame_that_breaks_off_is_truncated() {
    assert_eq!(
        found(&hex("40 3f 10 00 3c 08")),
        [Item::Broken(FROM, FrameError::Truncated { received: 6 })]
    );
}

#[test]
fn a_lone_zero_a_stop_byte_and_an_acknowledgement_outside_frames() {
    let mut decoder = Decoder::new();
    let bytes = [0x00, 0x0d, 0x06, 0x00, 0x55, 0xaa];
    let mut rest = bytes.as_slice();
    assert_eq!(decoder.next(&mut rest), Some(Found::Acknowledge));
    assert_eq!(decoder.next(&mut rest), None);
    assert_eq!(decoder.skipped(), 2);
}

#[test]
fn a_frame_without_end_is_cut_off_and_the_next_one_is_found() {
    let mut decoder = Decoder::with_limit(32);
    let mut bytes = vec![0x40];
    bytes.extend([0x55; 1000]);
    bytes.extend(hex("40 3f 10 07 9a 0d"));
    let mut rest = bytes.as_slice();
    let Some(Found::Broken { error, body, .. }) = decoder.next(&mut rest) else {
        panic!("broken expected")
    };
    assert_eq!(
        (error, body.len()),
        (
            FrameError::TooLong {
                limit: 32,
                dropped: 34
            },
            32
        )
    );
    assert!(matches!(decoder.next(&mut rest), Some(Found::Frame(_))));
    assert_eq!(decoder.skipped(), 967);
}

#[test]
fn unstuffing_is_one_pass() {
    // The value holds an escape followed by what would be an escaped byte of its own.
    for (frame, value) in [
        (
            "40 3f 10 00 44 28 04 42 00 00 1b e4 bf 3e f3 0d",
            [0x00, 0x00, 0x1b, 0xbf],
        ),
        (
            "40 3f 10 00 44 28 04 42 00 00 1b e4 f9 16 f1 0d",
            [0x00, 0x00, 0x1b, 0xf9],
        ),
    ] {
        let items = found(&hex(frame));
        let [Item::Frame { data, .. }] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(data[5..], value);
    }
}

/// Bytes that mean something to the line come often.
fn any_byte() -> impl Strategy<Value = u8> {
    prop_oneof![2 => any::<u8>(), 1 => prop::sample::select(vec![0x40, 0x80, 0x0d, 0x06, 0x1b, 0x00])]
}

fn any_bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any_byte(), 0..length)
}

fn any_frame() -> impl Strategy<Value = (Direction, u8, u8, Vec<u8>)> {
    let direction = prop_oneof![Just(Direction::ToMeter), Just(Direction::FromMeter)];
    (direction, any_byte(), any_byte(), any_bytes(300))
}

proptest! {
    #[test]
    fn every_frame_comes_back((direction, address, command, data) in any_frame()) {
        let mut wire = Vec::new();
        Frame { direction, address: Address(address), command, data: &data }.encode(&mut wire);
        let reserved = [0x80, 0x40, 0x0d, 0x06];
        prop_assert!(!wire[1..wire.len() - 1].iter().any(|byte| reserved.contains(byte)));
        prop_assert_eq!(found(&wire), vec![Item::Frame { direction, address, command, data }]);
    }

    #[test]
    fn what_is_found_does_not_depend_on_the_pieces(
        bytes in any_bytes(400),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        prop_assert_eq!(found_in_pieces(&bytes, &sizes), found(&bytes));
    }

    #[test]
    fn a_frame_behind_any_noise_is_found(
        noise in any_bytes(100),
        (direction, address, command, data) in any_frame(),
    ) {
        let mut wire = noise;
        // A frame that the noise began is ended by the start byte.
        Frame { direction, address: Address(address), command, data: &data }.encode(&mut wire);
        let items = found(&wire);
        prop_assert_eq!(items.last(), Some(&Item::Frame { direction, address, command, data }));
    }

    /// A checksum of 16 bits finds any burst of up to 16 bits.
    #[test]
    fn a_short_burst_of_damage_is_never_taken_for_a_frame(
        data in prop::collection::vec(any::<u8>(), 0..80),
        place in any::<prop::sample::Index>(),
        damage in 1_u16..,
    ) {
        let frame = Frame { direction: FROM, address: Address::METER, command: 0x10, data: &data };
        let mut wire = Vec::new();
        frame.encode(&mut wire);
        let place = 1 + place.index(wire.len() - 2);
        let [high, low] = damage.to_be_bytes();
        wire[place] ^= high;
        if let Some(byte) = wire.get_mut(place + 1) {
            *byte ^= low;
        }
        let mut original = Vec::new();
        frame.encode(&mut original);
        if wire != original {
            let as_sent = Item::Frame { direction: FROM, address: 0x3f, command: 0x10, data: data.clone() };
            // Damage to an escape or a stop byte changes the length, which a checksum does not promise to
            // see; what it must never do is say the same with other bytes, unless the bytes are the same.
            for item in found(&wire) {
                if let Item::Frame { data: read, .. } = &item {
                    prop_assert!(item == as_sent || read.len() != data.len(), "{:?}", item);
                }
            }
        }
    }
}
