//! A conversation at a terminal: what is typed is said, and lines that begin with a slash are done. What fails is told, and
//! the conversation goes on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_shared::chat::{Fork, OfferedTools, Role, Thread};
use orch_shared::name::Name;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;

use super::command::{COMMANDS, Command, Operand, Personality, ThreadCommand, read};
use super::prompt::{Prompt, Typed};
use super::show::Show;
use super::turn::Ended;
use super::{Session, export};
use crate::client::{Call, Client};
use crate::render::cell::one_line;
use crate::render::table::{Heading, Piece, Style, draw};
use crate::render::threads;
use crate::report::{self, Failure, Outcome};
use crate::settings::parse_name;
use crate::ui::{Color, NoColor, Talk, Tone, Ui};
use crate::verbs::agents;

/// So many threads are shown of a list, and offered.
const MOST_SHOWN: u32 = 20;

/// Whether the conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Leave,
}

/// Talks, until somebody leaves.
pub(super) fn run(session: &mut Session<'_>) -> Result<Outcome, Failure> {
    let ui = &session.settings.ui;
    greet(session)?;
    let offers = Offers::of(session);
    let mut prompt = Prompt::new(Box::new(move |operand| offers.words(operand)))?;
    if session.arguments.resume {
        let call = session.resume();
        settle(session, |session| say(session, call))?;
    }
    let mut is_warned = false;
    loop {
        ui.flush()?;
        match prompt.read(&format!("{}> ", session.agent))? {
            Typed::Text(text) if text.trim().is_empty() => {}
            Typed::Text(text) => {
                is_warned = false;
                let next = settle(session, |session| match read(&text) {
                    Some(Ok(command)) => perform(session, command),
                    Some(Err(why)) => Err(Failure::usage(why)),
                    None => {
                        let call = session.call(&text);
                        say(session, call)
                    }
                })?;
                if next == Next::Leave {
                    break;
                }
            }
            Typed::Interrupted if is_warned => break,
            Typed::Interrupted => {
                is_warned = true;
                ui.say("Ctrl-C once more leaves");
            }
            Typed::Ended => break,
        }
    }
    session.tell_thread();
    Ok(Outcome::Done)
}

/// Says who is spoken to, once it is known that this can be.
fn greet(session: &mut Session<'_>) -> Result<(), Failure> {
    let (client, ui) = (session.client, &session.settings.ui);
    let agent = session.agent.clone();
    match session.thread.take() {
        Some(id) => thread(session, ThreadCommand::Switch(id))?,
        None => {
            let asked = client.threads(ui, &agent, Some(1));
            asked.map_err(|failure| agents::explained(client, ui, &agent, failure))?;
        }
    }
    ui.say(&format!(
        "chatting with {agent}; /help shows what else can be done, Ctrl-D leaves"
    ));
    Ok(())
}

/// Does it. What fails is told, unless nobody is left to be told.
fn settle(
    session: &mut Session<'_>,
    work: impl FnOnce(&mut Session<'_>) -> Result<Next, Failure>,
) -> Result<Next, Failure> {
    match work(session) {
        Ok(next) => Ok(next),
        Err(Failure::Closed) => Err(Failure::Closed),
        Err(failure) => {
            session.settings.ui.flush()?;
            report::tell(&session.settings.ui, &failure);
            Ok(Next::GoOn)
        }
    }
}

fn say(session: &mut Session<'_>, call: Call) -> Result<Next, Failure> {
    match session.turn(call)? {
        Ended::Answered(answer) => Show::usage(&session.settings.ui, &answer.usage),
        Ended::Cancelled => session.settings.ui.say("cancelled"),
        // Nobody is left to be told: a conversation leaves no turn behind.
        Ended::LeftBehind(_) => {}
    }
    Ok(Next::GoOn)
}

fn perform(session: &mut Session<'_>, command: Command) -> Result<Next, Failure> {
    match command {
        Command::Help => help(session)?,
        Command::Tools => tools(session)?,
        Command::Thread(what) => thread(session, what)?,
        Command::Personality(None) => personalities(session)?,
        Command::Personality(Some(which)) => take_on(session, which)?,
        Command::Undo => undo(session)?,
        Command::Resume => {
            known(session)?;
            let call = session.resume();
            return say(session, call);
        }
        Command::Export(file) => write(session, file)?,
        Command::Quit => return Ok(Next::Leave),
    }
    Ok(Next::GoOn)
}

fn help(session: &Session<'_>) -> Result<(), Failure> {
    let mut text = String::new();
    for (name, _, operand, about) in COMMANDS {
        let usage = format!("/{name} {operand}");
        let _ = writeln!(text, "{usage:32} {about}");
    }
    text.push_str(
        "Alt-Enter, Ctrl-J, or a backslash before Enter break a line. Ctrl-C cancels a turn that is under way.\n",
    );
    session.settings.ui.write(&text)
}

fn tools(session: &Session<'_>) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    let call = Call::get(route::agent_tools(&session.agent));
    let offered: OfferedTools = session.client.send(ui, &call)?.json()?;
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    if let Some(id) = &session.thread {
        for message in session.client.messages(ui, id)?.0 {
            if message.role == Role::Assistant {
                for call in message.tool_calls {
                    *calls.entry(call.name).or_default() += 1;
                }
            }
        }
    }
    for missing in &offered.missing {
        ui.warn(&format!("tools are missing: {missing}"));
    }
    let row = |name: &str, calls: usize, about: &str| {
        vec![
            Piece::plain(one_line(name)),
            Piece::plain(calls.to_string()),
            Piece {
                text: one_line(about),
                tone: Tone::Dim,
            },
        ]
    };
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for tool in &offered.items {
        let count = calls.remove(&tool.name).unwrap_or(0);
        rows.push(row(&tool.name, count, tool.description.as_deref().unwrap_or_default()));
    }
    rows.extend(
        calls
            .iter()
            .map(|(name, count)| row(name, *count, "no longer there for you")),
    );
    if rows.is_empty() {
        ui.say("the agent has no tools that it may use for you");
        return Ok(());
    }
    ui.write(&draw(
        &["TOOL", "CALLS", "DESCRIPTION"],
        rows,
        Style::whole(ui, Heading::Shown),
    ))
}

fn thread(session: &mut Session<'_>, what: ThreadCommand) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    match what {
        ThreadCommand::Show => match &session.thread {
            Some(id) => {
                let thread = session.client.thread(ui, id)?;
                describe(ui, &thread);
            }
            None => ui.say("nothing was said yet, so that there is no thread"),
        },
        ThreadCommand::New => {
            session.thread = None;
            ui.say("what is said next begins a thread");
        }
        ThreadCommand::List => {
            let (found, is_more) = session.client.threads(ui, &session.agent, Some(MOST_SHOWN))?;
            if found.is_empty() {
                ui.say("you have no threads with this agent");
            } else {
                let style = Style::whole(ui, Heading::Shown);
                ui.write(&threads::table(
                    session.settings.now(),
                    &found,
                    threads::Detail::Most,
                    style,
                ))?;
            }
            if is_more {
                ui.say(&format!("more: orchctl thread list {}", session.agent));
            }
        }
        ThreadCommand::Switch(id) => {
            let thread = session.client.thread(ui, &id)?;
            if thread.agent != session.agent {
                return Err(Failure::usage(format!("that thread is one with {}", thread.agent))
                    .hint(format!("orchctl chat {} --thread {id}", thread.agent)));
            }
            describe(ui, &thread);
            session.go_on_with(thread.id);
        }
    }
    Ok(())
}

fn describe(ui: &Ui, thread: &Thread) {
    let title = thread.title.as_deref().map(one_line).unwrap_or_default();
    let turns = thread.turns;
    let count = if turns == 1 {
        "1 turn".to_owned()
    } else {
        format!("{turns} turns")
    };
    ui.say(&format!("thread {}: {title} ({count})", thread.id));
}

fn personalities(session: &Session<'_>) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    match agents::personalities(session.client, ui, &session.agent)? {
        names if names.is_empty() => ui.say("the agent has no personalities"),
        names => {
            for name in names {
                let is_taken = session.personality.as_ref() == Some(&name);
                ui.line(&format!("{} {name}", if is_taken { "*" } else { " " }))?;
            }
        }
    }
    if session.personality.is_none() {
        ui.say("it takes on its own default, if it has one");
    }
    Ok(())
}

fn take_on(session: &mut Session<'_>, which: Personality) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    let name = match which {
        Personality::Default => {
            session.personality = None;
            ui.say("from now on it takes on its own default, if it has one");
            return Ok(());
        }
        Personality::Named(name) => parse_name(&name, "personality")?,
    };
    agents::known_personality(session.client, ui, &session.agent, &name)?;
    ui.say(&format!("from now on it takes on {name}"));
    session.personality = Some(name);
    Ok(())
}

/// The thread, once there is one.
fn known<'i>(session: &'i Session<'_>) -> Result<&'i str, Failure> {
    session.thread.as_deref().ok_or_else(|| {
        Failure::from(Problem::new(
            Code::NotFound,
            "nothing was said yet, so that there is no thread",
        ))
        .hint("go on with an earlier one: /thread list")
    })
}

fn undo(session: &mut Session<'_>) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    let id = known(session)?;
    let thread = session.client.thread(ui, id)?;
    let last = thread.last_turn.as_ref().map_or(thread.turns, |turn| turn.turn);
    let Some(kept) = last.checked_sub(1) else {
        return Err(Failure::usage("there is no turn that could be undone"));
    };
    let fork = Fork {
        turn: Some(kept),
        title: None,
    };
    let forked: Thread = session.client.send(ui, &Call::post(route::fork(id), &fork))?.json()?;
    ui.say(&format!(
        "turn {last} is left behind in thread {id}; what is said next is said in thread {}. What tools did is not undone",
        forked.id
    ));
    session.go_on_with(forked.id);
    Ok(())
}

fn write(session: &Session<'_>, file: Option<PathBuf>) -> Result<(), Failure> {
    let ui = &session.settings.ui;
    let id = known(session)?;
    let path = file.unwrap_or_else(|| PathBuf::from(format!("{}-{id}.md", session.agent)));
    let thread = session.client.thread(ui, id)?;
    let (messages, turns) = session.client.messages(ui, id)?;
    let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let text = match is_json {
        true => export::json(&thread, &messages, &turns),
        false => export::markdown(&thread, &messages, &turns),
    };
    create(&path, &text)?;
    ui.say(&format!("{} messages are in {}", messages.len(), path.display()));
    Ok(())
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::file("write", path, &error).hint("name another file: /export FILE"))
}

/// Names to offer while somebody types. Whatever goes wrong, nothing is offered.
struct Offers {
    client: Client,
    agent: Name,
}

impl Offers {
    fn of(session: &Session<'_>) -> Self {
        Self {
            client: session.client.within(Duration::from_secs(1)),
            agent: session.agent.clone(),
        }
    }

    fn words(&self, operand: Operand) -> Vec<String> {
        let quiet = Ui::new(Color::Never, Talk::Quiet, NoColor::Set);
        match operand {
            Operand::Nothing | Operand::File => Vec::new(),
            Operand::Thread => {
                let found = self.client.threads(&quiet, &self.agent, Some(MOST_SHOWN));
                found
                    .unwrap_or_default()
                    .0
                    .into_iter()
                    .map(|thread| thread.id)
                    .collect()
            }
            Operand::Personality => {
                let found = agents::personalities(&self.client, &quiet, &self.agent);
                found.unwrap_or_default().iter().map(ToString::to_string).collect()
            }
        }
    }
}
