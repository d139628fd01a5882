//! Objects in every form of `-o`.
//!
//! Enters: objects and what is to be shown of them. Leaves: text. Columns come from the kind's own definition; there is
//! no kind in here.

use std::cmp::Ordering;

use orch_shared::kind::{Cell, Column, Kind, ScopeType, Shown};
use orch_shared::kinds::API_VERSION;
use orch_shared::manifest::to_yaml_stream;
use orch_shared::name::Scope;
use orch_shared::query::plain_text;
use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::cell;
use super::document;
use super::output::{self, Output};
use super::table::{Piece, Style, draw, shortened};
use crate::client::Object;
use crate::ui::Tone;

/// What the column AGE shows.
const AGE: Cell = Cell::Age("status.createdAt");
/// The longest cell of a table that is not wide.
const LONGEST_CELL: usize = 60;

/// What is to be shown of objects.
pub(crate) struct View<'v> {
    /// In which form.
    pub(crate) output: &'v Output,
    /// How tables are drawn.
    pub(crate) style: Style<'v>,
    /// Whether objects of several scopes may be among them.
    pub(crate) scopes: ScopeColumn,
    /// Whether a column shows the labels.
    pub(crate) labels: LabelColumn,
    /// Whether YAML shows the status.
    pub(crate) status: StatusPart,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Whether a column shows the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeColumn {
    /// It does, for kinds that have scopes.
    Shown,
    /// It does not.
    Hidden,
}

/// Whether a column shows the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelColumn {
    /// It does.
    Shown,
    /// It does not.
    Hidden,
}

/// Whether YAML shows the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusPart {
    /// It does.
    Shown,
    /// It shows the manifest only.
    Hidden,
}

/// Whether one object was asked for, by its name, or however many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// One: it stands alone.
    One,
    /// Many: a list, even of one.
    Many,
}

/// The objects' text.
pub(crate) fn text(view: &View<'_>, objects: &[Object], number: Number) -> String {
    match view.output {
        Output::Table => tables(view, objects, Shown::Always),
        Output::Wide => tables(view, objects, Shown::Wide),
        Output::Yaml => yaml(view, objects),
        Output::Json => document::json(&whole(objects, number, Object::whole)),
        Output::Name => objects.iter().fold(String::new(), |out, object| {
            out + &format!("{}/{}\n", object.kind.meta().singular, object.metadata.name)
        }),
        Output::Jsonpath(template) => template.render(&whole(objects, number, |object| object.effective().clone())),
        Output::Columns(columns) => chosen(view, columns, objects.iter().map(Object::effective)),
    }
}

fn yaml(view: &View<'_>, objects: &[Object]) -> String {
    let documents: Vec<Value> = objects
        .iter()
        .map(|object| match view.status {
            StatusPart::Shown => object.whole(),
            StatusPart::Hidden => object.manifest(),
        })
        .collect();
    to_yaml_stream(&documents)
}

fn whole(objects: &[Object], number: Number, form: fn(&Object) -> Value) -> Value {
    match (number, objects) {
        (Number::One, [object]) => form(object),
        (Number::One | Number::Many, objects) => json!({
            "apiVersion": API_VERSION,
            "kind": "List",
            "items": objects.iter().map(form).collect::<Vec<_>>(),
        }),
    }
}

/// A table of fields that the user chose.
pub(super) fn chosen<'v>(
    view: &View<'_>,
    columns: &[output::Column],
    values: impl Iterator<Item = &'v Value>,
) -> String {
    let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
    let rows = values.map(|value| {
        let field = |column: &output::Column| column.path.find(value).map_or_else(|| "<none>".to_owned(), plain_text);
        columns
            .iter()
            .map(|column| Piece::plain(cell::one_line(&field(column))))
            .collect()
    });
    draw(&titles, rows.collect(), view.style)
}

/// One table per kind, in the order in which the kinds first appear.
fn tables(view: &View<'_>, objects: &[Object], shown: Shown) -> String {
    let mut kinds: Vec<Kind> = Vec::new();
    for object in objects {
        if !kinds.contains(&object.kind) {
            kinds.push(object.kind);
        }
    }
    let several = kinds.len() > 1;
    let table = |kind: &Kind| {
        let of_kind: Vec<&Object> = objects.iter().filter(|object| object.kind == *kind).collect();
        let layout = Layout::new(view, *kind, shown);
        let rows = of_kind.iter().map(|object| layout.row(view, object, several)).collect();
        draw(&layout.titles(), rows, view.style)
    };
    kinds.iter().map(table).collect::<Vec<_>>().join("\n")
}

/// The columns of one kind's table.
struct Layout {
    scope: bool,
    labels: bool,
    before_age: Vec<&'static Column>,
    after_age: Vec<&'static Column>,
    shown: Shown,
}

impl Layout {
    fn new(view: &View<'_>, kind: Kind, shown: Shown) -> Self {
        let meta = kind.meta();
        let is_shown = |column: &&Column| match (column.shown, shown) {
            (Shown::Always, _) | (Shown::Wide, Shown::Wide) => true,
            (Shown::Wide, Shown::Always) => false,
        };
        let (before_age, after_age): (Vec<_>, Vec<_>) = meta
            .columns
            .iter()
            .filter(is_shown)
            .partition(|column| !column.title.is_empty());
        Self {
            scope: view.scopes == ScopeColumn::Shown && meta.scopes.iter().any(|scope| *scope != ScopeType::Cluster),
            labels: view.labels == LabelColumn::Shown,
            before_age,
            after_age,
            shown,
        }
    }

    fn titles(&self) -> Vec<&'static str> {
        let mut titles = vec!["NAME"];
        titles.extend(self.scope.then_some("SCOPE"));
        titles.extend(self.before_age.iter().map(|column| column.title));
        titles.push("AGE");
        titles.extend(self.labels.then_some("LABELS"));
        titles.extend(self.after_age.iter().map(|column| column.title));
        titles
    }

    fn row(&self, view: &View<'_>, object: &Object, several: bool) -> Vec<Piece> {
        let find = |path: &str| object.field(path);
        let of_column = |column: &&'static Column| {
            let text = cell::text(&column.cell, &find, view.now);
            let tone = cell::tone(&column.cell, &text);
            // A column in the midst pushes all others aside; `-o wide` shows it whole.
            let text = match self.shown {
                Shown::Always if !column.title.is_empty() => shortened(text, LONGEST_CELL),
                Shown::Always | Shown::Wide => text,
            };
            Piece { text, tone }
        };
        let name = object.metadata.name.as_str();
        let mut row = vec![Piece::plain(match several {
            true => format!("{}/{name}", object.kind.meta().singular),
            false => name.to_owned(),
        })];
        if self.scope {
            row.push(Piece::plain(match object.metadata.scope() {
                Scope::Cluster => cell::NOTHING.to_owned(),
                scope @ (Scope::Project(_) | Scope::Agent(_)) => scope.to_string(),
            }));
        }
        row.extend(self.before_age.iter().map(of_column));
        row.push(match object.status.get("deletingSince") {
            Some(_) => Piece {
                text: "going".to_owned(),
                tone: Tone::Warn,
            },
            None => Piece::plain(cell::text(&AGE, &find, view.now)),
        });
        if self.labels {
            let labels = object
                .metadata
                .labels
                .iter()
                .flatten()
                .map(|(key, value)| format!("{key}={value}"));
            let text = labels.collect::<Vec<_>>().join(",");
            row.push(Piece::plain(if text.is_empty() {
                cell::NOTHING.to_owned()
            } else {
                text
            }));
        }
        row.extend(self.after_age.iter().map(of_column));
        row
    }
}

/// Puts things in the order of a field: numbers by size, everything else by letter; what has no such field comes last.
pub(crate) fn sort_by<T>(things: &mut [T], field: impl Fn(&T) -> Option<Value>) {
    things.sort_by_cached_key(|thing| Key(field(thing).filter(|value| !value.is_null())));
}

#[derive(PartialEq)]
struct Key(Option<Value>);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (_, _) => plain_text(a).cmp(&plain_text(b)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::table::Heading;
    use orch_shared::path::FieldPath;

    fn object(name: &str, restarts: Option<u32>) -> Object {
        serde_json::from_value(json!({
            "apiVersion": API_VERSION, "kind": "Server", "metadata": {"name": name, "labels": {"team": "core"}},
            "spec": {"command": ["/bin/x"]},
            "status": {
                "uid": format!("uid-{name}"), "generation": 1, "createdAt": "2026-11-21T00:00:00.000Z",
                "phase": "Ready", "restarts": restarts, "replicas": {"desired": 1, "running": 1, "ready": 1},
                "source": "command /bin/x",
            },
        }))
        .unwrap()
    }

    fn check(output: &str, objects: &[Object], number: Number, expected: &str) {
        let view = View {
            output: &output.parse().unwrap(),
            style: Style {
                heading: Heading::Shown,
                color: false,
                width: None,
                columns: None,
            },
            scopes: ScopeColumn::Shown,
            labels: LabelColumn::Hidden,
            status: StatusPart::Hidden,
            now: "2026-11-21T00:04:00.000Z".parse().unwrap(),
        };
        assert_eq!(text(&view, objects, number), expected, "{output}");
    }

    #[test]
    fn one_object_in_every_form() {
        let objects = [object("files", Some(0))];
        check(
            "table",
            &objects,
            Number::One,
            "NAME    STATUS   READY   SOURCE           TOOLS   RESTARTS   AGE\n\
             files   Ready    1/1     command /bin/x   -              0   4m\n",
        );
        check(
            "wide",
            &objects,
            Number::Many,
            "NAME    STATUS   READY   SOURCE           TOOLS   RESTARTS   RUNTIME   SESSIONS   SET   AGE\n\
             files   Ready    1/1     command /bin/x   -              0   process   shared     -     4m\n",
        );
        check("name", &objects, Number::One, "server/files\n");
        check(
            "jsonpath={.spec.replicas} {.metadata.name}",
            &objects,
            Number::One,
            "1 files",
        );
        check("jsonpath={.items[*].metadata.name}", &objects, Number::Many, "files");
        check(
            "custom-columns=N:.metadata.name,R:.spec.replicas,X:.x",
            &objects,
            Number::One,
            "N       R   X\nfiles   1   <none>\n",
        );
        check(
            "yaml",
            &objects,
            Number::One,
            "apiVersion: orchctl.dev/v1\nkind: Server\nmetadata:\n  name: files\n  labels:\n    team: core\nspec:\n  command:\n  - /bin/x\n",
        );
    }

    #[test]
    fn objects_are_sorted_by_size_and_then_by_letter() {
        let field = |object: &Object, path: &str| FieldPath::parse(path).find(object.effective()).cloned();
        let mut objects = [object("c", Some(10)), object("b", None), object("a", Some(9))];
        sort_by(&mut objects, |object| field(object, "status.restarts"));
        assert_eq!(
            objects.each_ref().map(|object| object.metadata.name.as_str()),
            ["a", "c", "b"]
        );
        sort_by(&mut objects, |object| field(object, "metadata.name"));
        assert_eq!(
            objects.each_ref().map(|object| object.metadata.name.as_str()),
            ["a", "b", "c"]
        );
    }
}
