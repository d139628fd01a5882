//! `get -w`: what there is, and then each change of it, until the user has seen enough.
//!
//! The daemon tells both in one stream, so that nothing falls between them. A stream that broke off is resumed, and the
//! daemon does not know then what was shown before: it may tell of objects that were never among those that are meant. Who
//! was shown is kept here, and nobody else is ever said to be deleted.

use std::collections::HashSet;

use orch_shared::problem::Code;
use orch_shared::query::{ChangeType, ListParameters, WatchEvent};
use serde::Deserialize;

use super::{Arguments, is_table, revealed, sort, view};
use crate::args::targets::Target;
use crate::client::{Object, Scopes, Selection, not_ours};
use crate::render::listing::{self, Number};
use crate::render::output::Output;
use crate::render::table::{Columns, Heading};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Shows objects of one kind as they change.
pub(super) fn run(arguments: &Arguments, settings: &Settings, targets: &[Target]) -> Result<Outcome, Failure> {
    let [target] = targets else {
        return Err(Failure::usage("only objects of one kind can be watched at a time").hint("orchctl get KIND -w"));
    };
    let client = settings.client()?;
    let selection = match target {
        Target::Kind(kind) => arguments.selectors.selection(settings, *kind)?,
        Target::Object(object) => {
            if !arguments.ignore_not_found {
                client.object(&settings.ui, object)?;
            }
            Selection {
                labels: None,
                fields: Some(format!("metadata.name={}", object.name)),
                scope: Scopes::One(object.scope.clone()),
            }
        }
    };
    let columns = Columns::default();
    let mut watch = Watch {
        arguments,
        settings,
        columns: &columns,
        heading: Heading::Shown,
        shown: HashSet::new(),
    };
    loop {
        let parameters = ListParameters {
            watch: Some("1".to_owned()),
            ..ListParameters::default()
        };
        let mut first = Some(Vec::new());
        for event in client.events(&settings.ui, selection.call(target.kind(), parameters), None) {
            match event {
                Ok(event) => watch.take(&mut first, &event.data)?,
                Err(failure) if failure.code() == Some(Code::Compacted) => break,
                Err(failure) => return Err(failure),
            }
        }
        // Too much was missed to be told one by one: what there is now is told instead.
        settings.ui.say("changes were missed; showing everything again");
    }
}

/// A watch as its user sees it.
struct Watch<'w> {
    arguments: &'w Arguments,
    settings: &'w Settings,
    columns: &'w Columns,
    /// Shown above the first table, and never again.
    heading: Heading,
    /// The objects that were shown and have not gone, by uid.
    shown: HashSet<String>,
}

impl Watch<'_> {
    /// Takes in one event. Until the first bookmark the daemon tells what there is: that is gathered in `first`, to be shown
    /// together.
    fn take(&mut self, first: &mut Option<Vec<Object>>, data: &str) -> Result<(), Failure> {
        let event: WatchEvent = serde_json::from_str(data).map_err(|error| self.unreadable(&error))?;
        let object = event.object.map(Object::deserialize).transpose();
        let object = object.map_err(|error| self.unreadable(&error))?;
        match (event.change, object) {
            (ChangeType::Bookmark, _) => match first.take() {
                Some(found) => self.all(found),
                None => Ok(()),
            },
            (ChangeType::Added | ChangeType::Modified, Some(object)) => match first {
                // A stream that broke off before the bookmark begins again.
                Some(found) => {
                    found.retain(|known| known.uid() != object.uid());
                    found.push(object);
                    Ok(())
                }
                None => self.one(object),
            },
            (ChangeType::Deleted, Some(object)) => self.gone(&object),
            (ChangeType::Added | ChangeType::Modified | ChangeType::Deleted, None) => Ok(()),
        }
    }

    fn unreadable(&self, error: &serde_json::Error) -> Failure {
        match self.settings.client() {
            Ok(client) => not_ours(client.server(), &error.to_string()),
            Err(failure) => failure,
        }
    }

    /// Shows what there is. Other programs get objects one by one, as they do afterwards.
    fn all(&mut self, found: Vec<Object>) -> Result<(), Failure> {
        let found = found.into_iter().map(|object| self.revealed(object));
        let mut found = found.collect::<Result<Vec<_>, _>>()?;
        sort(self.arguments, &mut found);
        let limit = self.arguments.limit.and_then(|limit| usize::try_from(limit).ok());
        found.truncate(limit.unwrap_or(usize::MAX));
        self.shown = found.iter().map(|object| object.uid().to_owned()).collect();
        if found.is_empty() {
            if is_table(self.arguments) {
                self.settings.ui.say("there is none yet");
            }
        } else {
            let text = match &self.arguments.output {
                Output::Table | Output::Wide | Output::Yaml | Output::Name | Output::Columns(_) => {
                    self.text(&found, Number::Many)
                }
                Output::Json | Output::Jsonpath(_) => {
                    let each = found.chunks(1).map(|one| self.text(one, Number::One));
                    each.collect()
                }
            };
            self.write(&text)?;
            self.heading = Heading::Hidden;
        }
        self.settings.ui.flush()
    }

    fn one(&mut self, object: Object) -> Result<(), Failure> {
        self.shown.insert(object.uid().to_owned());
        let text = self.text(&[self.revealed(object)?], Number::One);
        self.change(&text)
    }

    /// The object as it is to be shown. One that has gone meanwhile keeps its values to itself.
    fn revealed(&self, object: Object) -> Result<Object, Failure> {
        match revealed(self.arguments, self.settings, object.clone()) {
            Err(failure) if failure.code() == Some(Code::NotFound) => Ok(object),
            shown => shown,
        }
    }

    fn gone(&mut self, object: &Object) -> Result<(), Failure> {
        if !self.shown.remove(object.uid()) {
            return Ok(());
        }
        let text = self.text(std::slice::from_ref(object), Number::One);
        match &self.arguments.output {
            Output::Table | Output::Wide => self.change(&format!("{}   (deleted)\n", text.trim_end())),
            Output::Name => self.change(&format!("{} deleted\n", text.trim_end())),
            Output::Yaml | Output::Json | Output::Jsonpath(_) | Output::Columns(_) => self.change(&text),
        }
    }

    fn change(&mut self, text: &str) -> Result<(), Failure> {
        if matches!(self.arguments.output, Output::Yaml) {
            self.write("---\n")?;
        }
        self.heading = Heading::Hidden;
        self.write(text)?;
        self.settings.ui.flush()
    }

    fn text(&self, objects: &[Object], number: Number) -> String {
        let view = view(self.arguments, self.settings, self.heading, self.columns);
        listing::text(&view, objects, number)
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        self.settings.ui.write(text)
    }
}
