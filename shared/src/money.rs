//! Amounts of money, in whole numbers: billionths of a unit of a currency.
//!
//! A token costs a small part of a cent, so cents would round everything away; and sums of fractions differ by the order in
//! which they are added. Billionths are exact for every price that is written with up to nine digits behind the point.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// So many billionths make one unit of a currency.
const BILLION: i64 = 1_000_000_000;

/// The currency of prices and budgets that name none.
pub const USUAL: &str = "USD";

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// Billionths of a unit of the currency: 1500000000 is one and a half dollars.
    pub nanos: i64,
    /// ISO 4217 code of the currency.
    pub currency: String,
}

impl Money {
    /// So many units of a currency, to the nearest billionth. What no amount can be is brought into bounds.
    #[must_use]
    pub fn of_units(units: f64, currency: &str) -> Self {
        Self {
            nanos: nanos(units),
            currency: currency.to_owned(),
        }
    }
}

/// Units as billionths, to the nearest; a conversion of numbers brings what is out of bounds into them.
pub(crate) fn nanos(units: f64) -> i64 {
    (units * 1e9).round() as i64
}

/// Whether a text is the code of a currency: three capital letters. That there is such a currency is not looked at.
#[must_use]
pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// As people read it: `12.34 USD`, with as many digits behind the point as matter, and at least two.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let (whole, part) = (
            self.nanos.unsigned_abs() / BILLION.unsigned_abs(),
            self.nanos.unsigned_abs() % BILLION.unsigned_abs(),
        );
        let part = format!("{part:09}");
        let kept = part.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{} {}", &part[..kept], self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_exactly() {
        for (units, told) in [
            (0.0, "0.00 USD"),
            (1.5, "1.50 USD"),
            (0.000_000_15, "0.00000015 USD"),
            (1234.5678, "1234.5678 USD"),
            (0.000_000_000_4, "0.00 USD"),
            (-2.25, "-2.25 USD"),
            (f64::MAX, "9223372036.854775807 USD"),
            (f64::NAN, "0.00 USD"),
        ] {
            assert_eq!(Money::of_units(units, USUAL).to_string(), told, "{units}");
        }
    }

    #[test]
    fn currencies_go_by_three_capital_letters() {
        for (text, expected) in [
            ("USD", true),
            ("EUR", true),
            ("usd", false),
            ("US", false),
            ("ÄÖ", false),
            ("", false),
        ] {
            assert_eq!(is_currency(text), expected, "{text}");
        }
    }
}
