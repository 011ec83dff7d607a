package runtime_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// These tests have several runtimes on one store, as several processes have it.

// TestALateOutcomeIsRefused cuts a runtime off, while its flow waits for the end of its context
// or is frozen: what another runtime makes of the execution counts, and only that.
func TestALateOutcomeIsRefused(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"told": false, "not told": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				var runs atomic.Int32
				causes := make(chan error, 1)
				flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
					switch {
					case runs.Add(1) > 1:
						time.Sleep(10 * time.Minute) // Virtual.
						return &sluice.Result{Data: "in time"}, nil
					case silent:
						time.Sleep(5 * time.Minute)
					default:
						<-ctx.Done()
						causes <- context.Cause(ctx)
					}
					return &sluice.Result{Data: "too late"}, nil
				}
				wire, snap := context.WithCancel(t.Context())
				cut := &leaseStore{Store: database, silent: silent, wire: wire}
				one, two := startOn(t, cut, integrationOf(flow)), startOn(t, database, integrationOf(flow))
				id := idOf(send(t, one, `{}`))
				time.Sleep(time.Minute)
				cut.cutOff.Store(true)
				snap()
				began := time.Now()
				if !silent {
					require.ErrorIs(t, <-causes, sluice.ErrLeaseLost)
					require.LessOrEqual(t, time.Since(began), 16*time.Second, "the lease and a second")
				}
				time.Sleep(time.Hour)
				x := execution(t, two, id)
				require.Equal(t, store.StatusSucceeded, x.Status)
				require.Len(t, x.Attempts, 1, "recorded once")
				require.JSONEq(t, `"in time"`, string(x.Result.Data))
				require.EqualValues(t, 2, runs.Load())
				require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
			})
		})
	}
}

// TestLanesOfSeveralRuntimes sends to one as to the other: limits and order are those of all.
func TestLanesOfSeveralRuntimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue sluice.QueueConfig
		limit int
	}{
		"sequential": {sluice.SequentialQueueConfig{}, 1},
		"throttled":  {sluice.ThrottledQueueConfig{ConcurrencyLimit: 3}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				r := &recorder{}
				var runtimes []*runtime.Runtime
				for range 3 {
					runtimes = append(runtimes, startOn(t, database, integrationOf(r.flow, queued(c.queue))))
				}
				var bodies []string
				for n := range 40 {
					bodies = append(bodies, strconv.Itoa(n))
					send(t, runtimes[n%len(runtimes)], bodies[n])
				}
				time.Sleep(10 * time.Second)
				require.NoError(t, runtimes[0].Stop(t.Context()), "the others go on")
				time.Sleep(time.Minute)
				require.NoError(t, errors.Join(runtimes[1].Stop(t.Context()), runtimes[2].Stop(t.Context())))
				require.Equal(t, c.limit, r.most)
				require.Len(t, r.started, len(bodies))
				if c.limit == 1 {
					require.Equal(t, bodies, r.firsts())
				}
			})
		})
	}
}

// TestASlowTriggerOfSeveralRuntimes takes longer than a runtime may keep the schedule to
// itself: another one fires it as well, and one execution comes of it.
func TestASlowTriggerOfSeveralRuntimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := sharedDatabase(t)
		var fired, ran atomic.Int32
		trigger := func(ctx context.Context, _ *sluice.Run, p *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			fired.Add(1)
			pass(ctx, 20*time.Second)
			return &sluice.TriggerResult{Payload: p}, nil
		}
		integration := integrationOf(func(context.Context, *sluice.Run) (*sluice.Result, error) {
			ran.Add(1)
			return nil, nil
		}, scheduled(sluice.Schedule{Value: "0 0 * * *"}), func(f *sluice.Flow) { f.OnTrigger = trigger })
		one, two := startOn(t, database, integration), startOn(t, database, integration)
		for _, rt := range []*runtime.Runtime{one, two} {
			_, err := rt.Deploy(t.Context(), runtime.Deployment{})
			require.NoError(t, err)
		}
		const days = 30 // On each of them chance says whether the other runtime comes first.
		time.Sleep(days*24*time.Hour + time.Hour)
		require.Greater(t, fired.Load(), int32(days), "the trigger may run again")
		require.EqualValues(t, days, ran.Load())
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context()), database.Close()))
	})
}
