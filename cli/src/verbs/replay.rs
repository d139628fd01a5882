//! `replay`: a cassette is run once more. Exits 0 when everything is the same, 1 when something differs.

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use orch_shared::cassette::{Against, Cassette, Difference, LARGEST, Replay, Report, check_format};
use orch_shared::problem::Problem;
use orch_shared::route;
use serde::Deserialize;
use serde_json::json;

use crate::client::Call;
use crate::complete;
use crate::input;
use crate::render::document;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::ui::{Stream, Tone};

/// Run a cassette once more, and show what differs. Exits 1 when anything does
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl replay review.json                        with the answers recorded
  orchctl replay review.json --against llm=bigger   what another model says
  orchctl replay review.json --against agent=draft  what another agent does
")]
pub(crate) struct Arguments {
    /// The cassette, as `thread export` writes it; `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: String,
    /// What is asked instead of the cassette; tools are never called
    #[arg(long, value_name = "llm=NAME|agent=NAME", add = ArgValueCompleter::new(complete::replayed))]
    against: Option<String>,
    /// Form of the differences
    #[arg(short, long, default_value = "text", value_name = "FORM")]
    output: Form,
}

/// How differences are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people: a heading, and a unified diff each.
    Text,
    /// The whole report, as JSON.
    Json,
}

/// Replays.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    replay(arguments, settings).map_err(|failure| match failure {
        Failure::Closed | Failure::Interrupted => failure,
        other => Failure::NotAnswered(Box::new(other)),
    })
}

fn replay(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let replay = Replay {
        cassette: cassette(&arguments.file)?,
        against: arguments.against.as_deref().map(against).transpose()?,
    };
    let call = Call::post(route::REPLAYS, &replay).with_models();
    let report: Report = settings.client()?.send(&settings.ui, &call)?.json()?;
    match arguments.output {
        Form::Json => settings.ui.write(&document::json(&json!(report)))?,
        Form::Text => {
            for difference in &report.differences {
                let heading = settings.ui.paint(Stream::Data, Tone::Strong, &heading(difference));
                settings.ui.line(&heading)?;
                settings.ui.write(&settings.ui.diff(&difference.diff))?;
            }
        }
    }
    settings.ui.say(&summary(&report));
    Ok(match report.differences.is_empty() {
        true => Outcome::Done,
        false => Outcome::Differs,
    })
}

/// Reads a cassette, and holds it against what it says of itself.
fn cassette(file: &str) -> Result<Cassette, Failure> {
    let text = input::text(file)?;
    let shown = if file == "-" { "standard input" } else { file };
    if text.len() > LARGEST {
        return Err(Failure::usage(format!("{shown} has more than {} MiB", LARGEST >> 20)));
    }
    let refused = |problem: Problem| {
        let failure = Failure::usage(format!("{shown}: {}", problem.detail));
        match problem.suggestion {
            Some(suggestion) => failure.hint(suggestion),
            None => failure,
        }
    };
    // What does not say a format is told below, with its place.
    if let Ok(Written { format }) = serde_json::from_slice(&text) {
        check_format(&format, "orchctl").map_err(refused)?;
    }
    let cassette: Cassette = serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!("{shown}:{line}:{column}: this is no cassette: {error}"))
            .hint("make one: orchctl thread export ID -f FILE")
    })?;
    cassette.check().map_err(refused)?;
    Ok(cassette)
}

/// What every cassette says, of whatever format.
#[derive(Deserialize)]
struct Written {
    format: String,
}

fn against(text: &str) -> Result<Against, Failure> {
    match text.split_once('=') {
        Some(("llm", name)) => parse_name(name, "llm").map(Against::Llm),
        Some(("agent", name)) => parse_name(name, "agent").map(Against::Agent),
        _ => Err(Failure::usage(format!("`{text}` is neither an Llm nor an agent"))
            .hint("say --against llm=NAME or --against agent=NAME")),
    }
}

fn heading(difference: &Difference) -> String {
    let part = difference.part.as_str();
    match difference.step {
        Some(step) => format!("turn {}, request {step}: {part}", difference.turn),
        None => format!("turn {}: {part}", difference.turn),
    }
}

fn summary(report: &Report) -> String {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    };
    let turns = count(report.turns as usize, "turn");
    match report.differences.len() {
        0 => format!("agent/{}: {turns}, all the same", report.agent),
        number => format!("agent/{}: {turns}, {}", report.agent, count(number, "difference")),
    }
}

#[cfg(test)]
mod tests {
    use orch_shared::cassette::Part;

    use super::*;

    #[test]
    fn what_is_asked_instead_is_read() {
        for (text, read) in [
            ("llm=fast", Some(Against::Llm("fast".parse().unwrap()))),
            ("agent=draft", Some(Against::Agent("draft".parse().unwrap()))),
            ("fast", None),
            ("model=fast", None),
            ("llm=", None),
            ("llm=A B", None),
        ] {
            assert_eq!(against(text).ok(), read, "{text}");
        }
    }

    #[test]
    fn differences_are_summed_up() {
        let difference = |step| Difference {
            turn: 2,
            step,
            part: Part::System,
            diff: String::new(),
        };
        assert_eq!(heading(&difference(Some(1))), "turn 2, request 1: system");
        assert_eq!(heading(&difference(None)), "turn 2: system");
        let mut report = Report {
            agent: "reviewer".parse().unwrap(),
            turns: 1,
            differences: vec![],
        };
        assert_eq!(summary(&report), "agent/reviewer: 1 turn, all the same");
        report.differences = vec![difference(None), difference(Some(1))];
        assert_eq!(summary(&report), "agent/reviewer: 1 turn, 2 differences");
    }
}
