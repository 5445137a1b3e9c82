//! Both sides of the negotiation, byte by byte.

use proptest::prelude::*;

use super::*;

const SE: u8 = 0xf0;
const SB: u8 = 0xfa;

fn answer(command: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    telnet::subnegotiate(COM_PORT, command + command::ANSWER, value, &mut out);
    out
}

fn confirm(baud: u32, data_bits: u8, parity: u8, stop_bits: u8) -> Vec<u8> {
    [
        answer(command::SET_DATA_SIZE, &[data_bits]),
        answer(command::SET_PARITY, &[parity]),
        answer(command::SET_STOP_SIZE, &[stop_bits]),
        answer(command::SET_BAUD_RATE, &baud.to_be_bytes()),
    ]
    .concat()
}

fn agreed() -> Rfc2217 {
    let mut client = Rfc2217::new(LineSettings::KMP, ModemLines::ON);
    let opening = client.transmit();
    assert_eq!(opening, OPENING);
    let mut data = Vec::new();
    for option in [BINARY, SUPPRESS_GO_AHEAD] {
        client.receive(
            &[IAC, Verb::Do as u8, option, IAC, Verb::Will as u8, option],
            &mut data,
        );
    }
    client.receive(&[IAC, Verb::Do as u8, COM_PORT], &mut data);
    assert!(data.is_empty());
    client
}

#[test]
fn settings_are_asked_for_once_the_option_is_agreed() {
    let mut client = agreed();
    let asked = client.transmit();
    for expected in [
        &[IAC, SB, COM_PORT, 1, 0, 0, 0x04, 0xb0, IAC, SE][..],
        &[IAC, SB, COM_PORT, 2, 8, IAC, SE],
        &[IAC, SB, COM_PORT, 3, 1, IAC, SE],
        &[IAC, SB, COM_PORT, 4, 2, IAC, SE],
        &[IAC, SB, COM_PORT, 5, control::DTR_ON, IAC, SE],
        &[IAC, SB, COM_PORT, 5, control::RTS_ON, IAC, SE],
    ] {
        assert!(
            asked
                .windows(expected.len())
                .any(|window| window == expected),
            "{expected:x?}"
        );
    }
    assert_eq!(client.progress(), Progress::Negotiating);
}

#[test]
fn ready_when_the_server_confirms() {
    let mut client = agreed();
    client.receive(&confirm(1200, 8, 1, 2), &mut Vec::new());
    assert_eq!(
        client.progress(),
        Progress::Ready {
            two_stop_bits_refused: false
        }
    );

    client.configure(LineSettings {
        baud: 300,
        ..LineSettings::KMP
    });
    assert_eq!(client.progress(), Progress::Negotiating);
    client.receive(&confirm(300, 8, 1, 2), &mut Vec::new());
    assert_eq!(
        client.progress(),
        Progress::Ready {
            two_stop_bits_refused: false
        }
    );
}

#[test]
fn other_settings_than_asked_for_are_reported() {
    let mut client = agreed();
    client.receive(&confirm(9600, 7, 3, 1), &mut Vec::new());
    assert_eq!(client.progress(), Progress::Differs("9600 7E1".to_owned()));

    let mut client = agreed();
    client.receive(&confirm(1200, 8, 1, 1), &mut Vec::new());
    assert_eq!(
        client.progress(),
        Progress::Ready {
            two_stop_bits_refused: true
        }
    );
}

#[test]
fn a_server_without_the_option_is_named() {
    let mut client = Rfc2217::new(LineSettings::KMP, ModemLines::ON);
    client.receive(&[IAC, Verb::Dont as u8, COM_PORT], &mut Vec::new());
    assert_eq!(client.progress(), Progress::NoComPort);
}

#[test]
fn an_echo_of_our_own_opening_is_recognised() {
    let mut client = Rfc2217::new(LineSettings::KMP, ModemLines::ON);
    for _ in 0..5 {
        let sent = client.transmit();
        client.receive(&sent, &mut Vec::new());
    }
    assert!(
        client.transmit().is_empty(),
        "an echo must not be answered for ever"
    );
    assert_eq!(client.progress(), Progress::Negotiating);
    assert!(
        client.diagnosis().contains("echoed"),
        "{}",
        client.diagnosis()
    );
}

#[test]
fn repeated_agreement_is_not_answered_again() {
    let mut client = agreed();
    client.transmit();
    for _ in 0..3 {
        client.receive(&[IAC, Verb::Do as u8, COM_PORT], &mut Vec::new());
    }
    assert!(client.transmit().is_empty());
}

#[test]
fn unknown_options_are_refused() {
    let mut client = agreed();
    client.transmit();
    client.receive(
        &[IAC, Verb::Do as u8, 24, IAC, Verb::Will as u8, 1],
        &mut Vec::new(),
    );
    assert_eq!(
        client.transmit(),
        [IAC, Verb::Wont as u8, 24, IAC, Verb::Dont as u8, 1]
    );
}

#[test]
fn without_binary_a_carriage_return_is_padded_and_unpadded() {
    let mut client = agreed();
    client.receive(
        &[IAC, Verb::Dont as u8, BINARY, IAC, Verb::Wont as u8, BINARY],
        &mut Vec::new(),
    );
    client.transmit();
    client.send(&[0x80, 0x0d]);
    assert_eq!(client.transmit(), [0x80, 0x0d, 0]);
    let mut data = Vec::new();
    client.receive(&[0x40, 0x0d, 0, 0, 0x0d, 0x0a], &mut data);
    assert_eq!(data, [0x40, 0x0d, 0, 0x0d, 0x0a]);
}

#[test]
fn a_flood_of_requests_costs_bounded_memory() {
    let mut client = agreed();
    let mut data = Vec::new();
    for _ in 0..10_000 {
        client.receive(&[IAC, Verb::Do as u8, 99], &mut data);
        client.receive(
            &[
                IAC,
                Verb::Dont as u8,
                COM_PORT,
                IAC,
                Verb::Do as u8,
                COM_PORT,
            ],
            &mut data,
        );
    }
    assert!(client.transmit().len() < 2 * REPLIES_MAX);
    assert!(data.is_empty());
}

proptest! {
    #[test]
    fn what_is_sent_is_what_a_server_receives(data: Vec<u8>) {
        let mut client = agreed();
        client.transmit();
        client.send(&data);
        // The mirror of a client is a client: it takes the same escapes out.
        let mut arrived = Vec::new();
        agreed().receive(&client.transmit(), &mut arrived);
        prop_assert_eq!(arrived, data);
    }

    #[test]
    fn any_stream_is_survived_however_it_is_split(
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), 0xf0..=0xffu8, Just(COM_PORT), 100..113u8], 0..400),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut whole, mut split) = (agreed(), agreed());
        let (mut data, mut pieces) = (Vec::new(), Vec::new());
        whole.receive(&bytes, &mut data);
        let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
        split.receive(head, &mut pieces);
        split.receive(tail, &mut pieces);
        prop_assert!(data.len() <= bytes.len());
        prop_assert_eq!(data, pieces);
        prop_assert_eq!(whole.progress(), split.progress());
        prop_assert_eq!(whole.diagnosis(), split.diagnosis());
        prop_assert_eq!(whole.transmit(), split.transmit());
    }
}
