//! What the command line costs beside programs that do as little as can be done: `true`, and `curl` of the same endpoint.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::amount::{median, millis, timed};
use crate::ask::Effort;
use crate::objects::home_with;
use crate::report::{Holds, Line, Report};
use crate::support::daemon::{Home, say};

const MORE_THAN_TRUE: Duration = Duration::from_millis(5);
const TIMES_CURL: u32 = 2;
const MORE_THAN_CURL: Duration = Duration::from_millis(10);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let count = effort.pick(1000, 20);
    let home = home_with(count + 1, &[]);

    let version = || home.orchctl_command(&["version", "--client"]);
    let nothing = installed("true").expect("every system has it");
    let (ours, nothing) = in_turns(effort.pick(200, 2), version, || home.program(&nothing));
    report.tell(Line::of("orchctl version --client | true").times(ours, nothing).target(
        format!("<= +{}", millis(MORE_THAN_TRUE)),
        ours <= nothing + MORE_THAN_TRUE,
        Holds::AtRest,
    ));

    let Some(program) = installed("curl") else {
        say("skipped: orchctl get beside curl, which is not installed");
        return;
    };
    let get = || home.orchctl_command(&["get", "servers"]);
    let (ours, curl) = in_turns(effort.pick(40, 1), get, || curl(&home, &program, "/api/v1/servers"));
    report.tell(
        Line::of(format!("orchctl get servers | curl, {count} rows"))
            .times(ours, curl)
            .target(
                format!("<= {TIMES_CURL}x + {}", millis(MORE_THAN_CURL)),
                ours <= curl * TIMES_CURL + MORE_THAN_CURL,
                Holds::AtRest,
            ),
    );
}

/// Where a program is. A path, not a name: for a name, a child is started in a slower way.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.exists())
}

fn curl(home: &Home, program: &Path, path: &str) -> Command {
    let mut command = home.program(program);
    command.args(["--silent", "--fail", "--header"]);
    command.arg(format!("Authorization: Bearer {}", home.token()));
    command.arg(format!("http://{}{path}", home.address()));
    command
}

/// Runs both so often, one after the other, and tells what each takes as a rule.
fn in_turns(rounds: usize, one: impl Fn() -> Command, other: impl Fn() -> Command) -> (Duration, Duration) {
    let run = |mut command: Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let (took, status) = timed(|| command.status().expect("the program runs"));
        assert!(status.success(), "{command:?}: {status}");
        took
    };
    let both: Vec<_> = (0..rounds).map(|_| (run(one()), run(other()))).collect();
    let (ones, others): (Vec<_>, Vec<_>) = both.into_iter().unzip();
    (median(&ones), median(&others))
}
