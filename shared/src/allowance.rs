//! What may be spent on models: so many tokens and so much money in a day, in a month, or once and for all. Pure.
//!
//! An [`Allowance`] is what people write. A [`Purse`] is what it comes to at an instant: whose it is, since when spending
//! counts, and a [`Bound`] in whole numbers, which says whether one more call fits.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Report;
use crate::money::{Money, USUAL, is_currency};
use crate::resource::Timestamp;

/// Milliseconds of a day, which in UTC all have the same.
const DAY: i64 = 24 * 3600 * 1000;

/// What may be spent on models in a period. Stored ones may hold fields of before there were periods, which no new one may.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Allowance {
    /// Tokens, in and out; those that the provider had cached count as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money, in units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost: Option<f64>,
    /// ISO 4217 code of the currency of `cost`. A model with a price in another one is refused. Default: USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When it begins anew. Days and months are those of UTC. Default: month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// When an allowance begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// Every day.
    Day,
    /// Every month, on its first day.
    #[default]
    Month,
    /// Never.
    Total,
}

impl Period {
    /// When the period that an instant lies in began: the start of the day or of the month in UTC. What never begins anew has
    /// begun in 1970.
    #[must_use]
    pub fn began(self, now: Timestamp) -> Timestamp {
        let today = day_of(now);
        match self {
            Self::Day => start_of(today),
            Self::Month => start_of(today - days_into_month(today)),
            Self::Total => start_of(0),
        }
    }

    /// When the next one begins; nothing when none does.
    #[must_use]
    pub fn ends(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Day => Some(start_of(day_of(now) + 1)),
            // No month is longer than 31 days, and none shorter than 28.
            Self::Month => Some(self.began(start_of(day_of(self.began(now)) + 31))),
            Self::Total => None,
        }
    }
}

/// The day that an instant lies in, in UTC, counted from 1970-01-01.
#[must_use]
pub const fn day_of(instant: Timestamp) -> i64 {
    instant.millis().div_euclid(DAY)
}

/// When a day begins.
#[must_use]
pub const fn start_of(day: i64) -> Timestamp {
    Timestamp::from_millis(day.saturating_mul(DAY))
}

/// How many days of its month are over before that day. What no calendar knows is the first of its month.
fn days_into_month(day: i64) -> i64 {
    let of_month = start_of(day).day_of_month();
    of_month.map_or(0, |of_month| i64::from(of_month) - 1)
}

impl Allowance {
    /// With the defaults filled in.
    #[must_use]
    pub fn effective(&self) -> Self {
        let currency = self.currency.clone();
        Self {
            tokens: self.tokens,
            cost: self.cost,
            currency: currency.or_else(|| self.cost.map(|_| USUAL.to_owned())),
            period: Some(self.period.unwrap_or_default()),
        }
    }

    /// Notes what is wrong with one that is written as `budget`.
    pub(crate) fn validate(&self, report: &mut Report) {
        if self.tokens.is_none() && self.cost.is_none() {
            report
                .missing("budget", "a budget bounds `tokens`, `cost` or both")
                .hint("to allow anything, leave out budget");
        }
        match &self.currency {
            Some(currency) if !is_currency(currency) => {
                report
                    .invalid("budget.currency", format!("`{currency}` is not a currency code"))
                    .hint("such as USD or EUR");
            }
            Some(_) if self.cost.is_none() => {
                report
                    .invalid("budget.currency", "only a cost has a currency")
                    .hint("give cost, or leave out currency");
            }
            Some(_) | None => {}
        }
    }

    /// The most that may be spent in a period.
    #[must_use]
    pub fn bound(&self) -> Bound {
        Bound {
            tokens: self.tokens.map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX)),
            cost: self
                .cost
                .map(|cost| Money::of_units(cost, self.currency.as_deref().unwrap_or(USUAL))),
        }
    }

    /// What somebody may spend by it at that instant.
    #[must_use]
    pub fn purse(&self, spender: Spender, now: Timestamp) -> Purse {
        Purse {
            spender,
            since: self.period.unwrap_or_default().began(now),
            bound: self.bound(),
        }
    }
}

/// Whose spending is bounded. It goes by the name: one that is made anew under it goes on where the one before stood.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spender {
    /// A token: its name, or `project/name` of one that lives in a project.
    Token(String),
    /// A project.
    Project(String),
}

impl fmt::Display for Spender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(name) => write!(f, "token/{name}"),
            Self::Project(name) => write!(f, "project/{name}"),
        }
    }
}

/// What somebody may spend in the period that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    /// Who.
    pub spender: Spender,
    /// Spending counts from then on: the beginning of a day in UTC.
    pub since: Timestamp,
    /// How much.
    pub bound: Bound,
}

/// The most that may be spent. What is absent is not bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// Tokens.
    pub tokens: Option<i64>,
    /// Money, in one currency.
    pub cost: Option<Money>,
}

/// What a call takes, or may take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amount {
    /// Tokens, in and out.
    pub tokens: i64,
    /// Money; nothing when the model has no price.
    pub cost: Option<Money>,
}

/// What was spent, and is held for calls that are under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spent {
    /// Tokens, in and out.
    pub tokens: i64,
    /// Billionths, by currency.
    pub cost: BTreeMap<String, i64>,
}

/// Why a call does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// There are fewer tokens left than it may take.
    #[error("{left} tokens are left, and this may take {wanted}")]
    Tokens {
        /// So many are left; never less than none.
        left: i64,
        /// So many it may take.
        wanted: i64,
    },
    /// There is less money left than it may take.
    #[error("{left} is left, and this may take {wanted}")]
    Cost {
        /// So much is left; never less than nothing.
        left: Money,
        /// So much it may take.
        wanted: Money,
    },
    /// It is paid in another currency, which nobody changes.
    #[error("it is spent in {allowed}, and this is paid in {wanted}")]
    Currency {
        /// The currency of the bound.
        allowed: String,
        /// The currency of the call.
        wanted: String,
    },
}

impl Bound {
    /// Whether so much more may be spent when so much is spent, or held, already.
    ///
    /// # Errors
    /// What is missing for it.
    pub fn admits(&self, spent: &Spent, wanted: &Amount) -> Result<(), Shortfall> {
        if let Some(most) = self.tokens {
            let left = most.saturating_sub(spent.tokens).max(0);
            if wanted.tokens > left {
                let wanted = wanted.tokens;
                return Err(Shortfall::Tokens { left, wanted });
            }
        }
        let (Some(most), Some(cost)) = (&self.cost, &wanted.cost) else {
            return Ok(());
        };
        if most.currency != cost.currency {
            return Err(Shortfall::Currency {
                allowed: most.currency.clone(),
                wanted: cost.currency.clone(),
            });
        }
        let before = spent.cost.get(&most.currency).copied().unwrap_or(0);
        let left = most.nanos.saturating_sub(before).max(0);
        if cost.nanos > left {
            let left = Money {
                nanos: left,
                currency: most.currency.clone(),
            };
            let wanted = cost.clone();
            return Err(Shortfall::Cost { left, wanted });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn periods_begin_and_end_in_utc() {
        for (now, day, month, next_day, next_month) in [
            (
                "2026-11-21T04:12:09.500Z",
                "2026-11-21",
                "2026-11-01",
                "2026-11-22",
                "2026-12-01",
            ),
            (
                "2026-12-31T23:59:59.999Z",
                "2026-12-31",
                "2026-12-01",
                "2027-01-01",
                "2027-01-01",
            ),
            (
                "2027-01-01T00:00:00.000Z",
                "2027-01-01",
                "2027-01-01",
                "2027-01-02",
                "2027-02-01",
            ),
            (
                "2028-02-29T12:00:00.000Z",
                "2028-02-29",
                "2028-02-01",
                "2028-03-01",
                "2028-03-01",
            ),
            // On the first of March elsewhere, still February in UTC.
            (
                "2027-03-01T01:00:00+02:00",
                "2027-02-28",
                "2027-02-01",
                "2027-03-01",
                "2027-03-01",
            ),
            (
                "1969-12-31T23:00:00.000Z",
                "1969-12-31",
                "1969-12-01",
                "1970-01-01",
                "1970-01-01",
            ),
        ] {
            let now: Timestamp = now.parse().unwrap();
            let at = |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().unwrap();
            assert_eq!(Period::Day.began(now), at(day), "{now}");
            assert_eq!(Period::Month.began(now), at(month), "{now}");
            assert_eq!(Period::Total.began(now), Timestamp::from_millis(0), "{now}");
            assert_eq!(Period::Day.ends(now), Some(at(next_day)), "{now}");
            assert_eq!(Period::Month.ends(now), Some(at(next_month)), "{now}");
            assert_eq!(Period::Total.ends(now), None, "{now}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let currency = |text: &str| Some(text.to_owned());
        let all = Allowance::default();
        for (allowance, told) in [
            (all.clone(), Some("a budget bounds `tokens`, `cost` or both")),
            (
                Allowance {
                    period: Some(Period::Day),
                    ..all.clone()
                },
                Some("a budget bounds `tokens`, `cost` or both"),
            ),
            (
                Allowance {
                    tokens: Some(1),
                    currency: currency("EUR"),
                    ..all.clone()
                },
                Some("only a cost has a currency"),
            ),
            (
                Allowance {
                    cost: Some(1.0),
                    currency: currency("euro"),
                    ..all.clone()
                },
                Some("`euro` is not a currency code"),
            ),
            (
                Allowance {
                    cost: Some(1.0),
                    currency: currency("EUR"),
                    period: Some(Period::Total),
                    tokens: Some(0),
                },
                None,
            ),
        ] {
            let mut report = Report::default();
            allowance.validate(&mut report);
            let found = report.into_problems();
            assert_eq!(
                found.first().map(|problem| problem.message.as_str()),
                told,
                "{allowance:?}"
            );
        }
    }

    /// What a turn of an agent may use was once written for projects, too. A daemon that has one stored still starts.
    #[test]
    fn what_bounds_a_turn_is_refused_where_it_is_written() {
        let project = crate::kind::Kind::Project.definition();
        let spec = serde_json::json!({"budget": {"tokens": 5, "toolCalls": 3}});
        let problems = project.parse(&spec).unwrap_err();
        assert_eq!(problems[0].pointer.to_string(), "spec.budget.toolCalls");
        let stored = project.parse_stored(&spec.to_string()).unwrap();
        let kept = crate::kind::downcast::<crate::kinds::project::Project>(stored.as_ref()).unwrap();
        assert_eq!(kept.budget.as_ref().unwrap().tokens, Some(5));
    }

    #[test]
    fn what_fits_is_admitted() {
        let usd = |units: f64| Some(Money::of_units(units, "USD"));
        let spent = Spent {
            tokens: 600,
            cost: BTreeMap::from([("USD".to_owned(), 400_000_000), ("EUR".to_owned(), 9_000_000_000)]),
        };
        let bound = |tokens: Option<i64>, cost: Option<Money>| Bound { tokens, cost };
        for (bound, tokens, cost, told) in [
            (bound(None, None), i64::MAX, usd(1e9), None),
            (bound(Some(1000), None), 400, usd(1e9), None),
            (
                bound(Some(1000), None),
                401,
                None,
                Some("400 tokens are left, and this may take 401"),
            ),
            (
                bound(Some(500), None),
                1,
                None,
                Some("0 tokens are left, and this may take 1"),
            ),
            // Nothing costs nothing, also when all is spent.
            (bound(Some(500), usd(0.1)), 0, usd(0.0), None),
            (bound(None, usd(1.0)), i64::MAX, usd(0.6), None),
            (
                bound(None, usd(1.0)),
                0,
                usd(0.61),
                Some("0.60 USD is left, and this may take 0.61 USD"),
            ),
            (bound(None, usd(1.0)), 0, None, None),
            (
                bound(None, usd(1.0)),
                0,
                Some(Money::of_units(0.1, "EUR")),
                Some("it is spent in USD, and this is paid in EUR"),
            ),
        ] {
            let admitted = bound.admits(&spent, &Amount { tokens, cost });
            assert_eq!(
                admitted.err().map(|why| why.to_string()).as_deref(),
                told,
                "{bound:?} {tokens}"
            );
        }
    }

    #[test]
    fn a_purse_is_what_an_allowance_comes_to() {
        let allowance = Allowance {
            tokens: Some(u64::MAX),
            cost: Some(2.5),
            ..Allowance::default()
        };
        let now: Timestamp = "2026-11-21T04:12:09Z".parse().unwrap();
        let purse = allowance.purse(Spender::Token("web/ci".to_owned()), now);
        assert_eq!(purse.spender.to_string(), "token/web/ci");
        assert_eq!(purse.since, Period::Month.began(now));
        let bound = Bound {
            tokens: Some(i64::MAX),
            cost: Some(Money::of_units(2.5, "USD")),
        };
        assert_eq!(purse.bound, bound);
        assert_eq!(allowance.effective().bound(), bound);
    }

    proptest! {
        #[test]
        fn a_period_holds_its_instant(millis in -1_000_000_000_000_000_i64..1_000_000_000_000_000) {
            let now = Timestamp::from_millis(millis);
            for period in [Period::Day, Period::Month] {
                let (began, ends) = (period.began(now), period.ends(now).unwrap());
                prop_assert!(began <= now && now < ends, "{:?} {} {} {}", period, began, now, ends);
                prop_assert_eq!(period.began(began), began);
                prop_assert_eq!(period.began(ends), ends);
                prop_assert_eq!(period.ends(began), Some(ends));
            }
        }
    }
}
