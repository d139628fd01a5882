//! From documents to objects: lists, envelopes, duplicates, and each problem with its file, line and column.

use orch_shared::manifest::{Limits, Objects, objects, parse, resource};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem};
use serde_json::json;

fn read(files: &[(&str, &str)]) -> Objects {
    let limits = Limits::default();
    let parsed: Vec<_> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), parse(text.as_bytes(), &limits)))
        .collect();
    objects(&parsed)
}

/// Compares the objects found, and all problems as `code file:line:column path: message | hint`.
#[track_caller]
fn check(files: &[(&str, &str)], found: &[&str], said: &[&str]) -> Objects {
    let read = read(files);
    let references: Vec<String> = read
        .objects
        .iter()
        .map(|object| object.resource.reference().to_string())
        .collect();
    let lines: Vec<String> = read
        .problems
        .iter()
        .map(|p| {
            format!(
                "{} {p}{}",
                p.problem.code,
                p.problem
                    .hint
                    .iter()
                    .map(|hint| format!(" | {hint}"))
                    .collect::<String>()
            )
        })
        .collect();
    assert_eq!(lines, said);
    assert_eq!(references, found);
    read
}

const FILES: &str = "\
apiVersion: orchctl.dev/v1
kind: Server
metadata:
  name: files
spec:
  command: [files]
";

#[test]
fn everything_wrong_with_everything_at_once() {
    let broken = "\
apiVersion: orchctl.dev/v1
kind: Server
metadata:
  name: Files_1
  project: web
  labels: {team: -core, \"a b\": c}
spec:
  command: [files]
  replcas: 2
  env:
    - name: A
      valu: x
    - name: PORT
      value: 8080
---
apiVersion: v1
kind: server
metadata:
  nam: x
spec: foo
status: {anything: goes}
---
a:b
---
- c
";
    check(
        &[("files.yaml", FILES), ("broken.yaml", broken)],
        &["server/files"],
        &[
            "ORCH1107 broken.yaml:4:9 metadata.name: `Files_1` is not a DNS label: lower-case letters, digits and `-`, with a letter or \
             digit at both ends | `files-1` would do",
            "ORCH1106 broken.yaml:5:3 metadata.project: objects of kind Server live in the cluster | remove `project`",
            "ORCH1104 broken.yaml:6:18 metadata.labels.team: `-core` cannot be the value of a label | a value has at most 63 letters, \
             digits, `-`, `_` and `.`, with a letter or digit at both ends; an annotation may hold any text",
            "ORCH1107 broken.yaml:6:25 metadata.labels[\"a b\"]: `a b` cannot be the key of a label or annotation | a key is `name` or \
             `prefix/name`: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; the prefix is a DNS name",
            "ORCH1101 broken.yaml:9:3 spec.replcas: unknown field | did you mean `replicas`? allowed here: command, containerPort, \
             description, env, …",
            "ORCH1101 broken.yaml:12:7 spec.env[0].valu: unknown field | did you mean `value`? allowed here: name, value, valueFrom",
            "ORCH1102 broken.yaml:14:14 spec.env[1].value: expected a string, found the number 8080 | quote it: \"8080\"",
            "ORCH1104 broken.yaml:16:13 apiVersion: `v1` is not a version of ours | write `orchctl.dev/v1`",
            "ORCH1105 broken.yaml:17:7 kind: there is no kind `server` | did you mean `Server`? there are Server, Instance, Template, \
             Secret, SecretBackend, Llm, Agent, Project, Prompt, User, Group, ServiceAccount, RoleBinding, Token, PromptRequest, Personality",
            "ORCH1101 broken.yaml:19:3 metadata.nam: unknown field | did you mean `name`? allowed here: agent, annotations, labels, \
             name, …",
            "ORCH1103 broken.yaml:19:3 metadata: missing field `name`",
            "ORCH1102 broken.yaml:20:7 spec: expected a mapping, found a text",
            "ORCH1102 broken.yaml:23:1 expected a mapping, found the text `a:b` | a space is missing after the `:`",
            "ORCH1102 broken.yaml:25:1 expected a mapping, found a list",
        ],
    );
}

#[test]
fn the_same_object_twice() {
    let again = format!("{FILES}---\n{FILES}");
    check(
        &[("a/files.yaml", FILES), ("again.yaml", &again)],
        &["server/files"],
        &[
            "ORCH1005 again.yaml:4:9 metadata.name: server/files is already declared at a/files.yaml:4:9 | keep one of the two",
            "ORCH1005 again.yaml:11:9 metadata.name: server/files is already declared at a/files.yaml:4:9 | keep one of the two",
        ],
    );
    // The scope is part of the identity.
    let prompt = |scope: &str| {
        format!("apiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {{name: tone{scope}}}\nspec: {{content: x}}\n")
    };
    check(
        &[
            ("a", &prompt("")),
            ("b", &prompt(", project: web")),
            ("c", &prompt(", agent: web")),
            ("d", &prompt(", project: web")),
        ],
        &["prompt/tone", "prompt/tone (project/web)", "prompt/tone (agent/web)"],
        &[
            "ORCH1005 d:3:18 metadata.name: prompt/tone (project/web) is already declared at b:3:18 | keep one of the two",
        ],
    );
    check(
        &[("a", &prompt(", project: web, agent: x"))],
        &[],
        &[
            "ORCH1106 a:3:38 metadata.agent: an object lives in a project or with an agent, not both | remove one of the two",
        ],
    );
}

#[test]
fn lists() {
    let list = "\
apiVersion: v1
kind: List
metadata: {resourceVersion: \"\"}
items:
- {apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: a}}
- kind: List
  items:
  - {apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: b}, spec: {gatd: true}}
  - {apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: c}}
- {apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: d}, status: null}
- 5
item: []
";
    let read = check(
        &[("list.yaml", list)],
        &["project/a", "project/c", "project/d"],
        &[
            "ORCH1101 list.yaml:8:77 items[1].items[0].spec.gatd: unknown field | did you mean `gated`? allowed here: budget, \
             description, gated, instructions, …",
            "ORCH1102 list.yaml:11:3 items[3]: expected a mapping, found the number 5",
            "ORCH1101 list.yaml:12:1 item: unknown field | did you mean `items`? allowed here: apiVersion, items, kind, metadata",
        ],
    );
    assert_eq!(read.objects[1].within.to_string(), "items[1].items[1]");
    check(&[("empty.yaml", "kind: List\nitems: []\n")], &[], &[]);
    check(&[("l", "kind: List\n")], &[], &["ORCH1103 l:1:1 missing field `items`"]);
}

/// A place that cannot be read is not also of the wrong type.
#[test]
fn one_problem_per_place() {
    let text = "\
apiVersion: orchctl.dev/v1
kind: Server
metadata: {name: a}
spec:
  command: [a]
  replicas: 0123
  description: {{ x }}
";
    let said: Vec<_> = read(&[("a", text)])
        .problems
        .iter()
        .map(|p| (p.problem.code, p.problem.position.line))
        .collect();
    assert_eq!(said, [(Code::InvalidValue, 6), (Code::ManifestSyntax, 7)]);
}

#[test]
fn envelopes() {
    for (object, said) in [
        (
            json!({}),
            vec![
                "ORCH1103 : missing field `apiVersion`",
                "ORCH1103 : missing field `kind`",
                "ORCH1103 : missing field `metadata`",
            ],
        ),
        (
            json!({"apiVersion": 1, "kind": "Project", "metadata": {"name": "a"}, "specs": {}}),
            vec![
                "ORCH1102 apiVersion: expected a string, found the number 1",
                "ORCH1101 specs: unknown field",
            ],
        ),
        (
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Server", "metadata": {"name": "a".repeat(58)}, "spec": {"command": ["a"]}}),
            vec!["ORCH1107 metadata.name: the name has 58 characters; at most 57 are allowed"],
        ),
        (
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Project", "metadata": {"name": "a", "labels": {
                "a": "", "x.y/z-1": "1.2_3", "/a": "", "a/": "", "a/b/c": "", "A.b/c": "", "a".repeat(64): "", "ok": "é", "n": 1,
            }, "annotations": {"a": "any text\nat all", "": ""}}}),
            vec![
                "ORCH1102 metadata.labels.n: expected a string, found the number 1",
                "ORCH1107 metadata.labels[\"/a\"]: `/a` cannot be the key of a label or annotation",
                "ORCH1107 metadata.labels[\"a/\"]: `a/` cannot be the key of a label or annotation",
                "ORCH1107 metadata.labels[\"a/b/c\"]: `a/b/c` cannot be the key of a label or annotation",
                "ORCH1107 metadata.labels[\"A.b/c\"]: `A.b/c` cannot be the key of a label or annotation",
                "ORCH1107 metadata.labels.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: \
                 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` cannot be the key of a label or annotation",
                "ORCH1104 metadata.labels.ok: `é` cannot be the value of a label",
                "ORCH1107 metadata.annotations[\"\"]: `` cannot be the key of a label or annotation",
            ],
        ),
        (
            json!({"apiVersion": "orchctl.dev/v1", "kind": "Agent", "metadata": {"name": "a"}}),
            vec!["ORCH1103 spec: missing field `llm`"],
        ),
        (
            json!({"apiVersion": "orchctl.dev/v1", "kind": "\u{1b}[31mPrjct", "metadata": {"name": "a"}}),
            vec!["ORCH1105 kind: there is no kind `\\u{1b}[31mPrjct`"],
        ),
    ] {
        let problems = resource(&object).expect_err("there is something wrong");
        let lines: Vec<String> = problems
            .iter()
            .map(|p| format!("{} {}: {}", p.code, p.pointer, p.message))
            .collect();
        assert_eq!(lines, said, "{object}");
    }
}

/// What the daemon says about the third object of a request is about a line of a file.
#[test]
fn problems_from_afar_are_brought_home() {
    let list = "kind: List\nitems:\n- {apiVersion: orchctl.dev/v1, kind: Project, metadata: {name: a}, spec: {servers: [x, y]}}\n";
    let read = check(
        &[("files.yaml", FILES), ("list.yaml", list)],
        &["server/files", "project/a"],
        &[],
    );
    let remote = |object: usize, pointer: &str| {
        let problem = FieldProblem::new(
            Code::ReferenceMissing,
            FieldPath::from_pointer(pointer),
            "server `y` does not exist",
        );
        read.locate(&problem.in_object(object))
            .map(|problem| problem.to_string())
    };
    assert_eq!(
        remote(1, "/spec/servers/1").as_deref(),
        Some("list.yaml:3:88 items[0].spec.servers[1]: server `y` does not exist")
    );
    assert_eq!(
        remote(0, "/spec/command/0").as_deref(),
        Some("files.yaml:6:13 spec.command[0]: server `y` does not exist")
    );
    assert_eq!(
        remote(0, "").as_deref(),
        Some("files.yaml:1:1 server `y` does not exist")
    );
    assert_eq!(remote(2, ""), None);
}
