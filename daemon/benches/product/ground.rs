//! A store with the admission in front of it, without a daemon around them: where nothing else writes, and where a commit
//! can be made to cost what it costs on a slow disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orch_daemon::admission::{Admission, Providers};
use orch_daemon::clock::{RandomIds, SystemClock};
use orch_daemon::secrets::{Backends, Keyring};
use orch_daemon::store::{Database, Options, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// An open store and its admission.
pub(crate) struct Ground {
    pub(crate) admission: Admission,
    directory: tempfile::TempDir,
    shutdown: CancellationToken,
    engine: JoinHandle<()>,
}

/// What is left of a ground once it is closed: its SQLite database, as long as this lives.
pub(crate) struct Closed {
    directory: tempfile::TempDir,
}

impl Ground {
    /// A ground whose commits take so much longer; on SQLite unless another database is named.
    pub(crate) async fn open(elsewhere: Option<Database>, sync: Duration) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("orch-bench-")
            .tempdir()
            .expect("a temporary directory");
        let database = elsewhere.unwrap_or_else(|| Database::Sqlite(directory.path().to_owned()));
        let clock = Arc::new(SystemClock);
        let mut options = Options::new(clock.clone(), Arc::new(RandomIds::new(clock)));
        options.testing.sync_delay = sync;
        let (store, engine) = Store::open(database, options).await.expect("the store opens");
        let keyring = Keyring::open(&directory.path().join("keys.json")).expect("a key can be made");
        let shutdown = CancellationToken::new();
        let engine = tokio::spawn(engine.run(shutdown.clone()));
        Self {
            admission: Admission {
                store,
                keyring,
                backends: Backends::default(),
                providers: Providers::default(),
            },
            directory,
            shutdown,
            engine,
        }
    }

    /// Closes the store; everything is in its file then.
    pub(crate) async fn close(self) -> Closed {
        let Self {
            directory,
            shutdown,
            engine,
            ..
        } = self;
        shutdown.cancel();
        engine.await.expect("the engine ends");
        Closed { directory }
    }
}

impl Closed {
    /// The file of its SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("orchd.db")
    }
}
