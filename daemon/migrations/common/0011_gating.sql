-- When a session has said what it is about: until then a gated project shows it nothing. A client of the revision without
-- sessions is given a row, too, when it begins; what it sends along is the id of that.
ALTER TABLE gateway_session ADD COLUMN begun_at BIGINT;
