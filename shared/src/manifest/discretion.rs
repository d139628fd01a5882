//! A text that declares secrets is not repeated in what is said about it: a mistake in it may be half of a password.
//!
//! What is no YAML has no kinds yet, so a text counts when the name of a kind with secret values stands anywhere in it.

use super::LocatedProblem;
use crate::kinds::Kind;
use crate::problem::Code;
use crate::schema::Echo;

/// What stands for a piece that is not repeated.
const HIDDEN: &str = "…";
/// Shorter pieces are punctuation.
const LONGEST_SHOWN: usize = 2;

/// Takes what is repeated of the text out of its problems, when it may be secret.
pub(super) fn keep(text: &str, problems: &mut [LocatedProblem]) {
    let mut secret = Kind::ALL.iter().filter(|kind| kind.definition().echo() == Echo::Types);
    if problems.is_empty() || !secret.any(|kind| text.contains(kind.as_str())) {
        return;
    }
    let syntax = |problem: &&mut LocatedProblem| problem.code == Code::ManifestSyntax;
    for problem in problems.iter_mut().filter(syntax) {
        problem.message = without_pieces(&problem.message, |piece| text.contains(piece));
        // What a hint says to write is made of the text, and need not stand in it.
        let harmless = |hint: &String| !hint.contains('"') && without_pieces(hint, |_| true) == *hint;
        problem.hint = problem.hint.take().filter(harmless);
    }
}

/// The message without such of its pieces in backquotes.
fn without_pieces(message: &str, is_secret: impl Fn(&str) -> bool) -> String {
    let pieces = message.split('`').enumerate().map(|(index, piece)| {
        let repeated = piece.trim_end_matches(HIDDEN).trim_start_matches(['&', '*']);
        let is_quoted = index % 2 == 1;
        if is_quoted && repeated.chars().count() > LONGEST_SHOWN && is_secret(repeated) {
            HIDDEN
        } else {
            piece
        }
    });
    pieces.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use crate::manifest::{Limits, parse};

    #[test]
    fn what_may_be_secret_is_not_repeated() {
        for data in [
            "  token hunter2",
            "  token: @hunter2",
            "  token:hunter2",
            "  token: \"x\"hunter2",
            "  token: 'hunter2",
            "  token: [hunter2",
            "  token: *hunter2",
            "  token: 0220042",
            "{\"token\": \"x\" hunter2}",
        ] {
            for (kind, secret) in [("Secret", true), ("Server", false)] {
                let text = if data.starts_with('{') {
                    format!("{{\"kind\": \"{kind}\", \"spec\": {{\"data\": {data}}}}}")
                } else {
                    format!("kind: {kind}\nspec:\n data:\n  a: b\n{data}\n")
                };
                let problems = parse(text.as_bytes(), &Limits::default()).problems;
                assert!(!problems.is_empty(), "{text}");
                let told = format!("{problems:?}");
                let repeated = ["hunter2", "0220042"].iter().any(|value| told.contains(value));
                assert!(!(secret && repeated), "{text}: {told}");
            }
        }
    }
}
