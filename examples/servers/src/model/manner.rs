//! What a provider does, as the name of the model says it.

use std::time::Duration;

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Manner {
    /// The text comes in so many pieces. `chunks.N`; 3 unless it is said.
    pub(crate) chunks: usize,
    /// Between pieces, and before the first. `slow.MS`
    pub(crate) pause: Duration,
    /// Before the head of the answer. `late.MS`
    pub(crate) late: Duration,
    /// The request is refused with that status. `status.N`
    pub(crate) status: Option<u16>,
    /// A refusal repeats the key that it was asked with. `echo`
    pub(crate) echoes: bool,
    /// A stream begins, and then tells an error that repeats the key, cut within it. `late-error`
    pub(crate) fails_late: bool,
    /// The first so many requests of this model are refused, and those after answered. `flaky.N`
    pub(crate) flaky: usize,
    /// The connection is cut after so many pieces. `break.N`
    pub(crate) breaks: Option<usize>,
    /// Nothing more is said after so many pieces. `silent.N`
    pub(crate) silent: Option<usize>,
    /// A tool is called, if there are any. `tools`
    pub(crate) calls: bool,
    /// It thinks first. `reasoning`, or `reason` in the other spelling.
    pub(crate) reasoning: Option<&'static str>,
    /// It ends before it is done. `truncated`
    pub(crate) truncated: bool,
    /// It answers with a page for people. `page`
    pub(crate) is_page: bool,
    /// It answers as a whole, also when it is asked for a stream. `whole`
    pub(crate) is_whole: bool,
    /// A stream ends without the mark of its end. `unmarked`
    pub(crate) is_unmarked: bool,
    /// Nothing is said of what was used. `uncounted`
    pub(crate) is_uncounted: bool,
}

impl Manner {
    /// Reads the name of a model. Words that say nothing are passed over.
    pub(crate) fn of(model: &str) -> Self {
        let mut manner = Self {
            chunks: 3,
            ..Self::default()
        };
        let mut words = model.split('.').peekable();
        while let Some(word) = words.next() {
            let number = words.peek().and_then(|next| next.parse::<usize>().ok());
            let millis = Duration::from_millis(u64::try_from(number.unwrap_or(100)).unwrap_or(u64::MAX));
            match word {
                "chunks" => manner.chunks = number.unwrap_or(3),
                "slow" => manner.pause = millis,
                "late" => manner.late = millis,
                "status" => manner.status = number.and_then(|number| u16::try_from(number).ok()),
                "echo" => manner.echoes = true,
                "late-error" => manner.fails_late = true,
                "flaky" => manner.flaky = number.unwrap_or(1),
                "break" => manner.breaks = Some(number.unwrap_or(1)),
                "silent" => manner.silent = Some(number.unwrap_or(1)),
                "tools" => manner.calls = true,
                "reasoning" => manner.reasoning = Some("reasoning_content"),
                "reason" => manner.reasoning = Some("reasoning"),
                "truncated" => manner.truncated = true,
                "page" => manner.is_page = true,
                "whole" => manner.is_whole = true,
                "unmarked" => manner.is_unmarked = true,
                "uncounted" => manner.is_uncounted = true,
                _ => {}
            }
        }
        manner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_done() {
        let plain = Manner {
            chunks: 3,
            ..Manner::default()
        };
        for (model, expected) in [
            ("gpt-4o", plain.clone()),
            (
                "chunks.200",
                Manner {
                    chunks: 200,
                    ..plain.clone()
                },
            ),
            (
                "status.503",
                Manner {
                    status: Some(503),
                    ..plain.clone()
                },
            ),
            (
                "flaky.2.slow.5",
                Manner {
                    flaky: 2,
                    pause: Duration::from_millis(5),
                    ..plain.clone()
                },
            ),
            (
                "tools.break.1",
                Manner {
                    calls: true,
                    breaks: Some(1),
                    ..plain
                },
            ),
        ] {
            assert_eq!(Manner::of(model), expected, "{model}");
        }
    }
}
