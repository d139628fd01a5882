//! One function that does everything one can do with an input, and checks what holds for any: for the fuzzer, the
//! mutations and the seeds.

use orch_shared::manifest::{FileProblem, Limits, Parsed, objects, parse, resource, to_yaml};

/// Reads, checks and prints an input of any kind.
///
/// # Panics
/// When something that always holds does not.
pub(crate) fn exercise(input: &[u8]) {
    let limits = Limits {
        bytes: 1 << 20,
        depth: 64,
        nodes: 20_000,
    };
    let parsed = parse(input, &limits);
    let lines = 2 + input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    for problem in &parsed.problems {
        let line = usize::try_from(problem.position.line).unwrap_or(usize::MAX);
        assert!((1..=lines).contains(&line), "{problem:?} is within the text");
        assert!(problem.position.column >= 1, "{problem:?}");
        assert!(
            !problem.message.is_empty() && !problem.message.contains(char::is_control),
            "{problem:?}"
        );
    }
    if parsed.problems.is_empty() {
        for document in &parsed.documents {
            let text = to_yaml(&document.value);
            let again = parse(text.as_bytes(), &limits);
            assert_eq!(again.problems, [], "{text}");
            assert_eq!(again.documents.len(), 1, "{text}");
            assert_eq!(again.documents[0].value, document.value, "{text}");
        }
    }
    let told = parsed.problems.len();
    let files: [(String, Parsed); 1] = [("input".to_owned(), parsed)];
    let found = objects(&files);
    assert!(found.problems.len() >= told, "no problem is lost");
    for FileProblem { problem, .. } in &found.problems {
        assert!(!problem.message.contains(char::is_control), "{problem:?}");
        assert!(
            !problem.hint.iter().any(|hint| hint.contains(char::is_control)),
            "{problem:?}"
        );
    }
    assert!(found.problems.is_sorted_by_key(|problem| problem.problem.position));
    for object in &found.objects {
        assert_eq!(resource(&object.resource.manifest()).as_ref(), Ok(&object.resource));
    }
}
