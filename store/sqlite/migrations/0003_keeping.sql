-- The audit trail, and what retention needs to know.

-- Each record's hash covers the one before it. Nothing ever updates or deletes.
CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  actor  TEXT    NOT NULL,
  via    TEXT    NOT NULL,
  verb   TEXT    NOT NULL,
  object TEXT    NOT NULL,
  detail BLOB,
  hash   BLOB    NOT NULL
) STRICT;

-- Which values the state of a run may refer to beside those that columns name.
-- Large values are few, so this costs an ordinary step nothing. There is no index
-- by value: what nobody refers to is found by reading everything that refers.
CREATE TABLE held (
  run   INTEGER NOT NULL REFERENCES run (n),
  value INTEGER NOT NULL REFERENCES value (n),
  PRIMARY KEY (run, value)
) STRICT, WITHOUT ROWID;

-- What runs under way held before there was that table is not known: as long as
-- one of them is not over, none of the values of that time goes.
CREATE TABLE unknown (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  run   INTEGER NOT NULL, -- the last run of that time
  value INTEGER NOT NULL  -- the last value of that time
) STRICT;
INSERT INTO unknown SELECT 1, max(run.n), (SELECT coalesce(max(n), 0) FROM value) FROM run HAVING max(run.n) IS NOT NULL;

-- Runs that have gone and whose parts are still being removed, by their number.
CREATE TABLE doomed (
  run INTEGER PRIMARY KEY
) STRICT;

-- Who keeps a run or a plan: hardly any run is in these.
CREATE INDEX run_retries ON run (retry_of) WHERE retry_of <> '';
CREATE INDEX run_applies ON run ("plan") WHERE "plan" <> '';
