//! How values stand in columns.

use heatmeter_catalog::RegisterId;
use heatmeter_catalog::reading::{Content, Quality, Reading};
use jiff::Timestamp;
use kamstrup_kmp::{Decimal, Unit, Verdict};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Result, Row};

/// A mantissa: an integer, or text where it has more than 63 bits.
pub(crate) struct Mantissa(pub(crate) i128);

impl ToSql for Mantissa {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match i64::try_from(self.0) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Text(self.0.to_string()),
        }))
    }
}

impl FromSql for Mantissa {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self(i128::from(number))),
            ValueRef::Text(_) => value
                .as_str()?
                .parse()
                .map(Self)
                .map_err(|_| FromSqlError::InvalidType),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// A verdict by its code; NULL is `ok`.
pub(crate) struct VerdictCode(pub(crate) Verdict);

impl ToSql for VerdictCode {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Verdict::Ok => ToSqlOutput::Owned(Value::Null),
            other => ToSqlOutput::from(other.code()),
        })
    }
}

impl FromSql for VerdictCode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Self(Verdict::Ok)),
            _ => Verdict::from_code(value.as_str()?)
                .map(Self)
                .ok_or(FromSqlError::InvalidType),
        }
    }
}

/// A quality by its word; NULL is `good`.
pub(crate) struct QualityWord(pub(crate) Quality);

impl ToSql for QualityWord {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Quality::Good => ToSqlOutput::Owned(Value::Null),
            other => ToSqlOutput::from(other.word()),
        })
    }
}

impl FromSql for QualityWord {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let ValueRef::Null = value else {
            let word = value.as_str()?;
            return Quality::ALL
                .into_iter()
                .find(|quality| quality.word() == word)
                .map(Self)
                .ok_or(FromSqlError::InvalidType);
        };
        Ok(Self(Quality::Good))
    }
}

/// A moment in milliseconds. Moments that no calendar knows are damage.
pub(crate) struct Millisecond(pub(crate) Timestamp);

impl FromSql for Millisecond {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_millisecond(value.as_i64()?)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(0))
    }
}

/// The columns of a reading, for writing.
pub(crate) struct ReadingColumns<'a> {
    pub(crate) quality: QualityWord,
    pub(crate) unit: Option<u8>,
    pub(crate) exponent: Option<i8>,
    pub(crate) mantissa: Option<Mantissa>,
    pub(crate) text: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
}

impl<'a> From<&'a Reading> for ReadingColumns<'a> {
    fn from(reading: &'a Reading) -> Self {
        let number = reading.number();
        Self {
            quality: QualityWord(reading.quality),
            unit: reading.unit.map(|unit| unit.0),
            exponent: number.map(Decimal::exponent),
            mantissa: number.map(|number| Mantissa(number.mantissa())),
            text: match &reading.value {
                Some(Content::Text(text)) => Some(text),
                _ => None,
            },
            reason: reading.reason.as_deref(),
        }
    }
}

/// A reading from the columns `register, quality, unit, exponent, mantissa, text, reason`.
pub(crate) fn reading(row: &Row<'_>, from: usize) -> Result<Reading> {
    let text: Option<String> = row.get(from + 5)?;
    let value = match (number(row, from + 3)?, text) {
        (Some(number), _) => Some(Content::Number(number)),
        (None, Some(text)) => Some(Content::Text(text)),
        (None, None) => None,
    };
    Ok(Reading {
        register: RegisterId(row.get(from)?),
        quality: row.get::<_, QualityWord>(from + 1)?.0,
        unit: row.get::<_, Option<u8>>(from + 2)?.map(Unit),
        value,
        reason: row.get(from + 6)?,
    })
}

/// A number from the columns `exponent, mantissa`.
pub(crate) fn number(row: &Row<'_>, from: usize) -> Result<Option<Decimal>> {
    let exponent: Option<i8> = row.get(from)?;
    let mantissa: Option<Mantissa> = row.get(from + 1)?;
    Ok(exponent
        .zip(mantissa)
        .map(|(exponent, Mantissa(mantissa))| Decimal::new(mantissa, exponent)))
}
