//! `completion`: what a shell needs to complete `orchctl`.

use clap::{ArgAction, Args};
use clap_complete::Shell;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::args;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Print what a shell needs to complete orchctl
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  source <(orchctl completion bash)              in ~/.bashrc
  source <(orchctl completion zsh)               in ~/.zshrc
  orchctl completion fish | source               in ~/.config/fish/config.fish
  orchctl completion powershell | Out-String | Invoke-Expression   in $PROFILE
  eval (orchctl completion elvish | slurp)       in ~/.elvish/rc.elv
")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
    /// A script that stands alone: it knows verbs and flags, but no live names
    #[arg(long = "static", action = ArgAction::SetTrue)]
    standalone: bool,
}

/// Prints the script.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let script = if arguments.standalone {
        standalone(arguments.shell)
    } else {
        live(arguments.shell)?
    };
    settings.ui.write(&script)?;
    Ok(Outcome::Done)
}

/// The script that knows verbs and flags by itself.
pub(super) fn standalone(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "orchctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The script that asks this program at each Tab, which can so offer names of live objects.
fn live(shell: Shell) -> Result<String, Failure> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Zsh => &Zsh,
        // The list of shells is the library's and may grow.
        other => return Err(Failure::usage(format!("{other} is not known here"))),
    };
    let mut script = Vec::new();
    completer
        .write_registration("COMPLETE", "orchctl", "orchctl", "orchctl", &mut script)
        .map_err(Failure::output)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}
