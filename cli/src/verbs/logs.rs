//! `logs`: what instances write. A server's are those of all its instances, each line with where it comes from.

use std::collections::HashSet;
use std::sync::mpsc;
use std::time::Duration;

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::name::ObjectRef;
use orch_shared::problem::Code;
use orch_shared::quantity::Span;
use orch_shared::route;
use orch_shared::wire::LogParameters;

use crate::args::targets;
use crate::client::{Call, Object};
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::ui::{Stream, Tone};

/// How often it is looked for instances that have come since.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Show what instances write
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl logs files                       of all instances of a server
  orchctl logs files -f --tail 20          the last lines, and what comes
  orchctl logs files --previous            of the run before the last restart
")]
pub(crate) struct Arguments {
    /// NAME of a server or an instance, or server/NAME, or instance/NAME
    #[arg(value_name = "OBJECT", required = true, num_args = 1..=2)]
    #[arg(add = ArgValueCompleter::new(complete::log_sources))]
    target: Vec<String>,
    /// Go on as lines are written
    #[arg(short, long, action = ArgAction::SetTrue)]
    follow: bool,
    /// Only the last so many lines of each instance
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
    /// Only lines no older than this: 10m, or an instant
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<String>,
    /// Of the run before the last restart
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "follow")]
    previous: bool,
    /// Begin each line with its instant
    #[arg(long, action = ArgAction::SetTrue)]
    timestamps: bool,
    /// Whether lines say which instance they come from
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    prefix: Prefix,
}

/// Whether lines say which instance they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Prefix {
    /// When there are several.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where lines come from.
enum Source {
    Instance(ObjectRef),
    /// The object that owns the instances, and its uid.
    Owner(ObjectRef, String),
}

/// Shows logs.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let source = source(arguments, settings)?;
    let instances = instances(settings, &source)?;
    let is_server = matches!(source, Source::Owner(..));
    let prefix = match arguments.prefix {
        Prefix::Auto if instances.len() > 1 || (is_server && arguments.follow) => Prefix::Always,
        Prefix::Auto => Prefix::Never,
        prefix @ (Prefix::Always | Prefix::Never) => prefix,
    };
    if let (Source::Owner(owner, _), true) = (&source, instances.is_empty()) {
        settings.ui.say(&format!(
            "{owner} has no instance; why: orchctl why {}/{}",
            owner.kind.meta().singular,
            owner.name
        ));
    }
    if arguments.follow {
        return follow(arguments, settings, &source, prefix);
    }
    let client = settings.client()?;
    let mut missing = None;
    let (mut shown, mut is_silent) = (0, true);
    for instance in &instances {
        let call = Call::get(route::logs(instance)).query(&parameters(arguments));
        match client.lines(&call) {
            Ok(lines) => {
                for line in lines {
                    settings.ui.line(&labelled(settings, instance, &line?, prefix))?;
                    is_silent = false;
                }
                shown += 1;
            }
            // One that has gone meanwhile, or has had no earlier run, leaves the others to be shown.
            Err(failure) if failure.code() == Some(Code::NotFound) => missing = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    match missing {
        Some(failure) if shown == 0 => Err(failure),
        Some(_) | None => {
            if arguments.previous && is_silent && !instances.is_empty() {
                settings.ui.say("no run before this one has left any lines");
            }
            Ok(Outcome::Done)
        }
    }
}

fn parameters(arguments: &Arguments) -> LogParameters {
    LogParameters {
        tail: arguments.tail,
        since: arguments.since.clone(),
        follow: arguments.follow.then_some(true),
        previous: arguments.previous.then_some(true),
        timestamps: arguments.timestamps.then_some(true),
    }
}

/// A bare name is a server's, or else an instance's.
fn source(arguments: &Arguments, settings: &Settings) -> Result<Source, Failure> {
    let words = &arguments.target;
    if let [word] = &words[..]
        && !word.contains('/')
    {
        let client = settings.client()?;
        let name = parse_name(word, "server")?;
        let instance = ObjectRef::cluster(Kind::Instance, name.clone());
        if client.find(&settings.ui, &instance)?.is_some() {
            return Ok(Source::Instance(instance));
        }
        let server = client.object(&settings.ui, &ObjectRef::cluster(Kind::Server, name))?;
        return Ok(Source::Owner(server.reference(), server.uid().to_owned()));
    }
    let object = targets::object(settings, words)?;
    if object.kind == Kind::Instance {
        return Ok(Source::Instance(object));
    }
    if object.kind != Kind::Server {
        let plural = object.kind.meta().plural;
        return Err(
            Failure::usage(format!("{plural} write no logs")).hint("servers and instances do: orchctl logs NAME")
        );
    }
    let owner = settings.client()?.object(&settings.ui, &object)?;
    Ok(Source::Owner(object, owner.uid().to_owned()))
}

fn instances(settings: &Settings, source: &Source) -> Result<Vec<ObjectRef>, Failure> {
    match source {
        Source::Instance(instance) => Ok(vec![instance.clone()]),
        Source::Owner(owner, uid) => {
            let owned = settings.client()?.owned(&settings.ui, owner.kind, uid)?;
            Ok(owned
                .iter()
                .filter(|object| object.kind == Kind::Instance)
                .map(Object::reference)
                .collect())
        }
    }
}

fn labelled(settings: &Settings, instance: &ObjectRef, line: &str, prefix: Prefix) -> String {
    // A line may leave a colour on; the next one does not inherit it.
    let plain = if settings.ui.is_terminal(Stream::Data) && line.contains('\u{1b}') {
        "\u{1b}[0m"
    } else {
        ""
    };
    match prefix {
        Prefix::Always | Prefix::Auto => {
            let label = format!("[{}]", instance.name);
            let label = settings.ui.paint(Stream::Data, Tone::Dim, &label);
            format!("{label} {line}{plain}")
        }
        Prefix::Never => format!("{line}{plain}"),
    }
}

/// A thread per instance reads; this one writes, and looks for instances that have come since.
fn follow(arguments: &Arguments, settings: &Settings, source: &Source, prefix: Prefix) -> Result<Outcome, Failure> {
    let client = settings.client()?;
    let (sender, receiver) = mpsc::channel::<(ObjectRef, Option<Result<String, Failure>>)>();
    let mut following: HashSet<ObjectRef> = HashSet::new();
    loop {
        for instance in instances(settings, source)? {
            if following.insert(instance.clone()) {
                let (client, sender) = (client.another(), sender.clone());
                let call = Call::get(route::logs(&instance)).query(&parameters(arguments));
                std::thread::spawn(move || {
                    match client.lines(&call) {
                        Ok(lines) => {
                            for line in lines {
                                // Nobody listens any more: the program is about to end.
                                if sender.send((instance.clone(), Some(line))).is_err() {
                                    return;
                                }
                            }
                        }
                        Err(failure) => drop(sender.send((instance.clone(), Some(Err(failure))))),
                    }
                    drop(sender.send((instance, None)));
                });
            }
        }
        let until = std::time::Instant::now() + LOOK_AGAIN;
        while let Ok((instance, said)) =
            receiver.recv_timeout(until.saturating_duration_since(std::time::Instant::now()))
        {
            match said {
                Some(Ok(line)) => settings.ui.line(&labelled(settings, &instance, &line, prefix))?,
                Some(Err(failure)) if failure.code() == Some(Code::NotFound) => {}
                Some(Err(failure)) => return Err(failure),
                None => {
                    settings.ui.say(&format!("{instance} has ended"));
                    if matches!(source, Source::Instance(_)) {
                        return Ok(Outcome::Done);
                    }
                }
            }
            settings.ui.flush()?;
        }
        if let Source::Owner(owner, _) = source
            && client.find(&settings.ui, owner)?.is_none()
        {
            settings.ui.say(&format!("{owner} is gone"));
            return Ok(Outcome::Done);
        }
    }
}

/// A duration or an instant; the daemon reads both, but a typing error is better told here.
fn since(text: &str) -> Result<String, String> {
    let duration = text.parse::<Span>();
    let instant = text.parse::<orch_shared::resource::Timestamp>();
    match (duration, instant) {
        (Ok(_), _) | (_, Ok(_)) => Ok(text.to_owned()),
        (Err(_), Err(_)) => Err("write a duration such as 10m, or an instant such as 2026-11-21T12:00:00Z".to_owned()),
    }
}
