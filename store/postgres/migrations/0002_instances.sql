CREATE TABLE instances (
	id                   text COLLATE "C" PRIMARY KEY,
	name                 text COLLATE "C" NOT NULL,
	integration          text COLLATE "C" NOT NULL,
	version              text COLLATE "C" NOT NULL,
	customer             text COLLATE "C" NOT NULL,
	customer_external_id text COLLATE "C" NOT NULL,
	customer_name        text NOT NULL,
	config               bytea,
	api_keys             bytea, -- a JSON list, NULL for none
	paused               boolean NOT NULL,
	pending              boolean NOT NULL, -- the hooks of a deployment or a removal have not all run
	change               bytea, -- with pending: what the engine is making of the instance
	deployed_at          bigint NOT NULL,
	revision             bigint NOT NULL,
	UNIQUE (integration, customer, name)
);
CREATE INDEX instances_keyed ON instances (integration) WHERE api_keys IS NOT NULL;
CREATE INDEX instances_customer ON instances (integration, customer_external_id, name);

CREATE TABLE endpoints (
	id       text COLLATE "C" PRIMARY KEY,
	instance text COLLATE "C" NOT NULL,
	position integer NOT NULL,
	flow     text COLLATE "C" NOT NULL
);
CREATE INDEX endpoints_instance ON endpoints (instance);

CREATE TABLE shared_endpoints (
	integration text COLLATE "C" PRIMARY KEY,
	id          text COLLATE "C" NOT NULL UNIQUE
);

-- How often any instance was written: other processes forget what they know of instances
-- when it grows.
CREATE TABLE revisions (instances bigint NOT NULL);
INSERT INTO revisions (instances) VALUES (1);

-- Results that callers fetch by a URL of their own.
CREATE TABLE results (
	key        bytea PRIMARY KEY, -- a hash of the secret in the URL
	execution  uuid NOT NULL,     -- executions.id; not every one of them is on record
	expires_at bigint NOT NULL,
	head       bytea,
	body       bytea
);
CREATE INDEX results_expiry ON results (expires_at);
