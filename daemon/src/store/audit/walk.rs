//! Walking the chain: whether every entry is as it was written, none is missing and none was slipped in.
//!
//! Flow: a walk goes from the oldest entry that is kept, or from where the walk before has ended, towards the end that
//! `meta` tells; a page at a time, so that neither memory nor time grows with the log. Entries may be written and dropped
//! meanwhile.
//!
//! Guarantees: the first entry that was altered, removed or put elsewhere is named, be it the newest. Who can write to the
//! database and knows how can make a whole new chain; against that one keeps a [`Mark`] elsewhere, and has it compared.

use std::time::{Duration, Instant};

use orch_shared::audit::{Broken, Entry, Mark, Verification};

use super::look::entry;
use super::{COLUMNS, FORM};
use crate::store::sql::{Builder, Record, sql};
use crate::store::{Error, Store};

/// So many entries are read at once.
const PAGE: i64 = 500;
/// For so long one walk goes on; who wants more goes on from there.
const ENOUGH: Duration = Duration::from_secs(3);

/// Where the chain begins and ends, and which entries there are.
struct Ends {
    /// What was dropped last, because it was old enough.
    anchor: Mark,
    head: Mark,
    least: Option<i64>,
    most: Option<i64>,
}

/// How a page ended.
enum Paged {
    /// All of it is whole; so many entries were read.
    Whole(i64),
    /// The next entry is not there.
    Gap,
    /// So many entries are whole, and what comes then is not.
    Broken(i64, Broken),
}

impl Store {
    /// Checks the chain behind a mark, or from its beginning; for a few seconds at most. An entry with the number of `kept`
    /// must have its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_walk(&self, after: Option<Mark>, kept: Option<&Mark>) -> Result<Verification, Error> {
        let began = Instant::now();
        let mut ends = self.audit_ends().await?;
        let from = after.filter(|after| after.sequence >= ends.anchor.sequence);
        let from = from.unwrap_or_else(|| ends.anchor.clone());
        let mut walk = Verification {
            from: from.clone(),
            to: from,
            head: ends.head.clone(),
            checked: 0,
            complete: false,
            broken: out_of_place(&ends, kept),
        };
        while walk.broken.is_none() && walk.to.sequence < ends.head.sequence && began.elapsed() < ENOUGH {
            match self.audit_page(&mut walk.to, ends.head.sequence, kept).await? {
                Paged::Whole(count) => walk.checked += count,
                Paged::Broken(count, broken) => {
                    walk.checked += count;
                    walk.broken = Some(broken);
                }
                Paged::Gap => {
                    let now = self.audit_ends().await?;
                    if now.anchor.sequence > walk.to.sequence {
                        // Dropped meanwhile, as old enough; the chain begins later now.
                        walk.to = now.anchor.clone();
                    } else {
                        walk.broken = Some(self.gap(&walk.to, &ends.head).await?);
                    }
                    ends.anchor = now.anchor;
                }
            }
        }
        if walk.broken.is_none() && walk.to.sequence >= ends.head.sequence {
            walk.complete = true;
            if walk.to.sequence == ends.head.sequence && walk.to.hash != ends.head.hash {
                walk.broken = Some(Broken {
                    sequence: ends.head.sequence,
                    reason: "the daemon has noted another hash for the newest entry".to_owned(),
                });
            }
        }
        Ok(walk)
    }

    async fn audit_ends(&self) -> Result<Ends, Error> {
        let statement = sql(
            "SELECT m.audit_dropped, m.audit_anchor, m.last_audit, m.audit_hash, (SELECT MIN(a.sequence) FROM audit a), \
             (SELECT MAX(a.sequence) FROM audit a) FROM meta m WHERE m.id = 1",
        );
        let mark = |record: &Record<'_>, at: usize| {
            Ok::<_, Error>(Mark {
                sequence: record.integer(at)?,
                hash: record.text(at + 1)?.to_owned(),
            })
        };
        let read = |record: Record<'_>| {
            Ok(Ends {
                anchor: mark(&record, 0)?,
                head: mark(&record, 2)?,
                least: record.maybe_integer(4)?,
                most: record.maybe_integer(5)?,
            })
        };
        let ends = self
            .observed("audit", async {
                self.readers().acquire().await?.session().first(statement, read).await
            })
            .await?;
        ends.ok_or_else(|| Error::broken("table `meta` is empty"))
    }

    /// Checks some entries behind `to`, which moves along.
    async fn audit_page(&self, to: &mut Mark, head: i64, kept: Option<&Mark>) -> Result<Paged, Error> {
        let mut builder = Builder::default();
        builder.push(&format!("SELECT {COLUMNS} FROM audit a WHERE a.sequence > "));
        builder.place(to.sequence).push(" AND a.sequence <= ").place(head);
        builder.push(" ORDER BY a.sequence LIMIT ").place(PAGE);
        let statement = builder.finish();
        let read = |record: Record<'_>| Ok((record.integer(0)?, entry(&record), record.integer(22)?));
        let page = self
            .observed("audit", async {
                self.readers().acquire().await?.session().all(statement, read).await
            })
            .await?;
        if page.is_empty() {
            return Ok(Paged::Gap);
        }
        let mut count = 0;
        for (sequence, entry, form) in page {
            if sequence != to.sequence + 1 {
                return Ok(if count > 0 { Paged::Whole(count) } else { Paged::Gap });
            }
            let broken = |reason: &str| {
                let reason = reason.to_owned();
                Ok(Paged::Broken(count, Broken { sequence, reason }))
            };
            let Ok(entry) = entry else {
                return broken("it holds what the daemon never writes");
            };
            match expected(&entry, &to.hash, form) {
                Some(hash) if hash == entry.hash => {}
                Some(_) | None => return broken("it is not as it was written, or not where it was written"),
            }
            if kept.is_some_and(|kept| kept.sequence == sequence && kept.hash != entry.hash) {
                return broken("its hash is not the one that was kept");
            }
            *to = Mark {
                sequence,
                hash: entry.hash,
            };
            count += 1;
        }
        Ok(Paged::Whole(count))
    }

    /// Which entries are missing behind a mark.
    async fn gap(&self, to: &Mark, head: &Mark) -> Result<Broken, Error> {
        let next = sql("SELECT MIN(a.sequence) FROM audit a WHERE a.sequence > $1").bind(to.sequence);
        let found = self
            .observed("audit", async {
                let mut reader = self.readers().acquire().await?;
                reader.session().first(next, |record| record.maybe_integer(0)).await
            })
            .await?;
        let first = to.sequence + 1;
        let last = found.flatten().map_or(head.sequence, |next| next - 1);
        let reason = match last - first {
            ..=0 => "it is missing".to_owned(),
            more => format!("it is missing, and {more} more up to {last}"),
        };
        Ok(Broken {
            sequence: first,
            reason,
        })
    }
}

/// The hash that an entry must have behind the one with the hash `before`.
fn expected(entry: &Entry, before: &str, form: i64) -> Option<String> {
    let Entry { sequence, at, row, .. } = entry;
    match form {
        1 => row.first_hash_after(before, *sequence, *at),
        FORM => Some(row.hash_after(before, *sequence, *at)),
        _ => None,
    }
}

/// What is there and should not be, or should be and cannot.
fn out_of_place(ends: &Ends, kept: Option<&Mark>) -> Option<Broken> {
    let broken = |sequence: i64, reason: &str| {
        Some(Broken {
            sequence,
            reason: reason.to_owned(),
        })
    };
    if let Some(least) = ends.least.filter(|least| *least <= ends.anchor.sequence) {
        return broken(least, "it was dropped as old enough, and is there again");
    }
    if ends.most.is_some_and(|most| most > ends.head.sequence) {
        return broken(ends.head.sequence + 1, "the daemon has not written it");
    }
    let kept = kept?;
    if kept.sequence > ends.head.sequence {
        return broken(
            ends.head.sequence + 1,
            "it is missing: the log went further when the mark was kept",
        );
    }
    if kept.sequence == ends.anchor.sequence && kept.hash != ends.anchor.hash {
        return broken(kept.sequence, "its hash is not the one that was kept");
    }
    None
}
