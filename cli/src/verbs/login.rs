//! `login`: a name and a password become a credential, which is kept in the context and shown from then on.

use clap::{ArgAction, Args};
use orch_shared::context::{Context, Login, Token};
use orch_shared::identity::{LoginAnswer, LoginRequest};
use orch_shared::route;

use super::password;
use crate::client::{Call, Client};
use crate::render::age;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file, no_such_context};

/// Log in to the current context's daemon with a name and a password
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl login                     asks for the name and the password
  orchctl login --user ann --context staging
  pass show orch | orchctl login --user ann --password-stdin
")]
pub(crate) struct Arguments {
    /// Who logs in; asked for, if it is not said
    #[arg(short, long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password from standard input. There is no flag for a password: others would see it
    #[arg(long, action = ArgAction::SetTrue, requires = "user")]
    password_stdin: bool,
}

/// Logs in.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let context = settings.context_for_login()?;
    refuse_another(settings, "log in")?;
    let instead = "for scripts: orchctl login --user NAME --password-stdin";
    let user = match &arguments.user {
        Some(user) => user.clone(),
        None if settings.ui.has_person() => settings.ui.ask("Name:").unwrap_or_default().trim().to_owned(),
        None => return Err(Failure::usage("nothing says who logs in").hint(instead)),
    };
    let password = match arguments.password_stdin {
        true => password::line_of_input("password")?,
        false => password::ask(settings, &format!("Password of {user}:"), instead)?,
    };
    let login = begin(settings, context, user, password)?;
    let end = login.expires_at.map(|end| {
        let now = settings.now();
        format!(" for {}", age::ahead(end.since(now)))
    });
    settings.ui.say(&format!(
        "logged in as {} in context {}{}",
        login.user,
        context.name,
        end.unwrap_or_default()
    ));
    Ok(Outcome::Done)
}

/// Refuses to do for somebody else what everybody does with a password of their own.
pub(super) fn refuse_another(settings: &Settings, what: &str) -> Result<(), Failure> {
    match &settings.flags().in_place_of {
        Some(_) => {
            Err(Failure::usage(format!("nobody can {what} in the place of somebody else")).hint("leave out --as"))
        }
        None => Ok(()),
    }
}

/// The way to the same daemon that shows that token, and speaks for nobody else.
pub(super) fn client_showing(settings: &Settings, token: Option<&Token>) -> Result<Client, Failure> {
    Client::new(&settings.connection_showing(token.cloned())?)
}

/// Begins a login and keeps it in the context. One that was kept there before is ended.
pub(super) fn begin(settings: &Settings, context: &Context, user: String, password: String) -> Result<Login, Failure> {
    let call = Call::post(route::LOGIN, &LoginRequest { user, password }).once();
    let answer: LoginAnswer = client_showing(settings, None)?.send(&settings.ui, &call)?.json()?;
    let login = Login {
        user: answer.user,
        token: Token::new(&answer.token),
        expires_at: answer.expires_at,
    };
    let earlier = keep(&context.name, Some(login.clone()))?;
    if let Some(earlier) = earlier {
        // It may have ended long ago; all that matters is that it is not open any more.
        let _ = end(settings, &earlier);
    }
    Ok(login)
}

/// Ends a login with the credential that it gave.
pub(super) fn end(settings: &Settings, login: &Login) -> Result<(), Failure> {
    let call = Call::delete(route::login("current")).once();
    let client = client_showing(settings, Some(&login.token))?;
    client.send(&settings.ui, &call).map(|_| ())
}

/// Puts a login in the place of the one that a context holds, and gives that one. What else is in the file stays, what was
/// written there meanwhile included.
pub(super) fn keep(context: &str, login: Option<Login>) -> Result<Option<Login>, Failure> {
    let path = file::path()?;
    let mut contexts = file::read(&path)?;
    let Some(kept) = contexts.contexts.iter_mut().find(|known| known.name == context) else {
        return Err(no_such_context(Some(&contexts), context));
    };
    let earlier = std::mem::replace(&mut kept.login, login);
    file::write(&path, &contexts)?;
    Ok(earlier)
}
