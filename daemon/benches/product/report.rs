//! The table: one line per measurement, printed as soon as it is known, and what comes of all of them.

use std::process::ExitCode;
use std::time::Duration;

use crate::amount::millis;
use crate::ask::Effort;

/// One line of the table.
#[derive(Debug, Default)]
pub(crate) struct Line {
    what: String,
    ours: String,
    floor: String,
    ratio: String,
    target: Option<Target>,
}

#[derive(Debug)]
struct Target {
    text: String,
    kept: bool,
    holds: Holds,
}

/// Where a target can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Everywhere: counts, memory, and ratios with a wide margin. A miss fails the run.
    Anywhere,
    /// On a machine that does nothing else: single delays. A miss is printed.
    AtRest,
}

impl Line {
    /// A line about that.
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// What we measured of the product.
    pub(crate) fn ours(mut self, ours: impl Into<String>) -> Self {
        self.ours = ours.into();
        self
    }

    /// What it is compared with.
    pub(crate) fn floor(mut self, floor: impl Into<String>) -> Self {
        self.floor = floor.into();
        self
    }

    /// How the two relate.
    pub(crate) fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = format!("{ratio:.2}x");
        self
    }

    /// Two times, and how often the second goes into the first.
    pub(crate) fn times(self, ours: Duration, floor: Duration) -> Self {
        let ratio = ours.as_secs_f64() / floor.as_secs_f64();
        self.ours(millis(ours)).floor(millis(floor)).ratio(ratio)
    }

    /// What the line is held to, and whether it was kept.
    pub(crate) fn target(mut self, text: impl Into<String>, kept: bool, holds: Holds) -> Self {
        self.target = Some(Target {
            text: text.into(),
            kept,
            holds,
        });
        self
    }
}

/// What was told so far.
#[derive(Debug)]
pub(crate) struct Report {
    effort: Effort,
    lines: usize,
    missed: Vec<Holds>,
}

impl Report {
    pub(crate) const fn new(effort: Effort) -> Self {
        Self {
            effort,
            lines: 0,
            missed: Vec::new(),
        }
    }

    /// Prints a line. The numbers of a smoke run mean nothing and are not shown.
    pub(crate) fn tell(&mut self, line: Line) {
        if self.effort == Effort::Smoke {
            return;
        }
        if self.lines == 0 {
            print(["what", "ours", "floor or peer", "ratio", "target", ""]);
        }
        self.lines += 1;
        let Line {
            what,
            ours,
            floor,
            ratio,
            target,
        } = line;
        let (text, verdict) = match &target {
            None => ("-", ""),
            Some(Target { text, kept: true, .. }) => (text.as_str(), "ok"),
            Some(Target {
                text,
                kept: false,
                holds,
            }) => {
                self.missed.push(*holds);
                (text.as_str(), "MISS")
            }
        };
        print([&what, &ours, &floor, &ratio, text, verdict]);
    }

    /// Notes that a bench has ended; in a smoke run, that is all there is to tell.
    pub(crate) fn ended(&self, name: &str) {
        match self.effort {
            Effort::Full => {}
            Effort::Smoke => say(&format!("bench {name} ... ok")),
        }
    }

    /// Fails when a target was missed that holds anywhere.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if !self.missed.is_empty() {
            say(&format!(
                "{} of {} lines missed their target",
                self.missed.len(),
                self.lines
            ));
        }
        if self.missed.contains(&Holds::Anywhere) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

fn print([what, ours, floor, ratio, target, verdict]: [&str; 6]) {
    let line = format!("{what:<58} {ours:>11} {floor:>13} {ratio:>8}  {target:<17} {verdict}");
    say(line.trim_end());
}

/// Says something where a table belongs.
#[expect(clippy::print_stdout, reason = "what a bench tells is its output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
