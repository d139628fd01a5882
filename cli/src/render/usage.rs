//! Sums of calls of models as people read them: a table with a line for all together.

use orch_shared::money::Money;
use orch_shared::usage::{By, Key, Latency, Sums, Usage};

use super::age;
use super::cell::{NOTHING, one_line};
use super::table::{Piece, Style, draw};
use crate::ui::Tone;

/// How much of the sums a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What is asked most.
    Most,
    /// Everything.
    All,
}

/// What the line of all together begins with.
const TOTAL: &str = "TOTAL";

/// The sums as a table. What they are summed up by comes first, the day before all else.
pub(crate) fn table(usage: &Usage, detail: Detail, style: Style<'_>) -> String {
    let mut by = usage.by.clone();
    by.sort_by_key(|by| *by != By::Day);
    let sums: Vec<&Sums> = usage
        .items
        .iter()
        .map(|group| &group.sums)
        .chain([&usage.total])
        .collect();
    let costs = aligned(sums.iter().map(|sums| cost(&sums.cost)).collect());
    let named = |key: &Key| -> Vec<Piece> {
        let name = |by: &By| Piece::plain(key.of(*by).map_or_else(|| NOTHING.to_owned(), one_line));
        by.iter().map(name).collect()
    };
    let last: Vec<Piece> = match by.len() {
        0 => vec![Piece::plain(TOTAL)],
        count => [Piece::plain(TOTAL)]
            .into_iter()
            .chain(std::iter::repeat_n(Piece::plain(""), count - 1))
            .collect(),
    };
    let names = usage.items.iter().map(|group| named(&group.key)).chain([last]);
    let rows = names.zip(sums).zip(costs).map(|((mut row, sums), cost)| {
        row.extend(figures(sums, cost, detail));
        row
    });
    let titles: Vec<&str> = match by.is_empty() {
        true => vec![""],
        false => by.iter().map(|by| title(*by)).collect(),
    };
    let figures: &[&str] = match detail {
        Detail::Most => &["REQUESTS", "FAILED", "TOKENS IN", "TOKENS OUT", "COST", "P50", "P95"],
        Detail::All => &[
            "REQUESTS",
            "FAILED",
            "TOKENS IN",
            "CACHED",
            "TOKENS OUT",
            "COST",
            "P50",
            "P95",
            "LONGEST",
            "FIRST P50",
            "FIRST P95",
        ],
    };
    let titles: Vec<&str> = titles.into_iter().chain(figures.iter().copied()).collect();
    draw(&titles, rows.collect(), style)
}

const fn title(by: By) -> &'static str {
    match by {
        By::User => "WHO",
        By::Token => "TOKEN",
        By::Project => "PROJECT",
        By::Llm => "LLM",
        By::Agent => "AGENT",
        By::Day => "DAY (UTC)",
    }
}

fn figures(sums: &Sums, cost: String, detail: Detail) -> Vec<Piece> {
    let Sums {
        requests,
        failed,
        tokens,
        cost: _,
        latency,
        first_token,
    } = sums;
    let took = |told: &Option<Latency>, of: fn(&Latency) -> i64| {
        let micros = told.as_ref().and_then(|latency| u64::try_from(of(latency)).ok());
        Piece::plain(micros.map_or_else(|| NOTHING.to_owned(), age::took))
    };
    let failed = Piece {
        text: grouped(*failed),
        tone: if *failed > 0 { Tone::Warn } else { Tone::Plain },
    };
    let mut row = vec![
        Piece::plain(grouped(*requests)),
        failed,
        Piece::plain(grouped(tokens.input)),
    ];
    if detail == Detail::All {
        row.push(Piece::plain(grouped(tokens.cached)));
    }
    row.extend([
        Piece::plain(grouped(tokens.output)),
        Piece::plain(cost),
        took(latency, |latency| latency.p50_us),
        took(latency, |latency| latency.p95_us),
    ]);
    if detail == Detail::All {
        row.extend([
            took(latency, |latency| latency.max_us),
            took(first_token, |latency| latency.p50_us),
            took(first_token, |latency| latency.p95_us),
        ]);
    }
    row
}

/// A number with a comma between its thousands: `1,234,567`.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// What something cost, each currency for itself. Four digits behind the point show what a cheap call costs.
fn cost(cost: &[Money]) -> String {
    if cost.is_empty() {
        return NOTHING.to_owned();
    }
    let part = |money: &Money| {
        // To the nearest ten thousandth of a unit.
        let rounded = (i128::from(money.nanos) + 50_000).div_euclid(100_000);
        let whole = grouped(i64::try_from(rounded / 10_000).unwrap_or(i64::MAX));
        match rounded {
            0 if money.nanos > 0 => format!("<0.0001 {}", one_line(&money.currency)),
            _ => format!("{whole}.{:04} {}", rounded % 10_000, one_line(&money.currency)),
        }
    };
    cost.iter().map(part).collect::<Vec<_>>().join(" + ")
}

/// Texts that end below each other.
fn aligned(texts: Vec<String>) -> Vec<String> {
    let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    texts.into_iter().map(|text| format!("{text:>width$}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::table::Heading;
    use orch_shared::usage::{Group, Tokens};

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (number, told) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (-4321, "-4,321"),
        ] {
            assert_eq!(grouped(number), told);
        }
    }

    #[test]
    fn costs_are_told_with_their_currency() {
        let money = |nanos: i64, currency: &str| Money {
            nanos,
            currency: currency.to_owned(),
        };
        for (amounts, told) in [
            (vec![], "-"),
            (vec![money(0, "USD")], "0.0000 USD"),
            (vec![money(1, "USD")], "<0.0001 USD"),
            (vec![money(1_234_567_800_049_999, "USD")], "1,234,567.8000 USD"),
            (
                vec![money(2_500_000_000, "EUR"), money(50_000, "USD")],
                "2.5000 EUR + 0.0001 USD",
            ),
        ] {
            assert_eq!(cost(&amounts), told);
        }
    }

    #[test]
    fn a_line_tells_of_all_together() {
        let sums = |requests: i64, nanos: i64| Sums {
            requests,
            failed: requests / 10,
            tokens: Tokens {
                input: requests * 1000,
                cached: requests * 100,
                output: requests * 10,
            },
            cost: vec![Money {
                nanos,
                currency: "USD".to_owned(),
            }],
            latency: Some(Latency {
                p50_us: 820_000,
                p95_us: 12_400_000,
                max_us: 61_000_000,
            }),
            first_token: Some(Latency {
                p50_us: 310_000,
                p95_us: 2_900_000,
                max_us: 3_000_000,
            }),
        };
        let group = |user: Option<&str>, requests, nanos| Group {
            key: Key {
                user: user.map(str::to_owned),
                day: Some("2026-11-21".to_owned()),
                ..Key::default()
            },
            sums: sums(requests, nanos),
        };
        let usage = Usage {
            by: vec![By::User, By::Day],
            user: None,
            items: vec![
                group(Some("anna"), 1200, 12_500_000_000),
                group(Some("e\u{1b}[2Jve"), 3, 4_000_000),
                group(None, 1, 0),
            ],
            total: sums(1204, 12_504_000_000),
            left_out: 0,
        };
        let style = Style {
            heading: Heading::Shown,
            color: false,
            width: None,
            columns: None,
        };
        let told = table(&usage, Detail::Most, style);
        assert!(!told.contains('\u{1b}'), "{told:?}");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            [lines[0], lines[1], lines[4]],
            [
                "DAY (UTC)    WHO       REQUESTS   FAILED   TOKENS IN   TOKENS OUT   COST          P50      P95",
                "2026-11-21   anna         1,200      120   1,200,000       12,000   12.5000 USD   820 ms   12 s",
                "TOTAL                     1,204      120   1,204,000       12,040   12.5040 USD   820 ms   12 s",
            ],
            "{told}"
        );
        let wide = table(&usage, Detail::All, style);
        for told in ["61 s", "120,400", "FIRST P50", "310 ms", "2900 ms"] {
            assert!(wide.contains(told), "{told}: {wide}");
        }
    }
}
