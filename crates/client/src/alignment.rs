//! How well the head sits: what came of each request, what that means and what to try next.
//!
//! The tries are what helped owners in public threads; docs/head-placement.md lists them.

use std::collections::VecDeque;
use std::time::Duration;

use kamstrup_kmp::Verdict;

/// What came of the requests so far. Times are counted from the start.
#[derive(Clone, Debug, Default)]
pub struct Alignment {
    attempts: VecDeque<Attempt>,
    /// Since when the same comes of every request.
    since: Duration,
    wake: Wake,
}

/// Something to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Names it, for translations; none where the help of the verdict is all there is to say.
    pub code: Option<&'static str>,
    /// Says it in English.
    pub text: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: Duration,
    verdict: Verdict,
}

impl Alignment {
    /// Takes note of a request and what came of it.
    pub fn push(&mut self, at: Duration, verdict: Verdict) {
        if self.last() != Some(verdict) {
            self.since = at;
        }
        self.wake.push(at, verdict);
        self.attempts.push_back(Attempt { at, verdict });
        while self.attempts.len() > KEPT {
            self.attempts.pop_front();
        }
    }

    /// How many of the last minute's requests were answered, from 0 to 100; a damaged answer counts
    /// half.
    pub fn score(&self) -> u32 {
        let worths = self.last_minute().map(|attempt| worth(attempt.verdict));
        let (sum, count) = worths.fold((0, 0), |(sum, count), worth| (sum + worth, count + 1));
        (sum + count / 2).checked_div(count).unwrap_or(0)
    }

    /// The same of the last few requests, from 0 to 1: it follows the hand.
    pub fn now(&self) -> f64 {
        const LAST: usize = 4;
        let worth: Vec<_> = self
            .attempts
            .iter()
            .rev()
            .take(LAST)
            .map(|attempt| worth(attempt.verdict))
            .collect();
        let sum: u32 = worth.iter().sum();
        let count = u32::try_from(worth.len()).unwrap_or(1).max(1);
        f64::from(sum) / f64::from(count) / 100.0
    }

    /// What came of the last requests, the newest last.
    pub fn history(&self, length: usize) -> impl Iterator<Item = Verdict> + '_ {
        let skipped = self.attempts.len().saturating_sub(length);
        self.attempts
            .iter()
            .skip(skipped)
            .map(|attempt| attempt.verdict)
    }

    /// What came of the last request; asleep, where silence fits the pattern of an eye that sleeps.
    pub fn verdict(&self) -> Verdict {
        match self.last() {
            Some(Verdict::Silent | Verdict::EchoOnly) if self.sleeps_after().is_some() => {
                Verdict::Asleep
            }
            Some(verdict) => verdict,
            None => Verdict::Silent,
        }
    }

    /// What prevailed in the last minute: the most frequent; of equally frequent ones that nearest to
    /// an answer.
    pub fn prevailing(&self) -> Verdict {
        let count = |verdict| {
            self.last_minute()
                .filter(|attempt| attempt.verdict == verdict)
                .count()
        };
        let prevailing = self
            .last_minute()
            .map(|attempt| attempt.verdict)
            .max_by_key(|&verdict| (count(verdict), worth(verdict), verdict != Verdict::Silent));
        match prevailing {
            Some(Verdict::Silent | Verdict::EchoOnly) if self.sleeps_after().is_some() => {
                Verdict::Asleep
            }
            Some(verdict) => verdict,
            None => Verdict::Silent,
        }
    }

    /// After what time awake the eye falls asleep, if the answers so far look like that.
    pub fn sleeps_after(&self) -> Option<Duration> {
        self.wake.pattern()
    }

    /// What to try now. While the same lasts, one try follows the other.
    pub fn next_step(&self) -> Step {
        let verdict = self.verdict();
        if verdict == Verdict::Ok {
            return if self.score() >= 95 { FIX } else { KEEP };
        }
        let tries = tries(verdict);
        let lasted = self
            .attempts
            .back()
            .map_or(Duration::ZERO, |last| last.at.saturating_sub(self.since));
        let turn = lasted.as_secs() / TIME_FOR_A_TRY.as_secs();
        usize::try_from(turn)
            .ok()
            .and_then(|turn| tries.get(turn.checked_rem(tries.len())?))
            .copied()
            .unwrap_or(Step {
                code: None,
                text: verdict.help(),
            })
    }

    fn last(&self) -> Option<Verdict> {
        self.attempts.back().map(|attempt| attempt.verdict)
    }

    fn last_minute(&self) -> impl Iterator<Item = &Attempt> {
        let now = self.attempts.back().map_or(Duration::ZERO, |last| last.at);
        let begin = now.saturating_sub(Duration::from_mins(1));
        self.attempts
            .iter()
            .filter(move |attempt| attempt.at >= begin)
    }
}

/// As many requests as a minute can have, and some.
const KEPT: usize = 240;

/// How long one place or try is worth.
const TIME_FOR_A_TRY: Duration = Duration::from_secs(8);

/// What a verdict counts for the score.
fn worth(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Ok => 100,
        Verdict::CrcMismatch | Verdict::Truncated | Verdict::UnexpectedAnswer => 50,
        _ => 0,
    }
}

const fn step(code: &'static str, text: &'static str) -> Step {
    Step {
        code: Some(code),
        text,
    }
}

const FIX: Step = step("fix", "The head sits well. Fix it there; Ctrl-C ends this.");
const KEEP: Step = step(
    "keep",
    "This place works. Keep the head still until the score is near 100, then fix it.",
);
const WAKE: Step = step("wake", "Press a key on the meter: it wakes its eye.");
const MAGNET: Step = step(
    "magnet",
    "Check the magnet: the eye of a 403, 603 or 803 opens only while one is near.",
);
const SHADE: Step = step("shade", "Shade the head from sun and lamps with your hand.");

fn tries(verdict: Verdict) -> &'static [Step] {
    const SILENT: &[Step] = &[
        WAKE,
        step(
            "turn",
            "Turn the head half round: its receiver may sit where its light should be.",
        ),
        step(
            "lower_603",
            "Lower the head by 2 mm; on a 603 the right place is lower than the rim suggests.",
        ),
        MAGNET,
        step(
            "sideways",
            "Press a key again, and try 2 mm to the left and to the right.",
        ),
        step(
            "switched_off",
            "On a 403, look at the third small segment of the display: lit steadily, it says that \
             optical reading is switched off.",
        ),
    ];
    const ECHO_ONLY: &[Step] = &[
        step(
            "works_wake",
            "The head works. Press a key on the meter: it wakes its eye.",
        ),
        step(
            "turn_unseen",
            "Turn the head half round: the meter does not see its light.",
        ),
        step("lower", "Lower the head by 2 mm."),
        MAGNET,
    ];
    const ECHO_MANGLED: &[Step] = &[
        step(
            "paper",
            "Put a sheet of white paper between head and meter.",
        ),
        step(
            "away",
            "Move the head away from the meter, up to a centimetre.",
        ),
        step("tilt", "Tilt the head a little."),
    ];
    const NOISE: &[Step] = &[
        SHADE,
        step("lamps", "Switch off LED or fluorescent lamps nearby."),
        step(
            "bridge_settings",
            "Behind a network bridge: set it to 1200 baud, 8 data bits, no parity, 2 stop bits.",
        ),
    ];
    const DAMAGED: &[Step] = &[
        step(
            "nearly",
            "Nearly there: move the head by single millimetres.",
        ),
        step("wipe", "Wipe the meter's eye and the head."),
        SHADE,
        step(
            "bridge_whole",
            "Behind a network bridge: it must pass on bytes at once and in one piece.",
        ),
    ];
    const ASLEEP: &[Step] = &[
        step(
            "turn_magnet",
            "Turn the head half round: its magnet does not hold the eye open.",
        ),
        WAKE,
    ];
    match verdict {
        Verdict::Silent => SILENT,
        Verdict::EchoOnly => ECHO_ONLY,
        Verdict::EchoMangled => ECHO_MANGLED,
        Verdict::Noise => NOISE,
        Verdict::CrcMismatch | Verdict::Truncated => DAMAGED,
        Verdict::Asleep => ASLEEP,
        // For what is left, the verdict itself says what to do.
        _ => &[],
    }
}

/// Watches for an eye that falls asleep: its answers stop at once, a fixed time after each wake.
#[derive(Clone, Debug, Default)]
struct Wake {
    /// The first and the last answer of the time awake that is under way.
    awake: Option<(Duration, Duration)>,
    /// Answers in it.
    answers: u32,
    /// Silent requests since.
    silences: u32,
    /// How long the last times awake lasted.
    spans: VecDeque<Duration>,
}

impl Wake {
    /// How many times awake are compared.
    const COMPARED: usize = 2;
    /// Fewer answers in a row are a coincidence.
    const ANSWERS: u32 = 3;
    /// So many silent requests in a row are the end of a time awake.
    const SILENCES: u32 = 2;

    fn push(&mut self, at: Duration, verdict: Verdict) {
        match verdict {
            Verdict::Ok => {
                let begin = match self.awake {
                    Some((begin, _)) if self.silences < Self::SILENCES => begin,
                    _ => {
                        self.answers = 0;
                        at
                    }
                };
                self.awake = Some((begin, at));
                self.answers += 1;
                self.silences = 0;
            }
            Verdict::Silent | Verdict::EchoOnly => {
                self.silences += 1;
                if self.silences == Self::SILENCES
                    && self.answers >= Self::ANSWERS
                    && let Some((begin, end)) = self.awake
                {
                    self.spans.push_back(end.saturating_sub(begin));
                    if self.spans.len() > Self::COMPARED {
                        self.spans.pop_front();
                    }
                }
            }
            // A head that is moved away shows damaged answers first; sleep does not.
            _ => *self = Self::default(),
        }
    }

    fn pattern(&self) -> Option<Duration> {
        if self.spans.len() < Self::COMPARED {
            return None;
        }
        let shortest = self.spans.iter().min()?;
        let longest = self.spans.iter().max()?;
        // Requests lie up to two seconds apart, so that is how exactly a span is known.
        let tolerance = Duration::from_secs(2).max(*longest / 10);
        (longest.saturating_sub(*shortest) <= tolerance).then_some(*longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(attempts: impl IntoIterator<Item = (u64, Verdict)>) -> Alignment {
        let mut alignment = Alignment::default();
        for (second, verdict) in attempts {
            alignment.push(Duration::from_secs(second), verdict);
        }
        alignment
    }

    #[test]
    fn the_score_is_that_of_the_last_minute() {
        let silent = (0..100).map(|second| (second, Verdict::Silent));
        let answers = (100..130).map(|second| (second, Verdict::Ok));
        let alignment = after(silent.chain(answers));
        assert_eq!(alignment.score(), 49);
        assert_eq!(alignment.prevailing(), Verdict::Silent);
        assert!((alignment.now() - 1.0).abs() < 1e-9);
        assert_eq!(after([(0, Verdict::CrcMismatch)]).score(), 50);
        assert_eq!(after([]).score(), 0);
    }

    #[test]
    fn while_the_same_lasts_one_try_follows_the_other() {
        let step = |seconds| {
            after((0..seconds).map(|second| (second, Verdict::Silent)))
                .next_step()
                .text
        };
        assert!(step(1).contains("Press a key"));
        assert!(step(10).contains("half round"));
        assert!(step(18).contains("2 mm"));
        assert!(step(26).contains("magnet"));
        assert!(step(49).contains("Press a key"), "from the beginning");
        let mangled = after([(0, Verdict::Silent), (20, Verdict::EchoMangled)]);
        assert!(mangled.next_step().text.contains("paper"));
        for verdict in Verdict::ALL {
            assert!(!after([(0, verdict)]).next_step().text.is_empty());
        }
    }

    #[test]
    fn an_eye_that_sleeps_is_known_by_its_second_time() {
        let cycle = |begin: u64, awake: u64| {
            (begin..begin + awake)
                .map(|second| (second, Verdict::Ok))
                .chain((begin + awake..begin + awake + 20).map(|second| (second, Verdict::Silent)))
        };
        let once = after(cycle(0, 240));
        assert_eq!(
            (once.sleeps_after(), once.verdict()),
            (None, Verdict::Silent)
        );
        let twice = after(cycle(0, 240).chain(cycle(300, 241)));
        assert_eq!(twice.sleeps_after(), Some(Duration::from_mins(4)));
        assert_eq!(twice.verdict(), Verdict::Asleep);
        assert!(twice.next_step().text.contains("magnet does not hold"));
    }

    #[test]
    fn a_head_that_is_moved_about_does_not_look_like_sleep() {
        let uneven = [(0, 10), (30, 25), (80, 60)]
            .into_iter()
            .flat_map(|(begin, awake)| {
                (begin..begin + awake)
                    .map(|second| (second, Verdict::Ok))
                    .chain(
                        (begin + awake..begin + awake + 5).map(|second| (second, Verdict::Silent)),
                    )
            });
        assert_eq!(after(uneven).sleeps_after(), None);
        let damaged = [(0, 10), (30, 10)].into_iter().flat_map(|(begin, awake)| {
            (begin..begin + awake)
                .map(|second| (second, Verdict::Ok))
                .chain([(begin + awake, Verdict::CrcMismatch)])
                .chain(
                    (begin + awake + 1..begin + awake + 5).map(|second| (second, Verdict::Silent)),
                )
        });
        assert_eq!(after(damaged).sleeps_after(), None);
    }
}
