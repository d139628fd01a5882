-- Which of several daemons does what only one may do. `renewals` grows as long as the holder lives; nobody's clock is
-- compared with another's.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    url TEXT NOT NULL,
    renewals BIGINT NOT NULL
);
