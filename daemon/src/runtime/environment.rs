//! What a child finds in its environment: what its manifest declares, a short documented base, and the daemon's mark.
//!
//! The base is [`BASE`], as the daemon has it; `PATH` is led by the directory of `orchd` itself, so that programs beside it
//! are found. Installers get [`INSTALLER`] besides: how to reach the registry, never what the daemon itself is told.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The variable that marks every process of a copy, and all it starts, as ours: `<daemon>/<uid>`.
pub(super) const MARKER: &str = "ORCHD_INSTANCE";

/// What every child gets of the daemon's own environment.
pub(super) const BASE: &[&str] = &["PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER"];

/// What installers get besides: beginnings of names, compared without regard to case.
const INSTALLER: &[&str] = &[
    "npm_config_",
    "pip_",
    "uv_",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "ssl_cert_",
    "node_extra_ca_certs",
    "requests_ca_bundle",
    "curl_ca_bundle",
    "pyenv_",
];

/// Where programs are looked for when the daemon itself has no `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// An environment, in the order in which it is handed over; later ones win.
pub(super) type Environment = Vec<(OsString, OsString)>;

/// The documented base.
pub(super) fn base(daemon: &[(OsString, OsString)], programs: &Path) -> Environment {
    let mut environment: Environment = daemon
        .iter()
        .filter(|(name, _)| BASE.iter().any(|base| name == base))
        .cloned()
        .collect();
    let rest = lookup(&environment, "PATH").unwrap_or(OsStr::new(PATH));
    let mut path = programs.as_os_str().to_owned();
    path.push(":");
    path.push(rest);
    environment.retain(|(name, _)| name != "PATH");
    environment.push(("PATH".into(), path));
    environment
}

/// What installers get: the base, and how to reach the registry.
pub(super) fn installer(daemon: &[(OsString, OsString)], programs: &Path) -> Environment {
    let mut environment = base(daemon, programs);
    environment.extend(daemon.iter().filter(|(name, _)| reaches_registry(name)).cloned());
    environment
}

/// What an installer in a container gets: how to reach the registry, as far as it is no path of this machine.
pub(super) fn contained_installer(daemon: &[(OsString, OsString)]) -> Vec<(String, String)> {
    let texts = daemon.iter().filter(|(name, _)| reaches_registry(name));
    texts
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
        .filter(|(_, value)| !value.starts_with('/'))
        .collect()
}

fn reaches_registry(name: &OsStr) -> bool {
    let Some(name) = name.to_str().map(str::to_ascii_lowercase) else {
        return false;
    };
    INSTALLER.iter().any(|start| name.starts_with(start))
}

/// The value a name has in the end.
pub(super) fn lookup<'e>(environment: &'e [(OsString, OsString)], wanted: &str) -> Option<&'e OsStr> {
    environment
        .iter()
        .rev()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[(&str, &str)]) -> Environment {
        names.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn only_the_documented_base_goes_along() {
        let daemon = pairs(&[
            ("PATH", "/bin"),
            ("HOME", "/root"),
            ("ORCHD_DATABASE_URL", "secret"),
            ("https_proxy", "p"),
            ("PIP_INDEX_URL", "i"),
        ]);
        let programs = Path::new("/opt/orch");
        let path = ("PATH", "/opt/orch:/bin");
        assert_eq!(base(&daemon, programs), pairs(&[("HOME", "/root"), path]));
        let installer = installer(&daemon, programs);
        assert_eq!(
            installer,
            pairs(&[("HOME", "/root"), path, ("https_proxy", "p"), ("PIP_INDEX_URL", "i")])
        );
        assert_eq!(
            base(&[], programs),
            pairs(&[("PATH", "/opt/orch:/usr/local/bin:/usr/bin:/bin")])
        );
    }
}
