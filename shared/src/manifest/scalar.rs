//! What an unquoted word means, after the core schema of YAML 1.2 (10.3.2): nothing, a truth value, a number, or text.
//!
//! Numbers are kept exactly or refused, never rounded in silence: what does not fit into 64 bits, has more digits than a
//! double holds, or begins with a zero (which YAML 1.1 takes for octal and 1.2 does not) must be quoted or written
//! otherwise.

use serde_json::{Number, Value};

/// Why a number cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An integer beyond 64 bits, or a double beyond its range.
    Range,
    /// More digits than a double keeps.
    Precision,
    /// Infinity or not-a-number, which JSON does not have.
    NotFinite,
    /// `0123`.
    LeadingZero,
}

impl Trouble {
    /// What is wrong with the number. It may be half of a password, so it is not repeated.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Range => "the number is out of range",
            Self::Precision => "the number has more digits than can be kept",
            Self::NotFinite => "that is not a number that can be kept",
            Self::LeadingZero => "the number begins with a zero; some YAML readers take it for octal",
        }
    }

    /// What to write instead.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::LeadingZero => "write it without the zero, or put it in quotes if it is text",
            Self::Range | Self::Precision | Self::NotFinite => "put it in quotes if it is text",
        }
    }
}

/// What an unquoted word means.
pub(super) fn resolve(word: &str) -> Result<Value, Trouble> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    // Most words are text, and say so with their first letter.
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(Value::String(word.to_owned()));
    }
    number(word).unwrap_or_else(|| Ok(Value::String(word.to_owned())))
}

/// The number a word is; `None` when it is no number.
pub(super) fn number(word: &str) -> Option<Result<Value, Trouble>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = word.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return Some(u64::from_str_radix(digits, radix).map_or(Err(Trouble::Range), |n| Ok(n.into())));
        }
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN") {
        return Some(Err(Trouble::NotFinite));
    }
    let decimal = Decimal::read(unsigned)?;
    if decimal.whole.len() > 1 && decimal.whole.starts_with('0') {
        return Some(Err(Trouble::LeadingZero));
    }
    if decimal.is_integer() {
        let digits = word.strip_prefix('+').unwrap_or(word);
        let integer = digits.parse::<i64>().map(Number::from);
        let number = integer.or_else(|_| digits.parse::<u64>().map(Number::from));
        return Some(number.map_or(Err(Trouble::Range), |number| Ok(Value::Number(number))));
    }
    Some(float(word, &decimal))
}

fn float(word: &str, decimal: &Decimal<'_>) -> Result<Value, Trouble> {
    let value: f64 = word.parse().map_err(|_| Trouble::Range)?;
    let number = Number::from_f64(value).ok_or(Trouble::Range)?;
    // Fifteen digits survive any double of ordinary size; beyond that, only what the double itself would print.
    let shortest = number.to_string();
    let kept = Decimal::read(shortest.trim_start_matches('-')).map(|kept| kept.significant());
    if kept.as_ref() == Some(&decimal.significant()) {
        Ok(Value::Number(number))
    } else if value == 0.0 {
        Err(Trouble::Range)
    } else {
        Err(Trouble::Precision)
    }
}

/// An unsigned decimal number, taken apart.
struct Decimal<'w> {
    whole: &'w str,
    fraction: Option<&'w str>,
    exponent: Option<&'w str>,
}

impl<'w> Decimal<'w> {
    fn read(word: &'w str) -> Option<Self> {
        let (mantissa, exponent) = match word.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (word, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let exponent_is_right = exponent.is_none_or(|exponent| {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !unsigned.is_empty() && digits(unsigned)
        });
        let some_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
        (digits(whole) && fraction.is_none_or(digits) && some_digit && exponent_is_right).then_some(Self {
            whole,
            fraction,
            exponent,
        })
    }

    const fn is_integer(&self) -> bool {
        self.fraction.is_none() && self.exponent.is_none()
    }

    /// The digits without zeros at either end, and the power of ten of the last one: equal for equal numbers.
    fn significant(&self) -> (String, i64) {
        let fraction = self.fraction.unwrap_or_default();
        let all = format!("{}{fraction}", self.whole);
        let trimmed = all.trim_end_matches('0');
        let dropped = all.len() - trimmed.len();
        let digits = trimmed.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return (digits, 0);
        }
        let exponent: i64 = self
            .exponent
            .map_or(0, |exponent| exponent.parse().unwrap_or(i64::MAX / 2));
        let shift =
            i64::try_from(dropped).unwrap_or(i64::MAX / 4) - i64::try_from(fraction.len()).unwrap_or(i64::MAX / 4);
        (digits, exponent.saturating_add(shift))
    }
}
