package sqlite

// limits bound memory and the work that one commit does for others.
type limits struct {
	// batch is how many writes share a commit at most.
	batch int
	// ready is how many seats wait for a worker in memory, laneReady how many of one lane;
	// the rest is pending in the database. A lane with fewer than refillBelow reads up to
	// fill more; one with none, only crowded many once as many seats are ready.
	ready, laneReady, refillBelow, fill, crowded int
	// heldBytes are payloads of ready seats; further ones are read back when claimed.
	heldBytes int
	// resume is how many waiting executions become ready at once.
	resume int
	// park is how many acceptances lie between two moves of the mark.
	park int64
}

// Measured on two cores: batches above 64 gain nothing; parking every 1,024 acceptances
// costs one execution in sixteen a row of pending when 64 are under way.
var defaultLimits = limits{
	batch: 64, ready: 10_000, laneReady: 1_000, refillBelow: 250, fill: 500, crowded: 16,
	heldBytes: 32 << 20, resume: 256, park: 1024,
}
