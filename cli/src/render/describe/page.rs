//! A page of titles and texts whose columns line up group by group.
//!
//! Lines are gathered first and laid out at the end, since how wide a title column is shows only when its last title is
//! known.

use std::fmt::Write as _;

/// The least width of a column of titles.
const LEAST: usize = 15;

/// A page that grows line by line.
#[derive(Debug, Default)]
pub(super) struct Page {
    lines: Vec<Line>,
    groups: usize,
}

/// Lines whose texts begin in the same column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    number: usize,
    indent: usize,
}

#[derive(Debug)]
enum Line {
    /// Stands alone.
    Plain(String),
    Entry(Group, String, String),
}

impl Page {
    /// A new group, so many levels deep.
    pub(super) fn group(&mut self, depth: usize) -> Group {
        self.groups += 1;
        Group {
            number: self.groups,
            indent: depth * 2,
        }
    }

    /// A line that belongs to no group.
    pub(super) fn plain(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Plain(text.into()));
    }

    /// A title and its text. An empty title goes on with the one before.
    pub(super) fn entry(&mut self, group: Group, title: &str, text: impl Into<String>) {
        let title = if title.is_empty() {
            String::new()
        } else {
            format!("{title}:")
        };
        self.lines.push(Line::Entry(group, title, text.into()));
    }

    /// A title with nothing beside it: its members follow.
    pub(super) fn title(&mut self, group: Group, title: &str) {
        let colon = if title.is_empty() { "-" } else { ":" };
        self.lines
            .push(Line::Plain(format!("{:1$}{title}{colon}", "", group.indent)));
    }

    /// The whole page.
    pub(super) fn finish(self) -> String {
        let width = |group: Group| {
            let titles = self.lines.iter().filter_map(|line| match line {
                Line::Entry(of, title, _) if *of == group => Some(title.chars().count() + 1),
                Line::Entry(..) | Line::Plain(_) => None,
            });
            titles.max().unwrap_or(0).max(LEAST.saturating_sub(group.indent))
        };
        let mut out = String::new();
        let mut known: Option<(Group, usize)> = None;
        for line in &self.lines {
            match line {
                Line::Plain(text) => {
                    let _ = writeln!(out, "{text}");
                }
                Line::Entry(group, title, text) => {
                    let column = match known {
                        Some((last, column)) if last == *group => column,
                        Some(_) | None => width(*group),
                    };
                    known = Some((*group, column));
                    let line = format!("{:indent$}{title:column$}{text}", "", indent = group.indent);
                    let _ = writeln!(out, "{}", line.trim_end());
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_group_begin_in_one_column() {
        let mut page = Page::default();
        let outer = page.group(0);
        page.entry(outer, "Name", "x");
        page.title(outer, "Inner");
        let inner = page.group(1);
        page.entry(inner, "A long long title", "1");
        page.entry(inner, "B", "2");
        page.entry(outer, "Last", "y");
        let expected = "Name:          x\nInner:\n  A long long title: 1\n  B:                 2\nLast:          y\n";
        assert_eq!(page.finish(), expected);
    }
}
