//! `passwd`: sets a password, one's own or somebody else's.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::identity::{PasswordChange, WhoAmI};
use orch_shared::name::Name;
use orch_shared::problem::Code;
use orch_shared::route;

use super::{login, password, whoami};
use crate::client::Call;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

/// Set a password: one's own, or that of another user
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl passwd                                 one's own; asks for it twice
  orchctl passwd ann                             somebody else's
  pass generate orch | orchctl passwd ann --password-stdin
")]
pub(crate) struct Arguments {
    /// Whose password; one's own, if nobody is named
    #[arg(value_name = "USER", add = ArgValueCompleter::new(complete::users))]
    user: Option<String>,
    /// Read the new password from standard input; for one's own, the one until now in a line before it
    #[arg(long, action = ArgAction::SetTrue)]
    password_stdin: bool,
}

/// Sets a password.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let me = whoami::ask(settings)?;
    let user = match &arguments.user {
        Some(user) => parse_name(user, "user")?,
        None => me.principal.parse().map_err(|_| {
            Failure::usage(format!("{} has no password", me.principal)).hint("name a user: orchctl passwd USER")
        })?,
    };
    let is_own = me.principal == user.as_str() && me.impersonated_by.is_none();
    let change = match arguments.password_stdin {
        true => piped(is_own)?,
        false => typed(settings, &user, is_own)?,
    };
    let again = change.password.clone();
    let client = settings.client()?;
    let call = Call::put(route::password(&user), &change).once();
    client
        .send(&settings.ui, &call)
        .map_err(|failure| match failure.code() {
            Some(Code::NotFound) => failure.hint_instead(format!("make it first: orchctl create user {user}")),
            Some(_) | None => failure,
        })?;
    settings.ui.say(&format!(
        "the password of {user} is set; logins with the one before have ended"
    ));
    if is_own {
        log_in_again(settings, &me, again)?;
    }
    Ok(Outcome::Done)
}

/// Whoever changes their own password stays logged in here.
fn log_in_again(settings: &Settings, me: &WhoAmI, password: String) -> Result<(), Failure> {
    let context = settings.context()?;
    let kept = context.and_then(|context| Some((context, context.login.as_ref()?)));
    match kept {
        Some((context, kept)) if me.login.is_some() && kept.user.as_str() == me.principal => {
            login::begin(settings, context, me.principal.clone(), password).map(|_| ())
        }
        Some(_) | None => Ok(()),
    }
}

fn piped(is_own: bool) -> Result<PasswordChange, Failure> {
    let mut lines = password::lines_of_input()?;
    let password = lines.pop().filter(|line| !line.is_empty());
    let current = if is_own { lines.pop() } else { None };
    match password {
        Some(password) if lines.is_empty() => Ok(PasswordChange { current, password }),
        Some(_) => Err(
            Failure::usage("there are too many lines on standard input").hint(match is_own {
                true => "the password until now, and the new one in a line of its own",
                false => "the new password alone",
            }),
        ),
        None => Err(Failure::usage("there is no password on standard input")),
    }
}

fn typed(settings: &Settings, user: &Name, is_own: bool) -> Result<PasswordChange, Failure> {
    let ask = |question: &str| password::ask(settings, question, "for scripts: --password-stdin");
    let current = match is_own {
        true => Some(ask(&format!(
            "Password of {user} until now (empty, if there is none):"
        ))?),
        false => None,
    };
    let password = ask(&format!("New password of {user}:"))?;
    match ask("The same once more:")? == password {
        true => Ok(PasswordChange {
            current: current.filter(|current| !current.is_empty()),
            password,
        }),
        false => Err(Failure::usage("the two are not the same; nothing was changed")),
    }
}
