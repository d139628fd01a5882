//! What installers say when they fail, in people's words.

use super::super::launch::Registry;
use super::super::observation::Failure;
use super::request::Request;

/// What in an installer's last lines tells that its registry was not reached.
const UNREACHED: &[&str] = &[
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
    "NewConnectionError",
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Connection refused",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ProxyError",
    "dns error",
    "tcp connect error",
    "error sending request",
];

/// What kind of failure an installer's last lines tell of.
pub(in crate::runtime) fn explain(request: &Request, last_lines: Vec<String>) -> Failure {
    let says = |what: &str| last_lines.iter().any(|line| line.contains(what));
    let package = request.to_string();
    if UNREACHED.iter().any(|sign| says(sign)) {
        return Failure::NoNetwork { package, last_lines };
    }
    let name = &request.name;
    let page = match request.registry {
        Registry::Npm => format!("npm view {name} versions"),
        Registry::Pypi => format!("pip index versions {name}"),
    };
    let (reason, hint) = if says("E404") || says("not found in the package registry") || says("(from versions: none)") {
        (
            "the registry knows no such package".to_owned(),
            Some(format!("check the name: {name}")),
        )
    } else if says("ETARGET")
        || says("No matching version")
        || says("No matching distribution")
        || says("no version of")
    {
        (
            "the registry has no such version".to_owned(),
            Some(format!("look at what there is: {page}")),
        )
    } else if says("E401") || says("E403") || says("401 Error") || says("403 Error") {
        (
            "the registry refuses access".to_owned(),
            Some("check the registry's credentials in the environment of the daemon".to_owned()),
        )
    } else if says("ensurepip is not available") || says("No module named venv") {
        return Failure::ToolMissing {
            program: "python3-venv".to_owned(),
            purpose: "installing pypi packages".to_owned(),
            hint: "install it where the daemon runs: apt-get install python3-venv".to_owned(),
        };
    } else if says("ENOSPC") || says("No space left on device") {
        (
            "the disk is full".to_owned(),
            Some("make room in the daemon's data directory".to_owned()),
        )
    } else if says("EBADENGINE") || says("requires a different Python") || says("Requires-Python") {
        (
            "it needs another version of node or python".to_owned(),
            Some(format!("look at what there is: {page}")),
        )
    } else {
        ("the installer failed".to_owned(), None)
    };
    Failure::InstallFailed {
        package,
        reason,
        last_lines,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::launch::InstallScripts;
    use super::*;

    #[test]
    fn installers_are_understood() {
        for (registry, line, reason, message) in [
            (
                Registry::Npm,
                "npm error code E404",
                "InstallFailed",
                "knows no such package",
            ),
            (
                Registry::Npm,
                "npm error code ETARGET",
                "InstallFailed",
                "has no such version",
            ),
            (
                Registry::Npm,
                "npm error code ECONNREFUSED",
                "NoNetwork",
                "cannot be reached",
            ),
            (
                Registry::Npm,
                "npm error request to https://x failed, reason: getaddrinfo EAI_AGAIN x",
                "NoNetwork",
                "cannot be reached",
            ),
            (Registry::Npm, "npm error code ENOSPC", "InstallFailed", "disk is full"),
            (
                Registry::Npm,
                "npm error something else",
                "InstallFailed",
                "installer failed",
            ),
            (
                Registry::Pypi,
                "ERROR: Could not find a version that satisfies the requirement x (from versions: none)",
                "InstallFailed",
                "knows no such package",
            ),
            (
                Registry::Pypi,
                "ERROR: No matching distribution found for x==9 (from versions: 1, 2)",
                "InstallFailed",
                "has no such version",
            ),
            (
                Registry::Pypi,
                "NewConnectionError: Failed to establish a new connection",
                "NoNetwork",
                "cannot be reached",
            ),
            (
                Registry::Pypi,
                "The virtual environment was not created because ensurepip is not available",
                "ToolMissing",
                "python3-venv",
            ),
        ] {
            let request = Request {
                registry,
                name: "x".into(),
                version: Some("9".into()),
                scripts: InstallScripts::Ignored,
            };
            let failure = explain(&request, vec!["first".into(), line.to_owned(), "last".into()]);
            assert_eq!(failure.reason(), reason, "{line}");
            assert!(failure.to_string().contains(message), "{line}: {failure}");
        }
    }
}
