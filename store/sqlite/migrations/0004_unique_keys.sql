-- Unique keys of executions that are not over.
CREATE TABLE unique_keys (
	key        BLOB PRIMARY KEY, -- a hash of instance, flow and key
	newest     INTEGER NOT NULL, -- executions.seq of the newest with the key
	unfinished INTEGER NOT NULL  -- how many are not over
) STRICT, WITHOUT ROWID;
