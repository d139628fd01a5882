//! `help`, and the look of all help pages: verbs in groups; on each verb's page a sentence, examples, then flags by
//! group.

use std::fmt::Write as _;

use clap::{Args, Command};
use clap_complete::ArgValueCompleter;
use orch_shared::problem::near_miss;

use crate::args;
use crate::complete;
use crate::report::{EXIT_CODES, Failure, Outcome};
use crate::settings::Settings;

/// Show the page of a verb, or of the exit codes
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl help
  orchctl help create server
  orchctl help exit-codes
")]
pub(crate) struct Arguments {
    /// A verb, or `exit-codes`
    #[arg(value_name = "VERB", add = ArgValueCompleter::new(complete::verbs))]
    words: Vec<String>,
}

/// Shows a page.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    if let [word] = &arguments.words[..]
        && word == "exit-codes"
    {
        let line = |(code, meaning): &(u8, &str)| format!("{code:>3}   {meaning}\n");
        settings.ui.write(&EXIT_CODES.iter().map(line).collect::<String>())?;
        return Ok(Outcome::Done);
    }
    let mut root = args::command();
    root.build();
    let mut page = &mut root;
    for word in &arguments.words {
        let shown = page.get_subcommands().filter(|verb| !verb.is_hide_set());
        let names = shown.map(|verb| verb.get_name().to_owned());
        let names: Vec<String> = names.chain(["exit-codes".to_owned()]).collect();
        page = page.find_subcommand_mut(word).ok_or_else(|| {
            let failure = Failure::usage(format!("there is no verb `{word}`"));
            match near_miss(word, names.iter().map(String::as_str)) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("see all: orchctl help"),
            }
        })?;
    }
    settings.ui.write(&page.render_help().to_string())?;
    Ok(Outcome::Done)
}

/// The verbs as a person looks for them. A test holds that each is in one group.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Declare",
        &["apply", "diff", "plan", "create", "edit", "replace", "patch", "delete"],
    ),
    (
        "Look",
        &[
            "get", "describe", "why", "events", "logs", "history", "audit", "usage", "wait",
        ],
    ),
    (
        "Act",
        &["scale", "restart", "rollback", "rotate", "migrate", "approve", "reject"],
    ),
    (
        "Who may do what",
        &[
            "login",
            "logout",
            "whoami",
            "passwd",
            "auth",
            "revoke",
            "allow-trigger",
            "introspect",
        ],
    ),
    ("Talk", &["chat", "thread", "replay"]),
    ("Connect", &["tools", "console", "client", "mcp", "provide"]),
    ("Learn", &["explain", "api-resources", "help"]),
    (
        "The daemon and this program",
        &["status", "doctor", "config", "version", "completion"],
    ),
];

/// The page of the whole program.
const PROGRAM: &str = "\
{about-with-newline}
{usage-heading} {usage}

{before-help}{options}{after-help}";

/// The page of a verb: the sentence, examples, usage, flags.
pub(super) const VERB: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}";

/// The command line with its help pages arranged.
pub(crate) fn arranged(command: Command) -> Command {
    let verbs = listed(&command);
    command
        .mut_subcommands(|verb| verb.help_template(VERB).mut_subcommands(|what| what.help_template(VERB)))
        .before_help(verbs)
        .help_template(PROGRAM)
        .after_help("More of a verb: orchctl help VERB. Exit codes: orchctl help exit-codes. Every error code: orchctl explain codes")
}

fn listed(command: &Command) -> String {
    let mut out = String::new();
    for (title, verbs) in GROUPS {
        let _ = writeln!(out, "{title}:");
        for verb in *verbs {
            if let Some(found) = command.find_subcommand(verb) {
                let about = found.get_about().map(ToString::to_string).unwrap_or_default();
                let _ = writeln!(out, "  {verb:14} {about}");
            }
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// What fits on an ordinary terminal: the longest line of examples.
#[cfg(test)]
pub(super) const COLUMNS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_stands_in_one_group() {
        let command = args::command();
        let listed: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().copied()).collect();
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let count = listed.iter().filter(|name| **name == verb.get_name()).count();
            assert_eq!(count, 1, "{}", verb.get_name());
        }
        for name in listed {
            assert!(command.find_subcommand(name).is_some(), "{name} is no verb");
        }
    }

    #[test]
    fn every_verb_shows_three_examples() {
        for verb in args::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let page = verb.clone().render_help().to_string();
            let examples = page
                .lines()
                .filter(|line| line.starts_with("  ") && line.contains("orchctl "))
                .count();
            assert!(examples >= 3, "{} shows {examples}", verb.get_name());
            let text = verb.get_before_help().map(ToString::to_string).unwrap_or_default();
            let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > COLUMNS).collect();
            assert!(wide.is_empty(), "wrapped, they would look like more: {wide:?}");
        }
    }
}
