//! Secret values: sealed on their way in, opened at the moment of use.
//!
//! Plaintext enters from admission (to be sealed) and leaves to a runtime (to be used) or to a revealing read; between
//! the two it exists nowhere. Nothing here logs, and [`Plaintext`] cannot be printed.

mod keyring;
mod seal;

pub use keyring::{Error as KeyringError, Keyring};
pub use seal::{OpenError, Place, Plaintext};
