-- An accepted execution. It never changes.
CREATE TABLE executions (
	seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in each lane in the order of acceptance
	id          uuid NOT NULL UNIQUE,
	accepted_at bigint NOT NULL, -- times are nanoseconds since 1970, 0 for none
	integration text COLLATE "C" NOT NULL,
	version     text COLLATE "C" NOT NULL,
	customer    text COLLATE "C" NOT NULL,
	owner       text COLLATE "C" NOT NULL, -- the user
	instance    text COLLATE "C" NOT NULL,
	flow        text COLLATE "C" NOT NULL,
	invoke_type text COLLATE "C" NOT NULL,
	lane        text COLLATE "C" NOT NULL,
	lane_limit  integer NOT NULL,
	unique_key  text COLLATE "C" NOT NULL,
	parent      text COLLATE "C" NOT NULL, -- ids of other executions, empty for none
	original    text COLLATE "C" NOT NULL,
	depth       integer NOT NULL,
	head        bytea,
	body        bytea,
	logs        bytea
);
CREATE INDEX executions_unique_key ON executions (instance, flow, unique_key, seq) WHERE unique_key <> '';

-- How an attempt ended. It never changes.
CREATE TABLE outcomes (
	execution    bigint NOT NULL, -- executions.seq
	attempt      integer NOT NULL,
	status       text COLLATE "C" NOT NULL,
	started_at   bigint NOT NULL,
	ended_at     bigint NOT NULL,
	next_attempt bigint NOT NULL,
	error        text NOT NULL,
	result       bytea,
	logs         bytea,
	PRIMARY KEY (execution, attempt)
);

-- The journal.
CREATE TABLE steps (
	id         bigint GENERATED ALWAYS AS IDENTITY,
	execution  bigint NOT NULL, -- executions.seq
	key        text COLLATE "C" NOT NULL,
	name       text NOT NULL,
	attempt    integer NOT NULL,
	started_at bigint NOT NULL,
	ended_at   bigint NOT NULL,
	result     bytea,
	error      text NOT NULL,
	state      bytea,
	PRIMARY KEY (execution, key)
);

-- Executions without a final outcome. Rows of a lane with a limit change status or seat only
-- under the lock of the lane, except that a ready one is claimed.
CREATE TABLE work (
	seq        bigint PRIMARY KEY, -- executions.seq
	instance   text COLLATE "C" NOT NULL,
	lane       text COLLATE "C" NOT NULL, -- '' for those without a limit, else '=' || executions.lane
	lane_limit integer NOT NULL,
	size       integer NOT NULL, -- bytes of its payload
	-- 0 queued: has to wait for a seat of its lane, or is a suspect;
	-- 1 ready; 2 claimed; 3 waiting for another attempt; 4 paused in the middle of one.
	status     smallint NOT NULL,
	seated     boolean NOT NULL, -- it has a seat of its lane, if that has a limit
	due        bigint NOT NULL DEFAULT 0, -- when 3 and 4 are over
	attempt    integer NOT NULL DEFAULT 1, -- the one that runs, or runs next
	recovered  boolean NOT NULL DEFAULT false, -- a claim ended without an outcome
	deaths     integer NOT NULL DEFAULT 0, -- of workers while they had it claimed, in this attempt
	crashes    integer NOT NULL DEFAULT 0, -- the same, since its last step
	worker     text COLLATE "C" NOT NULL DEFAULT '', -- workers.id, with 2
	token      bigint NOT NULL DEFAULT 0, -- of the latest claim
	canceled   text NOT NULL DEFAULT '' -- why it is to be canceled
);
CREATE INDEX work_ready ON work (instance, lane, seq) WHERE status = 1;
CREATE INDEX work_queued ON work (instance, lane, seq) WHERE status = 0 AND deaths < 2;
CREATE INDEX work_seats ON work (instance, lane) WHERE seated;
CREATE INDEX work_due ON work (due) WHERE status > 2;
CREATE INDEX work_suspects ON work (seq) WHERE deaths > 1; -- no other index has the queued ones: they are few
CREATE INDEX work_canceled ON work (worker) WHERE canceled <> '';

-- Who runs executions, and how long its claims last by the clock of the database.
CREATE TABLE workers (
	id      text COLLATE "C" PRIMARY KEY,
	expires bigint NOT NULL,
	lost    boolean NOT NULL DEFAULT false -- its claims were taken away, which it was not told yet
);

CREATE TABLE dedupe (
	key       bytea PRIMARY KEY, -- a hash of instance, flow and key
	until     bigint NOT NULL,
	execution uuid NOT NULL      -- executions.id of the first
);
CREATE INDEX dedupe_until ON dedupe (until);
