-- Names are ordered byte by byte in both databases. SQLite has a collation of this name already.
SELECT 'binary';
