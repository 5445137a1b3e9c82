//! Frames and messages on the wire, without a session.

mod bytes;
mod decoder_finds_frames_in_anything;
mod messages_round_trip;
mod triggers_of_other_readers;
