//! Takes a meter's serial number out of what went over the line, so that a recording can be given away.
//!
//! Wherever the number stands in an answer, in binary or in digits, it becomes as many ones, and a
//! sound frame stays sound: its checksum is made anew. What cannot be read as a frame keeps its length.

use std::time::Duration;

use kamstrup_kmp::frame::{self, Decoder, Found, Frame};

use super::{Direction, Event};

/// What stands in its place.
const MASK: u32 = 11_111_111;

/// Masks the serial number in everything that came from the meter.
pub fn mask_serial(events: &[(Duration, Event)], serial: &str) -> Vec<(Duration, Event)> {
    let Some(mask) = Mask::of(serial) else {
        return events.to_vec();
    };
    let received: Vec<(usize, u8)> = events
        .iter()
        .enumerate()
        .filter_map(|(index, (_, event))| match event {
            Event::Bytes(Direction::In, bytes) => Some((index, bytes)),
            _ => None,
        })
        .flat_map(|(index, bytes)| bytes.iter().map(move |byte| (index, *byte)))
        .collect();
    let masked = mask.stream(&received);
    let with_masked = |(index, (at, event)): (usize, &(Duration, Event))| {
        let event = match event {
            Event::Bytes(Direction::In, _) => {
                let own = masked.iter().filter(|(owner, _)| *owner == index);
                let bytes: Vec<u8> = own.map(|(_, byte)| *byte).collect();
                // All of it has moved to the beginning of its frame.
                if bytes.is_empty() {
                    return None;
                }
                Event::Bytes(Direction::In, bytes)
            }
            Event::Note(note, text) => Event::Note(*note, text.replace(serial, &MASK.to_string())),
            other => other.clone(),
        };
        Some((*at, event))
    };
    events.iter().enumerate().filter_map(with_masked).collect()
}

/// The ways in which a meter writes its number.
struct Mask([(Vec<u8>, Vec<u8>); 2]);

impl Mask {
    fn of(serial: &str) -> Option<Self> {
        let number: u32 = serial.parse().ok()?;
        let digits = MASK.to_string().into_bytes();
        Some(Self([
            (number.to_be_bytes().to_vec(), MASK.to_be_bytes().to_vec()),
            (format!("{number:08}").into_bytes(), digits),
        ]))
    }

    /// Masks a stream of bytes, each with the event it came in. A frame that changes belongs to the
    /// event in which it began.
    fn stream(&self, received: &[(usize, u8)]) -> Vec<(usize, u8)> {
        let bytes: Vec<u8> = received.iter().map(|(_, byte)| *byte).collect();
        let mut masked = Vec::with_capacity(received.len());
        let mut decoder = Decoder::new();
        let mut rest = bytes.as_slice();
        let mut done = 0;
        while let Some(found) = decoder.next(&mut rest) {
            let end = bytes.len() - rest.len();
            let changed = match found {
                Found::Frame(frame) => self.frame(&frame),
                _ => None,
            };
            // A frame begins with the last start byte: there is none within it.
            let start = bytes[done..end]
                .iter()
                .rposition(|byte| *byte == START_FROM_METER)
                .map(|position| done + position);
            match changed.zip(start) {
                Some((frame, start)) => {
                    masked.extend(self.raw(&received[done..start]));
                    let owner = received[start].0;
                    masked.extend(frame.into_iter().map(|byte| (owner, byte)));
                }
                None => masked.extend(self.raw(&received[done..end])),
            }
            done = end;
        }
        masked.extend(self.raw(&received[done..]));
        masked
    }

    /// A frame with another number in it, if it has one.
    fn frame(&self, frame: &Frame<'_>) -> Option<Vec<u8>> {
        let data = self.replace(frame.data);
        if frame.direction != frame::Direction::FromMeter || data == frame.data {
            return None;
        }
        let mut wire = Vec::new();
        Frame {
            data: &data,
            ..*frame
        }
        .encode(&mut wire);
        Some(wire)
    }

    fn raw(&self, received: &[(usize, u8)]) -> Vec<(usize, u8)> {
        let bytes: Vec<u8> = received.iter().map(|(_, byte)| *byte).collect();
        let owners = received.iter().map(|(owner, _)| *owner);
        owners.zip(self.replace(&bytes)).collect()
    }

    fn replace(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = bytes.to_vec();
        for (number, mask) in &self.0 {
            let mut from = 0;
            while let Some(place) = masked[from..]
                .windows(number.len())
                .position(|window| window == number.as_slice())
            {
                let place = from + place;
                masked[place..place + mask.len()].copy_from_slice(mask);
                from = place + mask.len();
            }
        }
        masked
    }
}

/// The first byte of an answer (vendor document 5512-447, section 3.2).
const START_FROM_METER: u8 = 0x40;

#[cfg(test)]
mod tests {
    use kamstrup_kmp::frame::Address;

    use super::*;

    fn answer(data: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        Frame {
            direction: frame::Direction::FromMeter,
            address: Address::METER,
            command: 0x02,
            data,
        }
        .encode(&mut wire);
        wire
    }

    fn received(pieces: &[&[u8]]) -> Vec<(Duration, Event)> {
        pieces
            .iter()
            .zip(0..)
            .map(|(piece, number)| {
                let event = Event::Bytes(Direction::In, piece.to_vec());
                (Duration::from_millis(number), event)
            })
            .collect()
    }

    fn bytes(events: &[(Duration, Event)]) -> Vec<u8> {
        let bytes = events.iter().map(|(_, event)| match event {
            Event::Bytes(_, bytes) => bytes.clone(),
            _ => Vec::new(),
        });
        bytes.flatten().collect()
    }

    #[test]
    fn the_number_becomes_ones_and_the_frame_stays_sound() {
        // 0x01400D80 has three bytes that are escaped on the wire.
        let number: u32 = 0x0140_0d80;
        let wire = answer(&number.to_be_bytes());
        let (first, second) = wire.split_at(5);
        let events = received(&[&[0x55], first, second, &[0x66]]);
        let masked = mask_serial(&events, &number.to_string());
        let expected = [vec![0x55], answer(&MASK.to_be_bytes()), vec![0x66]].concat();
        assert_eq!(bytes(&masked), expected);
        assert_eq!(masked[0], events[0]);
        assert_eq!(masked.last(), events.last());
    }

    #[test]
    fn digits_are_masked_too_and_so_is_what_is_no_frame() {
        let events = received(&[&answer(b"6KAM0184968362"), b"xx84968362"]);
        let masked = mask_serial(&events, "84968362");
        let expected = [answer(b"6KAM0111111111"), b"xx11111111".to_vec()].concat();
        assert_eq!(bytes(&masked), expected);
    }

    #[test]
    fn what_has_no_number_in_it_stays_as_it_was() {
        let events = received(&[&answer(&[1, 2, 3]), &[0x40, 0x3f, 0x10]]);
        assert_eq!(mask_serial(&events, "84968362"), events);
    }
}
