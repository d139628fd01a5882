//! Requests to another daemon, passed on as somebody made them.

use std::error::Error as StdError;

use http::{Request, Response};
use hyper::body::{Body, Incoming};

use super::client::Clients;
use super::trouble::{broke_off, unreachable_because};
use crate::runtime::link::Error;

/// Asks other daemons. Bodies go there, and come back, as they arrive.
pub struct Peers<B>(Clients<B>);

impl<B> Default for Peers<B> {
    fn default() -> Self {
        Self(Clients::default())
    }
}

impl<B> Peers<B>
where
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + Unpin + 'static,
{
    /// Makes the request of its own address, and returns when the answer begins. Dropping the answer hangs up.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody has heard of the request; otherwise it is not known whether it was done.
    pub async fn ask(&self, request: Request<B>) -> Result<Response<Incoming>, Error> {
        let is_secure = request.uri().scheme_str() == Some("https");
        let client = self.0.get(is_secure).map_err(Error::Unreachable)?;
        client.request(request).await.map_err(|error| match error.is_connect() {
            true => unreachable_because(&error, is_secure),
            false => broke_off(),
        })
    }
}
