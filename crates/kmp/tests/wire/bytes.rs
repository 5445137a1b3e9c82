//! Bytes as they are written down, and what a decoder makes of them.

use kamstrup_kmp::frame::{Decoder, Direction, Found, FrameError};
use kamstrup_kmp::message::Answer;

/// What was found, without a borrow of the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Frame {
        direction: Direction,
        address: u8,
        command: u8,
        data: Vec<u8>,
    },
    Acknowledge,
    Broken(Direction, FrameError),
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Everything in the bytes, fed in pieces of the given sizes, over and over.
pub(crate) fn found_in_pieces(bytes: &[u8], sizes: &[usize]) -> Vec<Item> {
    let mut decoder = Decoder::new();
    let mut items = Vec::new();
    let mut rest = bytes;
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut piece, after) = rest.split_at(size.clamp(1, rest.len()));
        rest = after;
        while let Some(found) = decoder.next(&mut piece) {
            items.push(item(&found));
        }
    }
    items.extend(decoder.abandon().map(|found| item(&found)));
    items
}

pub(crate) fn found(bytes: &[u8]) -> Vec<Item> {
    found_in_pieces(bytes, &[usize::MAX])
}

/// The registers of the first sound answer: number, unit and value.
pub(crate) fn registers(text: &str) -> Result<Vec<(u16, String, String)>, String> {
    let bytes = hex(text);
    let mut decoder = Decoder::new();
    let mut rest = bytes.as_slice();
    while let Some(found) = decoder.next(&mut rest) {
        match found {
            Found::Frame(frame) if frame.direction == Direction::FromMeter => {
                let Ok(Answer::Registers(records)) = Answer::decode(&frame) else {
                    return Err("no answer to GetRegister".into());
                };
                return records
                    .map(|record| {
                        let record = record.map_err(|error| error.to_string())?;
                        Ok((
                            record.register.0,
                            record.unit.to_string(),
                            record.value().to_string(),
                        ))
                    })
                    .collect();
            }
            Found::Broken {
                direction: Direction::FromMeter,
                error,
                ..
            } => return Err(error.to_string()),
            _ => {}
        }
    }
    Err(decoder
        .abandon()
        .map_or("nothing".into(), |found| match found {
            Found::Broken { error, .. } => error.to_string(),
            other => format!("{other:?}"),
        }))
}

fn item(found: &Found<'_>) -> Item {
    match found {
        Found::Frame(frame) => Item::Frame {
            direction: frame.direction,
            address: frame.address.0,
            command: frame.command,
            data: frame.data.to_vec(),
        },
        Found::Acknowledge => Item::Acknowledge,
        Found::Broken {
            direction, error, ..
        } => Item::Broken(*direction, *error),
    }
}
