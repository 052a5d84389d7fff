-- What has to do with time: grants and holds, signals, schedules, deliveries of
-- webhooks, throttled connections, and which runs are due.

ALTER TABLE run ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN series TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN "group" TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX run_by_key ON run (key) WHERE key <> '';
CREATE INDEX run_by_series ON run (series, created_at, id) WHERE series <> '';
-- Counted before each run of a group begins: who of it is under way?
CREATE INDEX run_by_group ON run ("group", status, created_at, id) WHERE "group" <> '';
CREATE INDEX run_queued ON run (playbook, "group", created_at, id) WHERE status = 'queued';
-- Runs that sleep, by when they wake.
CREATE INDEX run_wakes ON run (wake_at, id) WHERE status = 'waiting' AND wake_at IS NOT NULL;

-- A grant outlives its run, and so keeps its id and not its number.
CREATE TABLE grant (
  n           INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  run         TEXT    NOT NULL,
  path        TEXT    NOT NULL,
  playbook    TEXT    NOT NULL,
  action      TEXT    NOT NULL,
  access      TEXT    NOT NULL,
  at_end      TEXT    NOT NULL,
  connection  TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  target_id   TEXT    NOT NULL,
  target_name TEXT    NOT NULL,
  inverse     BLOB,
  "before"    BLOB,
  "after"     BLOB,
  state       TEXT    NOT NULL,
  lasts       INTEGER NOT NULL, -- microseconds
  ends_at     INTEGER NOT NULL,
  next_try    INTEGER NOT NULL,
  tries       INTEGER NOT NULL,
  error       BLOB,
  approval    TEXT    NOT NULL,
  warned_at   INTEGER,
  alarmed_at  INTEGER,
  created_at  INTEGER NOT NULL,
  started_at  INTEGER,
  ended_at    INTEGER,
  ended_by    TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  most        INTEGER NOT NULL, -- microseconds; 0: the playbook does not say
  warn        INTEGER NOT NULL  -- microseconds; 0: nobody is told
) STRICT;
CREATE INDEX grant_due ON grant (next_try) WHERE state NOT IN ('ended', 'kept', 'void');
CREATE INDEX grant_ends ON grant (ends_at, id);
CREATE INDEX grant_by_state ON grant (state, ends_at, id);
CREATE INDEX grant_by_run ON grant (run, ends_at, id);
CREATE INDEX grant_by_target ON grant (connection, target_id, ends_at, id);

CREATE TABLE hold (
  n              INTEGER PRIMARY KEY,
  id             TEXT    NOT NULL UNIQUE,
  connection     TEXT    NOT NULL,
  target         TEXT    NOT NULL,
  reason         TEXT    NOT NULL,
  actor          TEXT    NOT NULL,
  via            TEXT    NOT NULL,
  at             INTEGER NOT NULL,
  release_actor  TEXT,
  release_via    TEXT,
  release_reason TEXT    NOT NULL,
  released_at    INTEGER
) STRICT;
-- Asked before a grant ends and before every undo: what is held?
CREATE INDEX hold_holding ON hold (at, id) WHERE released_at IS NULL;

CREATE TABLE signal (
  n     INTEGER PRIMARY KEY,
  run   INTEGER NOT NULL REFERENCES run (n) ON DELETE CASCADE,
  id    TEXT    NOT NULL,
  name  TEXT    NOT NULL,
  body  BLOB,
  actor TEXT    NOT NULL,
  via   TEXT    NOT NULL,
  at    INTEGER NOT NULL,
  taken INTEGER NOT NULL, -- 0 while the run has not heard it
  UNIQUE (run, id)
) STRICT;
CREATE INDEX signal_unheard ON signal (run, at) WHERE taken = 0;

CREATE TABLE schedule (
  id        TEXT    NOT NULL PRIMARY KEY,
  playbook  TEXT    NOT NULL,
  spec      TEXT    NOT NULL,
  last_at   INTEGER NOT NULL,
  paused_at INTEGER,
  paused_by TEXT    NOT NULL,
  reason    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- A delivery is remembered also when its run is gone.
CREATE TABLE delivery (
  hook TEXT    NOT NULL,
  id   TEXT    NOT NULL,
  run  TEXT    NOT NULL,
  at   INTEGER NOT NULL,
  PRIMARY KEY (hook, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_by_age ON delivery (at);

CREATE TABLE throttle (
  connection TEXT    NOT NULL PRIMARY KEY,
  until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
