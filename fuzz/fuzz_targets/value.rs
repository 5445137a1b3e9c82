//! Any bytes behind any unit and scale: a value that can be shown, compared and converted; what was
//! valid is the same after it was written and read again.
#![no_main]

use kamstrup_kmp::{Decimal, Scale, Unit, Value, convert, convert_rounded};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, u8, Vec<u8>)| {
    let (unit, scale, other, bytes) = input;
    let (unit, other) = (Unit(unit), Unit(other));
    let value = Value::decode(unit, Scale(scale), &bytes);
    let shown = value.to_string();

    if let Value::Number(number) = value {
        let read: Decimal = shown.parse().unwrap_or(number);
        assert_eq!(read, number);
        assert_eq!(number.rescale(number.exponent()), Some(number));
        assert!(number.to_f64().is_finite());
        if let Ok(there) = convert(number, unit, other)
            && let Ok(back) = convert(there, other, unit)
        {
            assert_eq!(back, number);
        }
        let _ = convert_rounded(number, unit, other, -3);
        let _ = number
            .round(0)
            .checked_add(number)
            .and_then(|sum| sum.checked_mul(number));
    }
    if let (true, Ok(length)) = (value.is_valid(), u8::try_from(bytes.len())) {
        let mut again = Vec::new();
        if let Ok(scale) = value.encode(unit, length, &mut again) {
            assert_eq!(Value::decode(unit, scale, &again), value);
        }
    }
});
