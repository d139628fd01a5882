//! `auth can-i` and `auth why`: the daemon's one decision, asked for without doing anything.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::access::{Operation, Role, Subject};
use orch_shared::identity::{AccessAnswer, AccessReview};
use orch_shared::kind::ScopeType;
use orch_shared::name::Scope;
use orch_shared::problem::near_miss;
use orch_shared::route;

use crate::args::targets::{self, Target};
use crate::client::Call;
use crate::complete;
use crate::render::document::{self, Format};
use crate::render::rights;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};
use crate::verbs::whoami;

/// What other programs call the roles.
const OTHER_WORDS: &[(&str, Role)] = &[
    ("get", Role::View),
    ("list", Role::View),
    ("watch", Role::View),
    ("describe", Role::View),
    ("update", Role::Edit),
    ("patch", Role::Edit),
    ("replace", Role::Edit),
    ("scale", Role::Edit),
    ("restart", Role::Edit),
    ("rollback", Role::Edit),
    ("call", Role::Run),
];

/// Whether something may be done.
#[derive(Debug, Args)]
pub(super) struct CanI {
    /// A role (view, create, edit, delete, run, reveal) or an operation (logs, backup, audit, ...)
    #[arg(value_name = "VERB", required_unless_present = "list", add = ArgValueCompleter::new(complete::rights))]
    verb: Option<String>,
    #[command(flatten)]
    on: On,
    /// All that may be done
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["verb", "target", "tool"])]
    list: bool,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Why something may be done, or may not.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// A role (view, create, edit, delete, run, reveal) or an operation (logs, backup, audit, ...)
    #[arg(value_name = "VERB", add = ArgValueCompleter::new(complete::rights))]
    verb: String,
    #[command(flatten)]
    on: On,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// With what.
#[derive(Debug, Args)]
struct On {
    /// With what: KIND, KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", num_args = 0..=2, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// With `run` on a server: this tool of it, by the server's own name for it
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
}

/// Says whether it may be done.
pub(super) fn can_i(arguments: &CanI, settings: &Settings) -> Result<Outcome, Failure> {
    // No error ends in 1: that is the answer no.
    answered(arguments, settings).map_err(|failure| match failure {
        Failure::Closed | Failure::Interrupted => failure,
        other => Failure::NotAnswered(Box::new(other)),
    })
}

fn answered(arguments: &CanI, settings: &Settings) -> Result<Outcome, Failure> {
    let Some(verb) = arguments.verb.as_deref().filter(|_| !arguments.list) else {
        let me = whoami::ask(settings)?;
        match document::text(arguments.output, &me.bounds) {
            Some(text) => settings.ui.write(&text)?,
            None => whoami::show_rights(settings, &me)?,
        }
        return Ok(Outcome::Done);
    };
    let answer = ask(settings, &review(settings, verb, &arguments.on)?)?;
    match document::text(arguments.output, &answer) {
        Some(text) => settings.ui.write(&text)?,
        // Whoever wants quiet looks at how it ends.
        None if settings.flags().quiet => {}
        None => {
            settings.ui.line(if answer.allowed { "yes" } else { "no" })?;
            if !answer.allowed {
                settings.ui.say(&format!(
                    "{} may not {}; see: orchctl auth why",
                    answer.principal,
                    doing(&answer)
                ));
            }
        }
    }
    Ok(if answer.allowed { Outcome::Done } else { Outcome::Unwell })
}

/// Says which rule allows it in each bound, or what is missing.
pub(super) fn why(arguments: &Why, settings: &Settings) -> Result<Outcome, Failure> {
    let review = review(settings, &arguments.verb, &arguments.on)?;
    let answer = ask(settings, &review)?;
    if let Some(text) = document::text(arguments.output, &answer) {
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    }
    let me = whoami::ask(settings)?;
    let may = if answer.allowed { "may" } else { "may not" };
    let told = match answer.lacking {
        Some(role) => format!(
            "{} {may} {}: that takes the role `{role}` as well.",
            answer.principal,
            doing(&answer)
        ),
        None => format!("{} {may} {}.", answer.principal, doing(&answer)),
    };
    settings.ui.line(&told)?;
    for (index, rule) in answer.bounds.iter().enumerate() {
        let (word, tone) = match rule {
            Some(_) => ("yes", Tone::Good),
            None => ("no", Tone::Bad),
        };
        let rule = rule.as_deref().unwrap_or("nothing in it allows that");
        let word = settings.ui.paint(Stream::Data, tone, &format!("{word:3}"));
        settings
            .ui
            .line(&format!("  {word}   {}: {rule}", rights::source(&me, index)))?;
    }
    if answer.bounds.first().is_none_or(Option::is_none)
        && let Some(binding) = binding(&answer, &review)
    {
        settings.ui.say(&format!("what would grant it: {binding}"));
    }
    Ok(Outcome::Done)
}

/// `edit server/files`, `do the operation backup`.
fn doing(answer: &AccessAnswer) -> String {
    match answer.asked.starts_with("the operation ") {
        true => format!("do {}", answer.asked),
        false => answer.asked.clone(),
    }
}

/// The command that would grant it.
fn binding(answer: &AccessAnswer, review: &AccessReview) -> Option<String> {
    let subject = match Subject::of_principal(&answer.principal)? {
        Subject::User(name) => format!("--user {name}"),
        Subject::ServiceAccount(name) => format!("--serviceaccount {name}"),
        Subject::Daemon | Subject::Anybody => return None,
    };
    let what = match (review.role, review.operation, review.kind) {
        (Some(role), None, Some(kind)) => {
            let narrowed = [
                ("--name", review.name.as_ref()),
                ("--in-project", review.project.as_ref()),
            ];
            let narrowed = narrowed
                .into_iter()
                .filter_map(|(flag, name)| Some(format!(" {flag} {}", name?)));
            let narrowed: String = narrowed.collect();
            let roles = answer.lacking.into_iter().chain([role]);
            let roles: String = roles.map(|role| format!("--role {role} ")).collect();
            let tool = review.tool.as_deref().map(|tool| format!(" --tool {}", word(tool)));
            format!(
                "{roles}--resource {}{narrowed}{}",
                kind.meta().plural,
                tool.unwrap_or_default()
            )
        }
        (None, Some(operation), _) => format!("--operation {operation}"),
        _ => return None,
    };
    Some(format!("orchctl create rolebinding NAME {subject} {what}"))
}

/// A word of a command line.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn ask(settings: &Settings, review: &AccessReview) -> Result<AccessAnswer, Failure> {
    let call = Call::post(route::ACCESS_REVIEW, review);
    settings.client()?.send(&settings.ui, &call)?.json()
}

/// What is asked about.
fn review(settings: &Settings, verb: &str, on: &On) -> Result<AccessReview, Failure> {
    if let Ok(operation) = verb.parse::<Operation>() {
        return match on.target.is_empty() && on.tool.is_none() {
            true => Ok(AccessReview {
                operation: Some(operation),
                ..AccessReview::default()
            }),
            false => Err(Failure::usage(format!(
                "`{operation}` is an operation on the daemon as a whole, and takes no object"
            ))),
        };
    }
    let role = role(verb)?;
    if on.tool.is_some() && role != Role::Run {
        return Err(Failure::usage("--tool is about the role `run`"));
    }
    let mut found = targets::targets(settings, &on.target)?;
    let (Some(target), true) = (found.pop(), found.is_empty()) else {
        return Err(Failure::usage("one kind or one object is asked about").hint("KIND or KIND/NAME"));
    };
    let mut review = AccessReview {
        role: Some(role),
        kind: Some(target.kind()),
        tool: on.tool.clone(),
        ..AccessReview::default()
    };
    match target {
        Target::Object(object) => {
            match object.scope {
                Scope::Cluster => {}
                Scope::Project(project) => review.project = Some(project),
                Scope::Agent(agent) => review.agent = Some(agent),
            }
            review.name = Some(object.name);
        }
        // Of what does not live in projects, a project is meant only where it is named.
        Target::Kind(kind) => {
            let is_meant = settings.flags().project.is_some() || kind.meta().scopes.contains(&ScopeType::Project);
            review.project = if is_meant { settings.project()? } else { None };
        }
    }
    Ok(review)
}

fn role(verb: &str) -> Result<Role, Failure> {
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == verb);
    if let Some((_, role)) = other {
        return Ok(*role);
    }
    verb.parse::<Role>().map_err(|_| {
        let failure = Failure::usage(format!("`{verb}` is neither a role nor an operation"));
        let (roles, operations) = (Role::ALL.map(Role::as_str), Operation::ALL.map(Operation::as_str));
        match near_miss(verb, roles.iter().chain(&operations).copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!(
                "roles: {}; operations: {}",
                roles.join(", "),
                operations.join(", ")
            )),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_of_other_programs_mean_roles() {
        for (verb, meant) in [
            ("view", Some(Role::View)),
            ("list", Some(Role::View)),
            ("call", Some(Role::Run)),
        ] {
            assert_eq!(role(verb).ok(), meant, "{verb}");
        }
        let words = Operation::ALL.map(Operation::as_str);
        for (word, _) in OTHER_WORDS {
            assert!(
                !words.contains(word) && word.parse::<Role>().is_err(),
                "{word} means two things"
            );
        }
    }
}
