//! `chat`: an agent is spoken to, once or in a conversation.
//!
//! Flow: what is said becomes a call; [`turn`] hears what comes of it and [`show`] shows it, text on standard output and
//! everything else on standard error. In a conversation [`prompt`] takes in lines, [`command`] reads those that begin with a
//! slash, and [`conversation`] does what they say. Ctrl-C cancels the turn that is under way.

mod command;
mod conversation;
mod export;
mod parameters;
mod prompt;
mod show;
mod turn;

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::chat::{Answer, MOST_MESSAGE, Request, Resume};
use orch_shared::name::Name;
use orch_shared::route;
use serde_json::json;

use super::agents;
use crate::args::shared::thread_id;
use crate::args::{Limit, some_time};
use crate::client::turns::Manner;
use crate::client::{Call, Client};
use crate::complete;
use crate::render::document;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::ui::Stream;
use crate::ui::signals::Watch;
use show::{Show, Style, Text, Thinking};
use turn::Ended;

/// How long a turn may take, when nobody says.
const ORDINARY: Duration = Duration::from_secs(600);

/// Chat with an agent, or tell it one thing
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl chat reviewer                                a conversation
  orchctl chat reviewer -m 'What changed since May?'   one question
  git diff | orchctl chat reviewer -m 'Review this:'   with what comes in
  orchctl chat reviewer --thread ID --resume           after an interruption
")]
pub(crate) struct Arguments {
    /// The agent
    #[arg(value_name = "AGENT", add = ArgValueCompleter::new(complete::agents))]
    whom: String,
    /// Say this, show the answer, and end. What comes on standard input is said behind it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Go on with this thread
    #[arg(long, value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    thread: Option<String>,
    /// Go on with the latest turn of the thread, which was interrupted
    #[arg(long, action = ArgAction::SetTrue, requires = "thread", conflicts_with = "message")]
    #[arg(conflicts_with_all = ["personality", "system_append", "parameters"])]
    resume: bool,
    /// The Personality that the agent takes on
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::personalities))]
    personality: Option<String>,
    /// What the model is told behind everything else that it is told first
    #[arg(long, value_name = "TEXT", visible_alias = "system-prompt")]
    system_append: Option<String>,
    /// A parameter of the model: temperature=0, maxTokens=500, topP, stop, or one that only its provider knows. May be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameters::one)]
    parameters: Vec<parameters::Parameter>,
    /// Take the answer as a whole, when it is complete
    #[arg(long, action = ArgAction::SetTrue)]
    no_stream: bool,
    /// Begin the turn and end; it goes on without this program
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "no_stream")]
    detach: bool,
    /// How long a turn may take; then it is cancelled [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    timeout: Option<Limit>,
    /// Do not show what the model thinks
    #[arg(long, action = ArgAction::SetTrue)]
    no_thinking: bool,
    /// Show the text as it comes, on a terminal too
    #[arg(long, action = ArgAction::SetTrue)]
    raw: bool,
    /// Form of the answer
    #[arg(short, long, default_value = "text", value_name = "FORM")]
    output: Form,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// What the agent says.
    Text,
    /// The whole answer, as JSON.
    Json,
    /// The whole answer, as YAML.
    Yaml,
}

/// What is to be said.
enum Said {
    /// This, and nothing else.
    Once(String),
    /// Nothing: the turn that was interrupted goes on.
    Resume,
    /// Whatever somebody types.
    Typed,
}

/// Everything that turns of one run have in common.
struct Session<'s> {
    settings: &'s Settings,
    client: &'s Client,
    watch: Watch,
    agent: Name,
    /// The thread that is gone on with.
    thread: Option<String>,
    /// Whether the daemon has said that there is such a thread.
    is_known: bool,
    /// Whether somebody types what is said.
    is_typed: bool,
    personality: Option<Name>,
    arguments: &'s Arguments,
}

/// Speaks.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let named = arguments.personality.as_deref();
    let mut session = Session {
        settings,
        client: settings.client()?,
        watch: Watch::begin(),
        agent: parse_name(&arguments.whom, "agent")?,
        thread: arguments.thread.clone(),
        is_known: false,
        is_typed: false,
        personality: named.map(|name| parse_name(name, "personality")).transpose()?,
        arguments,
    };
    match said(arguments, settings)? {
        Said::Typed => {
            session.is_typed = true;
            conversation::run(&mut session)
        }
        Said::Once(message) => once(&mut session, &message),
        Said::Resume => {
            let call = session.resume();
            session.alone(call)
        }
    }
}

/// What is to be said. Somebody at a terminal types it, unless the answer is for a file or a program.
fn said(arguments: &Arguments, settings: &Settings) -> Result<Said, Failure> {
    let has_person = std::io::stdin().is_terminal();
    let is_watched = settings.ui.is_terminal(Stream::Data);
    let is_plain = arguments.output == Form::Text && !arguments.detach;
    match &arguments.message {
        Some(message) if has_person => Ok(Said::Once(message.clone())),
        Some(message) => Ok(Said::Once(match &*standard_input()? {
            "" => message.clone(),
            more => format!("{message}\n\n{more}"),
        })),
        None if has_person && is_watched && is_plain => Ok(Said::Typed),
        None if arguments.resume => Ok(Said::Resume),
        None if has_person && is_watched => {
            Err(Failure::usage("a conversation has no form, and cannot be left behind")
                .hint(format!("say one thing: orchctl chat {} -m TEXT", arguments.whom)))
        }
        None => standard_input().map(Said::Once),
    }
}

/// What comes in, without the line break at its end.
fn standard_input() -> Result<String, Failure> {
    let most = u64::try_from(MOST_MESSAGE).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::file("read", std::path::Path::new("standard input"), &error))?;
    if bytes.len() > MOST_MESSAGE {
        let most = MOST_MESSAGE >> 10;
        return Err(Failure::usage(format!("standard input holds more than {most} KiB"))
            .hint("say less, or give the agent a tool to read it with"));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("standard input is not UTF-8 text"))?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn once(session: &mut Session<'_>, message: &str) -> Result<Outcome, Failure> {
    if message.trim().is_empty() {
        let hint = format!("say something: orchctl chat {} -m TEXT", session.agent);
        return Err(Failure::usage("there is nothing to say").hint(hint));
    }
    let call = session.call(message);
    session.alone(call)
}

impl Session<'_> {
    /// The call that says something.
    fn call(&self, message: &str) -> Call {
        let arguments = self.arguments;
        let request = Request {
            message: message.to_owned(),
            thread_id: self.thread.clone(),
            personality: self.personality.clone(),
            system_append: arguments.system_append.clone(),
            params: parameters::together(&arguments.parameters),
            stream: self.manner() == Manner::Streamed,
            detach: arguments.detach,
        };
        Call::post(route::chat(&self.agent), &request)
    }

    /// The call that goes on with the turn that was interrupted.
    fn resume(&self) -> Call {
        let resume = Resume {
            stream: self.manner() == Manner::Streamed,
            detach: self.arguments.detach,
        };
        Call::post(route::resume(self.thread.as_deref().unwrap_or_default()), &resume)
    }

    const fn manner(&self) -> Manner {
        match self.arguments.no_stream {
            true => Manner::Whole,
            false => Manner::Streamed,
        }
    }

    fn timeout(&self) -> Duration {
        self.arguments.timeout.map_or(ORDINARY, |limit| limit.0)
    }

    /// A turn of a run that has no other, with the thread told at its end.
    fn alone(&mut self, call: Call) -> Result<Outcome, Failure> {
        let ended = self.turn(call);
        self.tell_thread();
        let form = self.arguments.output;
        let printed = |answer: &Answer| match form {
            Form::Text => None,
            Form::Json => document::text(document::Format::Json, answer),
            Form::Yaml => document::text(document::Format::Yaml, answer),
        };
        match ended? {
            Ended::Answered(answer) => {
                self.settings.ui.write(&printed(&answer).unwrap_or_default())?;
                Ok(Outcome::Done)
            }
            Ended::Cancelled => Err(Failure::Interrupted),
            Ended::LeftBehind(turn) => {
                let left = json!({"threadId": self.thread, "turn": turn});
                match form {
                    Form::Text => {
                        let id = self.thread.as_deref().unwrap_or_default();
                        self.settings
                            .ui
                            .say(&format!("what it says is there later: orchctl thread get {id}"));
                    }
                    Form::Json => self.settings.ui.write(&document::json(&left))?,
                    Form::Yaml => self.settings.ui.write(&orch_shared::manifest::to_yaml(&left))?,
                }
                Ok(Outcome::Done)
            }
        }
    }

    /// A turn, shown while it is under way.
    fn turn(&mut self, call: Call) -> Result<Ended, Failure> {
        let arguments = self.arguments;
        let style = Style {
            text: match arguments.output {
                Form::Text if arguments.detach => Text::Hidden,
                Form::Text if arguments.raw => Text::Raw,
                Form::Text => Text::Drawn,
                Form::Json | Form::Yaml => Text::Hidden,
            },
            thinking: match arguments.no_thinking || arguments.detach {
                true => Thinking::Hidden,
                false => Thinking::Shown,
            },
        };
        let mut show = Show::new(&self.settings.ui, style, &self.agent);
        let ended = turn::run(self, call, &mut show);
        show.end()?;
        ended.map_err(|failure| agents::explained(self.client, &self.settings.ui, &self.agent, failure))
    }

    /// How to go on where a turn broke off.
    fn way_back(&self) -> String {
        match &self.thread {
            Some(_) if self.is_typed => "go on with it: /resume".to_owned(),
            Some(id) => format!("go on with it: orchctl chat {} --thread {id} --resume", self.agent),
            None => "it had not begun, as far as is known here: say it again".to_owned(),
        }
    }

    /// Goes on with a thread of which the daemon has told.
    fn go_on_with(&mut self, thread: String) {
        self.thread = Some(thread);
        self.is_known = true;
    }

    fn tell_thread(&self) {
        if let Some(id) = self.thread.as_ref().filter(|_| self.is_known) {
            self.settings.ui.say(&format!("thread: {id}"));
        }
    }
}
