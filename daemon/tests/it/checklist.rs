//! `docs/features.md` and `docs/mcp.md` are true: no line is missing, and every test they name is there.

use std::collections::BTreeSet;
use std::fs;

use crate::house::source::{Source, root, sources};

/// How many lines a part has.
type Part = (&'static str, usize);

/// The pages, and the parts of each.
const PAGES: [(&str, &[Part]); 2] = [
    (
        "docs/features.md",
        &[
            ("A", 29),
            ("B", 15),
            ("C", 23),
            ("D", 13),
            ("E", 23),
            ("F", 9),
            ("G", 35),
            ("H", 39),
            ("I", 23),
            ("J", 28),
            ("K", 26),
            ("L", 30),
            ("M", 16),
            ("O", 7),
        ],
    ),
    ("docs/mcp.md", &[("L", 12), ("B", 5), ("T", 10), ("P", 7)]),
];

/// A line of the checklist.
struct Line {
    id: String,
    holds: String,
    tests: Vec<String>,
}

fn lines(page: &str) -> Vec<Line> {
    let page = fs::read_to_string(root().join(page)).expect("the checklist is there");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.trim_end_matches('|').split(" | ").collect();
        let [id, _, holds, tests] = cells[..] else { return None };
        let is_line = id
            .split_once('-')
            .is_some_and(|(_, number)| number.parse::<u32>().is_ok());
        is_line.then(|| Line {
            id: id.to_owned(),
            holds: holds.to_owned(),
            tests: tests.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        })
    });
    rows.collect()
}

/// Whether that file holds that test: by its attribute, or by a list that makes tests of stories.
fn holds(source: &Source, test: &str) -> bool {
    let mut is_marked = false;
    for line in source.text.lines().map(str::trim) {
        if line.contains(&format!("fn {test}(")) && is_marked {
            return true;
        }
        is_marked = line.starts_with("#[test]")
            || line.starts_with("#[tokio::test")
            || (is_marked && (line.starts_with("#[") || line.starts_with("//")));
    }
    let lists = source.text.split("on_each_database!(").skip(1);
    let mut listed = lists.filter_map(|rest| rest.split(')').next());
    listed.any(|names| names.split(',').any(|name| name.trim() == test))
}

#[test]
fn no_line_is_missing() {
    for (page, parts) in PAGES {
        let wanted: Vec<String> = parts
            .iter()
            .flat_map(|(part, count)| (1..=*count).map(move |number| format!("{part}-{number:02}")))
            .collect();
        let found: Vec<String> = lines(page).into_iter().map(|line| line.id).collect();
        assert_eq!(found, wanted, "{page}");
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let code = sources(&["cli", "daemon", "shared", "examples/servers"]);
    let mut missing = BTreeSet::new();
    for line in PAGES.into_iter().flat_map(|(page, _)| lines(page)) {
        if line.tests.is_empty() && !line.holds.contains("comes with a later stage") {
            missing.insert(format!("{} names no test", line.id));
        }
        for named in line.tests {
            let found = named.split_once("::").is_some_and(|(module, test)| {
                let mut files = code.iter().filter(|source| source.module() == module);
                files.any(|source| holds(source, test))
            });
            if !found {
                missing.insert(format!("{}: {named}", line.id));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
