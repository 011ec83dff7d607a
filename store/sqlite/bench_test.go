package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

const inFlight = 64

var benchBody = []byte(`{"a":"` + strings.Repeat("x", 1016) + `"}`)

func benchStore(b *testing.B, batch int) *Store {
	b.Helper()
	limits := defaultLimits
	limits.batch = batch
	s, err := open(b.Context(), filepath.Join(b.TempDir(), "bench.db"), limits)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

func benchExecution() *store.Execution {
	return &store.Execution{
		ID: uuid.Must(uuid.NewV7()).String(), Integration: "orders", Version: "1.0.0",
		Customer: "0192f000-0000-7000-8000-000000000001", Instance: "0192f000-0000-7000-8000-000000000002",
		Flow: "import", InvokeType: "webhook", AcceptedAt: time.Now(),
		Payload: store.Payload{Head: []byte(`{"headers":{"content-type":"application/json"}}`), Body: benchBody},
	}
}

func benchOutcome() *store.Outcome {
	return &store.Outcome{
		Attempt: 1, Status: store.StatusSucceeded, StartedAt: time.Now(), EndedAt: time.Now(), Result: []byte(`{"data":1}`),
	}
}

// inParallel runs one b.N times in 64 goroutines and reports the rate.
func inParallel(b *testing.B, one func(ctx context.Context) error) {
	b.Helper()
	ctx := context.Background()
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range inFlight {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := one(ctx); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
}

// BenchmarkRawGroupCommit is the measure for the others: the same rows, 64 a transaction,
// by one goroutine with nothing around it.
func BenchmarkRawGroupCommit(b *testing.B) {
	s := benchStore(b, 64)
	s.conn.Lock()
	defer s.conn.Unlock()
	b.ResetTimer()
	for written := 0; written < b.N; {
		require.NoError(b, s.transact(func() error {
			for range min(64, b.N-written) {
				e := benchExecution()
				id, err := encodeID(e.ID)
				if err != nil {
					return err
				}
				s.seq++
				written++
				if err := s.insertExecution(s.seq, id, e); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	b.StopTimer()
	s.mark = s.seq
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
}

func BenchmarkAccept(b *testing.B) {
	s := benchStore(b, 64)
	inParallel(b, func(ctx context.Context) error {
		_, err := s.Accept(ctx, &store.Acceptance{Execution: benchExecution(), Worker: worker("w")})
		return err
	})
}

func BenchmarkAcceptBatchOfOne(b *testing.B) {
	s := benchStore(b, 1)
	inParallel(b, func(ctx context.Context) error {
		_, err := s.Accept(ctx, &store.Acceptance{Execution: benchExecution(), Worker: worker("w")})
		return err
	})
}

func BenchmarkAcceptOver(b *testing.B) {
	s := benchStore(b, 64)
	inParallel(b, func(ctx context.Context) error {
		_, err := s.Accept(ctx, &store.Acceptance{Execution: benchExecution(), Outcome: benchOutcome()})
		return err
	})
}

func BenchmarkAcceptDedupe(b *testing.B) {
	s := benchStore(b, 64)
	inParallel(b, func(ctx context.Context) error {
		e := benchExecution()
		_, err := s.Accept(ctx, &store.Acceptance{
			Execution: e, Outcome: benchOutcome(), DedupeKey: uuid.NewString(), DedupeUntil: e.AcceptedAt.Add(10 * time.Minute),
		})
		return err
	})
}

// BenchmarkAcceptFinish is the life of an execution whose acceptor runs it.
func BenchmarkAcceptFinish(b *testing.B) {
	s := benchStore(b, 64)
	inParallel(b, func(ctx context.Context) error {
		accepted, err := s.Accept(ctx, &store.Acceptance{Execution: benchExecution(), Worker: worker("w")})
		if err != nil {
			return err
		}
		return s.Finish(ctx, accepted.Claim, benchOutcome())
	})
}

// BenchmarkAcceptClaimFinish is the life of an execution that a worker takes: 64 callers
// accept, 64 workers claim.
func BenchmarkAcceptClaimFinish(b *testing.B) {
	s := benchStore(b, 64)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var finished atomic.Int64
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for {
				claims, err := s.Claim(ctx, worker("w"), 1)
				if err != nil {
					return
				}
				if err := s.Finish(context.Background(), claims[0], benchOutcome()); err != nil {
					b.Error(err)
				}
				if finished.Add(1) == int64(b.N) {
					stop()
				}
			}
		})
	}
	b.ResetTimer()
	var next atomic.Int64
	for range inFlight {
		workers.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if _, err := s.Accept(context.Background(), &store.Acceptance{Execution: benchExecution()}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	workers.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
}
