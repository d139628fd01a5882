//! The store: every declared object with its history, the log that numbers every change, and what else must survive.
//! The only room that knows SQL.
//!
//! What enters: mutations, from admission and the reconciler, through [`Store::write`]. What leaves: rows as text for the
//! API, parsed [`Snapshot`]s for the reconciler and the data planes, and changes for watchers. What it never does: it
//! decides nothing about objects, and understands neither spec nor status.
//!
//! What it promises:
//!
//! 1. Nothing is acknowledged before it is durable: SQLite with WAL and `synchronous=FULL`, PostgreSQL with its own log.
//! 2. Writes are serial, also across daemons, and each is all or nothing. One commit carries many of them.
//! 3. Every change has a revision; revisions become visible in their order. A watch misses nothing, or says so.
//! 4. One SQL text for both databases; `sql`, `connection` and `schema` alone tell them apart.
//! 5. When the database fails, requests fail clearly, reads go on where they can, and the store recovers by itself.

mod database;
mod error;
mod handle;

mod journal;
mod mutate;
mod mutation;
mod transaction;
mod writer;

mod filter;
mod list;
mod past;
mod read;
mod row;

mod changes;
mod facts;
mod feed;
mod snapshot;
mod watch;

mod activity;
mod audit;
mod event;
mod lease;
mod outline;
mod password;
mod publication;
mod seeded;
mod session;
mod thread;
mod token;
mod usage;

mod health;
mod keeper;

mod connection;
mod lock;
mod schema;
mod sql;

pub use activity::{Activity, Surface};
pub use audit::{AuditQuery, NewAudit, SessionQuery};
pub use changes::{Entry, Stretch};
pub use database::{Ailment, Database, Observer, Options, Patient, Retention, Testing, UnknownDatabase};
pub use error::Error;
pub use event::{About, EventQuery, NewEvent};
pub use facts::Known;
pub use handle::{Counters, Engine, Store};
pub use journal::Fate;
pub use lease::{Claim, Claimed, Lease, Standing};
pub use list::{Extent, ListQuery, Page, Position, Scopes};
pub use lock::DirectoryLock;
pub use mutation::{Create, Declared, Generations, Mutation, Update};
pub use password::{Password, Stranger};
pub use past::{PastPlace, PastSpec};
pub use publication::{Publication, Publisher};
pub use read::{Dependent, Generation};
pub use row::Row;
pub use session::{Expiry, Session};
pub use snapshot::{Object, Snapshot};
pub use thread::{
    AskedBy, Began, Begin, CallEnd, Ending, Exchange, Forked, HeldTurn, Inserted, Message, NewMessage, NewThread,
    Resumed, Spent, Step, Thread, ThreadPage, Turn,
};
pub use token::Token;
pub use transaction::Transaction;
pub use usage::{Call, Reservation, Reserved, UsageQuery};
pub use watch::{Change, Watch};
