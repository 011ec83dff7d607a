package sluicetest

import (
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// goroutineLabel marks the goroutines of a test that runs in real time.
const goroutineLabel = "sluicetest"

// realTimeTests counts them, so that each has a label of its own.
var realTimeTests atomic.Int64

// realTime runs test outside a bubble, with a label that the goroutines inherit which it starts.
// Where some of them are left, it fails the test with their stacks.
func realTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	label := t.Name() + " " + strconv.FormatInt(realTimeTests.Add(1), 10)
	pprof.Do(t.Context(), pprof.Labels(goroutineLabel, label), func(context.Context) { test(t) })
	http.DefaultClient.CloseIdleConnections() // Those of flows that have no other transport.
	const patience, pause = time.Second, 10 * time.Millisecond
	for began := time.Now(); ; time.Sleep(pause) {
		left := labelled(label)
		if left == "" {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("goroutines remain when the test ends:\n\n%s", left)
		}
	}
}

// labelled are the stacks of the goroutines with the label.
func labelled(label string) string {
	var text strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return err.Error()
	}
	var found []string
	for group := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(group, fmt.Sprintf("# labels: {%q:%q}", goroutineLabel, label)) {
			found = append(found, group)
		}
	}
	return strings.Join(found, "\n\n")
}
