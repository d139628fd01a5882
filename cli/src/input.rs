//! Manifests from files, folders, globs and standard input.
//!
//! Enters: the arguments of `-f`. Leaves: objects that know their file, line and column, or every problem of every file
//! at once. Nothing larger than the limit is ever read.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use orch_shared::manifest::{self, FileProblem, Limits, Objects, Parsed};
use orch_shared::problem::{MOST_TOLD, Problem};

use crate::report::{Failure, Places};

/// What files of a folder are manifests.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// Folders within folders, as deep as anybody keeps manifests.
const DEEPEST: usize = 32;

/// Reads the objects that the arguments of `-f` declare. `verb` says what does not happen when something is wrong:
/// `nothing was applied`.
pub(crate) fn objects(arguments: &[String], verb: &str) -> Result<Objects, Failure> {
    if arguments.is_empty() {
        return Err(Failure::usage("nothing says which manifests to read")
            .hint("name them: -f FILE, -f FOLDER, or -f - for standard input"));
    }
    let limits = Limits::default();
    let mut parsed: Vec<(String, Parsed)> = Vec::new();
    let mut seen = HashSet::new();
    let mut size = 0;
    for argument in arguments {
        if argument == "-" {
            if seen.insert(PathBuf::from("-")) {
                parsed.push(("stdin".to_owned(), manifest::parse(&text(argument)?, &limits)));
            }
            continue;
        }
        for path in found(argument)? {
            // Two arguments may lead to one file; that declares nothing twice.
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                let text = of_file(&path)?;
                size += text.len();
                if size > limits.bytes {
                    return Err(Failure::usage(format!(
                        "the manifests have more than {} MiB together",
                        limits.bytes >> 20
                    ))
                    .hint("apply them in parts"));
                }
                parsed.push((path.display().to_string(), manifest::parse(&text, &limits)));
            }
        }
    }
    let objects = manifest::objects(&parsed);
    if !objects.problems.is_empty() {
        return Err(refused(objects.problems, verb));
    }
    if objects.objects.is_empty() {
        let name = |argument: &String| {
            if argument == "-" {
                "standard input".to_owned()
            } else {
                argument.clone()
            }
        };
        let names: Vec<String> = arguments.iter().map(name).collect();
        return Err(Failure::usage(format!("there is no object in {}", names.join(", "))));
    }
    Ok(objects)
}

/// The daemon's problem with objects that were read here, brought back to the places in their files.
pub(crate) fn located(failure: Failure, objects: &Objects, verb: &str) -> Failure {
    let Failure::Problem(problem) = failure else {
        return failure;
    };
    if problem.errors.is_empty() {
        return Failure::Problem(problem);
    }
    let Problem { errors, .. } = *problem;
    let (found, elsewhere): (Vec<_>, Vec<_>) = errors
        .into_iter()
        .map(|error| (objects.locate(&error), error))
        .partition(|(place, _)| place.is_some());
    let found = found.into_iter().filter_map(|(place, _)| place).collect();
    places(found, elsewhere.into_iter().map(|(_, error)| error).collect(), verb)
}

/// Manifests that are wrong in these places. `verb` says what does not happen: `nothing was applied`.
pub(crate) fn refused(problems: Vec<FileProblem>, verb: &str) -> Failure {
    places(problems, Vec::new(), verb)
}

fn places(places: Vec<FileProblem>, elsewhere: Vec<orch_shared::problem::FieldProblem>, verb: &str) -> Failure {
    let count = places.len() + elsewhere.len();
    let mut files: Vec<&str> = places.iter().map(|place| &*place.file).collect();
    files.dedup();
    let within = match files[..] {
        [] => String::new(),
        [file] => format!(" in {file}"),
        [_, _, ..] => format!(" in {} files", files.len()),
    };
    let amount = match count {
        1 => "1 problem".to_owned(),
        MOST_TOLD => format!("at least {MOST_TOLD} problems"),
        _ => format!("{count} problems"),
    };
    let headline = format!("{amount}{within}; {verb}");
    Failure::Manifests(Box::new(Places {
        headline,
        places,
        elsewhere,
    }))
}

/// Reads at most a little more than the limit, which is enough to be told that it is too much.
fn bounded(input: &mut impl Read, limits: &Limits) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX).saturating_add(1);
    input.take(most).read_to_end(&mut text)?;
    Ok(text)
}

/// What a file holds, or standard input for `-`.
pub(crate) fn text(argument: &str) -> Result<Vec<u8>, Failure> {
    match argument {
        "-" => bounded(&mut io::stdin().lock(), &Limits::default())
            .map_err(|error| Failure::file("read", Path::new("standard input"), &error)),
        path => of_file(Path::new(path)),
    }
}

fn of_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::File::open(path)
        .and_then(|mut file| bounded(&mut file, &Limits::default()))
        .map_err(|error| Failure::file("read", path, &error))
}

/// The files an argument means, in order.
fn found(argument: &str) -> Result<Vec<PathBuf>, Failure> {
    if argument.starts_with("http://") || argument.starts_with("https://") {
        return Err(Failure::usage(format!("{argument} is not a file"))
            .hint(format!("fetch it yourself: curl -fsS {argument} | orchctl apply -f -")));
    }
    let path = Path::new(argument);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut files = Vec::new();
            gather(path, DEEPEST, &mut files)?;
            if files.is_empty() {
                return Err(Failure::usage(format!("there is no manifest in {argument}"))
                    .hint("manifests end in .yaml, .yml or .json"));
            }
            Ok(files)
        }
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(error) if error.kind() == io::ErrorKind::NotFound && argument.contains(['*', '?', '[']) => {
            let options = glob::MatchOptions {
                require_literal_leading_dot: true,
                ..glob::MatchOptions::new()
            };
            let matches = glob::glob_with(argument, options)
                .map_err(|error| Failure::usage(format!("`{argument}` is not a pattern: {}", error.msg)))?;
            let mut files: Vec<PathBuf> = matches.filter_map(Result::ok).filter(|path| path.is_file()).collect();
            files.sort();
            if files.is_empty() {
                Err(Failure::usage(format!("no file is like {argument}")))
            } else {
                Ok(files)
            }
        }
        Err(error) => Err(Failure::file("read", path, &error)),
    }
}

/// All manifests in a folder and the folders in it, sorted; hidden ones are not looked at. A folder that is reached by a
/// link is not entered, so that no loop can be.
fn gather(folder: &Path, deeper: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let refuse = |error: &io::Error| Failure::file("read", folder, error);
    let mut entries = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(&error))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| refuse(&error))?;
        let is_manifest = path
            .extension()
            .is_some_and(|end| EXTENSIONS.iter().any(|known| end.eq_ignore_ascii_case(known)));
        if kind.is_dir() && deeper > 0 {
            gather(&path, deeper - 1, files)?;
        } else if is_manifest && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_mean_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in [
            "b.yaml",
            "a.yml",
            "c/d.json",
            "c/e.YAML",
            ".hidden.yaml",
            ".git/x.yaml",
            "notes.txt",
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("c/loop")).unwrap();
        let check = |argument: &str, expected: Result<&[&str], &str>| {
            let argument = root.join(argument).display().to_string();
            let relative = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
            match (found(&argument), expected) {
                (Ok(files), Ok(expected)) => {
                    assert_eq!(files.iter().map(relative).collect::<Vec<_>>(), expected, "{argument}");
                }
                (Err(failure), Err(expected)) => {
                    let said = failure.to_string();
                    assert!(said.contains(expected), "{argument}: {said}");
                }
                (files, _) => panic!("{argument}: {files:?}"),
            }
        };
        check("", Ok(&["a.yml", "b.yaml", "c/d.json", "c/e.YAML"]));
        check("c", Ok(&["c/d.json", "c/e.YAML"]));
        check("*.y*ml", Ok(&["a.yml", "b.yaml"]));
        check("notes.txt", Ok(&["notes.txt"]));
        check("missing.yaml", Err("cannot read"));
        check("z*.yaml", Err("no file is like"));
        std::fs::create_dir(root.join("empty")).unwrap();
        check("empty", Err("there is no manifest in"));
    }
}
