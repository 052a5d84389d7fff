-- Plans and what they are based on, approvals, freezes, and what undo and
-- budgets need to know of runs and steps.
--
-- Whoever refers to a value has the number of its first part, and so keeps a
-- reference of 64 letters in a few bytes.

ALTER TABLE run ADD COLUMN starters   BLOB;
ALTER TABLE run ADD COLUMN plan       TEXT    NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN undo_of    TEXT    NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN retry_of   TEXT    NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN lifted     TEXT    NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN change_set INTEGER REFERENCES value (n);
ALTER TABLE run ADD COLUMN strict     INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_undoes ON run (undo_of, created_at, id) WHERE undo_of <> '';

ALTER TABLE step ADD COLUMN "of" TEXT NOT NULL DEFAULT '';

-- 1 where the step may have changed its target, as the program judges it when it
-- writes the record; NULL elsewhere, so that no other step is in the index. The
-- index alone answers how many targets a connection's budget has paid for.
ALTER TABLE step ADD COLUMN changed INTEGER;
UPDATE step SET changed = 1 WHERE effect = 'change' AND (
  outcome IN ('done', 'unsettled') OR status IN ('started', 'unsettled') OR
  outcome = 'failed' AND json_extract(CAST(error AS TEXT), '$.class') IN ('transient', 'timeout', 'cancelled', 'unsettled'));
CREATE INDEX step_changed ON step (connection, started_at, target_id) WHERE changed = 1;

CREATE TABLE plan (
  n           INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  playbook    TEXT    NOT NULL,
  hash        TEXT    NOT NULL,
  source      TEXT    NOT NULL,
  undo_of     TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  via         TEXT    NOT NULL,
  inputs      BLOB,
  max_changes INTEGER,
  lifted      TEXT    NOT NULL,
  connections BLOB,
  semantics   INTEGER NOT NULL,
  change_set  INTEGER NOT NULL REFERENCES value (n),
  digest      TEXT    NOT NULL,
  shown       TEXT    NOT NULL,
  pending     INTEGER NOT NULL,
  complete    INTEGER NOT NULL,
  blocked     BLOB,
  created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX plan_newest ON plan (created_at, id);
CREATE INDEX plan_by_playbook ON plan (playbook, created_at, id);

-- The owner is the number of a run, or that of a plan below zero: one key finds
-- both, and the answers of an owner lie side by side in the order they are read.
CREATE TABLE answer (
  owner         INTEGER NOT NULL,
  path          TEXT    NOT NULL,
  arguments     TEXT    NOT NULL,
  value         INTEGER NOT NULL REFERENCES value (n),
  population_of TEXT,    -- the connection, of a complete listing
  population    INTEGER, -- its length
  at            INTEGER NOT NULL,
  PRIMARY KEY (owner, path, arguments)
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
  n          INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  run        INTEGER NOT NULL REFERENCES run (n),
  path       TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  title      TEXT    NOT NULL,
  "by"       BLOB,
  needs      INTEGER NOT NULL,
  notify     TEXT    NOT NULL,
  status     TEXT    NOT NULL,
  round      INTEGER NOT NULL,
  change_set INTEGER NOT NULL REFERENCES value (n),
  digest     TEXT    NOT NULL,
  shown      TEXT    NOT NULL,
  excluded   BLOB,
  votes      BLOB,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  told_at    INTEGER,
  decided_at INTEGER
) STRICT;
CREATE INDEX approval_newest ON approval (created_at, id);
CREATE INDEX approval_by_run ON approval (run, created_at, id);
CREATE INDEX approval_by_status ON approval (status, created_at, id);

CREATE TABLE freeze (
  n           INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  reason      TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  via         TEXT    NOT NULL,
  at          INTEGER NOT NULL,
  thaw_actor  TEXT,
  thaw_via    TEXT,
  thaw_reason TEXT    NOT NULL,
  thawed_at   INTEGER
) STRICT;
-- Asked before every change: does one hold?
CREATE INDEX freeze_holding ON freeze (at, id) WHERE thawed_at IS NULL;
