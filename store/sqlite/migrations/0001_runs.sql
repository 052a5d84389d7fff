-- Runs and what is recorded of them. Times are Unix microseconds, JSON is kept
-- as the bytes it came in, enumerations are checked by the program.
--
-- Everything that belongs to a run refers to its number and not to its id:
-- entries are small, and those of the runs under way lie side by side.

CREATE TABLE owner (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  epoch   INTEGER NOT NULL, -- counts the engines that opened the database
  pid     INTEGER NOT NULL,
  host    TEXT    NOT NULL,
  command TEXT    NOT NULL,
  started INTEGER NOT NULL
) STRICT;

CREATE TABLE bundle (
  n    INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  data BLOB NOT NULL
) STRICT;

-- A value lies in parts, because SQLite builds a whole row in memory.
CREATE TABLE value (
  n    INTEGER PRIMARY KEY,
  ref  TEXT    NOT NULL,
  part INTEGER NOT NULL,
  data BLOB    NOT NULL,
  UNIQUE (ref, part)
) STRICT;

CREATE TABLE run (
  n           INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  playbook    TEXT    NOT NULL,
  hash        TEXT    NOT NULL REFERENCES bundle (hash),
  status      TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  via         TEXT    NOT NULL,
  inputs      BLOB,
  "trigger"   BLOB,
  outputs     BLOB,
  error       BLOB,
  attempt     INTEGER NOT NULL,
  max_changes INTEGER,
  connections BLOB,
  semantics   INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  finished_at INTEGER,
  wake_at     INTEGER
) STRICT;
CREATE INDEX run_newest ON run (created_at, id);
CREATE INDEX run_by_status ON run (status, created_at, id);
CREATE INDEX run_by_playbook ON run (playbook, created_at, id);

CREATE TABLE snapshot (
  run       INTEGER PRIMARY KEY REFERENCES run (n),
  seq       INTEGER NOT NULL,
  semantics INTEGER NOT NULL,
  data      BLOB    NOT NULL
) STRICT;

-- The journal since the snapshot. Rows are appended where the file ends,
-- whichever run they are of; the index that finds them stays small.
CREATE TABLE event (
  n    INTEGER PRIMARY KEY,
  run  INTEGER NOT NULL REFERENCES run (n),
  seq  INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  kind TEXT    NOT NULL,
  data BLOB,
  UNIQUE (run, seq)
) STRICT;

-- Lists are sorted as they are read: an index that keeps their order would cost
-- every step of every run another page to write.
CREATE TABLE step (
  n           INTEGER PRIMARY KEY,
  run         INTEGER NOT NULL REFERENCES run (n),
  path        TEXT    NOT NULL,
  attempt     INTEGER NOT NULL,
  first_at    INTEGER NOT NULL, -- when it started as it was first written: its place in lists
  form        TEXT    NOT NULL,
  action      TEXT    NOT NULL,
  effect      TEXT    NOT NULL,
  connection  TEXT    NOT NULL,
  status      TEXT    NOT NULL,
  outcome     TEXT    NOT NULL,
  target_id   TEXT,
  target_name TEXT,
  "before"    BLOB,
  "after"     BLOB,
  arguments   TEXT    NOT NULL,
  inverse     BLOB,
  why         TEXT    NOT NULL,
  error       BLOB,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  UNIQUE (run, path, attempt)
) STRICT;

CREATE TABLE item (
  run      INTEGER NOT NULL REFERENCES run (n),
  path     TEXT    NOT NULL,
  idx      INTEGER NOT NULL,
  key      TEXT    NOT NULL,
  label    TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  error    BLOB,
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (run, path, idx)
) STRICT, WITHOUT ROWID;
