//! What comes from outside while somebody is at the terminal: Ctrl-C ends what is being done and not the program; being told
//! to end gives the terminal back first.
//!
//! Enters: signals. Leaves: a call of whoever is at work ([`Watch::during`]), or the end of the program. Where there are no
//! signals of this kind, the system's own ways hold.

use std::sync::{Arc, Mutex, PoisonError};

/// The exit code of a program that Ctrl-C has ended, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// What Ctrl-C calls.
type Call = Box<dyn Fn() + Send>;

/// Whoever watches for signals.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<Call>>>);

/// Work that Ctrl-C calls, for as long as this lives.
pub(crate) struct Work(Watch);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Watch {
    /// Begins to watch. How the terminal is now is how it is given back.
    pub(crate) fn begin() -> Self {
        let watch = Self::default();
        #[cfg(unix)]
        unix::begin(watch.clone());
        watch
    }

    /// From now on Ctrl-C calls this.
    pub(crate) fn during(&self, call: impl Fn() + Send + 'static) -> Work {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(call));
        Work(self.clone())
    }

    /// Whether somebody was called.
    #[cfg(unix)]
    fn call(&self) -> bool {
        let call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        call.as_ref().is_some_and(|call| {
            call();
            true
        })
    }
}

#[cfg(unix)]
mod unix {
    use std::io::Write as _;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::Watch;

    /// No colour, and no marks around what is pasted.
    const AS_BEFORE: &[u8] = b"\x1b[0m\x1b[?2004l\r\n";

    pub(super) fn begin(watch: Watch) {
        let before = tcgetattr(std::io::stdin()).ok();
        // Without them the system's own ways hold.
        let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
            return;
        };
        std::thread::spawn(move || {
            for signal in &mut signals {
                if signal == SIGINT && watch.call() {
                    continue;
                }
                give_back(before.as_ref());
                std::process::exit(128 + signal);
            }
        });
    }

    /// Gives the terminal back as it was, if somebody has changed it.
    fn give_back(before: Option<&Termios>) {
        let Some(before) = before else { return };
        let is_raw = tcgetattr(std::io::stdin()).is_ok_and(|now| now.local_modes != before.local_modes);
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        if is_raw {
            let mut out = std::io::stdout();
            let _ = out.write_all(AS_BEFORE).and_then(|()| out.flush());
        }
    }
}
