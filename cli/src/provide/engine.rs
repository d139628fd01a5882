//! A model server whose process is this program's: started when it is needed, stopped when it was not used for a while, and
//! ended with this program, however that ends.
//!
//! Flow: the command runs below a guard, a shell that leads a process group of its own and reads from a pipe that this
//! program holds. When the pipe closes, because this program lets go of it or because it is not there any more, the guard
//! ends the whole group: with TERM, and what is left of it after a while with KILL.
//!
//! Assumptions: the command does not leave its process group.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::site::{Sent, Site, Way};

/// Runs the command `$1` until its pipe, which is standard input, closes.
const GUARD: &str = r#"
exec 3<&0 </dev/null
sh -c "$1" 3<&- &
child=$!
(
    trap '' TERM HUP INT
    read -r line <&3
    kill -TERM 0
    tries=0
    while kill -0 "$child" 2>/dev/null && [ "$tries" -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL 0
) &
exec 3<&-
wait "$child"
"#;

/// Between two looks at a server that is starting.
const LOOK: Duration = Duration::from_millis(200);
/// How long one look may take.
const LOOKING: Duration = Duration::from_secs(5);

/// How a model server is started.
#[derive(Debug)]
pub(crate) struct Start {
    /// For a shell.
    pub(crate) command: String,
    /// Where it answers once it does.
    pub(crate) site: Site,
    /// The address at which that is seen.
    pub(crate) ready: String,
    /// How long it may take until then.
    pub(crate) patience: Duration,
    /// After so long without use it is stopped; never, when nobody says.
    pub(crate) idle: Option<Duration>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// A model server, running or not.
#[derive(Debug)]
pub(crate) struct Engine {
    start: Start,
    /// Held while it is started or stopped: whoever needs it meanwhile waits for what comes of that.
    process: Mutex<Option<Process>>,
    use_of: Mutex<Use>,
}

#[derive(Debug)]
struct Process {
    guard: Child,
    /// Closing it ends the group.
    leash: Option<ChildStdin>,
}

/// How the server is used.
#[derive(Debug, Clone, Copy)]
struct Use {
    is_running: bool,
    requests: usize,
    last: Instant,
}

/// Keeps a server from being stopped.
pub(crate) struct InUse<'e>(&'e Engine);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut use_of = self.0.use_of();
        use_of.requests -= 1;
        use_of.last = Instant::now();
    }
}

impl Engine {
    /// One that does not run yet.
    pub(crate) fn new(start: Start) -> Self {
        Self {
            start,
            process: Mutex::new(None),
            use_of: Mutex::new(Use {
                is_running: false,
                requests: 0,
                last: Instant::now(),
            }),
        }
    }

    fn use_of(&self) -> MutexGuard<'_, Use> {
        self.use_of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it runs and answers.
    pub(crate) fn is_running(&self) -> bool {
        self.use_of().is_running
    }

    /// Sees to it that it runs, and keeps it from being stopped as long as what is returned lives. Whether it was started
    /// for that.
    pub(crate) fn enter(&self) -> Result<(InUse<'_>, bool), String> {
        self.use_of().requests += 1;
        // From here on it is given back whatever happens.
        let in_use = InUse(self);
        let mut process = self.process();
        if let Some(running) = process.as_mut() {
            match running.guard.try_wait() {
                Ok(None) => return Ok((in_use, false)),
                Ok(Some(_)) | Err(_) => *process = None,
            }
        }
        let mut started = self.spawn()?;
        let ready = self.until_ready(&mut started);
        if let Err(why) = ready {
            started.end();
            return Err(why);
        }
        *process = Some(started);
        self.use_of().is_running = true;
        Ok((in_use, true))
    }

    fn spawn(&self) -> Result<Process, String> {
        let log = &self.start.log;
        let told = |what: &str, error: &std::io::Error| format!("{what}: {}", crate::report::plain(error));
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let output = options
            .open(log)
            .and_then(|output| Ok((output.try_clone()?, output)))
            .map_err(|error| told(&format!("its log {} cannot be opened", log.display()), &error))?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD, "orchctl-guard", &self.start.command]);
        command.stdin(Stdio::piped()).stdout(output.0).stderr(output.1);
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        let mut guard = command
            .spawn()
            .map_err(|error| told("its command cannot be started", &error))?;
        let leash = guard.stdin.take();
        Ok(Process { guard, leash })
    }

    fn until_ready(&self, started: &mut Process) -> Result<(), String> {
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = started.guard.try_wait() {
                return Err(format!(
                    "its command has ended ({status}); its log is {}",
                    self.start.log.display()
                ));
            }
            let site = &self.start.site;
            let looked = site.send(
                &site.exchange(),
                (Way::Get, &self.start.ready),
                &[],
                Sent::Nothing,
                Some(LOOKING),
            );
            if looked.is_ok_and(|answered| answered.status < 500) {
                return Ok(());
            }
            if began.elapsed() >= self.start.patience {
                let seconds = self.start.patience.as_secs();
                return Err(format!(
                    "it does not answer {seconds} s after it was started; its log is {}",
                    self.start.log.display()
                ));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Stops it when it was not used for long enough, and notices when it has ended by itself: whether it has just ended, and
    /// why, in a clause.
    pub(crate) fn rest(&self) -> Option<String> {
        // Whoever starts it just now uses it.
        let mut process = self.process.try_lock().ok()?;
        let running = process.as_mut()?;
        if let Ok(Some(status)) = running.guard.try_wait() {
            *process = None;
            self.use_of().is_running = false;
            return Some(format!("its command has ended ({status})"));
        }
        let idle = self.start.idle?;
        {
            let mut use_of = self.use_of();
            if use_of.requests > 0 || use_of.last.elapsed() < idle {
                return None;
            }
            use_of.is_running = false;
        }
        if let Some(running) = process.take() {
            running.end();
        }
        Some(format!("it was not used for {} s", idle.as_secs()))
    }
}

impl Process {
    /// Ends it with everything that it has started.
    fn end(mut self) {
        self.leash = None;
        // The guard ends with its group; it fails only when it has ended already.
        let _ended = self.guard.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.leash = None;
        let _ended = self.guard.try_wait();
    }
}
