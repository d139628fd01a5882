//! A server of the workspace that runs by itself and serves over HTTP, as one that somebody else runs would.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::daemon::eventually;

/// A server that ends with its test.
pub(crate) struct Far {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Far {
    /// Starts a program of the workspace with `--http` or `--sse`, and further arguments, and waits until it serves.
    pub(crate) fn start(program: &str, mode: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("port");
        let program = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name(program);
        // Dies with the thread that started it, so that a test that is killed leaves nothing running.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&program)
            .args([mode, "127.0.0.1:0", "--port-file"])
            .arg(&file)
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .expect("the server starts: build the whole workspace first (cargo build --workspace)");
        let mut port = None;
        eventually("the server tells its port", || {
            port = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok());
            port.is_some()
        });
        Self {
            child,
            port: port.expect("a port"),
            _directory: directory,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // Killing fails only when it has ended already.
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}
