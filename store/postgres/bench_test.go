package postgres

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// BenchmarkStore accepts and finishes executions of 1 KiB from 64 goroutines a core: claimed
// at once, or by way of a claim, in a lane or in none.
func BenchmarkStore(b *testing.B) {
	for name, c := range map[string]struct {
		lane   store.Lane
		queued bool
	}{
		"at once":          {},
		"at once in lanes": {lane: store.Lane{Key: "k", Limit: 1000}},
		"queued":           {queued: true},
	} {
		b.Run(name, func(b *testing.B) {
			s := openTest(b, pgtest.Database(b))
			defer func() { require.NoError(b, s.Close()) }()
			worker := store.Worker{ID: "w", Lease: time.Hour}
			b.SetParallelism(64)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := testExecution(b)
					e.Lane, e.Payload.Body = c.lane, make([]byte, 1024)
					a := &store.Acceptance{Execution: e}
					if !c.queued {
						a.Worker = worker
					}
					accepted, err := s.Accept(b.Context(), a)
					if err != nil {
						b.Error(err)
						return
					}
					claims := []*store.Claim{accepted.Claim}
					if accepted.Claim == nil {
						if claims, err = s.Claim(b.Context(), worker, 1); err != nil {
							b.Error(err)
							return
						}
					}
					for _, claim := range claims {
						if err := s.Finish(b.Context(), claim, &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}); err != nil {
							b.Error(err)
						}
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
		})
	}
}

// BenchmarkBacklog claims what waits, of many instances, as one process does: 32 at a time, and
// ends each.
func BenchmarkBacklog(b *testing.B) {
	for _, instances := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(instances, " instances"), func(b *testing.B) {
			s := openTest(b, pgtest.Database(b))
			defer func() { require.NoError(b, s.Close()) }()
			var waiting []*store.Acceptance
			for i := range b.N {
				e := testExecution(b)
				e.Instance, e.Payload.Body = fmt.Sprint("i", i%instances), make([]byte, 1024)
				waiting = append(waiting, &store.Acceptance{Execution: e})
			}
			for some := range slices.Chunk(waiting, 1000) {
				_, err := s.AcceptAll(b.Context(), some)
				require.NoError(b, err)
			}
			b.ResetTimer()
			var ends sync.WaitGroup
			for n := 0; n < b.N; {
				claims, err := s.Claim(b.Context(), store.Worker{ID: "w", Lease: time.Hour}, 32)
				require.NoError(b, err)
				n += len(claims)
				for _, claim := range claims {
					ends.Go(func() {
						if err := s.Finish(b.Context(), claim, &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}); err != nil {
							b.Error(err)
						}
					})
				}
			}
			ends.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
		})
	}
}
