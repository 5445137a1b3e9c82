//! What the bytes of a failed exchange are evidence of.

use alloc::vec::Vec;

use crate::verdict::Verdict;

/// The verdicts of failed exchanges, those nearest to an answer last.
pub(super) const NEAREST_LAST: [Verdict; 9] = [
    Verdict::PortLost,
    Verdict::Silent,
    Verdict::EchoOnly,
    Verdict::Noise,
    Verdict::EchoMangled,
    Verdict::WrongProtocol,
    Verdict::Truncated,
    Verdict::CrcMismatch,
    Verdict::UnexpectedAnswer,
];

/// Everything that came back and was not the answer.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a separate finding, any may hold beside any other"
)]
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// The request came back as it was sent.
    pub(super) echo: bool,
    /// Something that began as a request came back broken, or as an answer.
    pub(super) damaged_echo: bool,
    /// A sound frame that is not the answer, or an acknowledgement of something else.
    pub(super) unexpected: bool,
    /// An answer whose bytes are damaged.
    pub(super) damaged_answer: bool,
    /// An answer that began and did not end.
    pub(super) broken_off: bool,
    /// How many bytes came that are not the clean echo; a lone 00 does not count.
    pub(super) strays: u64,
    /// How many of these.
    zeros: u64,
    /// The first of them.
    sample: Vec<u8>,
}

impl Evidence {
    const SAMPLE: usize = 256;

    /// Takes note of bytes that are not the clean echo.
    pub(super) fn stray(&mut self, bytes: &[u8]) {
        let zeros = bytes
            .iter()
            .map(|byte| u64::from(*byte == 0))
            .fold(0, u64::saturating_add);
        self.zeros = self.zeros.saturating_add(zeros);
        let others = (bytes.len() as u64).saturating_sub(zeros);
        self.strays = self.strays.saturating_add(others);
        let room = Self::SAMPLE.saturating_sub(self.sample.len());
        self.sample.extend(bytes.iter().take(room));
    }

    /// Strays turned out to be the clean echo, with something before it.
    pub(super) fn clean_echo(&mut self, length: usize) {
        self.echo = true;
        self.strays = self.strays.saturating_sub(length as u64);
    }

    /// The verdict, given what was sent.
    pub(super) fn verdict(&self, sent: &[u8]) -> Verdict {
        let echo_sized = self.strays <= (sent.len() as u64).saturating_mul(2).saturating_add(8);
        if self.speaks_another_protocol() {
            Verdict::WrongProtocol
        } else if self.unexpected {
            Verdict::UnexpectedAnswer
        } else if self.damaged_answer {
            Verdict::CrcMismatch
        } else if self.broken_off {
            Verdict::Truncated
        } else if echo_sized && (self.damaged_echo || !self.echo && resembles(&self.sample, sent)) {
            Verdict::EchoMangled
        } else if self.is_noise() {
            Verdict::Noise
        } else if self.echo {
            Verdict::EchoOnly
        } else {
            Verdict::Silent
        }
    }

    /// A meter sends a zero now and then; a broken or inverted line sends nothing else.
    const LONE_ZEROS: u64 = 16;

    const fn is_noise(&self) -> bool {
        self.strays > Self::FLICKER
            || self.strays > 0 && !self.echo
            || self.zeros > Self::LONE_ZEROS
    }

    /// So few stray bytes beside a clean echo are the head's own switching on and off.
    const FLICKER: u64 = 3;

    /// Lines of text (seven bits with parity read as eight), SML or M-Bus.
    fn speaks_another_protocol(&self) -> bool {
        let sample = self.sample.as_slice();
        let starts_with = |start: &[u8]| {
            sample
                .windows(start.len())
                .take(8)
                .any(|window| window == start)
        };
        if starts_with(&[0x1b, 0x1b, 0x1b, 0x1b, 0x01, 0x01, 0x01, 0x01]) {
            return true;
        }
        if let &[0x68, length, again, 0x68, ..] = sample
            && length == again
        {
            return true;
        }
        let text = |byte: &&u8| matches!(**byte & 0x7f, b' '..=b'~' | b'\r' | b'\n' | 0x02 | 0x03);
        let texts = sample.iter().filter(text).count();
        let has_line = sample
            .iter()
            .any(|byte| matches!(byte & 0x7f, b'\r' | b'\n'));
        let mostly_text = texts.saturating_mul(100) >= sample.len().saturating_mul(97);
        let identifies = sample.first().is_some_and(|byte| byte & 0x7f == b'/');
        sample.len() >= 12 && mostly_text && (has_line || identifies) && !self.is_binary()
    }

    /// Whether anything was found that only this protocol has.
    const fn is_binary(&self) -> bool {
        self.unexpected || self.damaged_answer || self.damaged_echo
    }
}

/// Whether bytes look like a damaged copy of what was sent: many of its bytes in their order, or most
/// of its bits in their place.
fn resembles(bytes: &[u8], sent: &[u8]) -> bool {
    if bytes.len() < 2 || bytes.len() > sent.len().saturating_mul(2) {
        return false;
    }
    let common = longest_common_subsequence(bytes, sent);
    let same_bits: u32 = bytes
        .iter()
        .zip(sent)
        .map(|(a, b)| (a ^ b).count_zeros())
        .fold(0, u32::saturating_add);
    let bits = bytes.len().min(sent.len()).saturating_mul(8);
    common.saturating_mul(2) >= sent.len()
        || bits >= 48 && (same_bits as usize).saturating_mul(10) >= bits.saturating_mul(7)
}

fn longest_common_subsequence(a: &[u8], b: &[u8]) -> usize {
    let mut row = alloc::vec![0_usize; b.len()];
    for &x in a {
        let mut diagonal = 0_usize;
        let mut left = 0_usize;
        for (above, &y) in row.iter_mut().zip(b) {
            let best = if x == y {
                diagonal.saturating_add(1)
            } else {
                left.max(*above)
            };
            diagonal = *above;
            *above = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}
