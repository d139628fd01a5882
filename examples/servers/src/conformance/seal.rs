//! State that goes to the client and comes back: bound to this program, so that a changed one is noticed.

use sha2::{Digest as _, Sha256};

/// Enough for a test: nobody is kept out by it, a changed state is.
const KEY: &[u8] = b"the conformance server's own state";

/// The state of a call that has come so far.
pub(crate) fn seal(name: &str, round: usize) -> String {
    let state = format!("{name}.{round}");
    let tag = tag(&state);
    format!("{state}.{tag}")
}

/// How far the call has come, if the state is one of ours for that name.
pub(crate) fn open(name: &str, sealed: &str) -> Option<usize> {
    let (state, tag_given) = sealed.rsplit_once('.')?;
    if tag(state) != tag_given {
        return None;
    }
    state.strip_prefix(name)?.strip_prefix('.')?.parse().ok()
}

fn tag(state: &str) -> String {
    let inner = Sha256::new().chain_update(KEY).chain_update(state).finalize();
    let outer = Sha256::new().chain_update(KEY).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{open, seal};

    #[test]
    fn a_state_opens_as_it_was_sealed_and_not_otherwise() {
        let sealed = seal("tool", 2);
        assert_eq!(open("tool", &sealed), Some(2));
        assert_eq!(open("tools", &sealed), None);
        assert_eq!(open("tool", &format!("{sealed}-TAMPERED")), None);
        assert_eq!(open("tool", &sealed.replace(".2.", ".1.")), None);
    }
}
