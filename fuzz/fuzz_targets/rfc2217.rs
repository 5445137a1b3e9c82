//! Any sequence of bytes, data and settings through the RFC 2217 filter: memory stays bounded, and
//! data sent through it arrive as they were.
#![no_main]

use arbitrary::Arbitrary;
use heatmeter_client::ModemLines;
use heatmeter_client::rfc2217::Rfc2217;
use kamstrup_kmp::line::LineSettings;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Operation {
    Receive(Vec<u8>),
    Send(Vec<u8>),
    Configure { baud: u32 },
    Transmit,
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut filter = Rfc2217::new(LineSettings::KMP, ModemLines::ON);
    let mut data = Vec::new();
    for operation in operations {
        match operation {
            Operation::Receive(bytes) => {
                data.clear();
                filter.receive(&bytes, &mut data);
                assert!(data.len() <= bytes.len());
            }
            Operation::Send(bytes) => {
                let before = filter.transmit();
                assert!(before.len() < 1 << 20, "replies pile up");
                filter.send(&bytes);
                let sent = filter.transmit();
                let as_sent = undouble(&sent);
                if as_sent != bytes {
                    assert_eq!(without_padding(&as_sent), bytes);
                }
            }
            Operation::Configure { baud } => filter.configure(LineSettings {
                baud,
                ..LineSettings::KMP
            }),
            Operation::Transmit => {
                let _ = filter.transmit();
            }
        }
        let _ = filter.progress();
        let _ = filter.diagnosis();
    }
});

/// What the other end takes data to be: FF comes twice.
fn undouble(bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte == 0xff {
            assert_eq!(rest.next(), Some(&0xff), "a lone FF in data");
        }
        data.push(byte);
    }
    data
}

/// What a network virtual terminal takes data to be: a CR that ends no line comes with a NUL.
fn without_padding(bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        data.push(byte);
        if byte == b'\r' {
            assert_eq!(rest.next(), Some(&0), "a lone CR in data");
        }
    }
    data
}
