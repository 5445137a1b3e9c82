//! Exact decimal numbers, as meters send them.
//!
//! A meter sends an unsigned integer of up to 15 bytes, a sign and a decimal exponent of ±63
//! (vendor document 5512-447, section 4.2). A binary float cannot hold such a number, and a
//! normalised decimal would lose the display resolution: `0.0 kW` and `0 kW` come from different
//! meters. [`Decimal`] keeps both parts as sent.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

/// `mantissa × 10^exponent`, kept exactly, trailing zeros included.
///
/// Comparison is by numeric value: `1.50 == 1.5`. What is printed is what was given: `1.50` prints
/// as `1.50`.
///
/// ```
/// use kamstrup_kmp::Decimal;
///
/// let energy = Decimal::new(84_817, -3);
/// assert_eq!(energy.to_string(), "84.817");
/// assert_eq!("84.8170".parse::<Decimal>()?, energy);
/// # Ok::<(), kamstrup_kmp::ParseDecimalError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Decimal {
    mantissa: i128,
    exponent: i8,
}

impl Decimal {
    /// Zero without decimals.
    pub const ZERO: Self = Self::new(0, 0);

    /// The number `mantissa × 10^exponent`.
    pub const fn new(mantissa: i128, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The digits, with the sign, without the decimal point.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// The power of ten that the mantissa is multiplied with.
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// Whether this is zero, at any resolution.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether this is less than zero.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The same number at another resolution; `None` if that would drop a digit or overflow.
    ///
    /// ```
    /// use kamstrup_kmp::Decimal;
    ///
    /// let exact = Decimal::new(15, -1).rescale(-3).unwrap();
    /// assert_eq!(exact.to_string(), "1.500");
    /// assert_eq!(exact.rescale(0), None);
    /// ```
    pub fn rescale(self, exponent: i8) -> Option<Self> {
        let shift = i16::from(self.exponent).checked_sub(i16::from(exponent))?;
        if self.mantissa == 0 {
            return Some(Self::new(0, exponent));
        }
        let factor = power_of_ten(u32::from(shift.unsigned_abs()))?;
        let mantissa = if shift >= 0 {
            self.mantissa.checked_mul(factor)?
        } else {
            if self.mantissa.checked_rem(factor)? != 0 {
                return None;
            }
            self.mantissa.checked_div(factor)?
        };
        Some(Self::new(mantissa, exponent))
    }

    /// The nearest number at a coarser resolution, halves away from zero; the number itself where it
    /// is already that coarse.
    ///
    /// For people's eyes only: nothing that is stored or sent on is ever rounded.
    #[must_use]
    pub fn round(self, exponent: i8) -> Self {
        if self.exponent >= exponent {
            return self;
        }
        let shift = i16::from(exponent).saturating_sub(i16::from(self.exponent));
        let Some(factor) = power_of_ten(u32::from(shift.unsigned_abs())) else {
            return Self::new(0, exponent);
        };
        let half = (factor / 2).saturating_mul(self.mantissa.signum());
        let rounded = self
            .mantissa
            .saturating_add(half)
            .checked_div(factor)
            .unwrap_or(0);
        Self::new(rounded, exponent)
    }

    /// The sum, at the finer of the two resolutions; `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let sum = self
            .rescale(exponent)?
            .mantissa
            .checked_add(other.rescale(exponent)?.mantissa)?;
        Some(Self::new(sum, exponent))
    }

    /// The difference, at the finer of the two resolutions; `None` on overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self::new(other.mantissa.checked_neg()?, other.exponent))
    }

    /// The product; `None` on overflow.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Some(Self::new(
            self.mantissa.checked_mul(other.mantissa)?,
            self.exponent.checked_add(other.exponent)?,
        ))
    }

    /// The number without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self::new(self.mantissa.saturating_abs(), self.exponent)
    }

    /// The nearest binary float: for drawing and for interfaces that have nothing better.
    pub fn to_f64(self) -> f64 {
        // Reading decimal text rounds once; multiplying by a power of ten would round twice.
        let mut text = Text::default();
        match fmt::Write::write_fmt(
            &mut text,
            format_args!("{}e{}", self.mantissa, self.exponent),
        ) {
            Ok(()) => text.as_str().parse().unwrap_or(f64::NAN),
            Err(fmt::Error) => f64::NAN,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Text::default();
        fmt::Write::write_fmt(
            &mut digits,
            format_args!("{}", self.mantissa.unsigned_abs()),
        )?;
        let digits = digits.as_str();
        let mut text = Text::default();
        match usize::from(self.exponent.unsigned_abs()) {
            zeros if self.exponent >= 0 => {
                text.push(digits)?;
                if self.mantissa != 0 {
                    text.push_zeros(zeros)?;
                }
            }
            decimals if digits.len() > decimals => {
                let (before, after) = digits.split_at(digits.len().saturating_sub(decimals));
                text.push(before)?;
                text.push(".")?;
                text.push(after)?;
            }
            decimals => {
                text.push("0.")?;
                text.push_zeros(decimals.saturating_sub(digits.len()))?;
                text.push(digits)?;
            }
        }
        f.pad_integral(self.mantissa >= 0, "", text.as_str())
    }
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() || (decimals.is_empty() && unsigned.contains('.')) {
            return Err(ParseDecimalError);
        }
        let mut mantissa: i128 = 0;
        for digit in whole.chars().chain(decimals.chars()) {
            let digit = digit.to_digit(10).ok_or(ParseDecimalError)?;
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|m| m.checked_add(i128::from(digit)))
                .ok_or(ParseDecimalError)?;
        }
        let exponent = i8::try_from(decimals.len())
            .ok()
            .and_then(i8::checked_neg)
            .ok_or(ParseDecimalError)?;
        let sign = if negative { -1 } else { 1 };
        Ok(Self::new(mantissa.saturating_mul(sign), exponent))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if by_sign != Ordering::Equal || self.mantissa == 0 {
            return by_sign;
        }
        let by_magnitude = compare_magnitudes(*self, *other);
        if self.is_negative() {
            by_magnitude.reverse()
        } else {
            by_magnitude
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut mantissa = self.mantissa;
        let mut exponent = i16::from(self.exponent);
        while mantissa != 0 && mantissa.checked_rem(10) == Some(0) {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        mantissa.hash(state);
        if mantissa != 0 {
            exponent.hash(state);
        }
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self::new(i128::from(number), 0)
    }
}

impl From<u32> for Decimal {
    fn from(number: u32) -> Self {
        Self::new(i128::from(number), 0)
    }
}

/// A text is not a plain decimal number such as `-12.50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDecimalError;

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a decimal number such as 1234.50, at most 38 digits long")
    }
}

impl core::error::Error for ParseDecimalError {}

/// `10^n`, while it fits.
pub(crate) fn power_of_ten(n: u32) -> Option<i128> {
    10_i128.checked_pow(n)
}

/// Compares two numbers that are not zero, without their signs.
fn compare_magnitudes(a: Decimal, b: Decimal) -> Ordering {
    let (x, y) = (a.mantissa.unsigned_abs(), b.mantissa.unsigned_abs());
    let (x_digits, y_digits) = (digit_count(x), digit_count(y));
    // The place of the first digit decides, unless it is the same.
    let x_first = i32::from(a.exponent).saturating_add_unsigned(x_digits);
    let y_first = i32::from(b.exponent).saturating_add_unsigned(y_digits);
    x_first.cmp(&y_first).then_with(|| {
        let scale = |m: u128, by: u32| 10_u128.checked_pow(by).and_then(|f| m.checked_mul(f));
        let x_scaled = scale(x, y_digits.saturating_sub(x_digits)).unwrap_or(u128::MAX);
        let y_scaled = scale(y, x_digits.saturating_sub(y_digits)).unwrap_or(u128::MAX);
        x_scaled.cmp(&y_scaled)
    })
}

fn digit_count(number: u128) -> u32 {
    number
        .checked_ilog10()
        .map_or(1, |log| log.saturating_add(1))
}

/// Room on the stack for the longest number: 39 digits, 128 zeros, a point and a sign.
struct Text {
    bytes: [u8; 176],
    length: usize,
}

impl Text {
    fn push(&mut self, part: &str) -> fmt::Result {
        let end = self.length.checked_add(part.len()).ok_or(fmt::Error)?;
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }

    fn push_zeros(&mut self, count: usize) -> fmt::Result {
        let end = self.length.checked_add(count).ok_or(fmt::Error)?;
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .fill(b'0');
        self.length = end;
        Ok(())
    }

    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        core::str::from_utf8(written).unwrap_or_default()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; 176],
            length: 0,
        }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push(part)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trailing_zeros_stay() {
        assert_eq!(Decimal::new(0, -1).to_string(), "0.0");
        assert_eq!(Decimal::new(0, 0).to_string(), "0");
        assert_eq!(Decimal::new(0, 3).to_string(), "0");
        assert_eq!(Decimal::new(6450, -2).to_string(), "64.50");
    }

    #[test]
    fn both_ends_of_the_exponent_print_exactly() {
        let small = Decimal::new(1, -63).to_string();
        assert_eq!(small, format!("0.{}1", "0".repeat(62)));
        let large = Decimal::new(-25, 63).to_string();
        assert_eq!(large, format!("-25{}", "0".repeat(63)));
        assert_eq!(Decimal::new(i128::MIN, -128).to_string().len(), 131);
    }

    #[test]
    fn padding_and_sign_follow_the_formatter() {
        assert_eq!(format!("{:>8}", Decimal::new(-125, -2)), "   -1.25");
        assert_eq!(format!("{:+}", Decimal::new(125, -2)), "+1.25");
    }

    #[test]
    fn numbers_that_are_not_plain_decimals_are_refused() {
        for text in [
            "", "-", ".5", "5.", "1e3", "1,5", "0x10", "--1", "+1", "1.2.3",
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(ParseDecimalError), "{text:?}");
        }
    }

    #[test]
    fn rounding_goes_half_away_from_zero() {
        assert_eq!(Decimal::new(2345, -3).round(-2).to_string(), "2.35");
        assert_eq!(Decimal::new(-2345, -3).round(-2).to_string(), "-2.35");
        assert_eq!(Decimal::new(2344, -3).round(-2).to_string(), "2.34");
        assert_eq!(Decimal::new(1, -63).round(-2).to_string(), "0.00");
    }

    #[test]
    fn arithmetic_keeps_the_finer_resolution() {
        let difference = Decimal::new(5365, -2)
            .checked_sub(Decimal::new(458, -1))
            .unwrap();
        assert_eq!(difference.to_string(), "7.85");
    }

    proptest! {
        #[test]
        fn text_round_trips(mantissa in any::<i64>(), exponent in -63_i8..=0) {
            let number = Decimal::new(i128::from(mantissa), exponent);
            let read: Decimal = number.to_string().parse().unwrap();
            prop_assert_eq!(read.mantissa(), number.mantissa());
            prop_assert_eq!(read.exponent(), number.exponent());
        }

        #[test]
        fn any_number_prints(mantissa in any::<i128>(), exponent in any::<i8>()) {
            let text = Decimal::new(mantissa, exponent).to_string();
            prop_assert!(!text.is_empty());
        }

        #[test]
        fn order_is_numeric(a in -10_000_i64..10_000, x in -3_i8..=3, b in -10_000_i64..10_000, y in -3_i8..=3) {
            let left = Decimal::new(i128::from(a), x);
            let right = Decimal::new(i128::from(b), y);
            let scaled = |d: Decimal| d.rescale(-3).unwrap().mantissa();
            prop_assert_eq!(left.cmp(&right), scaled(left).cmp(&scaled(right)));
        }

        #[test]
        fn floats_are_the_nearest(mantissa in 1_i64..1_000_000_000_000, decimals in 0_i8..20) {
            let number = Decimal::new(i128::from(mantissa), -decimals);
            let nearest: f64 = number.to_string().parse().unwrap();
            prop_assert_eq!(number.to_f64().to_bits(), nearest.to_bits());
        }
    }
}
