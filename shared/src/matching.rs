//! Which prompts fit a task: by tags, by words, and by rank. Values in, values out; the same task finds the same prompts.
//!
//! What is counted: a tag that was named for the task, a tag that is in its description, and words of the description in
//! the prompt's name, summary or chapters, each at the weight it has below. The sum, times the prompt's priority, is its
//! place. A prompt of priority 100 is for everybody, whatever they do, and comes first; of the others, one that
//! has nothing in common with the task is left out.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The priority of prompts that everybody gets.
pub const ALWAYS: u32 = 100;

/// What a tag counts that was named for the task.
const NAMED_TAG: u32 = 10;
/// What a tag counts that the description holds.
const SAID_TAG: u32 = 5;
/// What a word counts that is in the name of the prompt.
const NAME_WORD: u32 = 3;
/// What a word counts that is in the summary or a chapter.
const SUMMARY_WORD: u32 = 1;

/// Shorter words say nothing.
const SHORTEST: usize = 3;

/// Words that say nothing, whatever the task.
const IDLE: &[&str] = &[
    "about", "all", "and", "any", "are", "but", "can", "could", "for", "from", "had", "has", "have", "how", "into",
    "its", "let", "may", "more", "need", "needs", "not", "now", "our", "out", "please", "shall", "should", "some",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "use", "using", "want", "was", "were",
    "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
];

/// What somebody is going to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// In their words.
    pub description: String,
    /// Tags that they name besides.
    pub tags: Vec<String>,
}

/// A prompt that may fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its rank, 1 to 100.
    pub priority: u32,
    /// What it says, in a sentence.
    pub summary: &'c str,
    /// The headings of its parts.
    pub chapters: &'c [String],
    /// Words by which it is found.
    pub tags: &'c [String],
}

/// A prompt that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which one of the candidates.
    pub index: usize,
    /// The tags and words that it has in common with the task, in order of the alphabet. Empty for one that everybody gets.
    pub because: Vec<String>,
}

/// The candidates that fit a task, the best first; of equal ones that of higher priority, then by name.
#[must_use]
pub fn matching(task: &Task, candidates: &[Candidate<'_>]) -> Vec<Match> {
    let said = words(&task.description);
    let named: BTreeSet<String> = task.tags.iter().map(|tag| tag.trim().to_lowercase()).collect();
    let mut found: Vec<_> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| {
            let (count, because) = common(&said, &named, candidate);
            let is_for_all = candidate.priority >= ALWAYS;
            (count > 0 || is_for_all).then(|| {
                let place = (Reverse(is_for_all), Reverse(count * candidate.priority));
                (
                    place,
                    Reverse(candidate.priority),
                    candidate.name,
                    Match { index, because },
                )
            })
        })
        .collect();
    found.sort_by(|one, other| (one.0, one.1, one.2).cmp(&(other.0, other.1, other.2)));
    found.into_iter().map(|(_, _, _, found)| found).collect()
}

/// The candidates that a model has named, in its order; those that everybody gets first, as [`matching`] has them, with what each
/// has in common with the task. Names that nobody has are passed over.
#[must_use]
pub fn chosen(task: &Task, candidates: &[Candidate<'_>], names: &[String]) -> Vec<Match> {
    let by_words = matching(task, candidates);
    let is_for_all = |found: &Match| candidates[found.index].priority >= ALWAYS;
    let mut all: Vec<Match> = by_words.iter().filter(|found| is_for_all(found)).cloned().collect();
    for name in names {
        let named = candidates.iter().position(|candidate| candidate.name == name.trim());
        let Some(index) = named.filter(|index| all.iter().all(|known| known.index != *index)) else {
            continue;
        };
        let known = by_words.iter().find(|found| found.index == index);
        let because = known.map(|found| found.because.clone()).unwrap_or_default();
        all.push(Match { index, because });
    }
    all
}

/// What a prompt has in common with a task: how much that counts, and which words it is.
fn common(said: &BTreeSet<String>, named: &BTreeSet<String>, candidate: &Candidate<'_>) -> (u32, Vec<String>) {
    let mut count = 0;
    let mut because = BTreeSet::new();
    for tag in candidate.tags {
        let parts = words(tag);
        let weight = if named.contains(&tag.trim().to_lowercase()) {
            NAMED_TAG
        } else if !parts.is_empty() && parts.is_subset(said) {
            SAID_TAG
        } else {
            continue;
        };
        count += weight;
        because.insert(tag.trim().to_lowercase());
    }
    let mut summary = words(candidate.summary);
    summary.extend(candidate.chapters.iter().flat_map(|chapter| words(chapter)));
    for (weight, of_prompt) in [(NAME_WORD, words(candidate.name)), (SUMMARY_WORD, summary)] {
        for word in of_prompt.intersection(said) {
            count += weight;
            because.insert(word.clone());
        }
    }
    (count, because.into_iter().collect())
}

/// The words of a text that say something, each once, in the form in which they are compared.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= SHORTEST && !IDLE.contains(&word.as_str()))
        .map(|word| stem(&word).to_owned())
        .collect()
}

/// A word without the ending that English gives it in the plural: `reviews` and `review` are one word, `process` stays.
fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(short) if short.chars().count() >= SHORTEST && !short.ends_with(['s', 'u', 'i']) => short,
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample {
        name: &'static str,
        priority: u32,
        summary: &'static str,
        chapters: &'static [&'static str],
        tags: &'static [&'static str],
    }

    const fn sample(name: &'static str, priority: u32, summary: &'static str) -> Sample {
        Sample {
            name,
            priority,
            summary,
            chapters: &[],
            tags: &[],
        }
    }

    fn check(samples: &[Sample], description: &str, tags: &[&str], expected: &[(&str, &str)]) {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let lists: Vec<_> = samples
            .iter()
            .map(|sample| (owned(sample.chapters), owned(sample.tags)))
            .collect();
        let candidates: Vec<_> = samples
            .iter()
            .zip(&lists)
            .map(|(sample, (chapters, tags))| Candidate {
                name: sample.name,
                priority: sample.priority,
                summary: sample.summary,
                chapters,
                tags,
            })
            .collect();
        let task = Task {
            description: description.to_owned(),
            tags: owned(tags),
        };
        let found: Vec<_> = matching(&task, &candidates)
            .into_iter()
            .map(|found| (samples[found.index].name, found.because.join(" ")))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, because)| (*name, (*because).to_owned()))
            .collect();
        assert_eq!(found, expected, "{description:?} {tags:?}");
    }

    fn library() -> Vec<Sample> {
        vec![
            sample("rules", 100, "What everybody keeps to."),
            Sample {
                chapters: &["Before the review", "Merging"],
                tags: &["git", "code review"],
                ..sample("pull-requests", 60, "How we look at changes.")
            },
            Sample {
                tags: &["db", "postgres"],
                ..sample("migrations", 60, "Changing the schema of a database.")
            },
            sample("database-backups", 20, "Where the copies of a database are."),
            sample("tone", 90, "How we write."),
        ]
    }

    #[test]
    fn tasks_find_their_prompts() {
        let library = library();
        for (description, tags, expected) in [
            ("", &[][..], &[("rules", "")][..]),
            ("write me a poem", &[], &[("rules", ""), ("tone", "write")]),
            ("Reviews", &[], &[("rules", ""), ("pull-requests", "review")]),
            (
                "do a code review, please",
                &[],
                &[("rules", ""), ("pull-requests", "code review review")],
            ),
            ("anything", &["DB"], &[("rules", ""), ("migrations", "db")]),
            // Priority weighs what is found; what is not found it does not bring in.
            (
                "back up the database",
                &[],
                &[
                    ("rules", ""),
                    ("database-backups", "database"),
                    ("migrations", "database"),
                ],
            ),
            (
                "add a column to postgres databases",
                &["git"],
                &[
                    ("rules", ""),
                    ("pull-requests", "git"),
                    ("migrations", "database postgres"),
                    ("database-backups", "database"),
                ],
            ),
        ] {
            check(&library, description, tags, expected);
        }
    }

    #[test]
    fn equal_ones_are_in_order_of_priority_and_name() {
        let same = |name, priority| sample(name, priority, "gardening");
        let samples = [
            same("c", 50),
            same("b", 60),
            same("a", 50),
            same("all-b", 100),
            same("all-a", 100),
        ];
        let expected = [
            ("all-a", "gardening"),
            ("all-b", "gardening"),
            ("b", "gardening"),
            ("a", "gardening"),
            ("c", "gardening"),
        ];
        check(&samples, "gardening", &[], &expected);
        let backwards: Vec<_> = samples.into_iter().rev().collect();
        check(&backwards, "gardening", &[], &expected);
    }

    #[test]
    fn words_are_compared_by_what_they_mean() {
        for (text, expected) in [
            ("The reviews, of code!", "code review"),
            ("PROCESS status analysis", "analysis process status"),
            ("a to of", ""),
            ("Größen größe", "größe größen"),
            ("read-only read_only", "only read"),
        ] {
            let found: Vec<_> = words(text).into_iter().collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_model_chooses_by_name() {
        let tags = ["rust".to_owned()];
        let candidates =
            [("law", 100, &[][..]), ("tone", 50, &[]), ("api", 50, &tags)].map(|(name, priority, tags)| Candidate {
                name,
                priority,
                summary: "",
                chapters: &[],
                tags,
            });
        let task = Task {
            description: "Write rust".to_owned(),
            tags: vec![],
        };
        let names = ["tone", "nobody", " api ", "tone", "law"].map(str::to_owned);
        let found = chosen(&task, &candidates, &names);
        let told: Vec<(usize, usize)> = found.iter().map(|found| (found.index, found.because.len())).collect();
        assert_eq!(told, [(0, 0), (1, 0), (2, 1)]);
        assert_eq!(
            chosen(&task, &candidates, &[]).len(),
            1,
            "who names none leaves those that everybody gets"
        );
    }
}
