package sluice

// Schedule runs a flow at set times. It has either a Value or a ConfigVar.
type Schedule struct {
	// Value is a cron expression with five fields: minute, hour, day of month, month, day
	// of week. It is the same for every instance.
	Value string
	// ConfigVar is the key of a config variable of type schedule, set for each instance.
	ConfigVar string
	// TimeZone is an IANA name such as Europe/Berlin; empty is UTC.
	TimeZone string
}
