//! How the program is called: by `cargo bench`, by `cargo test`, or by a test runner that wants to know what there is.

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// So much that the numbers mean something.
    Full,
    /// So little that it is quick; only whether it works is asserted.
    Smoke,
}

impl Effort {
    /// One of two sizes.
    pub(crate) const fn pick(self, full: usize, smoke: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Smoke => smoke,
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) effort: Effort,
    /// Whether the names of the benches are asked for, and nothing is to be run.
    pub(crate) lists: bool,
    /// Words of which a bench's name must hold one; none means every bench.
    words: Vec<String>,
    ignored: bool,
}

/// Flags of test runners that are followed by a value.
const WITH_VALUE: [&str; 6] = ["--color", "--format", "--logfile", "--skip", "--test-threads", "-Z"];

impl Asked {
    /// Reads arguments as the standard test harness does, as far as they mean something here.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self {
            effort: Effort::Smoke,
            lists: false,
            words: Vec::new(),
            ignored: false,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => asked.effort = Effort::Full,
                "--list" => asked.lists = true,
                "--ignored" => asked.ignored = true,
                flag if WITH_VALUE.contains(&flag) => drop(arguments.next()),
                flag if flag.starts_with('-') => {}
                word => asked.words.push(word.to_owned()),
            }
        }
        asked
    }

    /// Whether that bench is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        !self.ignored && (self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str())))
    }
}
