package sluice

// Schedule runs a flow at set times. It has either a Value or a ConfigVar.
//
// Where clocks are set forward or back, a schedule that is due in every hour follows the wall
// clock. Any other runs as often as on other days: at a time that does not exist right after
// the gap, and at one that occurs twice the first time.
//
// A run may begin while the one before is not over, unless the flow's queue has
// SingletonExecutions: see [StandardQueueConfig].
type Schedule struct {
	// Value is a cron expression with five fields: minute, hour, day of month, month, day
	// of week. It is the same for every instance.
	Value string
	// ConfigVar is the key of a config variable of type schedule, set for each instance.
	ConfigVar string
	// TimeZone is an IANA name such as Europe/Berlin; empty is UTC. A ConfigVar's value may
	// name another.
	TimeZone string
	// CatchUp is how many of the runs that were missed, because no runtime was running, or was
	// that far behind, are made up for: the latest ones, in their order, 0 to 1000. None by
	// default, as on the platform: what is late then runs once. See [TriggerPayload].DueAt.
	CatchUp int
}

// maxCatchUp bounds what a start after a long time brings about.
const maxCatchUp = 1000
