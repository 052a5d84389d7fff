-- How far readers of logs have come. The key is a hash of everything the cursor
-- is good for: where the connection leads, its credentials, the log, its version
-- and the reader.
CREATE TABLE position (
  key        TEXT    NOT NULL PRIMARY KEY,
  connection TEXT    NOT NULL,
  log        TEXT    NOT NULL,
  reader     TEXT    NOT NULL,
  cursor     TEXT    NOT NULL,
  revision   INTEGER NOT NULL, -- from 1, one more each time
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
