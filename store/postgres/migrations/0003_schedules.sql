-- When flows of instances are due.
CREATE TABLE schedules (
	instance      text COLLATE "C" NOT NULL,
	flow          text COLLATE "C" NOT NULL,
	spec          text NOT NULL,
	due           bigint NOT NULL, -- 0 is never
	last          uuid, -- executions.id
	claimed_until bigint NOT NULL DEFAULT 0, -- ends when the schedule moves on
	PRIMARY KEY (instance, flow)
);
CREATE INDEX schedules_due ON schedules (due) WHERE due > 0;
CREATE INDEX schedules_claimed ON schedules (claimed_until) WHERE claimed_until > 0;
