//! Memory that much work has used, given back to the system once it is done.
//!
//! Allocators keep what was freed, in a heap for each thread: after an apply of 1,000 objects a quarter of what the daemon
//! holds. Ours returns it bit by bit as it is asked for more, and who does nothing asks for nothing. SQLite, too, keeps the pages
//! that it wrote.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// Of every program that the daemon is part of.
#[cfg(target_env = "gnu")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long nothing may have changed before memory is given back.
const QUIET: Duration = Duration::from_secs(3);

/// After so many changes there is something to give back.
const MANY: i64 = 200;

/// Gives memory back whenever much has been written and nothing more comes, until `stop`.
pub(super) async fn give_back(store: Store, stop: CancellationToken) {
    let now = || store.snapshot().revision();
    let (mut given_back, mut seen) = (now(), now());
    while stop.run_until_cancelled(tokio::time::sleep(QUIET)).await.is_some() {
        let before = std::mem::replace(&mut seen, now());
        if before == seen && seen - given_back >= MANY {
            given_back = seen;
            // One that cannot be written has more to worry about.
            let _ = store.shrink().await;
            // Fails only when the daemon is shutting down.
            let _ = tokio::task::spawn_blocking(trim).await;
        }
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "a call into C that nothing safe offers")]
fn trim() {
    use std::ptr::null_mut;

    /// All arenas there are (`MALLCTL_ARENAS_ALL`).
    const EVERYWHERE: &std::ffi::CStr = c"arena.4096.purge";
    // SAFETY: the name ends with a zero; the action takes nothing and returns nothing, may be called by any thread, and
    // leaves alone what is in use.
    unsafe {
        tikv_jemalloc_sys::mallctl(EVERYWHERE.as_ptr(), null_mut(), null_mut(), null_mut(), 0);
    }
}

#[cfg(not(target_env = "gnu"))]
const fn trim() {}
