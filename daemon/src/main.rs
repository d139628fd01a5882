//! orchd: the daemon's command line.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use orch_daemon::config::{Cli, Command, Settings, Work};
use orch_daemon::runtime::exec;
use orch_daemon::{catalogue, serve, telemetry, up};

fn main() -> ExitCode {
    // The step that becomes a child's program. Before anything else: it must be quick, and alone in its process.
    if std::env::args_os().nth(1).is_some_and(|first| first == exec::ARGUMENT) {
        exec::exec_main(std::env::args_os().skip(2));
    }
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            up::say_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    exec::leave_no_core()?;
    let work = match cli.command {
        Command::Catalogue { names } => return up::print(&catalogue::manifests(&names)?),
        Command::Daemon(work) => work,
    };
    let args = work.serve_args();
    let settings = Settings::resolve(args)?;
    if args.print_config {
        return up::print(&settings.to_yaml());
    }
    telemetry::log_to_stderr(settings.log_format, telemetry::filter(&settings.log)?);
    let runtime = serve::runtime()?;
    let outcome = runtime.block_on(async {
        match work {
            Work::Serve(_) => serve::run(&settings).await,
            Work::Up(args) => up::run(&settings, &args).await,
            Work::Token { .. } => up::print(&format!("{}\n", serve::reset_token(&settings).await?.display())),
            Work::Key { .. } => up::print(&format!("{}\n", serve::rotate_key(&settings).await?)),
        }
    });
    // What still computes for somebody who has gone is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}
