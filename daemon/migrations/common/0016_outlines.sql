-- What models have said that texts of prompts are about, by the SHA-256 of the text.
CREATE TABLE prompt_outline (
    hash TEXT NOT NULL PRIMARY KEY,
    outline TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX prompt_outline_made_at ON prompt_outline (made_at);
