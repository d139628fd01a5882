//! `get threads`, `get thread ID` and `get messages --thread ID`: what is no object, and is asked for like one.

use crate::args::shared::thread_id;
use crate::report::Failure;

/// What was typed after `get`, when it means threads or what was said in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verbs) enum Asked {
    /// One's threads.
    Threads,
    /// This one.
    Thread(String),
    /// What was said in the thread that a flag names.
    Messages,
}

/// Whether words after `get` mean threads or messages, and which.
pub(in crate::verbs) fn asked_for(words: &[String]) -> Result<Option<Asked>, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let id = match &words[..] {
        [word] if is_thread(word) => return Ok(Some(Asked::Threads)),
        [word] if is_message(word) => return Ok(Some(Asked::Messages)),
        [word, id] if is_thread(word) => *id,
        [word] if is_thread(noun_of(word)) => word.split_once('/').map_or(*word, |(_, id)| id),
        others => {
            // A name may be like a noun: only the first word, and lists of kinds, say what is meant.
            let mut nouns = others.iter().take(1).flat_map(|word| word.split(',')).map(noun_of);
            return match nouns.any(|noun| is_thread(noun) || is_message(noun)) {
                true => Err(
                    Failure::usage("threads and messages are no objects, and are shown by themselves")
                        .hint("orchctl get threads --agent AGENT, or orchctl get messages --thread ID"),
                ),
                false => Ok(None),
            };
        }
    };
    thread_id(id).map(|id| Some(Asked::Thread(id))).map_err(Failure::usage)
}

fn is_thread(noun: &str) -> bool {
    ["threads", "thread"]
        .iter()
        .any(|known| noun.eq_ignore_ascii_case(known))
}

fn is_message(noun: &str) -> bool {
    ["messages", "message"]
        .iter()
        .any(|known| noun.eq_ignore_ascii_case(known))
}

fn noun_of(word: &str) -> &str {
    word.split_once('/').map_or(word, |(noun, _)| noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_after_get_may_mean_threads() {
        for (words, expected) in [
            (&["threads"][..], Ok(Some(Asked::Threads))),
            (&["Messages"], Ok(Some(Asked::Messages))),
            (&["thread", "t-1"], Ok(Some(Asked::Thread("t-1".to_owned())))),
            (&["thread/t-1"], Ok(Some(Asked::Thread("t-1".to_owned())))),
            (&["thread/"], Err("`` is no id of a thread")),
            (&["thread/a/b"], Err("`a/b` is no id of a thread")),
            (&["messages", "5"], Err("are no objects")),
            (&["servers,threads"], Err("are no objects")),
            (&["thread/a", "thread/b"], Err("are no objects")),
            (&["servers"], Ok(None)),
            (&["server", "thread"], Ok(None)),
            (&["server/thread"], Ok(None)),
            (&[], Ok(None)),
        ] {
            let owned: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            match (asked_for(&owned), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{words:?}"),
                (Err(failure), Err(expected)) => {
                    assert!(failure.to_string().contains(expected), "{words:?}: {failure}");
                }
                (found, _) => panic!("{words:?}: {found:?}"),
            }
        }
    }
}
