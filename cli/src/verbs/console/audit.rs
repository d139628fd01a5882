//! The audit console: sessions by project and user on the left, what was done in the chosen ones as it happens, and all that
//! is known of one entry.
//!
//! Flow: as in the console for tools. Keys and answers come in as [`Input`]s; [`State`] decides and says what is to be done
//! as [`Effect`]s; [`work`] does it on threads of its own; [`draw`] shows the state.

mod draw;
mod state;
mod work;

use std::io::IsTerminal as _;
use std::sync::mpsc;

use crossterm::event::{Event, KeyEventKind};

use super::listen;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Stream;
use state::{Effect, Input, State};
use work::Worker;

/// Runs the console.
pub(super) fn run(settings: &Settings) -> Result<Outcome, Failure> {
    if !settings.ui.is_terminal(Stream::Data) || !std::io::stdin().is_terminal() {
        return Err(
            Failure::usage("the console needs a terminal").hint("in a script: orchctl audit, orchctl audit sessions")
        );
    }
    let client = settings.client()?;
    let (sender, inputs) = mpsc::channel();
    let worker = Worker::new(client, sender.clone());
    let mut state = State::new(client.server());
    // From here on the terminal is ours; a panic gives it back, too.
    let mut terminal = ratatui::try_init().map_err(Failure::output)?;
    std::thread::spawn(move || listen(&sender, typed));
    let ended = converse(&mut terminal, &mut state, &worker, &inputs, settings);
    ratatui::restore();
    ended.map(|()| Outcome::Done)
}

fn converse(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    worker: &Worker,
    inputs: &mpsc::Receiver<Input>,
    settings: &Settings,
) -> Result<(), Failure> {
    worker.keep_time();
    for effect in state.begin() {
        worker.run(effect, settings.now());
    }
    loop {
        let now = settings.now();
        terminal
            .draw(|frame| draw::draw(frame, state, now))
            .map_err(Failure::output)?;
        let Ok(first) = inputs.recv() else { return Ok(()) };
        // Whatever else has come in meanwhile is drawn along with it.
        for input in std::iter::once(first).chain(inputs.try_iter().take(1000)) {
            for effect in state.take(input) {
                match effect {
                    Effect::Quit => return Ok(()),
                    effect => worker.run(effect, settings.now()),
                }
            }
        }
    }
}

fn typed(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Input::Key(key)),
        Event::Resize(..) => Some(Input::Redraw),
        Event::Key(_) | Event::Paste(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}
