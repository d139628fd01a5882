//! `orchctl`: arguments to settings to a verb, and the verb's end to an exit code.

#![forbid(unsafe_code)]

mod args;
mod client;
mod clients;
mod complete;
mod input;
mod mcp;
mod provide;
mod render;
mod report;
mod settings;
mod ui;
mod verbs;

use std::process::ExitCode;

use settings::Settings;
use ui::Ui;

fn main() -> ExitCode {
    complete::answer_shell();
    let (ui, ended) = match args::parse() {
        Ok(cli) => {
            let settings = Settings::resolve(cli.globals);
            let ended = verbs::run(cli.verb, &settings);
            (settings.ui, ended)
        }
        Err(failure) => (Ui::plain(), Err(failure)),
    };
    let ended = ui.flush().and(ended);
    if let Err(failure) = &ended {
        report::tell(&ui, failure);
    }
    ExitCode::from(report::exit_code(&ended))
}
