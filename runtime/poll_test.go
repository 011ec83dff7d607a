package runtime_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// source is a system that is polled: it grows.
type source struct {
	mu   sync.Mutex
	rows []string
}

func (s *source) add(rows ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, rows...)
}

// poll returns what came since the last time, and keeps how far that was.
func (s *source) poll(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, _, err := sluice.PollState[int](ctx, run)
	if err != nil {
		return nil, err
	}
	if err := sluice.SetPollState(ctx, run, len(s.rows)); err != nil {
		return nil, err
	}
	if len(s.rows) == seen {
		return &sluice.TriggerResult{PolledNoChanges: true}, nil
	}
	payload.Body = sluice.NewBody(s.rows[seen:])
	return &sluice.TriggerResult{Payload: payload}, nil
}

// polling makes a flow poll every ten minutes.
func polling(trigger sluice.TriggerFunc) func(*sluice.Flow) {
	return func(f *sluice.Flow) {
		f.TriggerType, f.OnTrigger, f.Schedule = sluice.TriggerTypePolling, trigger, &sluice.Schedule{Value: "*/10 * * * *"}
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	var got notes
	s := &source{}
	run(t, integrationOf(got.body, polling(s.poll)), func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(10 * time.Minute)
		s.add("a", "b")
		h.Advance(10 * time.Minute)
		s.add("c")
		h.Advance(30 * time.Minute)
		h.Drain()
		require.Equal(t, []string{`poll ["a","b"]`, `poll ["c"]`}, got.list())
		var statuses []store.Status
		for _, x := range h.Executions() {
			statuses = append(statuses, x.Status)
			require.Equal(t, sluice.InvokePoll, x.InvokeType)
		}
		require.Equal(t, []store.Status{"skipped", "succeeded", "succeeded", "skipped", "skipped"}, statuses)
		require.Equal(t, "the poll found no changes", h.Executions()[0].Error)
		found, err := h.Runtime.Executions(t.Context(), store.Filter{InvokeType: "poll", Status: store.StatusSkipped}, "", 10)
		require.NoError(t, err)
		require.Len(t, found, 3)
	})
}

// body notes what a flow receives.
func (n *notes) body(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	n.add(string(run.InvokeType) + " " + encoded(run.Payload.Body))
	return nil, nil
}

// TestFailedPoll saves nothing: the next poll finds the same.
func TestFailedPoll(t *testing.T) {
	t.Parallel()
	var got notes
	s := &source{rows: []string{"a"}}
	polls := 0
	poll := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		result, err := s.poll(ctx, run, payload)
		if polls++; polls == 1 {
			return nil, errors.New("connection lost")
		}
		return result, err
	}
	run(t, integrationOf(got.body, polling(poll)), func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(20 * time.Minute)
		h.Drain()
		require.Equal(t, store.StatusFailed, h.Executions()[0].Status)
		require.Equal(t, "connection lost", h.Executions()[0].Error)
		require.Equal(t, []string{`poll ["a"]`}, got.list())
	})
}

// lossyStore takes acceptances in, and says that it did not.
type lossyStore struct {
	store.Store
	lose int
}

func (s *lossyStore) Accept(ctx context.Context, a *store.Acceptance) (*store.Accepted, error) {
	accepted, err := s.Store.Accept(ctx, a)
	if s.lose > 0 && err == nil {
		s.lose--
		return nil, store.ErrUnavailable
	}
	return accepted, err
}

// TestPollIsAcceptedOnce commits the cursor with the run, also where nobody hears of the commit.
func TestPollIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got notes
		s := &source{rows: []string{"a"}}
		database := &lossyStore{Store: sharedDatabase(t), lose: 1}
		rt := startOn(t, database, integrationOf(got.body, polling(s.poll)))
		_, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(45 * time.Minute)
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, database.Close())
		require.Equal(t, []string{`poll ["a"]`}, got.list())
	})
}

// TestPollOfBatches keeps its cursor with the first page.
func TestPollOfBatches(t *testing.T) {
	t.Parallel()
	var got notes
	fetch := func(ctx context.Context, run *sluice.Run, _ *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[int, int], error) {
		since, _, err := sluice.PollState[int](ctx, run)
		if err != nil {
			return nil, err
		}
		if cursor != nil {
			return &sluice.BatchPage[int, int]{Items: []int{*cursor}}, nil
		}
		if since == 2 {
			return &sluice.BatchPage[int, int]{PolledNoChanges: true}, nil
		}
		next := 10 * (since + 1)
		return &sluice.BatchPage[int, int]{Items: []int{since + 1}, PaginationState: &next}, sluice.SetPollState(ctx, run, since+1)
	}
	integration := integrationOf(got.batch, polling(nil), batched(sluice.BatchTrigger[int, int]{OnTrigger: fetch}, sluice.BatchConfig{BatchSize: 1}))
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(time.Hour)
		h.Drain()
		require.Equal(t, []string{"1/0 1", "1/0 2", "2/0 10", "2/0 20"}, got.sorted())
		skipped := 0
		for _, x := range h.Executions() {
			if x.Status == store.StatusSkipped {
				skipped++
			}
		}
		require.Equal(t, 4, skipped)
	})
}
