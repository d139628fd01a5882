//! The context file: found, read, and written so that no one else can read it and no crash can halve it.
//!
//! Enters: a path. Leaves: a [`ContextFile`], or the line that is wrong. It never creates anything on reading.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use orch_shared::context::ContextFile;
use orch_shared::problem::{Code, Problem};

use crate::report::Failure;

/// As many links in a row as systems follow before they speak of a loop.
const LINKS: usize = 40;

/// Where the file is: `ORCHCTL_CONFIG`, else `orchctl/config.yaml` in the user's configuration directory.
pub(crate) fn path() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("ORCHCTL_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let of_user = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let folder = of_user.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    let folder = folder.ok_or_else(|| {
        Failure::from(Problem::new(
            Code::NoContext,
            "there is no home directory to look for the configuration in",
        ))
        .hint("set ORCHCTL_CONFIG")
    })?;
    Ok(folder.join("orchctl").join("config.yaml"))
}

/// Reads the file; an empty one when there is none.
pub(crate) fn read(path: &Path) -> Result<ContextFile, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ContextFile::default()),
        Err(error) => return Err(Failure::file("read the configuration", path, &error)),
    };
    if text.trim().is_empty() {
        return Ok(ContextFile::default());
    }
    let refuse = |why: String| {
        let problem = Problem::new(Code::NoContext, format!("{}: {why}", path.display()));
        Failure::from(problem).hint("mend the file, or point ORCHCTL_CONFIG at another")
    };
    // In two steps: what is no mapping at all may be a token, and is not repeated.
    let value: serde_yaml::Value = serde_yaml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if !value.is_mapping() {
        return Err(refuse("it holds no contexts, but something else".to_owned()));
    }
    let file: ContextFile = serde_yaml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    let names: Vec<&str> = file.contexts.iter().map(|context| &*context.name).collect();
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, twice)) => Err(refuse(format!("there are two contexts `{twice}`"))),
        None => Ok(file),
    }
}

/// Writes the file: for this user alone, and whole or not at all.
pub(crate) fn write(path: &Path, file: &ContextFile) -> Result<(), Failure> {
    let text = serde_yaml::to_string(file).expect("contexts are plain data");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    }
    write_private(path, text.as_bytes())
}

/// Writes any file that only this user may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    put_in_place(path, content, create_private)
}

/// Writes a file of another program, whole or not at all, for those to read who could read it before.
pub(crate) fn write_as_it_was(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let kept = std::fs::metadata(path).map(|metadata| metadata.permissions()).ok();
    put_in_place(path, content, |beside| match kept {
        Some(permissions) => {
            let file = create_private(beside)?;
            file.set_permissions(permissions)?;
            Ok(file)
        }
        None => std::fs::OpenOptions::new().write(true).create_new(true).open(beside),
    })
}

/// The file that a path leads to, whether it is there or not: links are followed, so that they go on pointing where their
/// owner put them.
pub(crate) fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        let Ok(link) = std::fs::read_link(&target) else { break };
        target = target.parent().unwrap_or_else(|| Path::new("")).join(link);
    }
    target
}

/// Writes beside the target first, then in its place.
fn put_in_place(
    path: &Path,
    content: &[u8],
    create: impl FnOnce(&Path) -> io::Result<std::fs::File>,
) -> Result<(), Failure> {
    Draft::begin(path, create)?.finish(content)
}

/// A file that is about to be written: it stands beside its target, and is gone unless it is finished.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    target: PathBuf,
    beside: PathBuf,
    file: std::fs::File,
}

impl Draft {
    /// Begins a file that only this user may read. That it can be written there is known from now on.
    pub(crate) fn private(path: &Path) -> Result<Self, Failure> {
        Self::begin(path, create_private)
    }

    fn begin(path: &Path, create: impl FnOnce(&Path) -> io::Result<std::fs::File>) -> Result<Self, Failure> {
        let target = target(path);
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = target.with_file_name(name);
        match create(&beside) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                target,
                beside,
                file,
            }),
            Err(error) => Err(Failure::file("write", path, &error)),
        }
    }

    /// Writes it, and puts it in the place of what was there.
    pub(crate) fn finish(mut self, content: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(content).and_then(|()| self.file.sync_all());
        let written = written.and_then(|()| std::fs::rename(&self.beside, &self.target));
        written.map_err(|error| Failure::file("write", &self.path, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What is half done is of no use to anybody; once it is in its place, there is nothing here to remove.
        let _ = std::fs::remove_file(&self.beside);
    }
}

fn create_private(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::context::Context;

    #[test]
    fn what_is_written_is_read_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/config.yaml");
        assert_eq!(read(&path).unwrap(), ContextFile::default());
        let mut file = ContextFile::default();
        file.adopt(Context::new("local", "http://127.0.0.1:1"));
        write(&path, &file).unwrap();
        write(&path, &file).unwrap();
        assert_eq!(read(&path).unwrap(), file);
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn who_may_read_a_file_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.json");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        for wanted in [0o640, 0o600, 0o664] {
            std::fs::write(&path, "old").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wanted)).unwrap();
            write_as_it_was(&path, b"new").unwrap();
            assert_eq!((mode(), std::fs::read(&path).unwrap()), (wanted, b"new".to_vec()));
        }
        std::os::unix::fs::symlink(&path, folder.path().join("link")).unwrap();
        write_as_it_was(&folder.path().join("link"), b"through").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"through", "a link stays a link");
        let far = folder.path().join("far/new.json");
        std::fs::create_dir(folder.path().join("far")).unwrap();
        std::os::unix::fs::symlink("far/new.json", folder.path().join("second")).unwrap();
        std::os::unix::fs::symlink("second", folder.path().join("first")).unwrap();
        write_as_it_was(&folder.path().join("first"), b"far").unwrap();
        assert_eq!(std::fs::read(&far).unwrap(), b"far", "also one that led nowhere");
        assert_eq!(target(&folder.path().join("first")), far);
    }

    #[test]
    fn a_broken_file_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, "contexts:\n- name: a\n").unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(said.contains("config.yaml") && said.contains("server"), "{said}");
        let twice = "contexts:\n- {name: a, server: s}\n- {name: b, server: s}\n- {name: a, server: t}\n";
        for (text, expected) in [
            ("orch_sesame\n", "it holds no contexts"),
            (twice, "there are two contexts `a`"),
        ] {
            std::fs::write(&path, text).unwrap();
            let said = read(&path).unwrap_err().to_string();
            assert!(said.contains(expected) && !said.contains("sesame"), "{said}");
        }
    }
}
