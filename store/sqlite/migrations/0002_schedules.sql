-- When flows of instances are due. Who claimed a schedule stands in memory only.
CREATE TABLE schedules (
	instance TEXT NOT NULL,
	flow     TEXT NOT NULL,
	spec     TEXT NOT NULL,
	due      INTEGER NOT NULL, -- 0 is never
	last     BLOB,             -- executions.id
	PRIMARY KEY (instance, flow)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (due) WHERE due > 0;
