package store

import "time"

// Schedule is when a flow of an instance is due. There is at most one for each.
type Schedule struct {
	// Instance is an id, Flow a stable key.
	Instance, Flow string
	// Spec is what Due was computed from, as the engine wrote it.
	Spec string
	// Due is when the flow runs next, in UTC; zero is never.
	Due time.Time
	// Last is the id of the execution that it brought about last, not counting those that
	// were accepted with an outcome; empty if there is none.
	Last string
}

// ScheduleAdvance moves a schedule on.
type ScheduleAdvance struct {
	// Instance and Flow tell which.
	Instance, Flow string
	// From is the due time that it must have, To the one that it gets; zero is never.
	From, To time.Time
}
