//! Threads that have become too long for their model: which turns are summed up, how the model is asked for that, and what is said
//! when it does not answer. Pure.

use std::fmt::Write as _;

use orch_shared::chat::{Message, Role, Summarised};

use super::history::{Entry, summed_up, text_of};

/// So many tokens are left free for the answer, unless its length is bounded.
const ANSWER: u64 = 4096;
/// So many characters of a message stand in an outline.
const OUTLINED: usize = 200;
/// The longest conversation that a model is asked to sum up, in bytes, when nobody knows how much it takes.
const LONGEST: usize = 256 << 10;

/// Whether a request of so many tokens fits, with its answer.
pub(super) fn fits(estimate: u64, window: Option<u64>, most_output: Option<u32>) -> bool {
    let Some(window) = window else { return true };
    let answer = most_output.map_or(ANSWER, u64::from).min(window / 4);
    estimate.saturating_add(answer) <= window
}

/// The turns to be summed up so that turn `current` can go on: as few as bring what is told of earlier turns down to half of
/// the window, or all of them; nothing when there is none left. `weights` are those turns with their tokens, in order.
pub(super) fn choose(weights: &[(u32, u64)], window: Option<u64>) -> Option<Summarised> {
    let (first, _) = weights.first()?;
    let last = match window {
        None => weights.len(),
        Some(window) => {
            let mut left: u64 = weights.iter().map(|(_, weight)| weight).sum();
            let enough = |(_, weight): &&(u32, u64)| {
                let is_enough = left <= window / 2;
                left = left.saturating_sub(*weight);
                !is_enough
            };
            // At least one goes: what is left of the window is taken by what is no turn.
            weights.iter().take_while(enough).count().max(1)
        }
    };
    let (to, _) = weights[last - 1];
    Some(Summarised { from: *first, to })
}

/// The turns before `current` that are told in full, with their tokens.
pub(super) fn weights(entries: &[Entry], current: u32) -> Vec<(u32, u64)> {
    let upto = summed_up(entries);
    let mut weights: Vec<(u32, u64)> = Vec::new();
    for entry in entries {
        let message = &entry.message;
        if message.turn <= upto || message.turn >= current || message.role == Role::Summary {
            continue;
        }
        let calls = message.tool_calls.iter();
        let arguments: usize = calls
            .map(|call| call.name.len() + serde_json::to_string(&call.arguments).map_or(0, |text| text.len()))
            .sum();
        let weight = ((message.text.len() + arguments) as u64).div_ceil(4);
        match weights.last_mut() {
            Some((turn, sum)) if *turn == message.turn => *sum += weight,
            Some(_) | None => weights.push((message.turn, weight)),
        }
    }
    weights
}

fn of_turns(entries: &[Entry], turns: Summarised) -> impl Iterator<Item = &Message> {
    let messages = entries.iter().map(|entry| &entry.message);
    messages.filter(move |message| (turns.from..=turns.to).contains(&message.turn) && message.role != Role::Summary)
}

/// An earlier summary, which the new one takes in.
fn earlier(entries: &[Entry]) -> Option<&Message> {
    let summaries = entries.iter().rev().map(|entry| &entry.message);
    summaries.into_iter().find(|message| message.role == Role::Summary)
}

/// What a model is given to sum up. Of what is too long for it the middle is left out, and that is said.
pub(super) fn transcript(entries: &[Entry], turns: Summarised, window: Option<u64>) -> String {
    let mut text = String::new();
    if let Some(earlier) = earlier(entries) {
        let _ = writeln!(text, "What was summed up before:\n{}\n", earlier.text);
    }
    for message in of_turns(entries, turns) {
        match message.role {
            Role::User => {
                let _ = writeln!(text, "Person: {}\n", message.text);
            }
            Role::Assistant => {
                if !message.text.is_empty() {
                    let _ = writeln!(text, "Assistant: {}\n", message.text);
                }
                for call in &message.tool_calls {
                    let arguments = serde_json::to_string(&call.arguments).unwrap_or_default();
                    let _ = writeln!(text, "Assistant calls {} with {arguments}\n", call.name);
                }
            }
            Role::Tool => {
                let Some(result) = &message.result else { continue };
                let told = text_of(result.state, &message.text);
                let _ = writeln!(text, "Result of {}: {told}\n", result.name);
            }
            Role::Summary => {}
        }
    }
    let most = window.map_or(LONGEST, |window| {
        usize::try_from(window.saturating_mul(2)).unwrap_or(LONGEST)
    });
    without_middle(text, most)
}

fn without_middle(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let head = text.floor_char_boundary(most / 2);
    let tail = text.ceil_char_boundary(text.len() - most / 2);
    format!(
        "{}\n[{} bytes were left out here]\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}

/// What stands for turns when no model sums them up: how each began and ended.
pub(super) fn outline(entries: &[Entry], turns: Summarised) -> String {
    let mut text = String::from("(An outline; the model did not sum it up.)\n");
    if let Some(earlier) = earlier(entries) {
        let _ = writeln!(text, "{}", earlier.text);
    }
    for turn in turns.from..=turns.to {
        let of_turn = || of_turns(entries, turns).filter(move |message| message.turn == turn);
        let asked = of_turn().find(|message| message.role == Role::User);
        let answered = of_turn().filter(|message| message.role == Role::Assistant).last();
        let calls = of_turn().filter(|message| message.role == Role::Tool).count();
        let said = |message: Option<&Message>| beginning(message.map_or("", |message| &message.text));
        let _ = write!(text, "- Turn {turn}: \"{}\"", said(asked));
        if calls > 0 {
            let _ = write!(text, " ({calls} tool calls)");
        }
        let _ = writeln!(text, " -> \"{}\"", said(answered));
    }
    text
}

/// The beginning of a text, on one line.
fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(OUTLINED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether a provider says that a request is too long for its model.
pub(super) fn is_too_long(status: u16, code: &str, message: &str) -> bool {
    if !matches!(status, 400 | 413 | 422) {
        return false;
    }
    let said = message.to_lowercase();
    code == "context_length_exceeded"
        || [
            "context_length_exceeded",
            "context length",
            "context window",
            "context size",
            "prompt is too long",
            "maximum number of tokens",
            "too many tokens",
            "input is too long",
        ]
        .iter()
        .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use orch_shared::resource::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn entry(turn: u32, role: Role, text: &str) -> Entry {
        Entry {
            message: Message {
                number: 0,
                turn,
                role,
                at: Timestamp::from_millis(0),
                text: text.to_owned(),
                tool_calls: vec![],
                result: None,
                llm: None,
                stop_reason: None,
                from_reasoning: false,
                truncated: false,
                summarises: None,
            },
            signed: None,
        }
    }

    #[test]
    fn requests_leave_room_for_their_answer() {
        for (estimate, window, output, is_fine) in [
            (u64::MAX, None, None, true),
            (700, Some(1000), None, true),
            (800, Some(1000), None, false),
            (800, Some(1000), Some(100), true),
            (901, Some(1000), Some(100), false),
            (10_000, Some(20_000), None, true),
            (16_000, Some(20_000), None, false),
        ] {
            assert_eq!(
                fits(estimate, window, output),
                is_fine,
                "{estimate} {window:?} {output:?}"
            );
        }
    }

    #[test]
    fn the_oldest_turns_go_first() {
        let weights = [(3, 100), (4, 100), (5, 100)];
        let turns = |from, to| Some(Summarised { from, to });
        for (weights, window, chosen) in [
            (&[][..], Some(10), None),
            (&weights, None, turns(3, 5)),
            (&weights, Some(400), turns(3, 3)),
            (&weights, Some(250), turns(3, 4)),
            (&weights, Some(100), turns(3, 5)),
            (&weights, Some(10_000), turns(3, 3)),
        ] {
            assert_eq!(choose(weights, window), chosen, "{window:?}");
        }
    }

    proptest! {
        /// Whatever the sizes, something goes, and never more than there is.
        #[test]
        fn something_goes(weights in proptest::collection::vec(0_u64..5000, 1..20), window in proptest::option::of(0_u64..20_000)) {
            let weights: Vec<(u32, u64)> = (1..).zip(weights).collect();
            let chosen = choose(&weights, window).expect("something");
            prop_assert_eq!(chosen.from, 1);
            prop_assert!(chosen.to >= 1 && chosen.to as usize <= weights.len());
            let left: u64 = weights[chosen.to as usize..].iter().map(|(_, weight)| weight).sum();
            prop_assert!(window.is_none_or(|window| left <= window / 2 || chosen.to as usize == weights.len()));
        }

        #[test]
        fn nothing_is_cut_silently(text in "[a-zé ]{0,400}", most in 0_usize..300) {
            let cut = without_middle(text.clone(), most);
            prop_assert!(cut == text || cut.contains("bytes were left out here"));
        }
    }

    #[test]
    fn an_outline_tells_how_turns_began_and_ended() {
        let entries = [
            entry(1, Role::User, "first\nquestion"),
            entry(1, Role::Assistant, "an answer"),
            entry(2, Role::User, &"x".repeat(300)),
        ];
        let outline = outline(&entries, Summarised { from: 1, to: 2 });
        assert!(
            outline.contains("- Turn 1: \"first question\" -> \"an answer\"\n"),
            "{outline}"
        );
        assert!(
            outline.contains(&format!("\"{}…\" -> \"\"", "x".repeat(200))),
            "{outline}"
        );
        assert_eq!(weights(&entries, 2), [(1, 7)]);
    }

    #[test]
    fn providers_say_that_it_is_too_long() {
        for (status, code, message, is_so) in [
            (400, "context_length_exceeded", "", true),
            (400, "", "This model's maximum context length is 8192 tokens", true),
            (400, "", "prompt is too long: 250000 tokens > 200000 maximum", true),
            (413, "", "the context window is full", true),
            (429, "", "too many tokens per minute", false),
            (400, "", "temperature is too high", false),
        ] {
            assert_eq!(is_too_long(status, code, message), is_so, "{status} {code} {message}");
        }
    }
}
