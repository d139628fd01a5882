//! The lists that clients see: those of all servers of a view as one, named so that nothing clashes, with what may not be
//! seen left out.
//!
//! A list is made when something in it has changed, and otherwise handed out as it was made. Its order is that of the
//! project's servers, and within a server that of the server. A server whose part is missing, or cut, is named, with the
//! reason; it never keeps the rest, and names no tool of another one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use orch_shared::access::ToolBounds;
use orch_shared::jsonrpc::{Members, Raw, raw};
use orch_shared::kinds::prompt::Prompt;
use orch_shared::kinds::server::Server;
use orch_shared::name::Name;
use orch_shared::tools::{Naming, Surface};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::surface::{self, Item, Items, Kind, Listed};
use super::view::{Member, Target, View, generations_of};
use crate::store::Object;

/// What the URIs of prompts begin with.
pub(super) const PROMPT_URI: &str = "orch://prompts/";

/// A list of a view, ready to be sent.
#[derive(Debug)]
pub(super) struct Listing {
    /// The items, as a JSON array.
    pub(super) array: Arc<str>,
    /// Who is behind each name, URI or template.
    routes: HashMap<String, Route>,
    /// The templates, those with the longest beginning first.
    templates: Vec<(String, Route)>,
    /// The servers whose part is not in it, or not all of it.
    pub(super) missing: Vec<Missing>,
}

/// Who is behind a name.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) server: Name,
    /// What the server itself calls it.
    pub(super) name: String,
    /// What a tool wants for arguments.
    pub(super) schema: Option<Raw>,
}

/// A server whose part of a list is not there, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Missing {
    pub(super) server: Name,
    /// Why, in a clause.
    pub(super) reason: String,
    /// Whether some of its part is there.
    #[serde(skip)]
    pub(super) is_in_part: bool,
}

impl Listing {
    /// Who is behind a name or URI.
    pub(super) fn route(&self, name: &str) -> Option<&Route> {
        self.routes.get(name).or_else(|| {
            let fits = |(template, _): &&(String, Route)| may_be_of(name, template);
            self.templates.iter().find(fits).map(|(_, route)| route)
        })
    }

    /// What a tool wants for arguments, where its server wants them repeated beside the call.
    pub(super) fn schema_of(&self, server: &Name, tool: &str) -> Option<Raw> {
        let mut routes = self.routes.values();
        let route = routes.find(|route| route.server == *server && route.name == tool)?;
        route.schema.clone()
    }

    /// Who is behind a template, as it is written.
    pub(super) fn template(&self, written: &str) -> Option<&Route> {
        let same = |(template, _): &&(String, Route)| template == written;
        self.templates.iter().find(same).map(|(_, route)| route)
    }
}

/// Whether a URI may come from a template (RFC 6570): what stands before its first and after its last expression fits.
fn may_be_of(uri: &str, template: &str) -> bool {
    let head = template.split('{').next().unwrap_or_default();
    let tail = template
        .rsplit('}')
        .next()
        .filter(|_| template.contains('}'))
        .unwrap_or_default();
    uri.len() >= head.len() + tail.len() && uri.starts_with(head) && uri.ends_with(tail)
}

/// What one server brings into a list.
pub(super) struct Part<'v> {
    pub(super) member: &'v Member,
    pub(super) listed: Listed,
}

impl Part<'_> {
    /// Whose it is, and why it, or some of it, is not there; nothing when all of it is.
    fn lacking(&self) -> Option<(&Name, &str)> {
        Some((&self.member.name, surface::lacking(&self.listed)?))
    }
}

/// The listings that were made last. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Listings(Arc<Mutex<HashMap<(Target, Kind), Made>>>);

/// A listing, and everything that it depends on.
struct Made {
    versions: Vec<Version>,
    bounds: Vec<(Arc<str>, ToolBounds)>,
    listing: Arc<Listing>,
}

impl Made {
    /// Whether it lacks what these parts lack, for the same reasons.
    fn lacks_the_same(&self, parts: &[Part<'_>]) -> bool {
        let missing = self.listing.missing.iter();
        let lacking = parts.iter().filter_map(Part::lacking);
        missing.map(|one| (&one.server, one.reason.as_str())).eq(lacking)
    }
}

/// An object, its generation and that of its template, and which of its lists it is.
type Version = (Arc<str>, (i64, i64), u64);

/// So many views are remembered.
const REMEMBERED: usize = 256;

impl Listings {
    /// The listing of these parts: the one that was made last, if nothing has changed since.
    pub(super) fn of(&self, view: &View, kind: Kind, parts: &[Part<'_>]) -> Arc<Listing> {
        let versions = versions(view, kind, parts);
        let key = (view.target.clone(), kind);
        if let Some(made) = self.locked().get(&key)
            && made.versions == versions
            && made.lacks_the_same(parts)
            && made
                .bounds
                .iter()
                .map(|(uid, bounds)| (uid, bounds))
                .eq(bounds(view, kind))
        {
            return Arc::clone(&made.listing);
        }
        let listing = Arc::new(make(view, kind, parts));
        let made = Made {
            versions,
            bounds: bounds(view, kind)
                .map(|(uid, bounds)| (Arc::clone(uid), bounds.clone()))
                .collect(),
            listing: Arc::clone(&listing),
        };
        let mut known = self.locked();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, made);
        listing
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<(Target, Kind), Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects that a listing is made of, as they are.
fn versions(view: &View, kind: Kind, parts: &[Part<'_>]) -> Vec<Version> {
    let of_parts = parts.iter().map(|part| {
        let version = part.listed.as_ref().map_or(u64::MAX, |items| items.version);
        let object = &part.member.object;
        (Arc::clone(&object.uid), generations_of(object), version)
    });
    let of_view = (Arc::clone(&view.object.uid), generations_of(&view.object), 0);
    let prompts = match kind {
        Kind::Tools => [].iter(),
        Kind::Prompts | Kind::Resources | Kind::Templates => view.prompts.iter(),
    };
    let of_prompts = prompts.map(|prompt| (Arc::clone(&prompt.uid), generations_of(prompt), 0));
    of_parts.chain([of_view]).chain(of_prompts).collect()
}

/// Which tools of which server whoever asks may call, where those are not all: what one may call of this server another may
/// call of that.
fn bounds(view: &View, kind: Kind) -> impl Iterator<Item = (&Arc<str>, &ToolBounds)> {
    let members = match kind {
        Kind::Tools => view.members.as_slice(),
        Kind::Prompts | Kind::Resources | Kind::Templates => &[],
    };
    let bounded = members.iter().filter(|member| !member.callable.are_open());
    bounded.map(|member| (&member.object.uid, &member.callable))
}

fn make(view: &View, kind: Kind, parts: &[Part<'_>]) -> Listing {
    let mut making = Making::default();
    let lists: Vec<(&Member, Vec<&Item>)> = parts
        .iter()
        .filter_map(|part| Some((part.member, offered(part.member, kind, part.listed.as_ref().ok()?))))
        .collect();
    match (view.single(), kind) {
        (Some(_), _) => making.take_plain(kind, &lists),
        (None, Kind::Tools | Kind::Prompts) => {
            making.take_own(kind, &view.prompts);
            making.take_named(kind, &lists, &view.members);
        }
        (None, Kind::Resources | Kind::Templates) => {
            making.take_own(kind, &view.prompts);
            making.take_plain(kind, &lists);
        }
    }
    making
        .templates
        .sort_by_key(|(template, _)| std::cmp::Reverse(template.split('{').next().map_or(0, str::len)));
    Listing {
        array: format!("[{}]", making.texts.join(",")).into(),
        routes: making.routes,
        templates: making.templates,
        missing: parts
            .iter()
            .filter_map(|part| {
                let (server, reason) = part.lacking()?;
                Some(Missing {
                    server: server.clone(),
                    reason: reason.to_owned(),
                    is_in_part: part.listed.is_ok(),
                })
            })
            .collect(),
    }
}

/// The items of a server that may be seen, each once.
fn offered<'i>(member: &Member, kind: Kind, items: &'i Items) -> Vec<&'i Item> {
    let mut seen = std::collections::HashSet::new();
    let offer = (kind == Kind::Tools).then(|| member.offer());
    items
        .found
        .items
        .iter()
        .filter(|item| offer.as_ref().is_none_or(|offer| offer.admits(&item.key)))
        .filter(|item| seen.insert(item.key.as_str()))
        .collect()
}

#[derive(Default)]
struct Making {
    texts: Vec<String>,
    routes: HashMap<String, Route>,
    templates: Vec<(String, Route)>,
}

impl Making {
    /// Takes items under the names they have; of two that are called the same, the first.
    fn take_plain(&mut self, kind: Kind, lists: &[(&Member, Vec<&Item>)]) {
        for (member, items) in lists {
            for item in items {
                let route = route(member, kind, item);
                let known = match kind {
                    Kind::Templates => self.templates.iter().any(|(template, _)| *template == item.key),
                    Kind::Tools | Kind::Prompts | Kind::Resources => self.routes.contains_key(&item.key),
                };
                if known {
                    continue;
                }
                match kind {
                    Kind::Templates => self.templates.push((item.key.clone(), route)),
                    Kind::Tools | Kind::Prompts | Kind::Resources => drop(self.routes.insert(item.key.clone(), route)),
                }
                self.texts.push(item.raw.get().to_owned());
            }
        }
    }

    /// Takes items under names that say whose they are. Those whose list is not there have a say in it, too: what a name
    /// means does not depend on who is up.
    fn take_named(&mut self, kind: Kind, lists: &[(&Member, Vec<&Item>)], members: &[Member]) {
        let surfaces: Vec<_> = members
            .iter()
            .map(|member| {
                let list = lists.iter().find(|(listed, _)| listed.name == member.name);
                let items = list.into_iter().flat_map(|(_, items)| items);
                Surface {
                    server: &member.name,
                    prefix: member.prefix(),
                    tools: items.map(|item| item.key.as_str()).collect(),
                }
            })
            .collect();
        let naming = Naming::of(&surfaces);
        for (member, items) in lists {
            let context = (kind == Kind::Tools).then(|| context(member)).flatten();
            for item in items {
                let Some(shown) = naming.shown(&member.name, &item.key) else {
                    continue;
                };
                self.routes.insert(shown.as_str().to_owned(), route(member, kind, item));
                self.texts.push(renamed(&item.raw, shown.as_str(), context.as_deref()));
            }
        }
    }

    /// Takes the prompts of the project itself.
    fn take_own(&mut self, kind: Kind, prompts: &[Arc<Object>]) {
        for prompt in prompts {
            let name = &prompt.object.name;
            let summary = prompt.spec::<Prompt>().and_then(|spec| spec.summary.clone());
            let text = match kind {
                Kind::Prompts => json!({"name": name, "description": summary}),
                Kind::Resources => json!({
                    "uri": format!("{PROMPT_URI}{name}"), "name": name, "description": summary, "mimeType": "text/markdown",
                }),
                Kind::Tools | Kind::Templates => continue,
            };
            self.texts.push(without_nulls(text).to_string());
        }
    }
}

fn without_nulls(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

fn route(member: &Member, kind: Kind, item: &Item) -> Route {
    let schema = (kind == Kind::Tools && item.raw.get().contains("x-mcp-header"))
        .then(|| Members::of(&item.raw)?.get("inputSchema").map(ToOwned::to_owned))
        .flatten();
    Route {
        server: member.name.clone(),
        name: item.key.clone(),
        schema,
    }
}

/// What the descriptions of a server's tools say besides.
fn context(member: &Member) -> Option<String> {
    let server: &Server = member.server()?;
    if server.tools.as_ref().and_then(|tools| tools.describe) == Some(false) {
        return None;
    }
    Some(match &server.description {
        Some(description) => format!("(server {}: {description})", member.name),
        None => format!("(server {})", member.name),
    })
}

/// An item under another name.
fn renamed(item: &RawValue, name: &str, context: Option<&str>) -> String {
    let Some(mut members) = Members::of(item) else {
        return item.get().to_owned();
    };
    members.set("name", raw(name));
    if let Some(context) = context {
        let description = match members.text("description").filter(|text| !text.is_empty()) {
            Some(description) => format!("{description} {context}"),
            None => context.to_owned(),
        };
        members.set("description", raw(&description));
    }
    members.to_raw().get().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_find_their_templates() {
        for (uri, template, fits) in [
            ("test://template/7/data", "test://template/{id}/data", true),
            ("test://template/7", "test://template/{id}/data", false),
            ("file:///a/b", "file:///{+path}", true),
            ("http://x", "file:///{+path}", false),
            ("a", "a", true),
            ("aa", "a{x}a", true),
            ("a", "a{x}a", false),
        ] {
            assert_eq!(may_be_of(uri, template), fits, "{uri} {template}");
        }
    }

    #[test]
    fn names_change_and_all_else_stays() {
        let item = r#"{"name":"read","inputSchema":{"type":"object","n": 1.0},"description":"Reads.","x":[1]}"#;
        let item: Raw = serde_json::from_str(item).expect("JSON");
        assert_eq!(
            renamed(&item, "files__read", Some("(server files)")),
            r#"{"name":"files__read","inputSchema":{"type":"object","n": 1.0},"description":"Reads. (server files)","x":[1]}"#
        );
    }
}
