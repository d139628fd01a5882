//! One stored object: its columns as they are in the database, and its text as it goes over the wire.
//!
//! Metadata, spec and status are kept as the JSON text that admission and the reconciler wrote, so that serving an
//! object is joining texts. Nothing here parses them.

use std::fmt::Write;

use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::name::ObjectRef;
use orch_shared::resource::{Owner, Timestamp};

use super::Error;
use super::sql::Record;

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Tells the object from every other that ever had its name.
    pub uid: String,
    /// Kind, scope and name.
    pub object: ObjectRef,
    /// Counts changes of what the user owns.
    pub generation: i64,
    /// Position in the change log of the last change.
    pub revision: i64,
    /// Position in the change log of the object's making.
    pub created_revision: i64,
    /// JSON text of the metadata.
    pub metadata: String,
    /// JSON text of the spec, as written.
    pub spec: String,
    /// JSON text of the reconciler's part of status: an object, `{}` at first.
    pub status: String,
    /// The apply set it belongs to.
    pub apply_set: Option<String>,
    /// The object it belongs to, and goes with.
    pub owner: Option<Owner>,
    /// Since when it is being deleted.
    pub deleting_since: Option<Timestamp>,
    /// When a restart was last asked for.
    pub restarted_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed, status included.
    pub updated_at: Timestamp,
}

/// The columns of table `resource` that [`Row::read`] expects, in its order. The table goes by the name `r`.
pub(super) const COLUMNS: &str = "r.uid, r.kind, r.scope, r.name, r.generation, r.revision, r.created_revision, \
    r.metadata, r.spec, r.status, r.apply_set, r.owner_uid, r.owner_kind, r.owner_name, \
    r.deleting_since, r.restarted_at, r.created_at, r.updated_at";

impl Row {
    /// Reads [`COLUMNS`], the first of which is at `at`.
    pub(super) fn read(record: &Record<'_>, at: usize) -> Result<Self, Error> {
        let instant = |index| {
            record
                .maybe_integer(index)
                .map(|millis| millis.map(Timestamp::from_millis))
        };
        Ok(Self {
            uid: record.text(at)?.to_owned(),
            object: record.object(at + 1)?,
            generation: record.integer(at + 4)?,
            revision: record.integer(at + 5)?,
            created_revision: record.integer(at + 6)?,
            metadata: record.text(at + 7)?.to_owned(),
            spec: record.text(at + 8)?.to_owned(),
            status: record.text(at + 9)?.to_owned(),
            apply_set: record.maybe_text(at + 10)?.map(str::to_owned),
            owner: owner(record, at + 11)?,
            deleting_since: instant(at + 14)?,
            restarted_at: instant(at + 15)?,
            created_at: Timestamp::from_millis(record.integer(at + 16)?),
            updated_at: Timestamp::from_millis(record.integer(at + 17)?),
        })
    }

    /// Appends the object as the API serves it: `{"apiVersion", "kind", "metadata", "spec", "status"}`, identity first
    /// in `status`.
    pub fn write_wire(&self, out: &mut String) {
        begin_wire(self.object.kind, out);
        let owner = self.owner.as_ref().map(|Owner { kind, name, uid }| {
            // Names and uids need no escaping.
            format!(r#"{{"kind":"{kind}","name":"{name}","uid":"{uid}"}}"#)
        });
        let Self {
            metadata,
            spec,
            uid,
            generation,
            revision,
            ..
        } = self;
        for part in [
            r#""metadata":"#,
            metadata,
            r#","spec":"#,
            spec,
            r#","status":{"uid":""#,
            uid,
        ] {
            out.push_str(part);
        }
        write!(out, r#"","generation":{generation},"revision":{revision}"#).expect("a String takes everything");
        Tail {
            created_at: self.created_at,
            updated_at: self.updated_at,
            apply_set: self.apply_set.as_deref(),
            owner: owner.as_deref(),
            deleting_since: self.deleting_since,
            restarted_at: self.restarted_at,
            status: &self.status,
        }
        .write(out);
    }

    /// The object as the API serves it.
    #[must_use]
    pub fn wire(&self) -> String {
        let mut out = String::with_capacity(320 + self.metadata.len() + self.spec.len() + self.status.len());
        self.write_wire(&mut out);
        out
    }
}

fn owner(record: &Record<'_>, at: usize) -> Result<Option<Owner>, Error> {
    let Some(uid) = record.maybe_text(at)? else {
        return Ok(None);
    };
    Ok(Some(Owner {
        uid: uid.to_owned(),
        kind: record.parsed(at + 1)?,
        name: record.parsed(at + 2)?,
    }))
}

/// What [`write_wire`] expects: the parts of the wire text, joined by the database as far as both can, since a column
/// costs more than what is in it. The table goes by the name `r`; its scope and name are the last two.
pub(super) const WIRE_COLUMNS: &str = r#"'"metadata":' || r.metadata || ',"spec":' || r.spec || ',"status":{"uid":"' || r.uid
    || '","generation":' || CAST(r.generation AS TEXT) || ',"revision":' || CAST(r.revision AS TEXT),
    r.created_at, r.updated_at, r.apply_set,
    '{"kind":"' || r.owner_kind || '","name":"' || r.owner_name || '","uid":"' || r.owner_uid || '"}',
    r.deleting_since, r.restarted_at, r.status, r.scope, r.name"#;

/// Where in [`COLUMNS`] and [`WIRE_COLUMNS`] the scope is; the name comes next.
pub(super) const SCOPE: usize = 2;
pub(super) const WIRE_SCOPE: usize = 8;

/// Appends the wire text of the object in [`WIRE_COLUMNS`] without building a [`Row`].
pub(super) fn write_wire(kind: Kind, record: &Record<'_>, out: &mut String) -> Result<(), Error> {
    begin_wire(kind, out);
    out.push_str(record.text(0)?);
    Tail {
        created_at: Timestamp::from_millis(record.integer(1)?),
        updated_at: Timestamp::from_millis(record.integer(2)?),
        apply_set: record.maybe_text(3)?,
        owner: record.maybe_text(4)?,
        deleting_since: record.maybe_integer(5)?.map(Timestamp::from_millis),
        restarted_at: record.maybe_integer(6)?.map(Timestamp::from_millis),
        status: record.text(7)?,
    }
    .write(out);
    Ok(())
}

fn begin_wire(kind: Kind, out: &mut String) {
    for part in [
        r#"{"apiVersion":""#,
        API_VERSION,
        r#"","kind":""#,
        kind.as_str(),
        r#"","#,
    ] {
        out.push_str(part);
    }
}

/// The end of the wire text: what follows the revision in [`orch_shared::resource::Identity`], then the reconciler's part
/// of status.
struct Tail<'o> {
    created_at: Timestamp,
    updated_at: Timestamp,
    apply_set: Option<&'o str>,
    /// JSON text.
    owner: Option<&'o str>,
    deleting_since: Option<Timestamp>,
    restarted_at: Option<Timestamp>,
    status: &'o str,
}

impl Tail<'_> {
    fn write(&self, out: &mut String) {
        self.write_identity(out).expect("a String takes everything");
        let members = self.status.trim_start().strip_prefix('{').unwrap_or("}");
        if members.trim_start() != "}" {
            out.push(',');
        }
        out.push_str(members);
        out.push('}');
    }

    fn write_identity(&self, out: &mut String) -> std::fmt::Result {
        write!(
            out,
            r#","createdAt":"{}","updatedAt":"{}""#,
            self.created_at, self.updated_at
        )?;
        if let Some(set) = self.apply_set {
            // A set's name is the user's text.
            write!(out, r#","applySet":{}"#, serde_json::Value::from(set))?;
        }
        if let Some(owner) = self.owner {
            write!(out, r#","owner":{owner}"#)?;
        }
        if let Some(at) = self.deleting_since {
            write!(out, r#","deletingSince":"{at}""#)?;
        }
        if let Some(at) = self.restarted_at {
            write!(out, r#","restartedAt":"{at}""#)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::resource::Identity;
    use serde_json::{Value, json};

    fn row(status: &str) -> Row {
        let at = Timestamp::from_millis;
        Row {
            uid: "0199-uid".to_owned(),
            object: ObjectRef::cluster(Kind::Server, "files".parse().unwrap()),
            generation: 3,
            revision: 70,
            created_revision: 9,
            metadata: r#"{"name":"files"}"#.to_owned(),
            spec: r#"{"command":["/bin/x"]}"#.to_owned(),
            status: status.to_owned(),
            apply_set: Some("te\"am".to_owned()),
            owner: Some(Owner {
                kind: Kind::Server,
                name: "o".parse().unwrap(),
                uid: "0199-o".to_owned(),
            }),
            deleting_since: Some(at(1_790_000_000_001)),
            restarted_at: Some(at(1_790_000_000_002)),
            created_at: at(1_790_000_000_000),
            updated_at: at(1_790_000_000_003),
        }
    }

    #[test]
    fn the_wire_text_is_the_object() {
        for (status, members) in [
            ("{}", json!({})),
            (
                r#"{"phase":"Ready","conditions":[{}]}"#,
                json!({"phase": "Ready", "conditions": [{}]}),
            ),
        ] {
            let row = row(status);
            let parsed: Value = serde_json::from_str(&row.wire()).unwrap();
            let mut expected = serde_json::to_value(Identity {
                uid: row.uid.clone(),
                generation: row.generation,
                revision: row.revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
                apply_set: row.apply_set.clone(),
                owner: row.owner.clone(),
                deleting_since: row.deleting_since,
                restarted_at: row.restarted_at,
            })
            .unwrap();
            expected
                .as_object_mut()
                .unwrap()
                .extend(members.as_object().unwrap().clone());
            assert_eq!(parsed["status"].to_string(), expected.to_string());
            assert_eq!(parsed["apiVersion"], API_VERSION);
            assert_eq!(parsed["kind"], "Server");
            assert_eq!(parsed["metadata"], json!({"name": "files"}));
            assert_eq!(parsed["spec"], json!({"command": ["/bin/x"]}));
        }
    }

    #[test]
    fn an_ordinary_object_has_no_optional_identity() {
        let plain = Row {
            apply_set: None,
            owner: None,
            deleting_since: None,
            restarted_at: None,
            ..row("{}")
        };
        let parsed: Value = serde_json::from_str(&plain.wire()).unwrap();
        let keys: Vec<_> = parsed["status"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["uid", "generation", "revision", "createdAt", "updatedAt"]);
    }
}
