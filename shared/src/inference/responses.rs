//! OpenAI's Responses and chat completions: a request for a response becomes one for a chat completion, whose answer becomes
//! the response.
//!
//! The shapes are those of the API reference ("Responses" and its streaming events). Nothing is kept between requests, so
//! what leans on something kept (`previous_response_id`, `conversation`, items by reference) is refused, and so are the tools
//! that OpenAI runs itself.

mod answer;
mod events;
mod items;
mod request;

pub use answer::{Echo, response_from_chat};
pub use events::ResponseStream;
pub use request::request_to_chat;
