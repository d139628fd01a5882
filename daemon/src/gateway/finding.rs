//! Who is behind a name or URI, and what each server brings into a list.
//!
//! Flow: a list waits for the servers that were never asked before, up to their deadline; a call, and whatever else is about
//! one name, goes by what is known, and asks the servers alone that may be meant. So a server that hangs keeps nobody from
//! another one.
//!
//! Guarantee: a name that says whose it is means one server, whoever of them is up; where two may be meant, it means none.

use std::sync::Arc;

use futures_util::future::join_all;
use orch_shared::access::{Principal, Rights};
use orch_shared::jsonrpc::Raw;
use orch_shared::tools::ToolName;

use super::Gateway;
use super::listing::{Listing, Part, Route};
use super::surface::{self, Found, Kind, Question};
use super::view::{Member, View};

/// Why the list of a server that nobody has asked for one is missing.
const UNASKED: &str = "nobody has asked for it yet";

impl Gateway {
    /// The list of a kind, with what is missing from it.
    pub(super) async fn listing(&self, view: &View, kind: Kind) -> Arc<Listing> {
        let known: Option<Vec<Part<'_>>> = view
            .members
            .iter()
            .map(|member| self.known_part(member, kind))
            .collect();
        let parts = match known {
            Some(parts) => parts,
            None => Box::pin(join_all(view.members.iter().map(|member| self.part(member, kind)))).await,
        };
        self.0.listings.of(view, kind, &parts)
    }

    /// The list of a kind as far as it is known, without asking anybody.
    fn known_listing(&self, view: &View, kind: Kind) -> Arc<Listing> {
        let parts = view.members.iter().map(|member| {
            let told = self.0.surfaces.told(&member.object.uid, kind);
            let listed = told.unwrap_or_else(|| Err(UNASKED.into()));
            Part { member, listed }
        });
        self.0.listings.of(view, kind, &parts.collect::<Vec<_>>())
    }

    /// What one server brings into a list, if that is known.
    fn known_part<'v>(&self, member: &'v Member, kind: Kind) -> Option<Part<'v>> {
        let listed = Ok(self.0.surfaces.known(&member.object.uid, kind)?);
        Some(Part { member, listed })
    }

    /// What one server brings into a list.
    pub(super) async fn part<'v>(&self, member: &'v Member, kind: Kind) -> Part<'v> {
        let uid = &member.object.uid;
        let ask = || self.question(member, kind);
        let listed = self.0.surfaces.list(uid, kind, ask, surface::PATIENCE).await;
        let listed = listed.unwrap_or_else(|| Err(format!("it did not answer {} in time", kind.method()).into()));
        Part { member, listed }
    }

    /// The question for a server's list; what came of it is told to whoever looks after the server.
    fn question(
        &self,
        member: &Member,
        kind: Kind,
    ) -> Question<impl Future<Output = Result<Found, String>> + Send + use<>> {
        let (gateway, asked) = (self.clone(), member.clone());
        let asking = async move {
            let upstream = match gateway.rests(&asked) {
                false => gateway.awake(&asked, surface::PATIENCE).await,
                true => match gateway.remembered(&asked, kind).await? {
                    Some(found) => return Ok(found),
                    // Nobody has asked while it was awake; without a list nobody could ever use it.
                    None => gateway.upstream(&asked, surface::PATIENCE).await,
                },
            };
            let upstream = upstream.map_err(|unavailable| unavailable.to_string())?;
            let fetched = surface::fetch(&upstream.link, kind, &gateway.0.ourselves).await;
            let found = fetched.map_err(|reason| upstream.link.masked(&reason))?;
            gateway.remember_list(&asked, kind, &found);
            Ok(found)
        };
        let (gateway, asked) = (self.clone(), member.clone());
        let heard = Box::new(move |listed: &surface::Listed| gateway.note_missing(&asked, kind, listed));
        Question { asking, heard }
    }

    /// Who is behind a name or URI: by the lists that are known, and where these do not say, by those of the servers that
    /// may be meant.
    pub(super) async fn find<'v>(&self, view: &'v View, kind: Kind, name: &str) -> Option<(&'v Member, Route)> {
        if let Some(member) = view.single() {
            return Some((member, self.find_plain(view, member, kind, name).await?));
        }
        let route = match (self.known_listing(view, kind).route(name).cloned(), kind) {
            (Some(route), _) => route,
            (None, Kind::Tools | Kind::Prompts) => Box::pin(self.find_by_prefix(view, kind, name)).await?,
            (None, Kind::Resources) => Box::pin(self.find_by_uri(view, name)).await?,
            (None, Kind::Templates) => return None,
        };
        let member = view.members.iter().find(|member| member.name == route.server)?;
        self.refresh(member, kind);
        // Whatever a list says, nobody is led to a tool that they may not call.
        (kind != Kind::Tools || member.offer().admits(&route.name)).then_some((member, route))
    }

    /// What is known under a name of the only server there is. What is in none of its lists it may know all the same.
    async fn find_plain(&self, view: &View, member: &Member, kind: Kind, name: &str) -> Option<Route> {
        if kind == Kind::Tools && !member.offer().admits(name) {
            return None;
        }
        let plain = Route {
            server: member.name.clone(),
            name: name.to_owned(),
            schema: None,
        };
        match (self.0.surfaces.told(&member.object.uid, kind), kind) {
            (Some(_), _) => self.refresh(member, kind),
            (None, Kind::Tools) => drop(Box::pin(self.part(member, kind)).await),
            (None, Kind::Prompts | Kind::Resources | Kind::Templates) => return Some(plain),
        }
        let known = self.known_listing(view, kind);
        Some(known.route(name).cloned().unwrap_or(plain))
    }

    /// Who is behind a name that is in no list that is known.
    async fn find_by_prefix(&self, view: &View, kind: Kind, name: &str) -> Option<Route> {
        let (prefix, rest) = name.split_once("__")?;
        let may_be_meant = view
            .members
            .iter()
            .filter(|member| ToolName::may_begin_with(name, member.prefix()));
        join_all(may_be_meant.map(|member| self.part(member, kind))).await;
        if let Some(route) = self.known_listing(view, kind).route(name) {
            return Some(route.clone());
        }
        // A list may be out of date, or missing; names that say whose they are need none. Where several servers may be
        // meant, only their lists tell which.
        let mut members = view.members.iter().filter(|member| member.prefix().as_str() == prefix);
        let member = members.next().filter(|_| members.next().is_none())?;
        (kind != Kind::Tools || member.offer().admits(rest)).then(|| Route {
            server: member.name.clone(),
            name: rest.to_owned(),
            schema: None,
        })
    }

    /// Who is behind a URI that is in no list that is known.
    async fn find_by_uri(&self, view: &View, uri: &str) -> Option<Route> {
        if let Some(route) = self.listing(view, Kind::Resources).await.route(uri) {
            return Some(route.clone());
        }
        if let Some(route) = self.known_listing(view, Kind::Templates).route(uri) {
            return Some(route.clone());
        }
        self.listing(view, Kind::Templates).await.route(uri).cloned()
    }

    /// Who is behind a template, as it is written.
    pub(super) async fn find_template(&self, view: &View, written: &str) -> Option<Route> {
        if let Some(route) = self.known_listing(view, Kind::Templates).template(written) {
            return Some(route.clone());
        }
        let listing = self.listing(view, Kind::Templates).await;
        listing.template(written).cloned()
    }

    /// What a tool of a server wants for arguments, where that wants them repeated beside the call.
    pub(super) async fn schema_of(&self, view: &View, member: &Member, tool: &str) -> Option<Raw> {
        if self.0.surfaces.told(&member.object.uid, Kind::Tools).is_none() {
            self.part(member, Kind::Tools).await;
        }
        self.refresh(member, Kind::Tools);
        self.known_listing(view, Kind::Tools).schema_of(&member.name, tool)
    }

    /// Sees to it that a list that is old is asked for again.
    fn refresh(&self, member: &Member, kind: Kind) {
        let ask = || self.question(member, kind);
        self.0.surfaces.refresh(&member.object.uid, kind, ask);
    }

    /// Whether a name is that of a tool that is there for others.
    pub(super) fn is_barred(&self, view: &View, principal: &Principal, name: &str) -> bool {
        let admits = |all: &View| match all.single() {
            Some(member) => member.offer().admits(name),
            None => name.split_once("__").is_some_and(|(prefix, rest)| {
                let mut members = all.members.iter();
                members.any(|member| member.prefix().as_str() == prefix && member.offer().admits(rest))
            }),
        };
        *principal.rights != Rights::Unbounded
            && View::of(&view.target, &self.0.store.snapshot(), &Principal::daemon()).is_some_and(|all| admits(&all))
    }
}
