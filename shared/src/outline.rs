//! What a text is about, in short: as a model says it, and as it can be told without one. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::excerpt::printable;

/// So many chapters are told.
const CHAPTERS: usize = 12;
/// So many characters of a chapter's title, or of one of a page.
const TITLE: usize = 80;
/// So many characters of a summary.
const SUMMARY: usize = 300;

/// What a text is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outline {
    /// In a sentence.
    pub summary: String,
    /// The titles of its parts.
    pub chapters: Vec<String>,
}

impl Outline {
    /// Reads the answer of a model, which may stand between other words; nothing when it says nothing of use.
    #[must_use]
    pub fn of_answer(answer: &str) -> Option<Self> {
        let value = enclosed(answer, ('{', '}'))?;
        let summary = short(value["summary"].as_str()?, SUMMARY);
        let chapters = value["chapters"].as_array().into_iter().flatten();
        let chapters = chapters.filter_map(Value::as_str).map(|title| short(title, TITLE));
        let chapters = chapters.filter(|title| !title.is_empty()).take(CHAPTERS);
        (!summary.is_empty()).then(|| Self {
            summary,
            chapters: chapters.collect(),
        })
    }

    /// What can be told without a model: the first sentence of the text, and its headings in Markdown.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let mut is_code = false;
        let (mut headings, mut first) = (Vec::new(), "");
        for line in text.lines().map(str::trim) {
            if line.starts_with("```") || line.starts_with("~~~") {
                is_code = !is_code;
            } else if is_code {
            } else if line.starts_with('#') {
                let title = line.trim_start_matches('#');
                if title.starts_with(' ') && headings.len() < CHAPTERS {
                    headings.push(short(title, TITLE));
                }
            } else if first.is_empty() && line.contains(char::is_alphanumeric) {
                first = line;
            }
        }
        let end = first.match_indices(['.', '!', '?']).map(|(at, _)| at + 1);
        let end = end
            .into_iter()
            .find(|end| first[*end..].starts_with(' '))
            .unwrap_or(first.len());
        Self {
            summary: short(&first[..end], SUMMARY),
            chapters: headings,
        }
    }
}

/// A list of texts in the answer of a model; nothing when there is none.
#[must_use]
pub fn list(answer: &str) -> Option<Vec<String>> {
    let value = enclosed(answer, ('[', ']'))?;
    let items = value.as_array()?;
    items.iter().map(|item| Some(short(item.as_str()?, TITLE))).collect()
}

/// JSON in an answer: from the first opening bracket to the last closing one.
fn enclosed(answer: &str, (open, close): (char, char)) -> Option<Value> {
    let (from, to) = (answer.find(open)?, answer.rfind(close)?);
    serde_json::from_str(answer.get(from..=to)?).ok()
}

/// One line, not too long, and nothing in it that no terminal should be shown.
fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(most).collect();
    printable(match cut.len() < line.len() {
        true => format!("{}…", cut.trim_end()),
        false => cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_models_are_read() {
        let outline = |summary: &str, chapters: &[&str]| {
            Some(Outline {
                summary: summary.to_owned(),
                chapters: chapters.iter().map(|title| (*title).to_owned()).collect(),
            })
        };
        for (answer, read) in [
            (
                r#"{"summary": "How we write.", "chapters": ["Tone", "", 7]}"#,
                outline("How we write.", &["Tone"]),
            ),
            ("Sure:\n```json\n{\"summary\": \"a\\n b\"}\n```", outline("a b", &[])),
            (r#"{"summary": ""}"#, None),
            (r#"{"chapters": []}"#, None),
            ("no JSON {", None),
            ("} {", None),
            ("", None),
        ] {
            assert_eq!(Outline::of_answer(answer), read, "{answer}");
        }
        for (answer, read) in [
            ("[\"a\", \"b  c\"]", Some(vec!["a", "b c"])),
            ("The best: [\"a\"].", Some(vec!["a"])),
            ("[]", Some(vec![])),
            ("[1]", None),
            ("] [", None),
            ("none", None),
        ] {
            let read = read.map(|read| read.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(list(answer), read, "{answer}");
        }
    }

    #[test]
    fn texts_are_told_without_a_model() {
        for (text, summary, chapters) in [
            ("", "", &[][..]),
            ("Be kind. Always.", "Be kind.", &[]),
            (
                "# Tone\n\nVersion 1.2 of it! And more.\n## Words\n```\n# no heading\n```\n#hash",
                "Version 1.2 of it!",
                &["Tone", "Words"],
            ),
            ("---\n* one", "* one", &[]),
            ("ünder.\nsecond", "ünder.", &[]),
        ] {
            let told = Outline::plain(text);
            assert_eq!(
                (told.summary.as_str(), told.chapters),
                (summary, chapters.iter().map(|title| (*title).to_owned()).collect()),
                "{text}"
            );
        }
    }
}
