//! What can be done, a file per verb. Each takes its own arguments and the settings, talks to the daemon, and hands text
//! to the ui. Kinds come from the list of them; which few files say one by its name is held by a test of the house.
//!
//! In the order of `orchctl help`:

mod apply;
mod diff;
mod plan;

mod create;
mod delete;
mod edit;
mod patch;
mod replace;

mod audit;
mod describe;
mod events;
mod get;
mod history;
mod logs;
mod usage;
mod wait;
mod why;

mod approve;
mod migrate;
mod reject;
mod restart;
mod rollback;
mod rotate;
mod scale;

mod allow_trigger;
mod auth;
mod introspect;
mod login;
mod logout;
mod passwd;
mod revoke;
mod whoami;

mod chat;
mod replay;
mod thread;

mod client;
mod console;
mod mcp;
mod provide;
mod tools;

mod api_resources;
mod explain;
pub(crate) mod help;

mod completion;
mod config;
mod doctor;
mod generate;
mod status;
mod version;

mod agents;
mod credentials;
mod outcomes;
mod password;
mod rehearsal;
mod seal;

use clap::Subcommand;
use orch_shared::kind::Action;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;

use crate::args::targets;
use crate::client::Call;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Declares the verbs: the variant clap parses, and the room that runs it.
macro_rules! verbs {
    ($($(#[$attribute:meta])* $variant:ident($module:ident),)*) => {
        /// What to do.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Verb {
            $($(#[$attribute])* $variant(Box<$module::Arguments>),)*
        }

        /// Does it.
        pub(crate) fn run(verb: Verb, settings: &Settings) -> Result<Outcome, Failure> {
            match verb {
                $(Verb::$variant(arguments) => $module::run(&arguments, settings),)*
            }
        }
    };
}

verbs! {
    Apply(apply),
    Diff(diff),
    Plan(plan),
    Create(create),
    Edit(edit),
    Replace(replace),
    Patch(patch),
    Delete(delete),
    Get(get),
    Describe(describe),
    Why(why),
    Events(events),
    Logs(logs),
    History(history),
    Audit(audit),
    Usage(usage),
    Wait(wait),
    Scale(scale),
    Restart(restart),
    Rollback(rollback),
    Rotate(rotate),
    Migrate(migrate),
    Approve(approve),
    Reject(reject),
    Login(login),
    Logout(logout),
    Whoami(whoami),
    Passwd(passwd),
    Auth(auth),
    Revoke(revoke),
    AllowTrigger(allow_trigger),
    Introspect(introspect),
    Chat(chat),
    Thread(thread),
    Replay(replay),
    Client(client),
    Tools(tools),
    Console(console),
    Mcp(mcp),
    Provide(provide),
    Explain(explain),
    ApiResources(api_resources),
    Help(help),
    Status(status),
    Doctor(doctor),
    Config(config),
    Version(version),
    Completion(completion),
    #[command(name = "__generate", hide = true)]
    Generate(generate),
}

impl Verb {
    /// Whether `--server NAME` means a server of ours to this verb, and not the daemon's address.
    pub(crate) const fn speaks_mcp(&self) -> bool {
        matches!(self, Self::Client(_) | Self::Tools(_) | Self::Console(_) | Self::Mcp(_))
    }
}

/// Refuses an action for objects whose kinds do not know it, before anything is asked of the daemon.
fn able(objects: &[ObjectRef], action: Action) -> Result<(), Failure> {
    let Some(unable) = objects
        .iter()
        .find(|object| !object.kind.meta().actions.contains(&action))
    else {
        return Ok(());
    };
    let detail = format!("{} cannot {}", unable.kind.meta().plural, action.as_str());
    Err(Failure::from(Problem::new(Code::NoAction, detail)).hint("see what can: orchctl api-resources"))
}

/// Has something done to objects that takes nothing more to say, and says of each that it was.
fn act(settings: &Settings, targets: &[String], action: Action, done: &str) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, targets)?;
    able(&objects, action)?;
    for object in objects {
        let call = Call::post(route::action(&object, action), &serde_json::json!({}));
        settings.client()?.send_to(&settings.ui, &object, &call)?;
        settings.ui.line(&format!("{object}   {done}"))?;
    }
    Ok(Outcome::Done)
}
