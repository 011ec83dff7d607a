package postgres

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// commitTogether commits writes in one transaction and returns their answers.
func commitTogether(s *Store, writes ...write) []error {
	var batch []*ticket
	for _, w := range writes {
		batch = append(batch, &ticket{write: w, answer: make(chan error, 1)})
	}
	s.commit(batch, func() {})
	var answers []error
	for _, t := range batch {
		answers = append(answers, <-t.answer)
	}
	return answers
}

// requireOneCommit asserts that n rows were written by one transaction: it was not tried again
// for each write alone.
func (s *Store) requireOneCommit(t *testing.T, from string, n int) {
	t.Helper()
	var transactions, rows int
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT count(DISTINCT xmin::text), count(*) FROM "+from).Scan(&transactions, &rows))
	require.Equal(t, n, rows)
	require.Equal(t, 1, transactions)
}

func testAccept(t *testing.T, e *store.Execution, worker string) *accept {
	t.Helper()
	w, err := newAccept(&store.Acceptance{Execution: e, Worker: store.Worker{ID: worker}})
	require.NoError(t, err)
	return w
}

// TestTogether commits writes that share a statement, each of which has its own answer.
func TestTogether(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t))
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.PutInstance(t.Context(), &store.Instance{ID: "paused", Name: "p", Paused: true}))

	var accepts []*accept
	var writes []write
	for i := range 6 {
		e := testExecution(t)
		e.Payload.Head = []byte(fmt.Sprint("head ", i))
		w := testAccept(t, e, "w")
		switch i {
		case 1:
			e.Payload.Body, e.Logs = []byte{}, []byte("logs")
		case 2:
			w.Worker.ID = ""
		case 3:
			e.Instance = "paused"
		case 4:
			w.Steps = []*store.Step{{Key: "k"}} // It has statements of its own.
		}
		accepts, writes = append(accepts, w), append(writes, w)
	}
	for _, err := range commitTogether(s, writes...) {
		require.NoError(t, err)
	}
	s.requireOneCommit(t, "executions", 6)
	for i, w := range accepts {
		record, err := s.Execution(t.Context(), w.Execution.ID)
		require.NoError(t, err)
		require.Equal(t, *w.Execution, record.Execution)
		require.Equal(t, i != 2 && i != 3, w.accepted.Claim != nil, "whether %d is claimed", i)
	}

	claim := func(i int) *store.Claim { return accepts[i].accepted.Claim }
	stale := *claim(1)
	stale.Token++
	records := []*record{
		{held: held{claim: claim(0)}, Step: &store.Step{Key: "a", Name: "A", Result: []byte("1")}},
		{held: held{claim: claim(1)}, Step: &store.Step{Key: "a", Name: "A", Error: "no"}},
		{held: held{claim: claim(0)}, Step: &store.Step{Key: "b", Name: "B"}},
		{held: held{claim: &stale}, Step: &store.Step{Key: "b", Name: "B"}},
		{held: held{claim: claim(0)}, Step: &store.Step{Key: "a", Name: "again"}},
	}
	require.Equal(t, []error{nil, nil, nil, store.ErrLeaseLost, nil},
		commitTogether(s, records[0], records[1], records[2], records[3], records[4]))
	s.requireOneCommit(t, "steps WHERE key <> 'k'", 3)
	steps, err := s.Steps(t.Context(), claim(0).Execution.ID)
	require.NoError(t, err)
	require.Equal(t, []*store.Step{records[0].Step, records[2].Step}, steps)
	steps, err = s.Steps(t.Context(), stale.Execution.ID)
	require.NoError(t, err)
	require.Equal(t, []*store.Step{records[1].Step}, steps)

	_, err = s.Cancel(t.Context(), claim(1).Execution.ID, "enough")
	require.NoError(t, err)
	end := func(c *store.Claim, status store.Status, result []byte) *finish {
		return &finish{held: held{claim: c}, Outcome: &store.Outcome{Attempt: 1, Status: status, Result: result}}
	}
	last := end(claim(5), store.StatusFailed, nil)
	last.State = []store.StateChange{{Scope: store.Scope{Kind: store.ScopeInstance, ID: "i"}, Key: "k", Op: store.StateExpect, Value: []byte("1")}}
	answers := commitTogether(s, end(claim(0), store.StatusSucceeded, []byte("r")), end(&stale, store.StatusFailed, nil),
		end(claim(1), store.StatusCanceled, nil), last, end(claim(4), store.StatusFailed, nil))
	require.ErrorIs(t, answers[3], store.ErrStateConflict)
	answers[3] = nil
	require.Equal(t, []error{nil, store.ErrLeaseLost, nil, nil, nil}, answers)
	s.requireOneCommit(t, "outcomes", 3)
	for i, want := range []store.Outcome{
		0: {Status: store.StatusSucceeded, Result: []byte("r")}, 1: {Status: store.StatusCanceled, Error: "enough"}, 4: {Status: store.StatusFailed},
	} {
		record, err := s.Execution(t.Context(), accepts[i].Execution.ID)
		require.NoError(t, err)
		if want.Status == "" {
			require.Empty(t, record.Attempts)
			continue
		}
		want.Attempt = 1
		require.Equal(t, []*store.Outcome{&want}, record.Attempts)
	}
}

// TestTogetherTwice has writes in one statement that exclude each other.
func TestTogetherTwice(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t))
	defer func() { require.NoError(t, s.Close()) }()
	first, other := testExecution(t), testExecution(t)
	answers := commitTogether(s, testAccept(t, first, "w"), testAccept(t, other, "w"), testAccept(t, first, "w"))
	require.NoError(t, errors.Join(answers[:2]...))
	require.True(t, violated(answers[2]))

	claim := &store.Claim{Execution: first, Worker: "w", Token: 1, Attempt: 1}
	failed := &finish{held: held{claim: claim}, Outcome: &store.Outcome{Attempt: 1, Status: store.StatusFailed}}
	succeeded := &finish{held: held{claim: claim}, Outcome: &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}}
	require.Equal(t, []error{nil, store.ErrLeaseLost}, commitTogether(s, failed, succeeded))
	record, err := s.Execution(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, []*store.Outcome{failed.Outcome}, record.Attempts)
}

// TestNeed has many need a lease at once: it is begun once.
func TestNeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := leases{gate: newGate()}
		var begun atomic.Int32
		answers := make(chan error)
		for range 8 {
			go func() {
				answers <- l.need(t.Context(), t.Context(), store.Worker{ID: "w", Lease: time.Minute}, func() error {
					begun.Add(1)
					time.Sleep(time.Second)
					return nil
				})
			}()
		}
		for range 8 {
			require.NoError(t, <-answers)
		}
		require.EqualValues(t, 1, begun.Load())
	})
}

// TestContended claims what another transaction holds and lets go of without a word: the
// claim looks again soon.
func TestContended(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t))
	defer func() { require.NoError(t, s.Close()) }()
	worker := store.Worker{ID: "w", Lease: time.Hour}
	_, wait, err := s.claim(t.Context(), worker, 1)
	require.NoError(t, err)
	require.Equal(t, poll, wait, "nothing is ready")
	_, err = s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(t)})
	require.NoError(t, err)
	holds, err := s.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = holds.Exec(t.Context(), "SELECT FROM work FOR UPDATE")
	require.NoError(t, err)
	claims, wait, err := s.claim(t.Context(), worker, 1)
	require.NoError(t, err)
	require.Empty(t, claims)
	require.Equal(t, contended, wait)
	require.NoError(t, holds.Rollback(t.Context()))
	claims, _, err = s.claim(t.Context(), worker, 1)
	require.NoError(t, err)
	require.Len(t, claims, 1)
}
