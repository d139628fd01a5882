//! What models have said that texts are about, by the hashes of the texts. The newest are kept.

use super::sql::{Builder, Record, sql};
use super::{Error, Store};

/// So many are kept.
const KEPT: i64 = 10_000;

impl Store {
    /// What is known of texts: the hash of each, and the outline as JSON text.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn outlines(&self, hashes: &[String]) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        for hashes in hashes.chunks(128) {
            let mut statement = Builder::default();
            statement
                .push("SELECT hash, outline FROM prompt_outline WHERE hash IN ")
                .places(hashes.iter().map(String::as_str));
            let read = |record: Record<'_>| Ok((record.text(0)?.to_owned(), record.text(1)?.to_owned()));
            let reading = async {
                self.readers()
                    .acquire()
                    .await?
                    .session()
                    .all(statement.finish(), read)
                    .await
            };
            found.extend(self.observed("outlines", reading).await?);
        }
        Ok(found)
    }

    /// Keeps what a text is about.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_outline(&self, hash: &str, outline: String) -> Result<(), Error> {
        let hash = hash.to_owned();
        self.write(move |transaction| {
            Box::pin(async move {
                let insert = sql(
                    "INSERT INTO prompt_outline (hash, outline, made_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (hash) DO UPDATE SET outline = excluded.outline, made_at = excluded.made_at",
                )
                .bind(hash)
                .bind(outline)
                .bind(transaction.now.millis());
                transaction.run(insert).await?;
                let drop = sql(
                    "DELETE FROM prompt_outline WHERE hash IN (SELECT o.hash FROM prompt_outline o \
                     ORDER BY o.made_at DESC, o.hash LIMIT 1000 OFFSET $1)",
                )
                .bind(KEPT);
                transaction.run(drop).await?;
                Ok(())
            })
        })
        .await
    }
}
