//! The command line's context for this machine's own user, so that nobody logs in to a daemon they have just started.
//!
//! The file is `ORCHCTL_CONFIG`, or `~/.config/orchctl/config.yaml`, mode 0600, replaced atomically. A context of another
//! daemon is never touched.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::bootstrap::Introduction;
use anyhow::{Context as _, bail};
use orch_shared::context::{Context, ContextFile, Token};

/// Where the command line looks for its contexts.
fn path() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let config = || set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    set("ORCHCTL_CONFIG").or_else(|| config().map(|config| config.join("orchctl/config.yaml")))
}

/// Writes the context of this daemon with a new token. Returns the file.
pub(super) fn write(daemon_id: &str, url: &str, token: &str, data_dir: &Path) -> anyhow::Result<PathBuf> {
    let path = place(data_dir);
    let mut file = read(&path)?;
    let context = Context {
        daemon_id: Some(daemon_id.to_owned()),
        token: Some(Token::new(token)),
        ..Context::new("local", url)
    };
    file.adopt(context);
    put(&path, &file)?;
    Ok(path)
}

/// Follows a daemon that now listens elsewhere.
pub(super) fn update_url(daemon_id: &str, url: &str, data_dir: &Path) -> anyhow::Result<Introduction> {
    let path = place(data_dir);
    let mut file = read(&path)?;
    let mut own = file.contexts.iter_mut();
    let Some(own) = own.find(|context| context.daemon_id.as_deref() == Some(daemon_id)) else {
        return Ok(Introduction::Missing);
    };
    if own.server == url {
        return Ok(Introduction::Known);
    }
    url.clone_into(&mut own.server);
    put(&path, &file)?;
    Ok(Introduction::Made(path))
}

/// The file. Without a home there is none of the command line's own; the token must not be lost with it.
fn place(data_dir: &Path) -> PathBuf {
    path().unwrap_or_else(|| data_dir.join("orchctl.yaml"))
}

fn read(path: &Path) -> anyhow::Result<ContextFile> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(ContextFile::default()),
        Ok(text) => match serde_yaml::from_str(&text) {
            Ok(file) => Ok(file),
            Err(error) => bail!(
                "{} is not a file of contexts: {error}\nhint: mend it or move it away",
                path.display()
            ),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ContextFile::default()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn put(path: &Path, file: &ContextFile) -> anyhow::Result<()> {
    let text = serde_yaml::to_string(file)?;
    let write = || -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let beside = path.with_extension("yaml.new");
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
