//! What a command really starts: a package, an image, or just a program.
//!
//! Enters: words as a client would start them. Leaves: a [`Launch`], with whatever of it could not be carried over. What
//! is not understood in full stays a command, word for word.

/// What a command starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Launch {
    /// A package of npm or PyPI.
    Package(Package),
    /// A container image.
    Image(Image),
    /// A program, as it was written.
    Command(Vec<String>),
    /// `orchctl mcp serve`: one of our own entries.
    Ours,
}

/// A package and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// `npm` or `pypi`.
    pub(crate) registry: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// Its version, when one is asked for.
    pub(crate) version: Option<String>,
    /// Which of its programs.
    pub(crate) executable: Option<String>,
    /// Arguments of the server.
    pub(crate) args: Vec<String>,
}

/// An image and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its reference.
    pub(crate) reference: String,
    /// What replaces its entry point.
    pub(crate) entrypoint: Option<String>,
    /// Whether it is pulled at every start.
    pub(crate) pull_always: bool,
    /// Variables: with a value, or to be handed on.
    pub(crate) environment: Vec<(String, Option<String>)>,
    /// Arguments of the entry point.
    pub(crate) args: Vec<String>,
}

/// What these words start.
pub(crate) fn of(words: &[String]) -> Launch {
    let inner = unwrapped(words);
    let program = inner.first().map(|word| base(word)).unwrap_or_default();
    let rest: Vec<&str> = inner.iter().skip(1).map(String::as_str).collect();
    let found = match (program, &rest[..]) {
        ("orchctl", ["mcp", "serve", ..]) => Some(Launch::Ours),
        ("npx" | "bunx" | "pnpx", rest) => npm(rest),
        ("npm", ["exec" | "x", rest @ ..]) | ("pnpm" | "yarn", ["dlx", rest @ ..]) | ("bun", ["x", rest @ ..]) => {
            npm(rest)
        }
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) | ("pipx", ["run", rest @ ..]) => pypi(rest),
        ("docker" | "podman", ["run", rest @ ..] | ["container", "run", rest @ ..]) => container(rest),
        _ => None,
    };
    found.unwrap_or_else(|| Launch::Command(words.to_vec()))
}

/// The words without the shell of Windows and `env` around them.
fn unwrapped(words: &[String]) -> &[String] {
    match words {
        [shell, flag, rest @ ..] if base(shell) == "cmd" && flag.eq_ignore_ascii_case("/c") => rest,
        [env, rest @ ..] if base(env) == "env" && rest.first().is_some_and(|word| !word.contains(['=', '-'])) => rest,
        words => words,
    }
}

/// The program's name, without its folder and the ending of Windows.
pub(super) fn base(program: &str) -> &str {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    name.strip_suffix(".cmd")
        .or_else(|| name.strip_suffix(".exe"))
        .unwrap_or(name)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn npm(words: &[&str]) -> Option<Launch> {
    let mut package = None;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            "-y" | "--yes" | "-q" | "--quiet" => at += 1,
            "--" => {
                at += 1;
                break;
            }
            "-p" | "--package" => {
                package = Some(*words.get(at + 1)?);
                at += 2;
            }
            word => match word.strip_prefix("--package=") {
                Some(named) => {
                    package = Some(named);
                    at += 1;
                }
                // A flag that we do not know may mean anything.
                None if word.starts_with('-') => return None,
                None => break,
            },
        }
    }
    let first = words.get(at)?;
    let args = owned(&words[at + 1..]);
    let (specifier, executable) = match package {
        Some(package) => (package, Some((*first).to_owned())),
        None => (*first, None),
    };
    let (name, version) = npm_name(specifier)?;
    Some(Launch::Package(Package {
        registry: "npm",
        name,
        version,
        executable,
        args,
    }))
}

/// `@scope/name@1.2`, and nothing that lives elsewhere than in the registry.
fn npm_name(specifier: &str) -> Option<(String, Option<String>)> {
    let at = specifier.rfind('@').filter(|at| *at > 0);
    let (name, version) = match at {
        Some(at) => (&specifier[..at], Some(&specifier[at + 1..])),
        None => (specifier, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_name = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, bare))) => {
            !scope.is_empty() && !bare.is_empty() && scope.chars().chain(bare.chars()).all(plain)
        }
        Some(None) => false,
        None => !name.starts_with('.') && name.chars().all(plain) && !name.is_empty(),
    };
    let version = version.filter(|version| !version.is_empty() && *version != "latest");
    let is_version = version.is_none_or(|version| !version.contains([':', '/']));
    (is_name && is_version).then(|| (name.to_owned(), version.map(str::to_owned)))
}

fn pypi(words: &[&str]) -> Option<Launch> {
    let mut from = None;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            "-q" | "--quiet" | "--no-cache" | "--refresh" => at += 1,
            "--from" | "--spec" => {
                from = Some(*words.get(at + 1)?);
                at += 2;
            }
            word => match word.strip_prefix("--from=").or_else(|| word.strip_prefix("--spec=")) {
                Some(named) => {
                    from = Some(named);
                    at += 1;
                }
                None if word.starts_with('-') => return None,
                None => break,
            },
        }
    }
    let first = words.get(at)?;
    let args = owned(&words[at + 1..]);
    let (name, version) = pypi_name(from.unwrap_or(first))?;
    let executable = from.is_some().then(|| (*first).to_owned());
    Some(Launch::Package(Package {
        registry: "pypi",
        name,
        version,
        executable,
        args,
    }))
}

/// `name`, `name@1.2`, `name==1.2` or `name>=1`.
fn pypi_name(specifier: &str) -> Option<(String, Option<String>)> {
    let end = specifier
        .find(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c))
        .unwrap_or(specifier.len());
    let (name, rest) = specifier.split_at(end);
    if name.is_empty() || name.starts_with(['-', '.']) {
        return None;
    }
    let version = match rest.as_bytes().first() {
        None => None,
        Some(b'@') => Some(&rest[1..]),
        Some(b'=') => Some(rest.strip_prefix("==")?),
        Some(b'>' | b'<' | b'~' | b'!') => Some(rest),
        Some(_) => return None,
    };
    let version = version
        .map(str::trim)
        .filter(|version| !version.is_empty() && *version != "latest");
    let is_version = version.is_none_or(|version| !version.contains([':', '/', ';', '[']));
    is_version.then(|| (name.to_owned(), version.map(str::to_owned)))
}

fn container(words: &[&str]) -> Option<Launch> {
    let mut image = Image {
        reference: String::new(),
        entrypoint: None,
        pull_always: false,
        environment: Vec::new(),
        args: Vec::new(),
    };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            word.clone_into(&mut image.reference);
            image.args = words.map(str::to_owned).collect();
            return Some(Launch::Image(image));
        }
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            Some(_) | None => (word, None),
        };
        match flag {
            // How it is attached and called is our business.
            "-i" | "-t" | "-it" | "-ti" | "--interactive" | "--tty" | "--rm" | "--init" => {}
            "--name" | "-l" | "--label" | "--platform" => {
                inline.or_else(|| words.next())?;
            }
            "--pull" => image.pull_always = inline.or_else(|| words.next())? == "always",
            "--entrypoint" => image.entrypoint = Some(inline.or_else(|| words.next())?.to_owned()),
            "-e" | "--env" => {
                let variable = inline.or_else(|| words.next())?;
                image.environment.push(match variable.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (variable.to_owned(), None),
                });
            }
            // Volumes, networks, limits: only the command says them.
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match of(&words) {
            Launch::Package(p) => {
                let version = p
                    .version
                    .map(|version| format!(" version {version}"))
                    .unwrap_or_default();
                let executable = p.executable.map(|name| format!(" runs {name}")).unwrap_or_default();
                format!("{} {}{version}{executable} {:?}", p.registry, p.name, p.args)
            }
            Launch::Image(i) => format!(
                "image {} {:?} {} {:?} {:?}",
                i.reference, i.entrypoint, i.pull_always, i.environment, i.args
            ),
            Launch::Command(words) => format!("command {}", words.join(" ")),
            Launch::Ours => "ours".to_owned(),
        }
    }

    #[test]
    fn commands_are_seen_through() {
        for (line, expected) in [
            (
                "npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /srv",
                "npm @modelcontextprotocol/server-filesystem version 2026.8.31 [\"/srv\"]",
            ),
            ("npx left-pad", "npm left-pad []"),
            ("npx --yes left-pad@latest -x", "npm left-pad [\"-x\"]"),
            (
                "/usr/local/bin/npx -p @a/b@^1 tool --flag",
                "npm @a/b version ^1 runs tool [\"--flag\"]",
            ),
            ("cmd /c npx -y a", "npm a []"),
            ("npm exec -- a b", "npm a [\"b\"]"),
            ("bunx a", "npm a []"),
            ("pnpm dlx a@2", "npm a version 2 []"),
            ("npx -y github:me/it", "command npx -y github:me/it"),
            ("npx -y ./here", "command npx -y ./here"),
            ("npx --registry=https://x a", "command npx --registry=https://x a"),
            (
                "uvx mcp-server-time --local-timezone UTC",
                "pypi mcp-server-time [\"--local-timezone\", \"UTC\"]",
            ),
            (
                "uvx mcp-server-time@2026.1.1",
                "pypi mcp-server-time version 2026.1.1 []",
            ),
            (
                "uvx --from mcp-server-git==1.2 mcp-git -r /x",
                "pypi mcp-server-git version 1.2 runs mcp-git [\"-r\", \"/x\"]",
            ),
            ("uv tool run a@latest", "pypi a []"),
            ("pipx run --spec a>=2 b", "pypi a version >=2 runs b []"),
            ("uvx --from git+https://x/y z", "command uvx --from git+https://x/y z"),
            ("uvx --with x a", "command uvx --with x a"),
            ("uvx a[extra]", "command uvx a[extra]"),
            (
                "docker run -i --rm -e TOKEN -e MODE=fast --pull=always ghcr.io/a/b:1 stdio",
                "image ghcr.io/a/b:1 None true [(\"TOKEN\", None), (\"MODE\", Some(\"fast\"))] [\"stdio\"]",
            ),
            ("docker run -it --entrypoint /x a", "image a Some(\"/x\") false [] []"),
            ("docker run --rm -v /a:/b a", "command docker run --rm -v /a:/b a"),
            ("docker compose up", "command docker compose up"),
            ("docker run -i", "command docker run -i"),
            ("node /srv/x.js", "command node /srv/x.js"),
            ("orchctl mcp serve --project web", "ours"),
        ] {
            assert_eq!(told(line), expected, "{line}");
        }
    }
}
