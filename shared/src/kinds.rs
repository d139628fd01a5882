//! The list of kinds. To add one, write its file and add its line; everything else derives from here.

use std::any::TypeId;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Definition, Meta, Spec};
use crate::problem::near_miss;

macro_rules! kinds {
    ($($module:ident :: $name:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// A kind of object, as written in `kind:`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Kind { $(#[doc = concat!("See [`", stringify!($module), "`].")] $name),* }

        impl Kind {
            /// Every kind, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        static DEFINITIONS: [Definition; Kind::ALL.len()] =
            [$(Definition::of::<$module::$name>(Kind::$name, stringify!($name))),*];

        fn type_ids() -> Vec<TypeId> {
            vec![$(TypeId::of::<$module::$name>()),*]
        }
    };
}

kinds![
    server::Server,
    instance::Instance,
    template::Template,
    secret::Secret,
    secret_backend::SecretBackend,
    llm::Llm,
    agent::Agent,
    project::Project,
    prompt::Prompt,
    user::User,
    group::Group,
    service_account::ServiceAccount,
    role_binding::RoleBinding,
    token::Token,
    prompt_request::PromptRequest,
    personality::Personality,
];

/// The `apiVersion` of every object.
pub const API_VERSION: &str = "orchctl.dev/v1";

impl Kind {
    /// Everything known about this kind.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        &DEFINITIONS[self as usize]
    }

    /// The facts about this kind.
    #[must_use]
    pub fn meta(self) -> &'static Meta {
        self.definition().meta
    }

    /// The name in manifests: `Server`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.definition().name
    }

    /// The kind that a noun of the command line means: plural, singular, short name or the name in manifests.
    #[must_use]
    pub fn from_noun(noun: &str) -> Option<Self> {
        let lower = noun.to_lowercase();
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == noun || kind.definition().nouns().any(|candidate| candidate == lower))
    }

    /// The noun that was probably meant.
    #[must_use]
    pub fn near_noun(noun: &str) -> Option<&'static str> {
        near_miss(noun, Self::ALL.iter().flat_map(|kind| kind.definition().nouns()))
    }

    /// The kinds in an order in which each comes after the kinds it refers to.
    pub fn in_apply_order() -> &'static [Self] {
        static ORDER: OnceLock<Vec<Kind>> = OnceLock::new();
        ORDER.get_or_init(|| {
            let mut order: Vec<Self> = Vec::new();
            while order.len() < Self::ALL.len() {
                let ready = |kind: &Self| {
                    !order.contains(kind)
                        && kind
                            .meta()
                            .refers_to
                            .iter()
                            .all(|target| target == kind || order.contains(target))
                };
                match Self::ALL.iter().copied().find(ready) {
                    Some(next) => order.push(next),
                    // A cycle between kinds: a law test fails on it. Any order does until then.
                    None => order.extend(
                        Self::ALL
                            .iter()
                            .filter(|kind| !order.contains(kind))
                            .copied()
                            .collect::<Vec<_>>(),
                    ),
                }
            }
            order
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Reads the name in manifests.
impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// There is no kind of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind `{0}`")]
pub struct UnknownKind(String);

/// The definition of the kind that `S` implements.
///
/// # Panics
/// Never for a type in the list; a kind that is not listed has no definition.
pub(crate) fn definition_of<S: Spec>() -> &'static Definition {
    static IDS: OnceLock<Vec<TypeId>> = OnceLock::new();
    let index = IDS.get_or_init(type_ids).iter().position(|id| *id == TypeId::of::<S>());
    &DEFINITIONS[index.expect("a kind stands in the list of kinds")]
}
