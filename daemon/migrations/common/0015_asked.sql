-- Whose work a turn is: the turn of another thread that has asked for it, which need not be there any more.
ALTER TABLE agent_turn ADD COLUMN asked_thread TEXT;
ALTER TABLE agent_turn ADD COLUMN asked_turn BIGINT;
CREATE INDEX agent_turn_asked ON agent_turn (asked_thread, asked_turn);

-- Threads of somebody are found by how their ids begin.
CREATE INDEX agent_thread_owner_id ON agent_thread (owner, id COLLATE "binary");
