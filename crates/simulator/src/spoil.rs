//! What each fault does to an answer.
//!
//! An answer is planned as bytes with the pauses before them; faults change the plan one after the
//! other: first what is said, then its bytes, then when they come, last whether the line holds.

use core::ops::RangeInclusive;
use core::time::Duration;

use kamstrup_kmp::frame::Address;
use kamstrup_kmp::message::command;
use kamstrup_kmp::responder::Reply;
use kamstrup_kmp::{EncodeError, Record};
use oorandom::Rand64;

use crate::faults::{FaultKind, FaultSet};

/// What is going to happen on the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Random bytes follow, without an end of their own.
    pub(crate) then_noise: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Idle time before it.
    pub(crate) pause: Duration,
    pub(crate) item: Item,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Byte(u8),
    Event(LineEvent),
}

/// Something that happens to the line itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// The peer closes the connection; it can be opened again at once.
    PeerClose,
    /// The port goes away, and comes back after this time.
    PortGone(Duration),
}

/// The pause between two bytes of the fault `drip`.
pub(crate) const DRIP: Duration = Duration::from_millis(900);

/// What the faults may need besides the answer itself.
pub(crate) struct Means<'a> {
    pub(crate) rng: Rand64,
    pub(crate) late: &'a RangeInclusive<Duration>,
    pub(crate) gone_for: Duration,
    /// Registers that were not asked for, for an answer to something else.
    pub(crate) others: Vec<Record>,
}

/// The plan for a reply that these faults hit. Takes those out of `faults` that found nothing to
/// do, such as a missing register in an answer without registers.
pub(crate) fn plan(
    mut reply: Option<Reply>,
    faults: &mut FaultSet,
    mut means: Means<'_>,
) -> Result<Plan, EncodeError> {
    let rng = &mut means.rng;
    if faults.contains(FaultKind::Silence) || faults.contains(FaultKind::EchoMangled) {
        reply = None;
    }
    // A fault of what is said needs something said.
    for kind in [
        FaultKind::MissingRegister,
        FaultKind::OtherAnswer,
        FaultKind::CrcForged,
    ] {
        let records = matches!(&reply, Some(Reply::Registers(records)) if !records.is_empty());
        if faults.contains(kind) && !records {
            faults.remove(kind);
        }
    }
    let mut bytes = say(reply, *faults, rng, means.others)?;
    if bytes.is_empty() {
        for kind in OF_BYTES {
            faults.remove(kind);
        }
    } else {
        damage(&mut bytes, *faults, rng);
    }
    let mut steps: Vec<Step> = bytes
        .into_iter()
        .map(|byte| Step {
            pause: Duration::ZERO,
            item: Item::Byte(byte),
        })
        .collect();
    if faults.contains(FaultKind::Drip) {
        for step in steps.iter_mut().skip(1) {
            step.pause = DRIP;
        }
    }
    if faults.contains(FaultKind::Late)
        && let Some(first) = steps.first_mut()
    {
        first.pause += between(rng, means.late);
    }
    for (kind, event) in [
        (FaultKind::PeerClose, LineEvent::PeerClose),
        (FaultKind::PortGone, LineEvent::PortGone(means.gone_for)),
    ] {
        if faults.contains(kind) {
            let place = pick(rng, steps.len() + 1);
            steps.truncate(place);
            steps.push(Step {
                pause: Duration::ZERO,
                item: Item::Event(event),
            });
        }
    }
    Ok(Plan {
        steps,
        then_noise: faults.contains(FaultKind::NoiseEndless),
    })
}

/// One byte of an echo that comes back damaged: about one bit in four is turned, never none.
pub(crate) fn mangle(byte: u8, rng: &mut Rand64) -> u8 {
    let [a, b, ..] = rng.rand_u64().to_be_bytes();
    byte ^ if a & b == 0 { 0x10 } else { a & b }
}

/// A byte of noise.
pub(crate) fn noise(rng: &mut Rand64) -> u8 {
    rng.rand_u64().to_be_bytes()[0]
}

/// Faults that need bytes to work on.
const OF_BYTES: [FaultKind; 9] = [
    FaultKind::BitFlip,
    FaultKind::Burst,
    FaultKind::Drop,
    FaultKind::Double,
    FaultKind::NoiseInside,
    FaultKind::Truncate,
    FaultKind::WrongCrc,
    FaultKind::Late,
    FaultKind::Drip,
];

/// The bytes of what is said, after the faults that say something else.
fn say(
    reply: Option<Reply>,
    faults: FaultSet,
    rng: &mut Rand64,
    others: Vec<Record>,
) -> Result<Vec<u8>, EncodeError> {
    let Some(mut reply) = reply else {
        return Ok(Vec::new());
    };
    if faults.contains(FaultKind::WrongProtocol) {
        return Ok(old_protocol(rng));
    }
    if faults.contains(FaultKind::Ack) {
        return Reply::Acknowledge.encode(Address::METER);
    }
    if faults.contains(FaultKind::OtherAnswer) {
        reply = Reply::Registers(others);
    }
    if let Reply::Registers(records) = &mut reply {
        if faults.contains(FaultKind::MissingRegister) {
            records.remove(pick(rng, records.len()));
        }
        if faults.contains(FaultKind::CrcForged) {
            reply = forge(records, rng)?;
        }
    }
    let mut bytes = reply.encode(Address::METER)?;
    if faults.contains(FaultKind::WrongCrc) {
        bytes = with_wrong_checksum(&bytes, rng);
    }
    Ok(bytes)
}

/// The records with the bytes of one value changed.
fn forge(records: &[Record], rng: &mut Rand64) -> Result<Reply, EncodeError> {
    const HEADER: usize = 5;
    let mut data = Vec::new();
    let victim = pick(rng, records.len().max(1));
    for (index, record) in records.iter().enumerate() {
        let value = data.len() + HEADER;
        record.encode(&mut data)?;
        if index == victim && value < data.len() {
            let first = value + pick(rng, data.len() - value);
            let last = first + pick(rng, data.len() - first);
            for byte in &mut data[first..=last] {
                *byte ^= 1 + u8::try_from(pick(rng, 255)).unwrap_or(0);
            }
        }
    }
    Ok(Reply::Raw {
        command: command::GET_REGISTER,
        data,
    })
}

/// The faults of single bytes, in an order that leaves each of them visible.
fn damage(bytes: &mut Vec<u8>, faults: FaultSet, rng: &mut Rand64) {
    if faults.contains(FaultKind::Drop) {
        let count = (1 + pick(rng, 3)).min(bytes.len());
        let first = pick(rng, bytes.len() - count + 1);
        bytes.drain(first..first + count);
    }
    if faults.contains(FaultKind::Double) && !bytes.is_empty() {
        let count = (1 + pick(rng, 3)).min(bytes.len());
        let first = pick(rng, bytes.len() - count + 1);
        let again = bytes[first..first + count].to_vec();
        bytes.splice(first..first, again);
    }
    if faults.contains(FaultKind::BitFlip) && !bytes.is_empty() {
        let bit = pick(rng, bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    if faults.contains(FaultKind::Burst) && !bytes.is_empty() {
        let length = (2 + pick(rng, 63)).min(bytes.len() * 8);
        let first = pick(rng, bytes.len() * 8 - length + 1);
        for bit in first..first + length {
            // A burst begins and ends with a damaged bit.
            if bit == first || bit == first + length - 1 || pick(rng, 2) == 0 {
                bytes[bit / 8] ^= 0x80 >> (bit % 8);
            }
        }
    }
    if faults.contains(FaultKind::Truncate) {
        // At least one byte comes, and at least one does not.
        let whole = bytes.len().max(2);
        bytes.truncate(1 + pick(rng, whole - 1));
    }
    if faults.contains(FaultKind::NoiseInside) {
        let count = 1 + pick(rng, 4);
        let place = if bytes.len() > 1 {
            1 + pick(rng, bytes.len() - 1)
        } else {
            bytes.len()
        };
        let foreign: Vec<u8> = (0..count).map(|_| noise(rng)).collect();
        bytes.splice(place..place, foreign);
    }
    if faults.contains(FaultKind::NoiseBefore) {
        let count = 1 + pick(rng, 24);
        let foreign: Vec<u8> = (0..count).map(|_| noise(rng)).collect();
        bytes.splice(0..0, foreign);
    }
    if faults.contains(FaultKind::NoiseEndless) {
        bytes.truncate(pick(rng, bytes.len().max(1)));
    }
}

/// The same frame with another checksum.
fn with_wrong_checksum(frame: &[u8], rng: &mut Rand64) -> Vec<u8> {
    const RESERVED: [u8; 5] = [0x80, 0x40, 0x0d, 0x06, 0x1b];
    let [start, inside @ .., stop] = frame else {
        return frame.to_vec();
    };
    let mut plain = Vec::with_capacity(inside.len());
    let mut escaped = false;
    for &byte in inside {
        match (escaped, byte) {
            (false, 0x1b) => escaped = true,
            (false, byte) => plain.push(byte),
            (true, byte) => {
                plain.push(!byte);
                escaped = false;
            }
        }
    }
    if let Some(checksum) = plain.last_chunk_mut::<2>() {
        let wrong = u16::try_from(1 + pick(rng, 0xffff)).unwrap_or(1);
        *checksum = (u16::from_be_bytes(*checksum) ^ wrong).to_be_bytes();
    }
    let mut frame = vec![*start];
    for byte in plain {
        if RESERVED.contains(&byte) {
            frame.extend([0x1b, !byte]);
        } else {
            frame.push(byte);
        }
    }
    frame.push(*stop);
    frame
}

/// What a MULTICAL 66-C says to `/#1` or `/#2`, from captures, in 7 bits with even parity as a
/// receiver of 8 bits sees it.
fn old_protocol(rng: &mut Rand64) -> Vec<u8> {
    const FIRST: &[u8] = b"0507109 1296626 0032673 0006811 0003366 0003445 \
        0000031 0000079 0000093 0000000\r";
    const SECOND: &[u8] = b"00000060017 0000000 0000000 0000000 0000000 0000000 \
        0000000 0044119 1200000 0171028\r";
    let text = if pick(rng, 2) == 0 { FIRST } else { SECOND };
    text.iter()
        .map(|&byte| {
            if byte.count_ones() % 2 == 1 {
                byte | 0x80
            } else {
                byte
            }
        })
        .collect()
}

fn between(rng: &mut Rand64, range: &RangeInclusive<Duration>) -> Duration {
    let width = range.end().saturating_sub(*range.start());
    *range.start() + width.mul_f64(rng.rand_float())
}

/// A number below `below`; 0 if that is 0.
pub(crate) fn pick(rng: &mut Rand64, below: usize) -> usize {
    let below = u64::try_from(below).unwrap_or(u64::MAX).max(1);
    usize::try_from(rng.rand_range(0..below)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
