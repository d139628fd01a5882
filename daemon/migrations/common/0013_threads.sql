-- What was said between a principal and an agent. A thread goes with its agent and with whoever it belongs to: whoever bears one
-- of these names later is somebody else.
CREATE TABLE agent_thread (
    id TEXT NOT NULL PRIMARY KEY,
    agent_uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    owner_uid TEXT REFERENCES resource (uid) ON DELETE CASCADE,
    title TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    forked_from TEXT,
    forked_turn BIGINT
);
CREATE INDEX agent_thread_owner ON agent_thread (agent_uid, owner, updated_at, id);
CREATE INDEX agent_thread_owner_uid ON agent_thread (owner_uid);

-- The turns of threads. One that is pending is under way in the run of a daemon that it names; what another run has left
-- pending was interrupted.
CREATE TABLE agent_turn (
    thread TEXT NOT NULL REFERENCES agent_thread (id) ON DELETE CASCADE,
    turn BIGINT NOT NULL,
    state TEXT NOT NULL,
    run TEXT NOT NULL,
    personality TEXT,
    request TEXT NOT NULL,
    system TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    took_ms BIGINT NOT NULL,
    iterations BIGINT NOT NULL,
    tool_calls BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    currency TEXT,
    problem TEXT,
    PRIMARY KEY (thread, turn)
);
CREATE INDEX agent_turn_state ON agent_turn (state);

-- The messages of threads, numbered across turns. A result of a tool is there, pending, before the tool is called.
CREATE TABLE agent_message (
    thread TEXT NOT NULL REFERENCES agent_thread (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    signed TEXT,
    PRIMARY KEY (thread, number)
);
CREATE INDEX agent_message_turn ON agent_message (thread, turn, number);

-- What went to models and came back, each text of it once, by its SHA-256: the system block, the definitions of tools, the
-- parameters, each message, and the answer.
CREATE TABLE agent_content (
    thread TEXT NOT NULL REFERENCES agent_thread (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (thread, hash)
);

-- The requests to models: which contents each consisted of, in order.
CREATE TABLE agent_exchange (
    thread TEXT NOT NULL REFERENCES agent_thread (id) ON DELETE CASCADE,
    turn BIGINT NOT NULL,
    step BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    llm TEXT NOT NULL,
    system TEXT NOT NULL,
    tools TEXT NOT NULL,
    params TEXT NOT NULL,
    messages TEXT NOT NULL,
    answer TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (thread, turn, step)
);
