-- State that executions keep: how large each scope is, and its values. Scopes change under
-- a lock of their own.
CREATE TABLE state_scopes (
	id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind  text COLLATE "C" NOT NULL,
	owner text COLLATE "C" NOT NULL,
	flow  text COLLATE "C" NOT NULL,
	size  bigint NOT NULL, -- bytes of its keys and values
	UNIQUE (kind, owner, flow)
);

CREATE TABLE state_values (
	scope bigint NOT NULL, -- state_scopes.id
	key   text COLLATE "C" NOT NULL,
	value bytea NOT NULL,
	PRIMARY KEY (scope, key)
);
