//! Bounds of numbers: what `minimum`, `maximum` and the integer formats of a schema say together, in one sentence.

use serde_json::{Map, Number, Value};

use super::keyword;

/// What is wrong with a number, when it is outside the bounds its schema sets.
pub(super) fn outside(keywords: &Map<String, Value>, number: &Number) -> Option<String> {
    let (minimum, maximum) = (keyword(keywords, "minimum"), keyword(keywords, "maximum"));
    let format = keyword(keywords, "format")
        .and_then(Value::as_str)
        .and_then(integer_range);
    match integer(number) {
        Some(given) => {
            let low = minimum
                .and_then(whole)
                .into_iter()
                .chain(format.map(|(low, _)| low))
                .max();
            let high = maximum
                .and_then(whole)
                .into_iter()
                .chain(format.map(|(_, high)| high))
                .min();
            bounds(&given, low, high, number)
        }
        None => bounds(
            &number.as_f64()?,
            minimum.and_then(Value::as_f64),
            maximum.and_then(Value::as_f64),
            number,
        ),
    }
}

fn bounds<T: PartialOrd + std::fmt::Display>(
    given: &T,
    low: Option<T>,
    high: Option<T>,
    number: &Number,
) -> Option<String> {
    match (low, high) {
        (Some(low), _) if *given < low => Some(format!("{number} is too small; the least allowed is {low}")),
        (_, Some(high)) if *given > high => Some(format!("{number} is too large; the most allowed is {high}")),
        (_, _) => None,
    }
}

fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// A bound as a whole number; schemars writes some of them as `1.0`.
fn whole(bound: &Value) -> Option<i128> {
    let number = bound.as_number()?;
    #[expect(clippy::cast_possible_truncation, reason = "bounds are small; the cast saturates")]
    integer(number).or_else(|| number.as_f64().map(|bound| bound as i128))
}

/// What fits into Rust's integer types. Those of 64 bits and more hold whatever a manifest can say, but for the sign.
fn integer_range(format: &str) -> Option<(i128, i128)> {
    match format {
        "int8" => Some((i8::MIN.into(), i8::MAX.into())),
        "int16" => Some((i16::MIN.into(), i16::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "int64" | "int" => Some((i64::MIN.into(), i64::MAX.into())),
        "uint8" => Some((0, u8::MAX.into())),
        "uint16" => Some((0, u16::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        "uint64" | "uint" => Some((0, u64::MAX.into())),
        _ => None,
    }
}
