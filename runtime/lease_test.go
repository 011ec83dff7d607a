package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/intercept"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// leaseStore counts extensions, and lets none through while it is cut off.
type leaseStore struct {
	store.Store
	cutOff     atomic.Bool
	extensions atomic.Int32
	silent     bool
	wire       context.Context //nolint:containedctx // It ends when the store is cut off.
}

// Extend implements store.Leaser.
func (s *leaseStore) Extend(ctx context.Context, worker store.Worker) ([]string, error) {
	s.extensions.Add(1)
	switch {
	case !s.cutOff.Load():
		return s.Store.Extend(ctx, worker)
	case s.silent:
		return nil, nil
	default:
		return nil, store.ErrUnavailable
	}
}

// Claim implements store.Claimer. It ends when the store is cut off.
func (s *leaseStore) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	connected, cut := context.WithCancel(ctx)
	defer cut()
	defer context.AfterFunc(s.wire, cut)()
	claims, err := s.Store.Claim(connected, worker, limit)
	if s.cutOff.Load() {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return claims, err
}

// TestExtendFails: another runtime takes over from one that claims but cannot extend its lease.
// That serves again, idle as it is, once it can.
func TestExtendFails(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var fails atomic.Bool
		var runs atomic.Int32
		flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			if runs.Add(1) == 1 {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			data, err := sluice.Step(ctx, "step", func(context.Context) (string, error) { return "done", nil })
			return &sluice.Result{Data: data}, err
		}
		one := startOn(t, intercept.New(database, func(_ context.Context, method string, call func() error) error {
			if method == "Extend" && fails.Load() {
				return store.ErrUnavailable
			}
			return call()
		}), integrationOf(flow))
		two := startOn(t, database, integrationOf(flow))
		send(t, one, `{}`)
		fails.Store(true)
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, runs.Load())
		fails.Store(false)
		time.Sleep(time.Hour)
		answer := send(t, one, `{}`, "Prismatic-Synchronous", "true")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
	})
}

// takeover is a flow that runs for a minute, or until its context ends; it keeps the causes.
type takeover struct {
	starts atomic.Int32
	causes chan error
}

func (f *takeover) flow(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	f.starts.Add(1)
	for _, name := range []string{"first", "second"} {
		if _, err := sluice.Step(ctx, name, func(context.Context) (string, error) {
			time.Sleep(30 * time.Second) // Virtual. It ignores the context.
			return run.ExecutionID, nil
		}); err != nil {
			f.causes <- context.Cause(ctx)
			return nil, err
		}
	}
	return nil, nil
}

// TestLostLease cuts one of two runtimes off: the other goes on with its execution.
func TestLostLease(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"told by Extend": false, "told by the first write": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				f := &takeover{causes: make(chan error, 9)}
				wire, snap := context.WithCancel(t.Context())
				cut := &leaseStore{Store: database, silent: silent, wire: wire}
				integration := integrationOf(f.flow, queued(sluice.SequentialQueueConfig{}), retried(3, 1))
				one, two := startOn(t, cut, integration), startOn(t, database, integration)
				id := idOf(send(t, one, `{}`))
				next := idOf(send(t, two, `{}`))
				time.Sleep(20 * time.Second)
				require.EqualValues(t, 1, f.starts.Load(), "the lease is kept beyond its length")
				cut.cutOff.Store(true)
				snap()
				time.Sleep(17 * time.Second)
				require.EqualValues(t, 2, f.starts.Load(), "taken over within lease and a second")
				time.Sleep(5 * time.Minute)
				require.ErrorIs(t, <-f.causes, sluice.ErrLeaseLost)
				x := execution(t, two, id)
				require.Equal(t, store.StatusSucceeded, x.Status, x.Error)
				require.Len(t, x.Attempts, 1, "a lost lease is no attempt")
				require.Equal(t, store.StatusSucceeded, execution(t, two, next).Status)
				require.False(t, execution(t, two, next).Attempts[0].StartedAt.Before(x.Attempts[0].EndedAt))
				require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
			})
		})
	}
}

// TestAnAnswerHeldUp: what is claimed in an answer that comes after the lease has run out does not
// run, as it runs already.
func TestAnAnswerHeldUp(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"Accept", "Claim"} {
		t.Run(held, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				var mu sync.Mutex
				runs := map[string]int{}
				integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
					mu.Lock()
					runs[run.ExecutionID]++
					mu.Unlock()
					time.Sleep(5 * time.Second) // Virtual.
					return nil, nil
				}, queued(sluice.SequentialQueueConfig{}))
				var holds atomic.Bool
				one := startOn(t, intercept.New(database, func(_ context.Context, method string, call func() error) error {
					err := call()
					if method == held && err == nil && holds.Swap(false) {
						time.Sleep(time.Minute) // Virtual.
					}
					return err
				}), integration)
				want := map[string]int{}
				if held == "Claim" { // The next one has to wait for a claim.
					want[idOf(send(t, one, `{}`))] = 1
				}
				holds.Store(true)
				answer := make(chan string, 1)
				go func() { answer <- idOf(send(t, one, `{}`)) }()
				time.Sleep(10 * time.Second)
				two := startOn(t, database, integration)
				time.Sleep(10 * time.Minute)
				id := <-answer
				want[id] = 1
				require.Equal(t, store.StatusSucceeded, execution(t, two, id).Status)
				require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
				require.Equal(t, want, runs)
			})
		})
	}
}

// TestNoStepBeginsAfterTheLease has a lease run out between two looks of its keeper.
func TestNoStepBeginsAfterTheLease(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var mu sync.Mutex
		var steps []string
		flowOf := func(name string) *sluice.Integration {
			return integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				time.Sleep(17 * time.Second) // Virtual. It ignores the context.
				_, err := sluice.Step(ctx, "step", func(context.Context) (string, error) {
					mu.Lock()
					defer mu.Unlock()
					steps = append(steps, name)
					return name, nil
				})
				return nil, err
			})
		}
		one := startOn(t, intercept.New(database, func(ctx context.Context, method string, call func() error) error {
			switch method {
			case "Claim": // It would tell of the loss.
				<-ctx.Done()
				return context.Cause(ctx)
			case "Extend":
				return store.ErrUnavailable
			default:
				return call()
			}
		}), flowOf("one"))
		two := startOn(t, database, flowOf("two"))
		send(t, one, `{}`)
		time.Sleep(time.Second)
		send(t, one, `{}`)
		time.Sleep(10 * time.Minute)
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
		require.Equal(t, []string{"two", "two"}, steps)
	})
}

// TestLeaseIsTickless: it is extended while something runs, and then no more.
func TestLeaseIsTickless(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Minute) // Virtual.
		return nil, nil
	}
	inMemory(t, func(t *testing.T, database store.Store) {
		counted := &leaseStore{Store: database, wire: t.Context()}
		rt := startOn(t, counted, integrationOf(flow))
		require.Equal(t, http.StatusOK, send(t, rt, `{}`).Code)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.InDelta(t, 12, counted.extensions.Load(), 1, "three times in 15 seconds")
		before := counted.extensions.Load()
		time.Sleep(365 * 24 * time.Hour)
		require.LessOrEqual(t, counted.extensions.Load(), before+1)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestWhatIsNotServedHereWaits for a runtime that has its flow, in its order.
func TestWhatIsNotServedHereWaits(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	inMemory(t, func(t *testing.T, database store.Store) {
		whole := integrationOf(r.flow, queued(sluice.SequentialQueueConfig{}))
		part := integrationOf(nothing)
		part.Flows[0].Name, part.Flows[0].StableKey = "Other", "other"
		rt := startOn(t, database, whole)
		ids := []string{idOf(send(t, rt, "1")), idOf(send(t, rt, "2")), idOf(send(t, rt, "3"))}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		without := startOn(t, database, part)
		time.Sleep(time.Hour)
		for _, id := range ids {
			require.False(t, execution(t, without, id).Status.Final())
		}
		rt = startOn(t, database, whole)
		time.Sleep(time.Hour)
		for _, id := range ids {
			require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		}
		require.Equal(t, []string{"1/1", "1/1", "2/1", "3/1"}, r.started)
		require.NoError(t, errors.Join(rt.Stop(t.Context()), without.Stop(t.Context())))
	})
}

// TestMissingMasterKeyWaits for a runtime that has it.
func TestMissingMasterKeyWaits(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	options := func(database store.Store, keys ...[]byte) runtime.Options {
		return runtime.Options{Integrations: []*sluice.Integration{integrationOf(r.flow)}, Store: database, MasterKeys: keys}
	}
	start := func(t *testing.T, options runtime.Options) *runtime.Runtime {
		t.Helper()
		rt, err := runtime.New(t.Context(), options)
		require.NoError(t, err)
		require.NoError(t, rt.Start(t.Context()))
		return rt
	}
	inMemory(t, func(t *testing.T, database store.Store) {
		key := make([]byte, 32)
		rt := start(t, options(database, key))
		id := idOf(send(t, rt, "1"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		keyless := start(t, options(database))
		time.Sleep(time.Hour)
		require.False(t, execution(t, keyless, id).Status.Final())
		require.NoError(t, keyless.Stop(t.Context()))
		rt = start(t, options(database, key))
		time.Sleep(2 * time.Minute)
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// refusingStore refuses the next so many reads of a journal, and releases.
type refusingStore struct {
	store.Store
	steps, releases atomic.Int32
}

// Steps implements store.Journal.
func (s *refusingStore) Steps(ctx context.Context, id string) ([]*store.Step, error) {
	if s.steps.Add(-1) >= 0 {
		return nil, store.ErrUnavailable
	}
	return s.Store.Steps(ctx, id)
}

// Release implements store.Claimer.
func (s *refusingStore) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	if s.releases.Add(-1) >= 0 {
		return store.ErrUnavailable
	}
	return s.Store.Release(ctx, claim, pause)
}

// TestRefusedRelease is tried again: a claim that nobody ends would never run.
func TestRefusedRelease(t *testing.T) {
	t.Parallel()
	r := &recorder{fails: func(_ string, attempt int) bool { return attempt == 1 }}
	inMemory(t, func(t *testing.T, database store.Store) {
		refusing := &refusingStore{Store: database}
		rt := startOn(t, refusing, integrationOf(r.flow, retried(1, 1)))
		id := idOf(send(t, rt, `{}`))
		refusing.steps.Store(1) // Of the second attempt: it cannot begin, and is given back.
		refusing.releases.Store(2)
		time.Sleep(2 * time.Minute)
		require.NoError(t, rt.Stop(t.Context()))
		require.Negative(t, refusing.releases.Load())
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
	})
}
