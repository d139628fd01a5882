//! `approve`: what is proposed is made so.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::problem::Code;
use orch_shared::route;
use orch_shared::wire::Approve;

use super::able;
use super::wait::spelled;
use crate::args::targets;
use crate::client::Call;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Approve what is proposed, such as a prompt
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl get promptrequests -p web                 what waits
  orchctl approve promptrequest tone-x7k2p -p web
  orchctl approve pr/tone-x7k2p -p web --replace    the name is taken
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    /// Put what is proposed in the place of what is there
    #[arg(long, action = ArgAction::SetTrue)]
    replace: bool,
}

/// Approves.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Approve)?;
    for object in objects {
        let how = Approve {
            replace: arguments.replace,
        };
        let call = Call::post(route::action(&object, Action::Approve), &how);
        let sent = settings.client()?.send_to(&settings.ui, &object, &call);
        sent.map_err(|failure| match failure.code() {
            Some(Code::AlreadyExists) => {
                let spelled = spelled(&object);
                failure.hint_instead(format!(
                    "put what is proposed in its place: orchctl approve {spelled} --replace"
                ))
            }
            Some(_) | None => failure,
        })?;
        settings.ui.line(&format!("{object}   approved"))?;
    }
    Ok(Outcome::Done)
}
