-- An accepted execution. It never changes.
CREATE TABLE executions (
	seq         INTEGER PRIMARY KEY, -- in the order of acceptance
	id          BLOB NOT NULL UNIQUE,
	accepted_at INTEGER NOT NULL,    -- times are nanoseconds since 1970, 0 for none
	integration TEXT NOT NULL,
	version     TEXT NOT NULL,
	customer    TEXT NOT NULL,
	user        TEXT NOT NULL,
	instance    TEXT NOT NULL,
	flow        TEXT NOT NULL,
	invoke_type TEXT NOT NULL,
	lane        TEXT NOT NULL,
	lane_limit  INTEGER NOT NULL,
	unique_key  TEXT NOT NULL,
	parent      TEXT NOT NULL,       -- ids of other executions, empty for none
	original    TEXT NOT NULL,
	depth       INTEGER NOT NULL,
	head        BLOB,
	body        BLOB,
	logs        BLOB
) STRICT;
CREATE INDEX executions_original ON executions (original) WHERE original <> '';

-- How an attempt ended. It never changes.
CREATE TABLE outcomes (
	id           INTEGER PRIMARY KEY, -- executions.seq << 20 | attempt
	status       TEXT NOT NULL,
	started_at   INTEGER NOT NULL,
	ended_at     INTEGER NOT NULL,
	next_attempt INTEGER NOT NULL,
	error        TEXT NOT NULL,
	result       BLOB,
	logs         BLOB
) STRICT;

-- The journal.
CREATE TABLE steps (
	id         INTEGER PRIMARY KEY,
	execution  INTEGER NOT NULL, -- executions.seq
	key        TEXT NOT NULL,
	name       TEXT NOT NULL,
	attempt    INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at   INTEGER NOT NULL,
	result     BLOB,
	error      TEXT NOT NULL,
	state      BLOB,
	UNIQUE (execution, key)
) STRICT;

-- Executions without a final outcome: all of those up to recovery.mark, and later ones that
-- memory does not hold or that wait.
CREATE TABLE pending (
	instance   TEXT NOT NULL,
	lane       TEXT NOT NULL,    -- '' for those without a limit, else '=' || executions.lane
	seq        INTEGER NOT NULL, -- executions.seq
	lane_limit INTEGER NOT NULL, -- executions.lane_limit
	size       INTEGER NOT NULL, -- bytes of its payload
	due        INTEGER,          -- when a waiting one is ready again
	kept       INTEGER NOT NULL, -- it has its seat in the lane while it waits
	recovered  INTEGER NOT NULL, -- a claim ended without an outcome
	-- How often the process died while it was claimed, in this attempt and since its last
	-- step. While it is claimed again, these are one more.
	deaths     INTEGER NOT NULL,
	crashes    INTEGER NOT NULL,
	canceled   TEXT NOT NULL DEFAULT '', -- why it is to be canceled once it is claimed
	PRIMARY KEY (instance, lane, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_due ON pending (due) WHERE due IS NOT NULL;
CREATE INDEX pending_kept ON pending (kept) WHERE kept = 1;
CREATE INDEX pending_suspects ON pending (seq) WHERE deaths > 1;

CREATE TABLE recovery (
	mark   INTEGER NOT NULL, -- every execution up to this seq is over or pending
	epoch  INTEGER NOT NULL, -- how often the store was opened; the upper half of tokens
	closed INTEGER NOT NULL  -- the latest epoch that ended with Close
) STRICT;
INSERT INTO recovery (mark, epoch, closed) VALUES (0, 0, 0);

CREATE TABLE dedupe (
	key       BLOB PRIMARY KEY, -- a hash of instance, flow and key
	until     INTEGER NOT NULL,
	execution BLOB NOT NULL     -- executions.id of the first
) STRICT, WITHOUT ROWID;
CREATE INDEX dedupe_until ON dedupe (until);

CREATE TABLE instances (
	id                   TEXT PRIMARY KEY,
	name                 TEXT NOT NULL,
	integration          TEXT NOT NULL,
	version              TEXT NOT NULL,
	customer             TEXT NOT NULL,
	customer_external_id TEXT NOT NULL,
	customer_name        TEXT NOT NULL,
	config               BLOB,
	api_keys             BLOB,             -- a JSON list, NULL for none
	paused               INTEGER NOT NULL,
	pending              INTEGER NOT NULL, -- the hooks of a deployment or a removal have not all run
	change               BLOB,             -- with pending: what the engine is making of the instance
	deployed_at          INTEGER NOT NULL,
	revision             INTEGER NOT NULL,
	UNIQUE (integration, customer, name)
) STRICT;
CREATE INDEX instances_keyed ON instances (integration) WHERE api_keys IS NOT NULL;
CREATE INDEX instances_customer ON instances (integration, customer_external_id, name);

CREATE TABLE endpoints (
	id       TEXT PRIMARY KEY,
	instance TEXT NOT NULL,
	position INTEGER NOT NULL,
	flow     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoints_instance ON endpoints (instance);

CREATE TABLE shared_endpoints (
	integration TEXT PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
-- Results that callers fetch by a URL of their own.
CREATE TABLE results (
	id         INTEGER PRIMARY KEY,
	key        BLOB NOT NULL UNIQUE, -- a hash of the secret in the URL
	execution  BLOB NOT NULL,        -- executions.id; not every one of them is on record
	expires_at INTEGER NOT NULL,
	head       BLOB,
	body       BLOB
) STRICT;
CREATE INDEX results_expiry ON results (expires_at);
