-- Calls of models, one row each. Money is in billionths of a unit of its currency; a call that has no price has no currency.
-- The id is made before the row is written, so that a row is never written twice.
CREATE TABLE inference_usage (
    id TEXT NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    token TEXT,
    project TEXT,
    agent TEXT,
    thread TEXT,
    llm TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    request_id TEXT,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    currency TEXT,
    latency_us BIGINT NOT NULL,
    first_token_us BIGINT,
    status BIGINT NOT NULL,
    streamed BIGINT NOT NULL
);
CREATE INDEX inference_usage_made_at ON inference_usage (made_at);
CREATE INDEX inference_usage_principal ON inference_usage (principal, made_at);
CREATE INDEX inference_usage_token ON inference_usage (token, made_at);
CREATE INDEX inference_usage_project ON inference_usage (project, made_at);

-- What was spent on each day since 1970, by whose budget it counts: `token/ci`, `project/web`. It outlives the calls, so
-- that a budget without an end does not forget, and is short enough to be summed up inside of a write.
CREATE TABLE inference_spent (
    spender TEXT NOT NULL,
    day BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    PRIMARY KEY (spender, day, currency)
);

-- What is held for calls that are under way: one row for each budget that the call counts in. Behind the deadline it counts
-- no longer: whoever held it is gone.
CREATE TABLE inference_reservation (
    id TEXT NOT NULL,
    spender TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    currency TEXT NOT NULL,
    deadline BIGINT NOT NULL,
    PRIMARY KEY (id, spender)
);
CREATE INDEX inference_reservation_spender ON inference_reservation (spender);
CREATE INDEX inference_reservation_deadline ON inference_reservation (deadline);
