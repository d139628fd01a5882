//! Amounts as people write them: `30s`, `512Mi`, `"0.5"`.
//!
//! Each type keeps the text it was read from, since a spec is printed exactly as written, and compares by what the text
//! means: `60s` equals `1m`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct QuantityError {
    given: String,
    expected: &'static str,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($amount:ty), $schema:literal, $pattern:literal, $expected:literal, $parse:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            text: String,
            amount: $amount,
        }

        impl $name {
            /// What a text must look like to be one of these.
            pub const EXPECTED: &'static str = $expected;
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.amount == other.amount
            }
        }

        impl Eq for $name {}

        impl FromStr for $name {
            type Err = QuantityError;

            fn from_str(text: &str) -> Result<Self, QuantityError> {
                match $parse(text) {
                    Some(amount) => Ok(Self { text: text.to_owned(), amount }),
                    None => Err(QuantityError { given: text.to_owned(), expected: $expected }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schemars::json_schema!({"type": "string", "format": $pattern, "description": $expected})
            }
        }
    };
}

quantity! {
    /// A length of time: whole or decimal numbers with units, joined: `250ms`, `30s`, `1h30m`, `4h`, `2d`.
    Span(u64), "Duration", "duration", "a duration such as 250ms, 30s, 5m or 1h30m", milliseconds
}

quantity! {
    /// An amount of memory in bytes: a number with an optional unit, `512Mi`, `1Gi`, `500M`.
    Size(u64), "Size", "size", "a size such as 64Mi, 512Mi or 2Gi", bytes
}

quantity! {
    /// An amount of processor time: cores (`"2"`, `"0.5"`) or thousandths of one (`500m`).
    Cpu(u64), "Cpu", "cpu", "a number of cores such as 2, 0.5 or 500m", millicores
}

impl Span {
    /// The span as the standard library has it.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        Duration::from_millis(self.amount)
    }

    /// A span of so many seconds, for defaults.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self {
            text: format!("{seconds}s"),
            amount: seconds * 1000,
        }
    }
}

impl Size {
    /// How many bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.amount
    }
}

impl Cpu {
    /// How many thousandths of a core.
    #[must_use]
    pub const fn millicores(&self) -> u64 {
        self.amount
    }
}

/// Splits `1h30m` into numbers and units; `None` when a number is missing or malformed.
fn terms(text: &str) -> Option<Vec<(f64, &str)>> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        if number.starts_with('.') || number.ends_with('.') {
            return None;
        }
        terms.push((number.parse().ok()?, &tail[..unit]));
        rest = &tail[unit..];
    }
    (!terms.is_empty()).then_some(terms)
}

fn whole(amount: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked first"
    )]
    (amount.is_finite() && (0.0..9e15).contains(&amount)).then_some(amount.round() as u64)
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut total = 0.0;
    for (number, unit) in terms(text)? {
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3600e3,
            "d" => 86_400e3,
            _ => return None,
        };
        total += number * factor;
    }
    whole(total)
}

fn bytes(text: &str) -> Option<u64> {
    let [(number, unit)] = terms(text)?[..] else {
        return None;
    };
    let power: f64 = match unit {
        "" => 1.0,
        "K" | "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    whole(number * power)
}

fn millicores(text: &str) -> Option<u64> {
    let [(number, unit)] = terms(text)?[..] else {
        return None;
    };
    match unit {
        "" => whole(number * 1000.0),
        "m" => whole(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, amount) in [
            ("30s", Some(30_000)),
            ("250ms", Some(250)),
            ("1h30m", Some(5_400_000)),
            ("0s", Some(0)),
            ("1.5s", Some(1500)),
            ("2d", Some(172_800_000)),
            ("30", None),
            ("s", None),
            ("-1s", None),
            ("1 s", None),
            ("1.s", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), amount, "{text}");
        }
        for (text, amount) in [
            ("512Mi", Some(512 << 20)),
            ("1k", Some(1000)),
            ("7", Some(7)),
            ("1GiB", None),
            ("1Mi1Mi", None),
        ] {
            assert_eq!(bytes(text), amount, "{text}");
        }
        for (text, amount) in [("2", Some(2000)), ("0.5", Some(500)), ("250m", Some(250)), ("1c", None)] {
            assert_eq!(millicores(text), amount, "{text}");
        }
    }

    #[test]
    fn equal_in_meaning_printed_as_written() {
        let (a, b): (Span, Span) = ("60s".parse().unwrap(), "1m".parse().unwrap());
        assert_eq!(a, b);
        assert_eq!((a.to_string(), b.to_string()), ("60s".into(), "1m".into()));
    }
}
