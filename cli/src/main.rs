//! `orchctl`: arguments to settings to a verb, and the verb's end to an exit code.

#![forbid(unsafe_code)]

mod args;
mod client;
mod complete;
mod input;
mod render;
mod report;
mod settings;
mod ui;
mod verbs;

use std::process::ExitCode;

use settings::Settings;

fn main() -> ExitCode {
    complete::answer_shell();
    let cli = args::parse();
    let settings = Settings::resolve(cli.globals);
    let ended = verbs::run(cli.verb, &settings);
    let ended = settings.ui.flush().and(ended);
    if let Err(failure) = &ended {
        report::tell(&settings.ui, failure);
    }
    ExitCode::from(report::exit_code(&ended))
}
