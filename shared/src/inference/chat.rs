//! Chat completions, the form in the middle: what an answer says, read out of one and made into one, whole and in chunks.

mod assembly;
mod chunks;
mod reply;

pub use assembly::{Assembly, Fault, Piece};
pub(super) use chunks::{ChunkReader, Said, chunk, done, fault};
pub use reply::{Call, Finish, Reply};
