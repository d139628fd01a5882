//! What a model is told first: one text of many parts. Pure.

/// A Prompt as part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its rank among those beside it; higher comes first.
    pub(super) priority: u32,
    /// Its name, by which those of one rank are ordered.
    pub(super) name: String,
    pub(super) text: String,
}

/// Everything that a model is told first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// `spec.systemPrompt` of the agent.
    pub(super) own: Option<String>,
    /// Prompts of the agent.
    pub(super) of_agent: Vec<Part>,
    /// Prompts of the agent's project.
    pub(super) of_project: Vec<Part>,
    /// Prompts of the personality that it takes on.
    pub(super) of_personality: Vec<Part>,
    /// What the request adds.
    pub(super) append: Option<String>,
}

impl Block {
    /// The text: its parts in that order, each group by priority and then by name, with a blank line between. What is not
    /// there leaves no trace, and what is there stands as it was written.
    pub(super) fn text(mut self) -> String {
        for group in [&mut self.of_agent, &mut self.of_project, &mut self.of_personality] {
            group.sort_by(|one, other| (other.priority, &one.name).cmp(&(one.priority, &other.name)));
        }
        let groups = [self.of_agent, self.of_project, self.of_personality];
        let prompts = groups.into_iter().flatten().map(|part| part.text);
        let parts = self.own.into_iter().chain(prompts).chain(self.append);
        let mut whole = String::new();
        for part in parts.filter(|part| !part.is_empty()) {
            if !whole.is_empty() {
                // A blank line, and no more of them where a part ends in one.
                whole.push_str(match whole.as_str() {
                    before if before.ends_with("\n\n") => "",
                    before if before.ends_with('\n') => "\n",
                    _ => "\n\n",
                });
            }
            whole.push_str(&part);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, priority: u32, text: &str) -> Part {
        Part {
            priority,
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn parts_stand_in_their_order() {
        let block = Block {
            own: Some("You are kind.".to_owned()),
            of_agent: vec![part("b", 50, "AB"), part("a", 50, "AA"), part("z", 90, "AZ\n")],
            of_project: vec![part("p", 1, "P1"), part("q", 100, "P100\n\n")],
            of_personality: vec![part("x", 5, "X")],
            append: Some("Last.\n".to_owned()),
        };
        let whole = "You are kind.\n\nAZ\n\nAA\n\nAB\n\nP100\n\nP1\n\nX\n\nLast.\n";
        assert_eq!(block.clone().text(), whole);
        for (block, text) in [
            (Block::default(), ""),
            (
                Block {
                    own: Some("  as it was written \n".to_owned()),
                    ..Block::default()
                },
                "  as it was written \n",
            ),
            (
                Block {
                    own: Some(String::new()),
                    of_personality: vec![part("x", 1, ""), part("y", 1, "Y")],
                    ..Block::default()
                },
                "Y",
            ),
            (
                Block {
                    of_project: vec![],
                    append: None,
                    of_personality: vec![],
                    of_agent: vec![],
                    ..block
                },
                "You are kind.",
            ),
        ] {
            assert_eq!(block.text(), text);
        }
    }
}
