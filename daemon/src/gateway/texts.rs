//! What the gateway says in words of its own: each text is a Prompt that whoever runs the daemon may word anew.

use orch_shared::kind::Kind;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::system::{self, Text};

use super::Gateway;

impl Gateway {
    /// A text, its places filled in.
    pub(super) fn say(&self, text: Text, values: &[(&str, &str)]) -> String {
        system::fill(&self.wording(text), values)
    }

    /// How a text is worded now. One that is not there, or lacks what it must say, is worded as it came with the daemon.
    #[must_use]
    pub fn wording(&self, text: Text) -> String {
        let name = |name: &str| -> Option<Name> { name.parse().ok() };
        let worded = name(system::PROJECT)
            .zip(name(text.name()))
            .and_then(|(project, name)| {
                let object = ObjectRef {
                    kind: Kind::Prompt,
                    scope: Scope::Project(project),
                    name,
                };
                let snapshot = self.0.store.snapshot();
                let found = snapshot.get(&object).filter(|prompt| prompt.deleting_since.is_none())?;
                let content = found.spec::<Prompt>()?.content.clone()?;
                text.accepts(&content).then_some(content)
            });
        worded.unwrap_or_else(|| text.wording().to_owned())
    }
}
