//! One request and what comes back.

use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Instant;
use crate::frame::{Address, Decoder, Direction, Found, Frame, FrameError};
use crate::message::{Answer, Request};
use crate::register::Record;
use crate::session::evidence::Evidence;
use crate::session::owed::{Owed, Settled};
use crate::session::{AskAnswer, Attempt, Config};
use crate::verdict::Verdict;

/// A request on its way, and everything that has come back so far.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// What was wanted.
    asked: Request,
    /// How it was put.
    request: Request,
    sent: Vec<u8>,
    address: Address,
    decoder: Decoder,
    evidence: Evidence,
    echo: Echo,
    sent_at: Instant,
    /// When the answer must have begun.
    answer_by: Instant,
    /// When to stop listening whatever comes.
    at_last: Instant,
    /// When the last byte came that is not the clean echo, or the request was through.
    last_activity: Instant,
    received: u64,
    /// Long pauses inside an answer.
    pauses: u32,
}

/// How far what comes back is what was sent.
#[derive(Clone, Copy, Debug)]
enum Echo {
    /// So many bytes were the same so far.
    Matching(usize),
    /// All came back, or it was none.
    Over,
}

impl Exchange {
    pub(super) fn new(asked: Request, request: Request, config: &Config, now: Instant) -> Self {
        let sent = request.encode(config.address);
        let through = now.after(config.line.time_for(sent.len()));
        let answer_by = through.after(config.answer_timeout);
        let at_last = answer_by.after(longest_answer(&request, config));
        Self {
            asked,
            request,
            sent,
            address: config.address,
            decoder: Decoder::new(),
            evidence: Evidence::default(),
            echo: Echo::Matching(0),
            sent_at: now,
            answer_by,
            at_last,
            last_activity: through,
            received: 0,
            pauses: 0,
        }
    }

    /// Takes bytes; the answer, if they complete it: to this request or to another one of the task.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        owed: &mut Owed,
        now: Instant,
    ) -> Option<Settled> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        let rest = self.cancel_echo(bytes, owed, now);
        if rest.is_empty() {
            return None;
        }
        self.evidence.stray(rest);
        self.note_pause(now);
        self.last_activity = self.last_activity.max(now);
        self.search(rest, owed)
    }

    /// When to stop listening: the answer has not begun in time, or something came and the line has
    /// been quiet since for as long as the vendor wants.
    pub(super) fn until(&self) -> Instant {
        self.answer_by.max(self.quiet_until()).min(self.at_last)
    }

    /// When the meter listens again after what has come so far.
    pub(super) fn quiet_until(&self) -> Instant {
        self.last_activity.after(Config::QUIET)
    }

    /// What the exchange comes to if nothing more comes.
    pub(super) fn verdict(&mut self) -> Verdict {
        if let Echo::Matching(1..) = self.echo {
            // A part of the echo came back, no more.
            self.evidence.damaged_echo = true;
        }
        let unfinished = self.decoder.begun();
        if let Some(Found::Broken {
            direction,
            body,
            error,
        }) = self.decoder.abandon()
        {
            note_broken(
                &mut self.evidence,
                direction,
                body,
                error,
                self.address,
                &self.request,
            );
        }
        if unfinished == Some(Direction::ToMeter) {
            self.evidence.damaged_echo = true;
        }
        self.evidence.verdict(&self.sent)
    }

    /// Whether the meter did answer, so that no answer is on its way any more.
    pub(super) const fn answer_came(&self) -> bool {
        self.evidence.damaged_answer
    }

    pub(super) const fn asked(&self) -> &Request {
        &self.asked
    }

    /// What goes over the wire.
    pub(super) fn wire(&self) -> &[u8] {
        &self.sent
    }

    pub(super) fn attempt(&self, verdict: Verdict, now: Instant) -> Attempt {
        Attempt {
            request: self.request.clone(),
            verdict,
            sent: self.sent.len(),
            received: self.received,
            took: now.since(self.sent_at),
        }
    }

    /// Takes off the front what only repeats the request.
    fn cancel_echo<'b>(&mut self, bytes: &'b [u8], owed: &mut Owed, now: Instant) -> &'b [u8] {
        let mut rest = bytes;
        while let Echo::Matching(matched) = self.echo {
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            match self.sent.get(matched) {
                Some(&expected) if expected == byte => {
                    rest = after;
                    let matched = matched.saturating_add(1);
                    self.echo = Echo::Matching(matched);
                    if matched == self.sent.len() {
                        self.echo = Echo::Over;
                        self.evidence.echo = true;
                        // The request left the head just now, whatever a network did to it before.
                        self.request_was_through(now);
                    }
                }
                // Meters and heads send a 00 now and then.
                _ if matched == 0 && byte == 0x00 => {
                    rest = after;
                    self.evidence.stray(&[byte]);
                }
                _ => {
                    self.echo = Echo::Over;
                    if matched > 0 {
                        let begun = self.sent.get(..matched).unwrap_or_default().to_vec();
                        self.evidence.stray(&begun);
                        // What looked like an echo begins a frame of its own; none can end in it.
                        let _ = self.search(&begun, owed);
                    }
                }
            }
        }
        rest
    }

    /// A network may hold up an answer once; one that drips will not be whole in time.
    fn note_pause(&mut self, now: Instant) {
        let is_inside = self.decoder.begun() == Some(Direction::FromMeter);
        if is_inside && now.since(self.last_activity) > Duration::from_millis(500) {
            self.pauses = self.pauses.saturating_add(1);
            if self.pauses > 1 {
                self.at_last = now;
            }
        }
    }

    fn request_was_through(&mut self, now: Instant) {
        let later = now.since(self.last_activity);
        self.last_activity = self.last_activity.max(now);
        self.answer_by = self.answer_by.after(later);
        self.at_last = self.at_last.after(later);
    }

    fn search(&mut self, bytes: &[u8], owed: &mut Owed) -> Option<Settled> {
        let Self {
            decoder,
            evidence,
            request,
            sent,
            address,
            ..
        } = self;
        let mut rest = bytes;
        while let Some(found) = decoder.next(&mut rest) {
            match found {
                Found::Frame(frame) if request.is_echoed_by(&frame, *address) => {
                    match frame.direction {
                        Direction::ToMeter => evidence.clean_echo(sent.len()),
                        Direction::FromMeter => evidence.damaged_echo = true,
                    }
                }
                Found::Frame(frame) => match owed.settle(&frame, *address) {
                    Some(settled) if settled.is_current => return Some(settled),
                    // It may also be what was owed to an earlier task.
                    _ => evidence.unexpected = true,
                },
                Found::Acknowledge => {
                    // A lone byte is only believed on a line that is clean otherwise.
                    let is_clean = evidence.strays == 1 && bytes == [0x06];
                    if is_clean && let Some(settled) = owed.settle_acknowledgement() {
                        return Some(settled);
                    }
                    evidence.unexpected |= is_clean;
                }
                Found::Broken {
                    direction,
                    body,
                    error,
                } => {
                    note_broken(evidence, direction, body, error, *address, request);
                }
            }
        }
        None
    }
}

/// How much longer than until its first byte is due the longest answer may take.
fn longest_answer(request: &Request, config: &Config) -> Duration {
    let bytes = match request {
        // Registers of eleven bytes; what is longer comes from meters that begin sooner.
        Request::GetRegister(batch) => batch.ids().len().saturating_mul(16).saturating_add(40),
        Request::GetType | Request::GetSerialNo | Request::SetClock(_) => 40,
        Request::Raw { .. } => Decoder::DEFAULT_LIMIT,
    };
    config.line.time_for(bytes)
}

fn note_broken(
    evidence: &mut Evidence,
    direction: Direction,
    body: &[u8],
    error: FrameError,
    address: Address,
    request: &Request,
) {
    if direction == Direction::ToMeter {
        evidence.damaged_echo = true;
        return;
    }
    // Noise holds start bytes too. An answer at least begins like one.
    let is_answer = match *body {
        [] => false,
        [from, ref rest @ ..] => from == address.0 || rest.first() == Some(&request.command()),
    };
    if is_answer {
        match error {
            FrameError::Truncated { .. } | FrameError::Interrupted { .. } => {
                evidence.broken_off = true;
            }
            _ => evidence.damaged_answer = true,
        }
    }
}

/// What a sound frame answers to the request; `None` if it answers something else.
pub(super) fn answer_to(
    request: &Request,
    address: Address,
    frame: &Frame<'_>,
) -> Option<AskAnswer> {
    if frame.address != address || frame.command != request.command() {
        return None;
    }
    match (request, Answer::decode(frame).ok()?) {
        (Request::GetType, Answer::Type(meter_type)) => Some(AskAnswer::Type(meter_type)),
        (Request::GetSerialNo, Answer::SerialNo(serial)) => Some(AskAnswer::SerialNo(serial)),
        (Request::GetRegister(batch), Answer::Registers(records)) => {
            let records: Vec<Record> = records
                .map(|record| record.map(|raw| raw.decode()))
                .collect::<Result<_, _>>()
                .ok()?;
            let mut asked = batch.ids().to_vec();
            for record in &records {
                // Each register once, and none that was not asked for.
                let place = asked.iter().position(|id| *id == record.register)?;
                asked.swap_remove(place);
            }
            Some(AskAnswer::Registers(records))
        }
        (Request::Raw { .. }, _) => Some(AskAnswer::Raw(frame.data.to_vec())),
        _ => None,
    }
}
