-- A session is with one object: what is made anew under its name is another. Sessions with what is gone are nobody's.
ALTER TABLE gateway_session ADD COLUMN target_uid TEXT NOT NULL DEFAULT '';

UPDATE gateway_session SET target_uid = COALESCE((
    SELECT uid FROM resource
    WHERE scope = '' AND (
        (kind = 'Server' AND target = 'server/' || name) OR (kind = 'Project' AND target = 'project/' || name)
    )
), '');
