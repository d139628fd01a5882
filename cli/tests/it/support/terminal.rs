//! A terminal for the program. Python lends it; without it tests say that they are skipped, unless `ORCH_REQUIRE_ALL` asks for
//! everything.

use std::process::Command;

use serde_json::json;

use super::home::Home;

/// Runs the program on a terminal. Each step is what must be seen, and what is typed then. The last line it prints is
/// how the program ended, and whether the terminal is as it was before. To type `SIGTERM` is to tell the program to end.
const SCRIPT: &str = r#"
import fcntl, json, os, pty, select, struct, sys, termios, time
steps = json.loads(sys.argv[1])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execv(sys.argv[2], sys.argv[2:])
seen = ""
deadline = time.time() + 60
for wanted, keys in steps:
    while wanted not in seen:
        if time.time() > deadline:
            os.kill(child, 9)
            sys.exit("not seen: " + wanted + "\n" + repr(seen[-3000:]))
        if select.select([master], [], [], 0.1)[0]:
            try:
                seen += os.read(master, 65536).decode("utf8", "replace")
            except OSError:
                break
    seen = seen.split(wanted, 1)[1] if wanted and wanted in seen else seen
    if keys == "SIGTERM":
        os.kill(child, 15)
    else:
        os.write(master, keys.encode())
while time.time() < deadline:
    pid, status = os.waitpid(child, os.WNOHANG)
    if select.select([master], [], [], 0.05)[0]:
        try:
            seen += os.read(master, 65536).decode("utf8", "replace")
        except OSError:
            pass
    if pid:
        break
else:
    os.kill(child, 9)
    sys.exit("it does not end: " + repr(seen[-3000:]))
after = termios.tcgetattr(slave)
print(seen)
print("ended", os.waitstatus_to_exitcode(status), "restored" if before == after else "not restored")
"#;

/// What was seen after the last step, when there is a Python to lend a terminal.
pub(crate) fn on_terminal(home: &Home, arguments: &[&str], steps: &[(&str, &str)]) -> Option<String> {
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("ORCH_REQUIRE_ALL").is_none(), "python3 is required");
        skipped("python3 is not installed; there is no terminal to try");
        return None;
    }
    let command = home.command(&[]);
    let program = command.get_program().to_owned();
    let mut python = Command::new("python3");
    python
        .arg("-c")
        .arg(SCRIPT)
        .arg(json!(steps).to_string())
        .arg(program)
        .args(arguments)
        .env_clear();
    python.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    python.env("TERM", "xterm-256color").current_dir(home.path());
    let output = python.output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(said)
}

#[expect(clippy::print_stderr, reason = "a skipped test says so where people look")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
