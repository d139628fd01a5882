//! Why a command line cannot be understood, in the manner of every other error: what, and a hint that can be typed.
//!
//! Enters: clap's error and the words that were typed. Leaves: a [`Failure`]; or the program ends, when a page was asked
//! for and clap has drawn it.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use orch_shared::problem::near_miss;

use crate::report::Failure;

/// The error in our own words.
pub(super) fn told(error: &Error, words: &[OsString]) -> Failure {
    let refused = Refused { error, words };
    match error.kind() {
        ErrorKind::UnknownArgument => refused.unknown_flag(),
        ErrorKind::InvalidSubcommand => refused.unknown_verb(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => refused.wrong_value(),
        ErrorKind::NoEquals => refused.no_equals(),
        ErrorKind::MissingRequiredArgument => {
            let missing = refused.texts(ContextKind::InvalidArg).join(", ");
            refused.told(format!("{missing} is missing"), None)
        }
        ErrorKind::ArgumentConflict => refused.conflict(),
        // What asks for a page gets it, as clap draws it.
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => error.exit(),
        // The list of kinds is the library's and may grow; its first line says what happened.
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            refused.told(first.trim_start_matches("error: ").to_owned(), None)
        }
    }
}

struct Refused<'e> {
    error: &'e Error,
    words: &'e [OsString],
}

impl Refused<'_> {
    fn told(&self, detail: String, near: Option<String>) -> Failure {
        Failure::usage(detail).hint(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see what there is: orchctl{} --help", self.verbs()),
        })
    }

    fn unknown_flag(&self) -> Failure {
        let [flag] = &self.texts(ContextKind::InvalidArg)[..] else {
            return self.told("there is an argument too many".to_owned(), None);
        };
        let is_place = matches!(flag.as_str(), "server" | "client" | "none");
        if is_place && self.words.iter().any(|word| word == "--dry-run") {
            return Failure::usage(format!("there is an argument too many: {flag}"))
                .hint(format!("write it in one word: --dry-run={flag}"));
        }
        let detail = match flag.starts_with('-') {
            true => format!("there is no flag {flag} here"),
            false => format!("there is an argument too many: {flag}"),
        };
        self.told(detail, self.near(flag, ContextKind::SuggestedArg))
    }

    fn unknown_verb(&self) -> Failure {
        let verb = self.texts(ContextKind::InvalidSubcommand).join(" ");
        let near = self.near(&verb, ContextKind::SuggestedSubcommand);
        let detail = match self.verbs() {
            within if within.is_empty() => format!("there is no verb `{verb}`"),
            within => format!("there is no `{verb}` for orchctl{within}"),
        };
        self.told(detail, near)
    }

    fn wrong_value(&self) -> Failure {
        let flag = bare(&self.texts(ContextKind::InvalidArg).join(" "));
        let value = self.texts(ContextKind::InvalidValue).join(" ");
        let choices = self.texts(ContextKind::ValidValue);
        if value.is_empty() {
            return self.told(format!("{flag} needs a value"), None);
        }
        if let Some(why) = std::error::Error::source(self.error) {
            return self.told(format!("{flag}: {why}"), None);
        }
        let failure = Failure::usage(format!("`{value}` is no value for {flag}"));
        match self.near(&value, ContextKind::SuggestedValue) {
            Some(near) => failure.hint(format!("did you mean `{near}`? there are {}", choices.join(", "))),
            None => failure.hint(format!("there are {}", choices.join(", "))),
        }
    }

    fn no_equals(&self) -> Failure {
        let flag = bare(&self.texts(ContextKind::InvalidArg).join(" "));
        self.told(format!("{flag} takes its value after `=`, in one word"), None)
    }

    fn conflict(&self) -> Failure {
        let flag = bare(&self.texts(ContextKind::InvalidArg).join(" "));
        let others: Vec<String> = self
            .texts(ContextKind::PriorArg)
            .iter()
            .map(|other| bare(other))
            .collect();
        let other = others.join(" and ");
        let detail = match other.is_empty() || other == flag {
            true => format!("{flag} is given twice"),
            false => format!("{flag} does not go together with {other}"),
        };
        self.told(detail, None)
    }

    /// The nearest of what clap suggests.
    fn near(&self, given: &str, kind: ContextKind) -> Option<String> {
        let suggested = self.texts(kind);
        let nearest = near_miss(given, suggested.iter().map(String::as_str)).map(str::to_owned);
        nearest.or_else(|| suggested.into_iter().next())
    }

    /// What clap says of one aspect.
    fn texts(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
            Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
            // The list of forms is the library's and may grow.
            Some(_) | None => Vec::new(),
        }
    }

    /// The verbs that were typed, each with a blank before it: ` create server`.
    fn verbs(&self) -> String {
        let mut command = super::command();
        command.build();
        let mut verbs = String::new();
        let mut within = &command;
        for word in self.words.iter().skip(1).filter_map(|word| word.to_str()) {
            if let Some(found) = within.find_subcommand(word) {
                verbs.push_str(&format!(" {word}"));
                within = found;
            }
        }
        verbs
    }
}

/// A flag without what it takes: `--output <FORM>` and `--dry-run[=<WHERE>]` are `--output` and `--dry-run`.
fn bare(flag: &str) -> String {
    let end = match flag.starts_with('-') {
        true => flag.find([' ', '[', '=']).unwrap_or(flag.len()),
        false => flag.len(),
    };
    flag[..end].to_owned()
}
