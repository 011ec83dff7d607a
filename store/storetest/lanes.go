package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// shortly is how long executions wait in tests that see them come back.
const shortly = 500 * time.Millisecond

// inLane returns a new execution in a lane of an instance.
func inLane(t testing.TB, instance, key string, limit int) *store.Execution {
	t.Helper()
	e := execution(t, instance)
	e.Lane = store.Lane{Key: key, Limit: limit}
	return e
}

// queue accepts n executions in a lane and leaves them there. It returns their ids.
func (h *harness) queue(instance, key string, limit, n int) []string {
	h.t.Helper()
	list := make([]string, n)
	for i := range n {
		e := inLane(h.t, instance, key, limit)
		list[i] = e.ID
		h.acceptAs(&store.Acceptance{Execution: e})
	}
	return list
}

// runIn accepts an execution in a lane and claims it at once, if it can be.
func (h *harness) runIn(instance, key string, limit int) (*store.Execution, *store.Claim) {
	h.t.Helper()
	e := inLane(h.t, instance, key, limit)
	return e, h.acceptAs(&store.Acceptance{Execution: e, Worker: worker("w1")}).Claim
}

func (h *harness) claimsOnly(want ...string) []*store.Claim {
	h.t.Helper()
	claims := h.claim(len(want))
	require.ElementsMatch(h.t, want, ids(claims))
	h.nothingReady()
	return claims
}

// keep is the outcome of an attempt that is followed by another on the same seat.
func keep(attempt int, next time.Time) *store.Outcome {
	o := retry(attempt, next)
	o.KeepSeat = true
	return o
}

func testLanes(t *testing.T, s *suite) {
	s.test(t, "one after the other", func(t *testing.T, h *harness) {
		for _, id := range h.queue("a", "k", 1, 5) {
			h.finish(h.claimsOnly(id)[0], store.StatusFailed)
		}
		h.nothingReady()
	})
	s.test(t, "up to the limit", func(t *testing.T, h *harness) {
		list := h.queue("a", "k", 3, 7)
		claims := h.claimsOnly(list[:3]...)
		h.finish(claims[1], store.StatusSucceeded)
		h.claimsOnly(list[3])
		h.finish(claims[0], store.StatusSucceeded)
		h.finish(claims[2], store.StatusSucceeded)
		h.claimsOnly(list[4:6]...)
	})
	s.test(t, "apart from each other", func(t *testing.T, h *harness) {
		var want []string
		for _, instance := range []string{"a", "b"} {
			for _, key := range []string{"k", "l", "", "="} {
				want = append(want, h.queue(instance, key, 1, 2)[0])
			}
			want = append(want, h.queue(instance, "k", 0, 2)...)
			want = append(want, h.queue(instance, "", 0, 2)...)
		}
		h.claimsOnly(want...)
	})
	s.test(t, "the limit of each", func(t *testing.T, h *harness) {
		first, second, third := h.queue("a", "k", 3, 1), h.queue("a", "k", 1, 1), h.queue("a", "k", 3, 2)
		one := h.claimsOnly(first[0])
		h.finish(one[0], store.StatusSucceeded)
		two := h.claimsOnly(second[0], third[0], third[1])
		for _, claim := range two[1:] {
			h.finish(claim, store.StatusSucceeded)
		}
	})
	s.test(t, "without a limit in the order of acceptance", func(t *testing.T, h *harness) {
		var want []string
		for i := range 20 {
			want = append(want, h.queue("a", strconv.Itoa(i%3), 0, 1)...)
		}
		require.Equal(t, want, ids(h.claim(len(want))))
	})
	s.test(t, "take turns", testTurns)
	s.test(t, "claimed at once", testLaneAtOnce)
	s.test(t, "a refused limit", func(t *testing.T, h *harness) {
		_, err := h.Accept(h.ctx(), &store.Acceptance{Execution: inLane(t, "a", "k", -1)})
		require.Error(t, err)
	})
	s.test(t, "a freed seat wakes", func(t *testing.T, h *harness) {
		_, claim := h.runIn("a", "k", 1)
		next := h.queue("a", "k", 1, 2)
		claimed := make(chan []*store.Claim)
		go func() {
			claims, err := h.Claim(h.ctx(), worker("w2"), 5)
			if err != nil {
				t.Error(err)
			}
			claimed <- claims
		}()
		h.finish(claim, store.StatusFailed)
		require.Equal(t, next[:1], ids(<-claimed))
	})
	s.test(t, "a freed seat wakes several", func(t *testing.T, h *harness) {
		_, claim := h.runIn("a", "k", 1)
		h.queue("a", "k", 1, 1)
		h.queue("a", "k", 3, 2)
		claimed := make(chan int)
		for range 3 {
			go func() {
				claims, err := h.Claim(h.ctx(), worker("w2"), 1)
				if err != nil {
					t.Error(err)
				}
				claimed <- len(claims)
			}()
		}
		h.finish(claim, store.StatusFailed)
		require.Equal(t, 3, <-claimed+<-claimed+<-claimed)
	})
	s.test(t, "a released one is the first again", func(t *testing.T, h *harness) {
		list := h.queue("a", "k", 1, 3)
		h.release(h.claimsOnly(list[0]))
		h.claimsOnly(list[0])
	})
	s.test(t, "a retry goes ahead", testRetryInLane)
	s.test(t, "a retry keeps its seat", func(t *testing.T, h *harness) { testKeptSeat(t, h, func() {}) })
	s.crashTest(t, "a retry keeps its seat over a crash", func(t *testing.T, h *harness) { testKeptSeat(t, h, h.crash) })
	s.test(t, "a backlog", func(t *testing.T, h *harness) { testLaneBacklog(t, h, func() {}) })
	s.crashTest(t, "a backlog over crashes", func(t *testing.T, h *harness) { testLaneBacklog(t, h, h.crash) })
	s.crashTest(t, "suspects", testSuspectInLane)
}

// testTurns has instances take turns, and the lanes of each. Drivers may be late with what
// they do not hold in memory.
func testTurns(t *testing.T, h *harness) {
	h.queue("busy", "k", 3, 40)
	h.queue("busy", "l", 3, 40)
	h.queue("busy", "", 0, 40)
	h.queue("calm", "", 0, 40)
	h.queue("quiet", "k", 1, 40)
	instances, lanes := map[string]int{}, map[store.Lane]int{}
	for range 45 {
		claim := h.claim(1)[0]
		instances[claim.Execution.Instance]++
		if claim.Execution.Instance == "busy" {
			lanes[claim.Execution.Lane]++
		}
		h.finish(claim, store.StatusSucceeded)
	}
	for instance, claims := range instances {
		require.InDelta(t, 15, claims, 5, instance)
	}
	for lane, claims := range lanes {
		require.InDelta(t, instances["busy"]/3, claims, 3, lane)
	}
}

// testLaneAtOnce claims with the acceptance what needs not wait in its lane.
func testLaneAtOnce(t *testing.T, h *harness) {
	_, first := h.runIn("a", "k", 2)
	require.NotNil(t, first)
	_, second := h.runIn("a", "k", 2)
	require.NotNil(t, second)
	third, none := h.runIn("a", "k", 2)
	require.Nil(t, none, "the lane is full")
	require.Equal(t, store.StatusQueued, h.record(third.ID).Status)
	_, other := h.runIn("a", "l", 1)
	require.NotNil(t, other)
	_, free := h.runIn("a", "k", 0)
	require.NotNil(t, free)
	h.finish(first, store.StatusSucceeded)
	fourth, none := h.runIn("a", "k", 2)
	require.Nil(t, none, "another waits")
	h.claimsOnly(third.ID)
	h.finish(second, store.StatusSucceeded)
	h.claimsOnly(fourth.ID)

	waiting, claim := h.runIn("b", "k", 1)
	require.NoError(t, h.Finish(h.ctx(), claim, retry(1, time.Now().Add(time.Hour))))
	_, claim = h.runIn("b", "k", 1)
	require.NotNil(t, claim, "who waits for a retry does not wait for the seat")
	require.NoError(t, h.Finish(h.ctx(), claim, keep(1, time.Now().Add(time.Hour))))
	_, claim = h.runIn("b", "k", 1)
	require.Nil(t, claim, "the seat is kept")
	require.Equal(t, store.StatusWaiting, h.record(waiting.ID).Status)
	h.nothingReady()
}

// testRetryInLane lets others run while an execution waits, and then it goes ahead of those
// that have not started.
func testRetryInLane(t *testing.T, h *harness) {
	list := h.queue("a", "k", 1, 1300)
	first := h.claimsOnly(list[0])[0]
	due := time.Now().Add(shortly)
	require.NoError(t, h.Finish(h.ctx(), first, retry(1, due)))
	record := h.record(list[0])
	require.Equal(t, store.StatusWaiting, record.Status)
	require.Equal(t, due.UnixNano(), record.Due.UnixNano())
	second := h.claimsOnly(list[1])[0]
	time.Sleep(time.Until(due) + shortly)
	h.nothingReady()
	h.finish(second, store.StatusSucceeded)
	again := h.claimsOnly(list[0])[0]
	require.Equal(t, 2, again.Attempt)
	require.Zero(t, h.record(list[0]).Due)
	h.finish(again, store.StatusSucceeded)
	require.Zero(t, h.record(list[0]).Due)
	for _, id := range list[2:20] {
		h.finish(h.claim(1)[0], store.StatusSucceeded)
		require.Equal(t, store.StatusSucceeded, h.record(id).Status)
	}
}

// testKeptSeat lets nobody else run on the seat of one that waits.
func testKeptSeat(t *testing.T, h *harness, disturb func()) {
	list := h.queue("a", "k", 2, 4)
	claims := h.claimsOnly(list[:2]...)
	due := time.Now().Add(2 * shortly)
	require.NoError(t, h.Finish(h.ctx(), claims[0], keep(1, due)))
	h.finish(claims[1], store.StatusSucceeded)
	third := h.claimsOnly(list[2])
	disturb()
	claims = h.claim(1)
	for claims[0].Execution.ID == list[2] { // It was lost.
		third, claims = claims, h.claim(1)
	}
	require.Equal(t, claims[0].Execution.ID, list[0])
	require.Equal(t, 2, claims[0].Attempt)
	require.False(t, time.Now().Before(due))
	require.NoError(t, h.Finish(h.ctx(), claims[0], keep(2, time.Now())))
	claims = h.claimsOnly(list[0])
	disturb()
	if record := h.record(list[0]); record.Status != store.StatusRunning {
		claims = h.claim(2)
		if claims[0].Execution.ID != list[0] {
			claims[0], claims[1] = claims[1], claims[0]
		}
		third = claims[1:]
		h.nothingReady()
	}
	require.Equal(t, 3, claims[0].Attempt)
	require.NoError(t, h.Finish(h.ctx(), claims[0], retry(3, time.Now().Add(time.Hour))))
	h.claimsOnly(list[3])
	h.finish(third[0], store.StatusSucceeded)
}

// testLaneBacklog runs more than drivers hold in memory through lanes, in order.
func testLaneBacklog(t *testing.T, h *harness, disturb func()) {
	const lanes, n, limit = 30, 1500, 2
	want, seen := map[string][]string{}, map[string][]string{}
	for i := range n {
		key := strconv.Itoa(i % lanes)
		if i%2 == 0 {
			key = "busy"
		}
		want[key] = append(want[key], h.queue("a", key, limit, 1)...)
	}
	started := map[string]bool{}
	running := map[string]int{}
	for len(started) < n {
		if len(started)%500 == 250 {
			disturb()
			clear(running)
		}
		claims, err := h.Claim(h.ctx(), worker("w1"), 7)
		require.NoError(t, err)
		for _, claim := range claims {
			id, key := claim.Execution.ID, claim.Execution.Lane.Key
			if running[key]++; !started[id] {
				started[id] = true
				seen[key] = append(seen[key], id)
			}
			require.LessOrEqual(t, running[key], limit)
		}
		for _, claim := range claims {
			h.finish(claim, store.StatusSucceeded)
			running[claim.Execution.Lane.Key]--
		}
	}
	require.Equal(t, want, seen)
	h.nothingReady()
}

// testSuspectInLane runs suspects on seats of their lanes, and holds up no lane for them.
func testSuspectInLane(t *testing.T, h *harness) {
	_, first := h.runIn("a", "k", 1)
	_, other := h.runIn("b", "k", 1)
	next := h.queue("b", "k", 1, 2)
	h.crash()
	h.claimsOnly(first.Execution.ID, other.Execution.ID)
	h.crash()
	claims := map[string]*store.Claim{}
	for _, claim := range h.claimsOnly(first.Execution.ID, next[0]) {
		claims[claim.Execution.ID] = claim
	}
	h.finish(claims[first.Execution.ID], store.StatusSucceeded)
	h.nothingReady() // The seat is taken.
	h.finish(claims[next[0]], store.StatusSucceeded)
	h.finish(h.claimsOnly(other.Execution.ID)[0], store.StatusSucceeded)
	h.claimsOnly(next[1])
}
