//! Secret values: sealed on their way in, opened at the moment of use; or kept by a backend, and asked for at that moment.
//!
//! Plaintext enters from admission (to be sealed, or handed to a backend) and leaves to a runtime (to be used) or to a
//! revealing read; between the two it exists nowhere. Nothing here logs, and [`Plaintext`] cannot be printed.

mod keyring;
mod seal;
pub mod vault;

pub use keyring::{Error as KeyringError, Keyring, Reloaded};
pub use seal::{OpenError, Place, Plaintext};
pub use vault::Backends;
