// Package storetest is the suite that every driver of package store passes. It has a file
// for each role of the interface.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// Driver is how the suite gets at stores of the driver under test.
type Driver struct {
	// Open returns a new, empty store.
	Open func(t testing.TB) store.Store
	// Crash returns a store with what s had committed, as a new process finds it after the
	// process that owned s was killed. s is closed by the time Crash returns. Nil where
	// nothing outlives a store; then crashes are not tested.
	Crash func(t testing.TB, s store.Store) store.Store
	// Another returns one more store on the database of s, as another process has it. Nil
	// where a database has one owner; then workers share the store.
	Another func(t testing.TB, s store.Store) store.Store
}

// Run runs the suite. Its tests run in parallel, each on a store of its own, which the
// suite closes.
func Run(t *testing.T, driver Driver) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *suite){
		"Accept":    testAccept,
		"Claim":     testClaim,
		"Lanes":     testLanes,
		"Leases":    testLeases,
		"Pauses":    testPauses,
		"Crashes":   testCrashes,
		"Journal":   testJournal,
		"Finish":    testFinish,
		"Instances": testInstances,
		"Read":      testRead,
		"Results":   testResults,
		"Await":     testAwait,
		"Backlog":   testQueuedLoads,
		"Cancel":    testCancel,
		"Unique":    testUnique,
		"Schedules": testSchedules,
		"Versions":  testVersions,
		"State":     testState,
		"Close":     testClose,
		"Model":     testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &suite{driver: driver})
		})
	}
}

type suite struct{ driver Driver }

// test runs one test of a role on an empty store.
func (s *suite) test(t *testing.T, name string, test func(t *testing.T, h *harness)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t, s.open(t))
	})
}

// crashTest is a test for drivers whose stores outlive a crash.
func (s *suite) crashTest(t *testing.T, name string, test func(t *testing.T, h *harness)) {
	t.Helper()
	if s.driver.Crash != nil {
		s.test(t, name, test)
	}
}

func (s *suite) open(tb testing.TB) *harness {
	tb.Helper()
	h := &harness{Store: s.driver.Open(tb), driver: s.driver, t: tb}
	tb.Cleanup(func() { require.NoError(tb, h.Close()) })
	return h
}

// harness is a store with shortcuts.
type harness struct {
	store.Store
	driver Driver
	t      testing.TB
}

func (h *harness) ctx() context.Context { return h.t.Context() }

// crash replaces the store by one that finds what a killed process left.
func (h *harness) crash() {
	h.t.Helper()
	h.Store = h.driver.Crash(h.t, h.Store)
}

// start is when the executions of the suite are accepted, with all digits that a store
// must keep.
var start = time.Date(2026, time.March, 4, 5, 6, 7, 123_456_000, time.UTC)

// newID returns an id; later calls return greater ones.
func newID(tb testing.TB) string {
	tb.Helper()
	id, err := uuid.NewV7()
	require.NoError(tb, err)
	return id.String()
}

// execution returns a new execution of an instance, with every field set.
func execution(t testing.TB, instance string) *store.Execution {
	t.Helper()
	id := newID(t)
	return &store.Execution{
		ID: id, Integration: "orders", Version: "1.2.0", Customer: "acme", User: "u-1", Instance: instance,
		Flow: "import", InvokeType: "webhook", Lane: store.Lane{Key: "import"}, UniqueKey: "order of " + id,
		Parent: newID(t), Original: newID(t), Depth: 3, AcceptedAt: start,
		Payload: store.Payload{Head: []byte(`{"h":1}`), Body: []byte("body of " + instance + "\x00\xff")},
		Logs:    []byte(`["before"]`),
	}
}

// accept accepts a new execution and leaves it ready.
func (h *harness) accept(instance string) *store.Execution {
	h.t.Helper()
	e := execution(h.t, instance)
	h.acceptAs(&store.Acceptance{Execution: e})
	return e
}

// run accepts a new execution and claims it at once.
func (h *harness) run(instance string) *store.Claim {
	h.t.Helper()
	accepted := h.acceptAs(&store.Acceptance{Execution: execution(h.t, instance), Worker: worker("w1")})
	require.NotNil(h.t, accepted.Claim)
	return accepted.Claim
}

func (h *harness) acceptAs(a *store.Acceptance) *store.Accepted {
	h.t.Helper()
	accepted, err := h.Accept(h.ctx(), a)
	require.NoError(h.t, err)
	return accepted
}

// claim claims exactly n executions.
func (h *harness) claim(n int) []*store.Claim {
	h.t.Helper()
	var claims []*store.Claim
	for len(claims) < n {
		more, err := h.Claim(h.ctx(), worker("w1"), n-len(claims))
		require.NoError(h.t, err)
		require.NotEmpty(h.t, more)
		claims = append(claims, more...)
	}
	require.Len(h.t, claims, n)
	return claims
}

// release gives claims back.
func (h *harness) release(claims []*store.Claim) {
	h.t.Helper()
	for _, claim := range claims {
		require.NoError(h.t, h.Release(h.ctx(), claim, store.Pause{}))
	}
}

// nothingReady asserts that no execution can be claimed.
func (h *harness) nothingReady() {
	h.t.Helper()
	ctx, cancel := context.WithTimeoutCause(h.ctx(), 30*time.Millisecond, errPatience)
	defer cancel()
	claims, err := h.Claim(ctx, worker("w1"), 1)
	require.ErrorIs(h.t, err, errPatience)
	require.Empty(h.t, claims)
}

// outcome is how an attempt ended, with every field set that goes with the status.
func outcome(attempt int, status store.Status) *store.Outcome {
	o := &store.Outcome{
		Attempt: attempt, Status: status, Logs: []byte(`["log"]`),
		StartedAt: start.Add(time.Second), EndedAt: start.Add(2 * time.Second),
	}
	if status == store.StatusSucceeded {
		o.Result = []byte(`{"data":1}`)
	} else {
		o.Error = "no such order"
	}
	return o
}

// retry is the outcome of an attempt that is followed by another.
func retry(attempt int, next time.Time) *store.Outcome {
	o := outcome(attempt, store.StatusWaiting)
	o.NextAttempt = next.UTC()
	return o
}

func (h *harness) finish(claim *store.Claim, status store.Status) {
	h.t.Helper()
	require.NoError(h.t, h.Finish(h.ctx(), claim, outcome(claim.Attempt, status)))
}

// record reads an execution back.
func (h *harness) record(id string) *store.Record {
	h.t.Helper()
	record, err := h.Execution(h.ctx(), id)
	require.NoError(h.t, err)
	return record
}

func ids(claims []*store.Claim) []string {
	list := make([]string, len(claims))
	for i, claim := range claims {
		list[i] = claim.Execution.ID
	}
	return list
}

// worker is one whose lease outlasts every test that does not wait for its end.
func worker(id string) store.Worker { return store.Worker{ID: id, Lease: time.Hour} }
