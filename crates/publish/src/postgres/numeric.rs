//! A decimal as PostgreSQL's `numeric`, digit by digit.
//!
//! The binary form: number of digits, weight of the first one, sign, decimals to show, then the
//! digits to the base 10,000. Source: `numeric_send` in PostgreSQL's `numeric.c`.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use kamstrup_kmp::Decimal;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

const NEGATIVE: u16 = 0x4000;

/// How many decimal digits there are in one of PostgreSQL's.
const GROUP: usize = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric(pub(super) Decimal);

impl ToSql for Numeric {
    accepts!(NUMERIC);
    to_sql_checked!();

    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Self(number) = *self;
        let decimals = usize::from(number.exponent().min(0).unsigned_abs());
        let mut digits = number.mantissa().unsigned_abs().to_string();
        if !number.is_zero() {
            digits.extend(std::iter::repeat_n(
                '0',
                usize::try_from(number.exponent().max(0))?,
            ));
        }
        // The decimal point stands between two groups: fill up on both sides of it.
        let after = decimals.next_multiple_of(GROUP);
        digits.extend(std::iter::repeat_n('0', after - decimals));
        let length = digits.len().next_multiple_of(GROUP);
        let digits = format!("{digits:0>length$}");
        let mut groups = digits
            .as_bytes()
            .chunks(GROUP)
            .map(|group| Ok(std::str::from_utf8(group)?.parse()?))
            .collect::<Result<Vec<u16>, Box<dyn Error + Sync + Send>>>()?;
        let mut weight = i16::try_from(groups.len())? - i16::try_from(after / GROUP)? - 1;
        let leading = groups.iter().take_while(|group| **group == 0).count();
        groups.drain(..leading);
        weight -= i16::try_from(leading)?;
        while groups.last() == Some(&0) {
            groups.pop();
        }
        if groups.is_empty() {
            weight = 0;
        }
        out.put_u16(u16::try_from(groups.len())?);
        out.put_i16(weight);
        out.put_u16(if number.is_negative() { NEGATIVE } else { 0 });
        out.put_u16(u16::try_from(decimals)?);
        for group in groups {
            out.put_u16(group);
        }
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(number: Decimal) -> Vec<u16> {
        let mut out = BytesMut::new();
        Numeric(number).to_sql(&Type::NUMERIC, &mut out).unwrap();
        out.chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect()
    }

    // That the real server reads the same numbers is in tests/it.
    #[test]
    fn digits_stand_in_groups_of_four_around_the_point() {
        assert_eq!(words(Decimal::new(84_817, -3)), [2, 0, 0, 3, 84, 8170]);
        assert_eq!(words(Decimal::new(-5, -6)), [1, 0xfffe, NEGATIVE, 6, 500]);
        assert_eq!(words(Decimal::new(12, 4)), [1, 1, 0, 0, 12]);
        assert_eq!(words(Decimal::new(0, -1)), [0, 0, 0, 1]);
    }
}
