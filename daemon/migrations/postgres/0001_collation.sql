-- Names are ordered byte by byte in both databases, whatever the locale of this one.
CREATE COLLATION "binary" (provider = libc, locale = 'C');
