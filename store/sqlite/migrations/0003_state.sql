-- State that executions keep: scopes that have values, and the values.
CREATE TABLE state_scopes (
	id    INTEGER PRIMARY KEY,
	kind  TEXT NOT NULL,
	owner TEXT NOT NULL,
	flow  TEXT NOT NULL,
	size  INTEGER NOT NULL, -- bytes of its keys and values
	UNIQUE (kind, owner, flow)
) STRICT;

CREATE TABLE state_values (
	id    INTEGER PRIMARY KEY,
	scope INTEGER NOT NULL, -- state_scopes.id
	key   TEXT NOT NULL,
	value BLOB NOT NULL,
	UNIQUE (scope, key)
) STRICT;
