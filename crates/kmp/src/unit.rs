//! Units of measure: the byte that stands beside every value.
//!
//! Codes 1 to 52 are in the vendor document 5512-447 (section 5.1) as far as heat meters use them; 53
//! to 74 come from public readers of electricity meters (conpot, PyKamstrup), 79 and 85 to 90 from
//! jktjkt's work on MULTICAL 303 and 603. Public tables disagree about 21 and 25: they are W and var
//! here, as in the readers that run against production meters, not kW and kvar.

use core::fmt;

use crate::decimal::{Decimal, power_of_ten};

/// The unit code of a register. Every byte is a unit; some are not known to anybody in public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(pub u8);

/// What a unit measures. Only units of one quantity convert into each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// A plain number: counts, codes, serial numbers.
    Number,
    /// Energy, including electrical active energy.
    Energy,
    /// Electrical reactive energy.
    ReactiveEnergy,
    /// Electrical apparent energy.
    ApparentEnergy,
    /// Power, including electrical active power.
    Power,
    /// Electrical reactive power.
    ReactivePower,
    /// Electrical apparent power.
    ApparentPower,
    /// Electrical voltage.
    Voltage,
    /// Electrical current.
    Current,
    /// Temperature on the Celsius scale.
    Temperature,
    /// A difference between temperatures.
    TemperatureDifference,
    /// Volume.
    Volume,
    /// Volume per time.
    VolumeFlow,
    /// Volume times temperature: the registers E8 and E9, for mean temperatures.
    VolumeTemperature,
    /// Mass.
    Mass,
    /// Mass per time.
    MassFlow,
    /// A length of time.
    Duration,
    /// Pressure.
    Pressure,
    /// Pulses per litre.
    PulseFigure,
    /// Litres per pulse.
    PulseWeight,
    /// Frequency.
    Frequency,
    /// Angle.
    Angle,
    /// A share of a whole.
    Share,
    /// Speed.
    Speed,
    /// Energy per mass.
    SpecificEnergy,
    /// Acidity.
    Acidity,
    /// Mass per mass.
    MassShare,
    /// A time of day.
    Clock,
    /// A date, with or without a year.
    Date,
    /// A date with a time of day.
    DateTime,
    /// Text.
    Text,
    /// Single bits with meanings of their own.
    Bits,
    /// An address in an IP network.
    NetworkAddress,
    /// The code is not known.
    Unknown,
}

/// How a unit is written and how large it is: `factor × 10^exponent` of the quantity's base unit.
struct Definition {
    symbol: Option<&'static str>,
    quantity: Quantity,
    factor: i128,
    exponent: i8,
}

macro_rules! units {
    ($($(#[$doc:meta])* $code:literal $name:ident $symbol:expr, $quantity:ident, $factor:literal e $exponent:literal;)*) => {
        impl Unit {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Every unit with a known meaning.
            pub const KNOWN: &'static [Self] = &[$(Self($code)),*];

            const fn definition(self) -> Definition {
                match self.0 {
                    $($code => Definition {
                        symbol: $symbol,
                        quantity: Quantity::$quantity,
                        factor: $factor,
                        exponent: $exponent,
                    },)*
                    _ => Definition { symbol: None, quantity: Quantity::Unknown, factor: 1, exponent: 0 },
                }
            }
        }
    };
}

// Base units: J, W, m³, m³/h, °C, K, t, t/h, s, and the first of each electrical quantity.
// 1 cal = 4.1868 J (international table), 1 US gal = 3.785411784 l.
units! {
    /// No unit.
    0 NONE None, Number, 1 e 0;
    /// Watt-hours.
    1 WH Some("Wh"), Energy, 3600 e 0;
    /// Kilowatt-hours.
    2 KWH Some("kWh"), Energy, 3600 e 3;
    /// Megawatt-hours.
    3 MWH Some("MWh"), Energy, 3600 e 6;
    /// Gigawatt-hours.
    4 GWH Some("GWh"), Energy, 3600 e 9;
    /// Joules.
    5 J Some("J"), Energy, 1 e 0;
    /// Kilojoules.
    6 KJ Some("kJ"), Energy, 1 e 3;
    /// Megajoules.
    7 MJ Some("MJ"), Energy, 1 e 6;
    /// Gigajoules.
    8 GJ Some("GJ"), Energy, 1 e 9;
    /// Calories.
    9 CAL Some("cal"), Energy, 41_868 e -4;
    /// Kilocalories.
    10 KCAL Some("kcal"), Energy, 41_868 e -1;
    /// Megacalories.
    11 MCAL Some("Mcal"), Energy, 41_868 e 2;
    /// Gigacalories.
    12 GCAL Some("Gcal"), Energy, 41_868 e 5;
    /// Var-hours.
    13 VARH Some("varh"), ReactiveEnergy, 1 e 0;
    /// Kilovar-hours.
    14 KVARH Some("kvarh"), ReactiveEnergy, 1 e 3;
    /// Megavar-hours.
    15 MVARH Some("Mvarh"), ReactiveEnergy, 1 e 6;
    /// Gigavar-hours.
    16 GVARH Some("Gvarh"), ReactiveEnergy, 1 e 9;
    /// Volt-ampere-hours.
    17 VAH Some("VAh"), ApparentEnergy, 1 e 0;
    /// Kilovolt-ampere-hours.
    18 KVAH Some("kVAh"), ApparentEnergy, 1 e 3;
    /// Megavolt-ampere-hours.
    19 MVAH Some("MVAh"), ApparentEnergy, 1 e 6;
    /// Gigavolt-ampere-hours.
    20 GVAH Some("GVAh"), ApparentEnergy, 1 e 9;
    /// Watts.
    21 W Some("W"), Power, 1 e 0;
    /// Kilowatts.
    22 KW Some("kW"), Power, 1 e 3;
    /// Megawatts.
    23 MW Some("MW"), Power, 1 e 6;
    /// Gigawatts.
    24 GW Some("GW"), Power, 1 e 9;
    /// Vars.
    25 VAR Some("var"), ReactivePower, 1 e 0;
    /// Kilovars.
    26 KVAR Some("kvar"), ReactivePower, 1 e 3;
    /// Megavars.
    27 MVAR Some("Mvar"), ReactivePower, 1 e 6;
    /// Gigavars.
    28 GVAR Some("Gvar"), ReactivePower, 1 e 9;
    /// Volt-amperes.
    29 VA Some("VA"), ApparentPower, 1 e 0;
    /// Kilovolt-amperes.
    30 KVA Some("kVA"), ApparentPower, 1 e 3;
    /// Megavolt-amperes.
    31 MVA Some("MVA"), ApparentPower, 1 e 6;
    /// Gigavolt-amperes.
    32 GVA Some("GVA"), ApparentPower, 1 e 9;
    /// Volts.
    33 V Some("V"), Voltage, 1 e 0;
    /// Amperes.
    34 A Some("A"), Current, 1 e 0;
    /// Kilovolts.
    35 KV Some("kV"), Voltage, 1 e 3;
    /// Kiloamperes.
    36 KA Some("kA"), Current, 1 e 3;
    /// Degrees Celsius.
    37 CELSIUS Some("°C"), Temperature, 1 e 0;
    /// Kelvin, for differences.
    38 KELVIN Some("K"), TemperatureDifference, 1 e 0;
    /// Litres.
    39 LITRE Some("l"), Volume, 1 e -3;
    /// Cubic metres.
    40 CUBIC_METRE Some("m³"), Volume, 1 e 0;
    /// Litres per hour.
    41 LITRE_PER_HOUR Some("l/h"), VolumeFlow, 1 e -3;
    /// Cubic metres per hour.
    42 CUBIC_METRE_PER_HOUR Some("m³/h"), VolumeFlow, 1 e 0;
    /// Cubic metres times degrees Celsius. Not an energy, though meters call it E8 and E9.
    43 CUBIC_METRE_CELSIUS Some("m³·°C"), VolumeTemperature, 1 e 0;
    /// Tonnes.
    44 TONNE Some("t"), Mass, 1 e 0;
    /// Tonnes per hour.
    45 TONNE_PER_HOUR Some("t/h"), MassFlow, 1 e 0;
    /// Hours.
    46 HOUR Some("h"), Duration, 3600 e 0;
    /// A time of day, its digits HHMMSS.
    47 CLOCK None, Clock, 1 e 0;
    /// A date, its digits YYMMDD.
    48 DATE1 None, Date, 1 e 0;
    /// A date, its digits YYYYMMDD (inferred from the name `yyyy:mm:dd`).
    49 DATE2 None, Date, 1 e 0;
    /// A day of the year, its digits MMDD.
    50 DATE3 None, Date, 1 e 0;
    /// A plain number.
    51 NUMBER None, Number, 1 e 0;
    /// Bars.
    52 BAR Some("bar"), Pressure, 1 e 0;
    /// Date and time of a real-time clock, eight bytes.
    53 RTC None, DateTime, 1 e 0;
    /// Characters.
    54 ASCII None, Text, 1 e 0;
    /// Tens of cubic metres.
    55 TEN_CUBIC_METRE Some("m³×10"), Volume, 1 e 1;
    /// Tens of tonnes.
    56 TEN_TONNE Some("t×10"), Mass, 1 e 1;
    /// Tens of gigajoules.
    57 TEN_GJ Some("GJ×10"), Energy, 1 e 10;
    /// Minutes.
    58 MINUTE Some("min"), Duration, 60 e 0;
    /// Bits, the highest first.
    59 BITS None, Bits, 1 e 0;
    /// Seconds.
    60 SECOND Some("s"), Duration, 1 e 0;
    /// Milliseconds.
    61 MILLISECOND Some("ms"), Duration, 1 e -3;
    /// Days.
    62 DAY Some("d"), Duration, 86_400 e 0;
    /// Date and time of a real-time clock, eight bytes, with a quality flag less than [`Unit::RTC`].
    63 RTC_Q None, DateTime, 1 e 0;
    /// A date and time whose layout is not public: left as a number.
    64 DATETIME None, Number, 1 e 0;
    /// Pulses per litre.
    65 PULSE_PER_LITRE Some("imp/l"), PulseFigure, 1 e 0;
    /// Litres per pulse.
    66 LITRE_PER_PULSE Some("l/imp"), PulseWeight, 1 e 0;
    /// Hertz.
    67 HERTZ Some("Hz"), Frequency, 1 e 0;
    /// Degrees of an angle.
    68 DEGREE Some("°"), Angle, 1 e 0;
    /// Per cent.
    69 PERCENT Some("%"), Share, 1 e 0;
    /// US gallons.
    70 US_GALLON Some("US gal"), Volume, 3_785_411_784 e -12;
    /// US gallons per minute.
    71 US_GALLON_PER_MINUTE Some("US gal/min"), VolumeFlow, 22_712_470_704 e -11;
    /// Seconds since 2000-01-01 after a byte of flags.
    72 KAM_DATE_TIME None, DateTime, 1 e 0;
    /// An IPv4 address.
    73 IPV4 None, NetworkAddress, 1 e 0;
    /// An IPv6 address.
    74 IPV6 None, NetworkAddress, 1 e 0;
    /// Date and time with minutes of summer time, seven bytes.
    79 DATE_TIME_DST None, DateTime, 1 e 0;
    /// Per cent of relative humidity.
    85 RELATIVE_HUMIDITY Some("%RH"), Share, 1 e 0;
    /// Per cent of oxygen.
    86 OXYGEN Some("%O2"), Share, 1 e 0;
    /// Metres per second.
    87 METRE_PER_SECOND Some("m/s"), Speed, 1 e 0;
    /// Kilojoules per kilogram.
    88 KJ_PER_KG Some("kJ/kg"), SpecificEnergy, 1 e 0;
    /// Acidity.
    89 PH Some("pH"), Acidity, 1 e 0;
    /// Grams per kilogram.
    90 GRAM_PER_KILOGRAM Some("g/kg"), MassShare, 1 e 0;
}

impl Unit {
    /// The unit with this symbol.
    ///
    /// ```
    /// use kamstrup_kmp::Unit;
    ///
    /// assert_eq!(Unit::from_symbol("GJ"), Some(Unit::GJ));
    /// assert_eq!(Unit::from_symbol("furlong"), None);
    /// ```
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Self::KNOWN
            .iter()
            .copied()
            .find(|unit| unit.symbol() == Some(symbol))
    }

    /// How the unit is written, `None` for what has no unit of measure: numbers, dates, text, bits.
    pub const fn symbol(self) -> Option<&'static str> {
        self.definition().symbol
    }

    /// What the unit measures.
    pub const fn quantity(self) -> Quantity {
        self.definition().quantity
    }

    /// Whether the code has a known meaning.
    pub const fn is_known(self) -> bool {
        !matches!(self.quantity(), Quantity::Unknown)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol() {
            Some(symbol) => f.pad(symbol),
            None if self.is_known() => Ok(()),
            None => write!(f, "unit {}", self.0),
        }
    }
}

/// The same amount in another unit, exactly.
///
/// ```
/// use kamstrup_kmp::{ConvertError, Decimal, Unit, convert};
///
/// let energy = convert(Decimal::new(1_234_567, -3), Unit::MWH, Unit::GJ)?;
/// assert_eq!(energy.to_string(), "4444.4412");
/// // 1 GJ is 277.777… kWh: no decimal says that exactly.
/// assert!(matches!(
///     convert(Decimal::new(1, 0), Unit::GJ, Unit::KWH),
///     Err(ConvertError::NotExact { .. }),
/// ));
/// # Ok::<(), ConvertError>(())
/// ```
pub fn convert(amount: Decimal, from: Unit, to: Unit) -> Result<Decimal, ConvertError> {
    let (numerator, denominator, exponent) = factor(amount, from, to)?;
    let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
    let divide = |n: i128| {
        i128::try_from(divisor)
            .ok()
            .and_then(|d| n.checked_div(d))
            .unwrap_or(n)
    };
    let (mut mantissa, mut rest) = (divide(numerator), divide(denominator));
    let mut exponent = exponent;
    // What is left of the denominator must be made of twos and fives to be a decimal.
    while rest > 1 {
        let by = match (
            rest.checked_rem(10),
            rest.checked_rem(2),
            rest.checked_rem(5),
        ) {
            (Some(0), _, _) => 1,
            (_, Some(0), _) => 5,
            (_, _, Some(0)) => 2,
            _ => return Err(ConvertError::NotExact { from, to }),
        };
        rest = rest.checked_mul(by).map_or(rest, |r| r / 10);
        mantissa = mantissa
            .checked_mul(by)
            .ok_or(ConvertError::TooLarge { from, to })?;
        exponent = exponent
            .checked_sub(1)
            .ok_or(ConvertError::TooLarge { from, to })?;
    }
    let exact = Decimal::new(mantissa, exponent);
    // Trailing zeros that the arithmetic brought in say nothing; those of the amount are kept.
    Ok(trim(exact, amount.exponent().min(0)))
}

/// The same amount in another unit, rounded to a resolution where it has no exact decimal: for
/// people's eyes only.
pub fn convert_rounded(
    amount: Decimal,
    from: Unit,
    to: Unit,
    exponent: i8,
) -> Result<Decimal, ConvertError> {
    let (numerator, denominator, scale) = factor(amount, from, to)?;
    // Three digits more than asked for, then round.
    let working = exponent.saturating_sub(3);
    let shift = i16::from(scale).saturating_sub(i16::from(working));
    let power =
        power_of_ten(u32::from(shift.unsigned_abs())).ok_or(ConvertError::TooLarge { from, to })?;
    let quotient = if shift >= 0 {
        numerator
            .checked_mul(power)
            .and_then(|n| n.checked_div(denominator))
    } else {
        denominator
            .checked_mul(power)
            .and_then(|d| numerator.checked_div(d))
    };
    let mantissa = quotient.ok_or(ConvertError::TooLarge { from, to })?;
    Ok(Decimal::new(mantissa, working).round(exponent))
}

/// Why an amount has no exact value in another unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvertError {
    /// The units measure different things.
    DifferentQuantities {
        /// The unit given.
        from: Unit,
        /// The unit asked for.
        to: Unit,
    },
    /// The result has no end as a decimal.
    NotExact {
        /// The unit given.
        from: Unit,
        /// The unit asked for.
        to: Unit,
    },
    /// The result has more than 38 digits.
    TooLarge {
        /// The unit given.
        from: Unit,
        /// The unit asked for.
        to: Unit,
    },
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DifferentQuantities { from, to } => {
                write!(f, "`{from}` and `{to}` measure different things")
            }
            Self::NotExact { from, to } => {
                write!(
                    f,
                    "this amount of `{from}` has no exact decimal value in `{to}`; round it"
                )
            }
            Self::TooLarge { from, to } => {
                write!(
                    f,
                    "this amount of `{from}` needs more than 38 digits in `{to}`"
                )
            }
        }
    }
}

impl core::error::Error for ConvertError {}

/// The amount in `to` is `numerator / denominator × 10^exponent`.
fn factor(amount: Decimal, from: Unit, to: Unit) -> Result<(i128, i128, i8), ConvertError> {
    let (source, target) = (from.definition(), to.definition());
    if source.quantity != target.quantity || source.quantity == Quantity::Unknown && from != to {
        return Err(ConvertError::DifferentQuantities { from, to });
    }
    if from == to {
        return Ok((amount.mantissa(), 1, amount.exponent()));
    }
    let too_large = ConvertError::TooLarge { from, to };
    let numerator = amount
        .mantissa()
        .checked_mul(source.factor)
        .ok_or(too_large)?;
    let exponent = amount
        .exponent()
        .checked_add(source.exponent)
        .and_then(|e| e.checked_sub(target.exponent))
        .ok_or(too_large)?;
    Ok((numerator, target.factor, exponent))
}

/// Drops zeros at the end, down to a resolution.
fn trim(number: Decimal, coarsest: i8) -> Decimal {
    let mut number = number;
    while number.exponent() < coarsest {
        let Some(shorter) = number
            .exponent()
            .checked_add(1)
            .and_then(|e| number.rescale(e))
        else {
            break;
        };
        number = shorter;
    }
    number
}

const fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn disputed_codes_are_watts_and_vars() {
        assert_eq!(Unit(21).to_string(), "W");
        assert_eq!(Unit(25).to_string(), "var");
    }

    #[test]
    fn every_code_can_be_shown() {
        for code in 0..=u8::MAX {
            let unit = Unit(code);
            assert_eq!(unit.is_known(), Unit::KNOWN.contains(&unit));
            if !unit.is_known() {
                assert_eq!(unit.to_string(), alloc::format!("unit {code}"));
            }
        }
    }

    #[test]
    fn symbols_name_one_unit_each() {
        for unit in Unit::KNOWN {
            if let Some(symbol) = unit.symbol() {
                assert_eq!(Unit::from_symbol(symbol), Some(*unit), "{symbol}");
            }
        }
    }

    #[test]
    fn energy_converts_exactly_where_a_decimal_exists() {
        let one = |from, to| convert(Decimal::new(1, 0), from, to).map(|d| d.to_string());
        assert_eq!(one(Unit::KWH, Unit::MJ).as_deref(), Ok("3.6"));
        assert_eq!(one(Unit::GCAL, Unit::GJ).as_deref(), Ok("4.1868"));
        assert_eq!(one(Unit::GCAL, Unit::KWH).as_deref(), Ok("1163"));
        assert_eq!(one(Unit::MWH, Unit::KWH).as_deref(), Ok("1000"));
        assert_eq!(one(Unit::TEN_GJ, Unit::GJ).as_deref(), Ok("10"));
        assert_eq!(
            one(Unit::US_GALLON_PER_MINUTE, Unit::LITRE_PER_HOUR).as_deref(),
            Ok("227.12470704")
        );
        assert_eq!(one(Unit::DAY, Unit::HOUR).as_deref(), Ok("24"));
    }

    #[test]
    fn resolution_survives_conversion() {
        let volume = convert(Decimal::new(71_030, -3), Unit::CUBIC_METRE, Unit::LITRE).unwrap();
        assert_eq!(volume.to_string(), "71030");
        let same = convert(Decimal::new(500, -2), Unit::GJ, Unit::GJ).unwrap();
        assert_eq!(same.to_string(), "5.00");
    }

    #[test]
    fn what_has_no_exact_value_is_said_and_can_be_rounded() {
        let amount = Decimal::new(84_817, -3);
        assert_eq!(
            convert(amount, Unit::GJ, Unit::KWH),
            Err(ConvertError::NotExact {
                from: Unit::GJ,
                to: Unit::KWH
            })
        );
        assert_eq!(
            convert_rounded(amount, Unit::GJ, Unit::KWH, -2)
                .unwrap()
                .to_string(),
            "23560.28"
        );
        assert_eq!(
            convert_rounded(Decimal::new(-1, 0), Unit::GJ, Unit::KWH, 0)
                .unwrap()
                .to_string(),
            "-278"
        );
    }

    #[test]
    fn different_quantities_do_not_convert() {
        let error = convert(Decimal::ZERO, Unit::KWH, Unit::CUBIC_METRE).unwrap_err();
        assert_eq!(error.to_string(), "`kWh` and `m³` measure different things");
        assert!(convert(Decimal::ZERO, Unit::CELSIUS, Unit::KELVIN).is_err());
        assert!(convert(Decimal::ZERO, Unit(200), Unit(201)).is_err());
    }

    proptest! {
        #[test]
        fn exact_conversions_come_back(
            mantissa in -1_000_000_000_i64..1_000_000_000,
            decimals in 0_i8..6,
            from in 0_usize..Unit::KNOWN.len(),
            to in 0_usize..Unit::KNOWN.len(),
        ) {
            let (from, to) = (Unit::KNOWN[from], Unit::KNOWN[to]);
            let amount = Decimal::new(i128::from(mantissa), -decimals);
            if let Ok(there) = convert(amount, from, to) {
                prop_assert_eq!(convert(there, to, from), Ok(amount));
            }
        }
    }
}
