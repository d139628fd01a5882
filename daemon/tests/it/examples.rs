//! The examples, with the real programs: everything applies on a fresh daemon and comes back as it was, and the pipeline
//! of the example repository does what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use orch_shared::kind::{Kind, Maker};

use crate::house::source::root;
use crate::support::daemon::{Home, Output};

/// What a command that must succeed writes to standard output.
#[track_caller]
fn told(daemon: &Home, arguments: &[&str]) -> String {
    daemon.orchctl(arguments).expect(0).stdout
}

/// The verdicts of an apply: the second word of each line.
fn verdicts(output: &str) -> Vec<String> {
    output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split("  ").last().unwrap().trim().to_owned())
        .collect()
}

#[test]
fn every_example_applies_and_comes_back_as_it_was() {
    let daemon = Home::new().started();
    let mut folders = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        let folder = folder.to_str().unwrap();
        // The servers are programs, not manifests.
        if folder.ends_with("/servers") {
            continue;
        }
        folders += 1;
        let planned = verdicts(&told(&daemon, &["apply", "-f", folder, "--dry-run=server"]));
        assert!(
            !planned.is_empty() && planned.iter().all(|verdict| verdict.starts_with("created")),
            "{folder}: {planned:?}"
        );
    }
    assert!(folders >= 4, "{folders} folders of examples");

    told(
        &daemon,
        &["apply", "-f", root().join("examples/kinds").to_str().unwrap()],
    );
    let user_made = Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User);
    let nouns: Vec<&str> = user_made.map(|kind| kind.meta().plural).collect();
    let printed = told(&daemon, &["get", &nouns.join(","), "-A", "-o", "yaml"]);
    for kind in Kind::ALL.iter().filter(|kind| kind.meta().maker == Maker::User) {
        assert!(
            printed.lines().any(|line| line == format!("kind: {kind}")),
            "no {kind} in\n{printed}"
        );
    }
    assert!(
        printed.contains("sealed:v1:") && !printed.contains("replace-me"),
        "a secret is in the open:\n{printed}"
    );
    let exported = daemon.write("exported.yaml", &printed);
    let again = verdicts(&told(&daemon, &["apply", "-f", exported.to_str().unwrap()]));
    assert!(
        !again.is_empty() && again.iter().all(|verdict| verdict == "unchanged"),
        "{again:?}"
    );
    assert_eq!(told(&daemon, &["get", &nouns.join(","), "-A", "-o", "yaml"]), printed);
}

/// A team's copy of the example repository.
struct Repository<'d> {
    daemon: &'d Home,
    folder: PathBuf,
}

impl Repository<'_> {
    fn pipeline(&self, arguments: &[&str]) -> Output {
        let programs = Path::new(env!("CARGO_BIN_EXE_orchd")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = self.daemon.program("sh");
        command
            .env("PATH", path)
            .arg(self.folder.join("pipeline.sh"))
            .args(arguments);
        Output::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// What a run that must succeed writes to standard output.
    fn run(&self, arguments: &[&str]) -> String {
        self.pipeline(arguments).expect(0).stdout
    }

    /// Takes a server out of the repository, runs the pipeline, and waits until the server is gone.
    fn drop_decisions(&self) {
        fs::remove_file(self.folder.join("servers/decisions.yaml")).unwrap();
        let project = self.folder.join("projects/core.yaml");
        let without = fs::read_to_string(&project)
            .unwrap()
            .replace("[notes, decisions]", "[notes]");
        fs::write(&project, without).unwrap();
        self.run(&[]);
        told(self.daemon, &["wait", "server/decisions", "--for=delete"]);
    }

    fn servers(&self) -> Vec<String> {
        told(self.daemon, &["get", "servers", "-o", "name"])
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn the_pipeline_brings_the_daemon_to_what_the_repository_says() {
    let daemon = Home::new().started();
    let folder = daemon.path("team");
    copy(&root().join("examples/gitops"), &folder);
    let repository = Repository {
        daemon: &daemon,
        folder: folder.clone(),
    };

    // A look changes nothing.
    let looked = repository.run(&["--check"]);
    assert!(looked.contains("server/notes"), "{looked}");
    assert_eq!(repository.servers(), Vec::<String>::new());

    // A run does it, and waits until it is so; then there is nothing to do.
    repository.run(&[]);
    assert_eq!(repository.servers(), ["server/decisions", "server/notes"]);
    let phases = told(&daemon, &["get", "servers", "-o", "jsonpath={.items[*].status.phase}"]);
    assert_eq!(phases.split_whitespace().collect::<Vec<_>>(), ["Ready", "Ready"]);
    assert!(repository.run(&[]).contains("nothing to do"));

    // Somebody else's object is not the repository's to delete; what has left the repository is.
    let other = "apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {name: other}\nspec: {command: [orch-notes]}\n";
    daemon.apply(other);
    repository.drop_decisions();
    assert_eq!(repository.servers(), ["server/notes", "server/other"]);

    // A mistake stops the run before anything is done, and not with the exit code of a difference.
    fs::write(folder.join("servers/broken.yaml"), "kind: Server\n").unwrap();
    let refused = repository.pipeline(&[]);
    assert!(
        refused.code > 1 && refused.stderr.contains("broken.yaml"),
        "{refused:?}"
    );
    assert_eq!(repository.servers(), ["server/notes", "server/other"]);
}

#[test]
fn the_pipeline_adopts_what_was_applied_by_hand() {
    let daemon = Home::new().started();
    let folder = daemon.path("team");
    copy(&root().join("examples/gitops"), &folder);
    let repository = Repository {
        daemon: &daemon,
        folder: folder.clone(),
    };
    for part in ["secrets", "servers", "projects"] {
        told(&daemon, &["apply", "-f", folder.join(part).to_str().unwrap()]);
    }
    let adopted = repository.run(&[]);
    assert!(adopted.contains("applySet (none) -> core"), "{adopted}");
    assert!(repository.run(&[]).contains("nothing to do"));

    repository.drop_decisions();
    assert_eq!(repository.servers(), ["server/notes"]);
}
