package main

import (
	"net/http"

	"github.com/sluice-go/sluice/bench/bare"
	"github.com/sluice-go/sluice/bench/order"
	"github.com/sluice-go/sluice/runtime"
)

// row is one line of the table: a server under load over HTTP, or work without HTTP in its place.
type row struct {
	name  string
	start func(dir string) (*subject, error) // Runs in a process of its own; dir is an empty folder for its files.
}

// subject is what a row measures: handler, with the request to send to it, or else operation.
type subject struct {
	handler http.Handler
	path    string
	header  http.Header
	body    []byte

	operation func(worker int) error // Called by as many goroutines as there are connections, one worker number each.

	stop func() error // Ends what start began; nil when there is nothing to end.
}

// rows lists what is measured. The first row is the one that the others are compared with.
func rows() []row {
	return []row{
		{name: "bare", start: startBare},
		{name: "sync, unrecorded", start: startRuntime(echo, true, runtime.RecordNone)},
		{name: "sync, recorded", start: startRuntime(echo, true, runtime.RecordAll)},
		{name: "async, accepted and executed", start: startRuntime(idle, false, runtime.RecordAll)},
		{name: "async, with key, rate and route by a field", start: startGateway},
		{name: "no HTTP: raw group commit", start: startRaw},
		{name: "no HTTP: accept", start: startAccept(false)},
		{name: "no HTTP: accept, one a commit", start: startAccept(true)},
		{name: "no HTTP: accept and outcome", start: startExecute},
	}
}

func startBare(string) (*subject, error) {
	return &subject{
		handler: bare.Handler(),
		path:    "/",
		header:  http.Header{"Content-Type": {"application/json"}},
		body:    order.Document(),
	}, nil
}
