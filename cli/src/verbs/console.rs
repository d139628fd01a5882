//! `console`: a whole terminal to try the tools of a project in, and to watch what MCP clients and servers say; or, with
//! `--audit`, to look at who did what ([`audit`], which is made of the same parts).
//!
//! Flow: keys and answers come in as [`Input`]s on one channel; [`State`] decides, and says what is to be done as
//! [`Effect`]s; [`work`] does it on threads of its own; [`draw`] shows the state. Only this file touches the terminal, which
//! is as it was before when the console ends, however it ends.

mod audit;
mod draw;
mod editor;
mod state;
mod traffic;
mod work;

use std::io::IsTerminal as _;
use std::sync::mpsc;

use clap::{ArgAction, Args};
use crossterm::event::{self, Event, KeyEventKind};

use crate::mcp::target::Target;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Stream;
use state::{Effect, Input, State};
use work::Worker;

/// Try tools and watch MCP traffic, or look at who did what, on the whole terminal
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl console -p web
  orchctl console --server files        one server, without traffic
  orchctl console -p web --context staging
  orchctl console --audit               who did what, as it happens
")]
pub(crate) struct Arguments {
    /// Look at the audit log: sessions by project and user, and what was done in them
    #[arg(long, action = ArgAction::SetTrue)]
    audit: bool,
}

/// Runs the console.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    if arguments.audit {
        return audit::run(settings);
    }
    let target = Target::of(settings)?;
    if !settings.ui.is_terminal(Stream::Data) || !std::io::stdin().is_terminal() {
        let flags = target.flags().join(" ");
        return Err(Failure::usage("the console needs a terminal").hint(format!(
            "in a script: orchctl tools list {flags}, orchctl tools call NAME {flags}"
        )));
    }
    let (sender, inputs) = mpsc::channel();
    let worker = Worker::new(settings.client()?, target.clone(), sender.clone());
    let mut state = State::new(&target);
    // From here on the terminal is ours; a panic gives it back, too.
    let mut terminal = ratatui::try_init().map_err(Failure::output)?;
    std::thread::spawn(move || listen(&sender, typed));
    let ended = converse(&mut terminal, &mut state, &worker, &inputs);
    ratatui::restore();
    ended.map(|()| Outcome::Done)
}

fn converse(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    worker: &Worker,
    inputs: &mpsc::Receiver<Input>,
) -> Result<(), Failure> {
    for effect in state.begin() {
        worker.run(effect);
    }
    loop {
        terminal
            .draw(|frame| draw::draw(frame, state))
            .map_err(Failure::output)?;
        let Ok(first) = inputs.recv() else { return Ok(()) };
        // Whatever else has come in meanwhile is drawn along with it.
        for input in std::iter::once(first).chain(inputs.try_iter().take(1000)) {
            for effect in state.take(input) {
                match effect {
                    Effect::Quit => return Ok(()),
                    effect => worker.run(effect),
                }
            }
        }
    }
}

/// Hands on what is typed, until nobody takes it any more.
fn listen<I>(sender: &mpsc::Sender<I>, input: fn(Event) -> Option<I>) {
    while let Ok(event) = event::read() {
        let Some(input) = input(event) else { continue };
        if sender.send(input).is_err() {
            return;
        }
    }
}

fn typed(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Input::Key(key)),
        Event::Resize(..) => Some(Input::Redraw),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}
