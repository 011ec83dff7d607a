package main

import "github.com/sluice-go/sluice"

// manyLanes is how many instances the flow has where it has many; each has a lane of its own.
const manyLanes = 1000

// lanes asks what the order of executions costs.
func lanes() table {
	ordered := idle
	ordered.QueueConfig = sluice.SequentialQueueConfig{}
	return table{
		name: "lanes", title: "Order of executions, SQLite",
		notes: []string{"From the request to the recorded outcome, requests for instances taken at random."},
		rows: []row{
			{name: "parallel, 1,000 instances", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: idle, instances: manyLanes})},
			{name: "sequential, 1,000 lanes", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: ordered, instances: manyLanes})},
			{name: "sequential, one lane", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: ordered})},
		},
		targets: []target{rateAtLeast(0.5, "sequential, 1,000 lanes", "parallel, 1,000 instances")},
	}
}
