//! What can go wrong on the line, how often, and to which answers.
//!
//! Each kind of fault is one that owners of optical heads report, or one that only a stricter
//! reader can survive. For every exchange each configured fault throws its own die, so that faults
//! combine, and adding one does not move the others. What a fault does to an answer stands in
//! [`crate::spoil`].

use core::fmt;
use core::str::FromStr;

use oorandom::Rand64;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// One bit of the answer is turned.
    BitFlip,
    /// Up to 64 neighbouring bits are damaged.
    Burst,
    /// One to three bytes are lost.
    Drop,
    /// One to three bytes come twice.
    Double,
    /// Up to 24 random bytes come before the answer.
    NoiseBefore,
    /// One to four random bytes come inside the answer.
    NoiseInside,
    /// The answer turns into random bytes that go on until the next request.
    NoiseEndless,
    /// The answer breaks off.
    Truncate,
    /// No answer.
    Silence,
    /// The answer comes seconds late.
    Late,
    /// The checksum is wrong, everything else is right.
    WrongCrc,
    /// One of the registers asked for is left out.
    MissingRegister,
    /// A lone acknowledge byte in place of the answer.
    Ack,
    /// A sound answer to something that was not asked.
    OtherAnswer,
    /// The head, blinded by its own light, returns a damaged echo and nothing else.
    EchoMangled,
    /// The other side closes the connection before or within the answer.
    PeerClose,
    /// The port goes away and comes back some seconds later.
    PortGone,
    /// The answer comes at one byte every 900 ms.
    Drip,
    /// The answer is that of a meter with the older ASCII protocol.
    WrongProtocol,
    /// The value of a register is damaged and the checksum is right: what 1 in 65,536 long
    /// damages come to. No reader of single answers can tell; made for the gate behind it.
    CrcForged,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::BitFlip,
        Self::Burst,
        Self::Drop,
        Self::Double,
        Self::NoiseBefore,
        Self::NoiseInside,
        Self::NoiseEndless,
        Self::Truncate,
        Self::Silence,
        Self::Late,
        Self::WrongCrc,
        Self::MissingRegister,
        Self::Ack,
        Self::OtherAnswer,
        Self::EchoMangled,
        Self::PeerClose,
        Self::PortGone,
        Self::Drip,
        Self::WrongProtocol,
        Self::CrcForged,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitFlip => "bit-flip",
            Self::Burst => "burst",
            Self::Drop => "drop",
            Self::Double => "double",
            Self::NoiseBefore => "noise-before",
            Self::NoiseInside => "noise-inside",
            Self::NoiseEndless => "noise-endless",
            Self::Truncate => "truncate",
            Self::Silence => "silence",
            Self::Late => "late",
            Self::WrongCrc => "wrong-crc",
            Self::MissingRegister => "missing-register",
            Self::Ack => "ack",
            Self::OtherAnswer => "other-answer",
            Self::EchoMangled => "echo-mangled",
            Self::PeerClose => "peer-close",
            Self::PortGone => "port-gone",
            Self::Drip => "drip",
            Self::WrongProtocol => "wrong-protocol",
            Self::CrcForged => "crc-forged",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| FaultError::UnknownKind {
                found: name.to_owned(),
            })
    }
}

/// A kind of fault and the share of exchanges it hits. Reads as `KIND=RATE`: `bit-flip=0.2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    kind: FaultKind,
    rate: f64,
}

impl Fault {
    /// The fault, unless the rate is not between 0 and 1.
    pub fn new(kind: FaultKind, rate: f64) -> Result<Self, FaultError> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self { kind, rate })
        } else {
            Err(FaultError::Rate {
                found: rate.to_string(),
            })
        }
    }

    /// The kind.
    pub const fn kind(self) -> FaultKind {
        self.kind
    }

    /// The share of exchanges it hits, 0 to 1.
    pub const fn rate(self) -> f64 {
        self.rate
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.rate)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rate) = text.split_once('=').ok_or_else(|| FaultError::Form {
            found: text.to_owned(),
        })?;
        let kind: FaultKind = name.trim().parse()?;
        let rate = rate.trim();
        let number = rate.parse().map_err(|_| FaultError::Rate {
            found: rate.to_owned(),
        })?;
        Self::new(kind, number)
    }
}

/// Why a text names no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// It has no `=`.
    Form {
        /// What was given.
        found: String,
    },
    /// There is no such kind.
    UnknownKind {
        /// The name given.
        found: String,
    },
    /// The rate is no number from 0 to 1.
    Rate {
        /// The rate given.
        found: String,
    },
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { found } => {
                write!(
                    f,
                    "{found:?} found, KIND=RATE expected, such as bit-flip=0.2"
                )
            }
            Self::UnknownKind { found } => {
                write!(f, "there is no fault {found:?}")?;
                if let Some(near) = nearest(found) {
                    write!(f, "; did you mean {near}?")?;
                }
                write!(f, " (expected one of")?;
                for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
                    write!(f, "{} {kind}", if index == 0 { "" } else { "," })?;
                }
                write!(f, ")")
            }
            Self::Rate { found } => {
                write!(f, "rate {found:?} found, a number from 0 to 1 expected")
            }
        }
    }
}

impl core::error::Error for FaultError {}

/// The faults that hit one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultSet(u32);

impl FaultSet {
    /// Whether this kind is among them.
    pub const fn contains(self, kind: FaultKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, in the order of [`FaultKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = FaultKind> {
        FaultKind::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }

    pub(crate) fn insert(&mut self, kind: FaultKind) {
        self.0 |= kind.bit();
    }

    pub(crate) fn remove(&mut self, kind: FaultKind) {
        self.0 &= !kind.bit();
    }
}

impl FromIterator<FaultKind> for FaultSet {
    fn from_iter<T: IntoIterator<Item = FaultKind>>(kinds: T) -> Self {
        let mut set = Self::default();
        for kind in kinds {
            set.insert(kind);
        }
        set
    }
}

/// Throws the dice: which faults hit which exchange.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    seed: u64,
    faults: Vec<Fault>,
}

impl Dice {
    pub(crate) fn new(seed: u64, faults: &[Fault]) -> Self {
        Self {
            seed,
            faults: faults.to_vec(),
        }
    }

    /// The faults of an exchange. Depends on nothing but the seed and the exchange's number.
    pub(crate) fn throw(&self, exchange: u64) -> FaultSet {
        self.faults
            .iter()
            .filter(|fault| self.stream(fault.kind as u64, exchange).rand_float() < fault.rate)
            .map(|fault| fault.kind)
            .collect()
    }

    /// Chance for what the faults of an exchange do.
    pub(crate) fn damage(&self, exchange: u64) -> Rand64 {
        self.stream(0xD0, exchange)
    }

    /// Chance for what happens to the echo of an exchange.
    pub(crate) fn echo(&self, exchange: u64) -> Rand64 {
        self.stream(0xEC, exchange)
    }

    fn stream(&self, purpose: u64, exchange: u64) -> Rand64 {
        let position = u128::from(purpose) << 48 ^ u128::from(exchange);
        let mut rng = Rand64::new(u128::from(self.seed) << 64 | position);
        // Neighbouring positions start close together; a step tears them apart.
        rng.rand_u64();
        rng
    }
}

/// The kind whose name takes the fewest changes to get at, if that is less than half of it.
fn nearest(name: &str) -> Option<FaultKind> {
    FaultKind::ALL
        .into_iter()
        .map(|kind| (distance(name, kind.name()), kind))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, kind)| distance * 2 < kind.name().len())
        .map(|(_, kind)| kind)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            let fault = Fault::new(kind, 0.25).unwrap();
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn a_misspelt_kind_names_the_near_one_and_all() {
        let message = "bitflip=0.1".parse::<Fault>().unwrap_err().to_string();
        assert!(message.contains("did you mean bit-flip?"), "{message}");
        for kind in FaultKind::ALL {
            assert!(message.contains(kind.name()), "{message}");
        }
        let message = "gremlins=0.1".parse::<Fault>().unwrap_err().to_string();
        assert!(!message.contains("did you mean"), "{message}");
    }

    #[test]
    fn rates_outside_0_to_1_are_refused() {
        for text in ["drop=1.5", "drop=-0.1", "drop=NaN", "drop=often", "drop="] {
            assert!(
                matches!(text.parse::<Fault>(), Err(FaultError::Rate { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            "drop".parse::<Fault>(),
            Err(FaultError::Form { .. })
        ));
        assert!("drop=0".parse::<Fault>().is_ok() && "drop=1".parse::<Fault>().is_ok());
    }

    #[test]
    fn dice_hit_as_often_as_they_should_and_each_kind_for_itself() {
        let faults: Vec<_> = FaultKind::ALL
            .into_iter()
            .map(|kind| Fault::new(kind, 0.2).unwrap())
            .collect();
        let dice = Dice::new(5, &faults);
        let mut hits = [0_u32; 20];
        let mut pairs = 0;
        for exchange in 0..20_000 {
            let set = dice.throw(exchange);
            for kind in set.iter() {
                hits[kind as usize] += 1;
            }
            pairs += u32::from(set.contains(FaultKind::Drop) && set.contains(FaultKind::Truncate));
        }
        assert!(
            hits.iter().all(|hits| (3700..4300).contains(hits)),
            "{hits:?}"
        );
        assert!((650..950).contains(&pairs), "{pairs}");
    }

    #[test]
    fn another_fault_does_not_move_the_first() {
        let drop = Fault::new(FaultKind::Drop, 0.3).unwrap();
        let late = Fault::new(FaultKind::Late, 0.3).unwrap();
        let (alone, both) = (Dice::new(1, &[drop]), Dice::new(1, &[late, drop]));
        for exchange in 0..1000 {
            assert_eq!(
                alone.throw(exchange).contains(FaultKind::Drop),
                both.throw(exchange).contains(FaultKind::Drop)
            );
        }
    }
}
