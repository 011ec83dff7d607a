package runtime_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// scheduled gives a flow a schedule.
func scheduled(schedule sluice.Schedule) func(*sluice.Flow) {
	return func(f *sluice.Flow) { f.Schedule = &schedule }
}

// times notes when a flow runs.
type times struct {
	mu sync.Mutex
	at []time.Time
}

func (n *times) note(context.Context, *sluice.Run) (*sluice.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = append(n.at, time.Now())
	return nil, nil
}

// notes are lines that flows write.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *times) list() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.at)
}

// in is the clock time of each run.
func (n *times) in(t *testing.T, zone, layout string) (list []string) {
	t.Helper()
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	for _, at := range n.list() {
		list = append(list, at.In(location).Format(layout))
	}
	return list
}

func (n *notes) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

// TestDailyForAYear runs a flow every night of a year, at a time that one night lacks and
// another one has twice.
func TestDailyForAYear(t *testing.T) {
	t.Parallel()
	var ran times
	run(t, integrationOf(ran.note, scheduled(sluice.Schedule{Value: "30 2 * * *", TimeZone: "Europe/Berlin"})),
		func(t *testing.T, h *sluicetest.Harness) {
			h.Advance(366 * 24 * time.Hour) // A bubble begins with the year 2000.
			days := map[string]int{}
			for i, at := range ran.in(t, "Europe/Berlin", "01-02 15:04") {
				days[at[:5]]++
				if at[:5] == "03-26" {
					require.Equal(t, "03-26 03:00", at)
				} else {
					require.Equal(t, "02:30", at[6:], i)
				}
			}
			require.Len(t, ran.list(), 366)
			require.Len(t, days, 366)
			executions := h.Executions()
			require.Len(t, executions, 366)
			first := executions[0]
			require.Equal(t, sluice.InvokeSchedule, first.InvokeType)
			require.Equal(t, store.StatusSucceeded, first.Status)
			require.True(t, first.Payload.Body.IsEmpty())
		})
}

// TestOnce runs soon after the deployment and never again, also after a pause and another
// deployment.
func TestOnce(t *testing.T) {
	t.Parallel()
	var ran times
	var due notes
	every := sluice.ScheduleVar{Key: "Every", StableKey: "every", ScheduleType: sluice.ScheduleOnce}
	integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		due.add(run.Payload.DueAt.Format(time.RFC3339))
		return ran.note(ctx, run)
	}, scheduled(sluice.Schedule{ConfigVar: "Every"}))
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{
		every, sluice.StringVar{Key: "Other", StableKey: "other"},
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		began := time.Now().UTC()
		instance := h.Deploy(runtime.Deployment{})
		h.Advance(time.Minute)
		require.Equal(t, []string{began.Format(time.RFC3339)}, due.list())
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		h.Advance(time.Hour)
		require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		h.Deploy(runtime.Deployment{Config: map[string]any{"Other": "changed"}})
		h.Advance(1000 * time.Hour)
		require.Len(t, ran.list(), 1)
		h.Deploy(runtime.Deployment{Config: map[string]any{"Every": "0 0 * * *"}})
		h.Advance(24 * time.Hour)
		require.Len(t, ran.list(), 2)
	})
}

// TestScheduleOfEachInstance has customers choose their own times.
func TestScheduleOfEachInstance(t *testing.T) {
	t.Parallel()
	var ran notes
	every := sluice.ScheduleVar{Key: "Every", StableKey: "every", Default: "0 6 * * *", TimeZone: "UTC"}
	integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		ran.add(run.Customer.Name + " " + run.StartedAt.Format("15:04"))
		return nil, nil
	}, scheduled(sluice.Schedule{ConfigVar: "Every"}))
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{every}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		for customer, value := range map[string]any{
			"default": nil,
			"tokyo":   sluice.ScheduleValue{Value: "0 9 * * *", ScheduleType: sluice.ScheduleDay, TimeZone: "Asia/Tokyo"},
			"hourly":  map[string]any{"value": "45 12-13 * * *", "schedule_type": "hour"},
			"never":   sluice.ScheduleValue{ScheduleType: sluice.ScheduleNone},
		} {
			h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}, Config: map[string]any{"Every": value}})
		}
		h.Advance(23 * time.Hour)
		require.Equal(t, []string{"default 06:00", "hourly 12:45", "hourly 13:45"}, ran.list())
		h.Advance(2 * time.Hour)
		require.Equal(t, "tokyo 00:00", ran.list()[3])
	})
}

// TestPausedSchedule misses what comes due during a pause.
func TestPausedSchedule(t *testing.T) {
	t.Parallel()
	var ran times
	run(t, integrationOf(ran.note, scheduled(sluice.Schedule{Value: "0 * * * *", CatchUp: 10})), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		h.Advance(90 * time.Minute)
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		h.Advance(5 * time.Hour)
		require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		h.Advance(time.Hour)
		require.Equal(t, []string{"01:00", "07:00"}, ran.in(t, "UTC", "15:04"))
	})
}

// TestRedeployedSchedule keeps the due time of what has not changed.
func TestRedeployedSchedule(t *testing.T) {
	t.Parallel()
	var ran times
	page := []sluice.ConfigElement{sluice.ScheduleVar{Key: "Every", StableKey: "every", Default: "0 */2 * * *"}, sluice.StringVar{Key: "Other", StableKey: "other"}}
	integration := integrationOf(ran.note, scheduled(sluice.Schedule{ConfigVar: "Every"}))
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: page}}
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(time.Hour)
		h.Deploy(runtime.Deployment{Config: map[string]any{"Other": "x"}})
		h.Advance(90 * time.Minute)
		h.Deploy(runtime.Deployment{Config: map[string]any{"Every": "40 * * * *"}})
		h.Advance(30 * time.Minute)
		h.Deploy(runtime.Deployment{Config: map[string]any{"Every": map[string]any{"schedule_type": "none"}}})
		h.Advance(24 * time.Hour)
		require.Equal(t, []string{"02:00", "02:40"}, ran.in(t, "UTC", "15:04"))
	})
}

// TestSingleton skips runs while the one before is not over, also while it waits for a retry.
func TestSingleton(t *testing.T) {
	t.Parallel()
	attempts := 0
	integration := integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if attempts++; attempts == 1 {
			return nil, errors.New("not yet")
		}
		pass(ctx, 90*time.Second)
		return nil, nil
	}, scheduled(sluice.Schedule{Value: "* * * * *"}), func(f *sluice.Flow) {
		f.QueueConfig = sluice.StandardQueueConfig{SingletonExecutions: true}
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 2}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(6 * time.Minute)
		h.Drain()
		var outcomes []string
		executions := h.Executions()
		for _, x := range executions {
			outcomes = append(outcomes, x.AcceptedAt.Format("04:05 ")+string(x.Status))
		}
		require.Equal(t, []string{
			"01:00 succeeded", "02:00 skipped", "03:00 skipped", "04:00 skipped", "05:00 succeeded", "06:00 skipped",
		}, outcomes[:6])
		require.Equal(t, "the execution before, "+executions[0].ID+", is not over", executions[1].Error)
	})
}

// pass lets time pass in a flow.
func pass(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// TestOverlap runs a flow beside itself, unless it says otherwise.
func TestOverlap(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	integration := integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		most.Store(max(most.Load(), running.Add(1)))
		pass(ctx, 150*time.Second)
		running.Add(-1)
		return nil, nil
	}, scheduled(sluice.Schedule{Value: "* * * * *"}))
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(10 * time.Minute)
		h.Drain()
		require.EqualValues(t, 3, most.Load())
		h.LeaveUnfinished()
	})
}

// TestTriggerOfSchedule gives the flow what its trigger makes of the due time.
func TestTriggerOfSchedule(t *testing.T) {
	t.Parallel()
	runs := 0
	integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.Body.Data()}, nil
	}, scheduled(sluice.Schedule{Value: "0 * * * *"}), func(f *sluice.Flow) {
		f.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			switch runs++; runs {
			case 1:
				payload.Body = sluice.NewBody(payload.DueAt.Format(time.RFC3339))
				return &sluice.TriggerResult{Payload: payload}, nil
			case 2:
				return nil, errors.New("no connection")
			case 3:
				panic("broken")
			case 4:
				return &sluice.TriggerResult{Stop: true}, nil
			default:
				return nil, nil
			}
		}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(5 * time.Hour)
		h.Drain()
		executions := h.Executions()
		require.Len(t, executions, 5)
		require.JSONEq(t, `"2000-01-01T01:00:00Z"`, string(executions[0].Result.Data))
		require.Equal(t, store.StatusFailed, executions[1].Status)
		require.Equal(t, "no connection", executions[1].Error)
		require.Equal(t, store.StatusFailed, executions[2].Status)
		require.Contains(t, executions[2].Error, "broken")
		require.Equal(t, store.StatusSkipped, executions[3].Status)
		require.Equal(t, store.StatusSucceeded, executions[4].Status)
	})
}

// sharedDatabase is one in memory for several runtimes of a bubble, one after the other or at
// once.
func sharedDatabase(t *testing.T) *sqlite.Store {
	t.Helper()
	database, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	return database
}

// startOn starts a runtime on a shared database.
func startOn(t *testing.T, database store.Store, integration *sluice.Integration) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integration}, Store: database, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	return rt
}

// TestTwoRuntimes fires each due time once.
func TestTwoRuntimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := sharedDatabase(t)
		var ran atomic.Int64
		integration := integrationOf(func(context.Context, *sluice.Run) (*sluice.Result, error) {
			ran.Add(1)
			return nil, nil
		}, scheduled(sluice.Schedule{Value: "*/10 * * * *"}))
		first, second := startOn(t, database, integration), startOn(t, database, integration)
		const instances = 5
		for i := range instances {
			customer := runtime.Customer{ExternalID: strconv.Itoa(i)}
			_, err := first.Deploy(t.Context(), runtime.Deployment{Customer: customer})
			require.NoError(t, err)
			_, err = second.Deploy(t.Context(), runtime.Deployment{Customer: customer})
			require.NoError(t, err)
		}
		time.Sleep(24*time.Hour + time.Minute)
		require.EqualValues(t, instances*24*6, ran.Load())
		require.NoError(t, first.Stop(t.Context()))
		time.Sleep(time.Hour)
		require.EqualValues(t, instances*25*6, ran.Load())
		require.NoError(t, second.Stop(t.Context()))
		require.NoError(t, database.Close())
	})
}

// TestStopWhileFiring ends a runtime between the due time and the acceptance: the next one
// fires again, and there is one execution.
func TestStopWhileFiring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := sharedDatabase(t)
		var ran times
		var fired atomic.Int64
		integration := integrationOf(ran.note, scheduled(sluice.Schedule{Value: "0 0 * * *"}), func(f *sluice.Flow) {
			f.OnTrigger = func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
				fired.Add(1)
				pass(ctx, 5*time.Second)
				return nil, context.Cause(ctx)
			}
		})
		first := startOn(t, database, integration)
		_, err := first.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(24*time.Hour + time.Second)
		require.EqualValues(t, 1, fired.Load())
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, first.Stop(ended))
		executions, err := first.Executions(t.Context(), store.Filter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, executions)
		second := startOn(t, database, integration)
		time.Sleep(time.Hour)
		require.EqualValues(t, 2, fired.Load())
		require.Len(t, ran.list(), 1)
		require.NoError(t, second.Stop(t.Context()))
		require.NoError(t, database.Close())
	})
}

// TestMissedRuns are skipped, or made up for up to CatchUp.
func TestMissedRuns(t *testing.T) {
	t.Parallel()
	for catchUp, want := range map[int][]string{
		0: {"01-01 06", "01-04 06"},
		2: {"01-01 06", "01-02 06", "01-03 06", "01-04 06"},
		1: {"01-01 06", "01-03 06", "01-04 06"},
	} {
		t.Run(strconv.Itoa(catchUp), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				database := sharedDatabase(t)
				var due notes
				integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
					due.add(run.Payload.DueAt.Format("01-02 15"))
					return nil, nil
				}, scheduled(sluice.Schedule{Value: "0 6 * * *", CatchUp: catchUp}))
				rt := startOn(t, database, integration)
				_, err := rt.Deploy(t.Context(), runtime.Deployment{})
				require.NoError(t, err)
				time.Sleep(12 * time.Hour)
				require.NoError(t, rt.Stop(t.Context()))
				time.Sleep(48 * time.Hour)
				rt = startOn(t, database, integration)
				time.Sleep(24 * time.Hour)
				require.NoError(t, rt.Stop(t.Context()))
				require.NoError(t, database.Close())
				ran := due.list()
				slices.Sort(ran) // Runs may overlap.
				require.Equal(t, want, ran)
			})
		})
	}
}

// frailStore cannot be written to for a while.
type frailStore struct {
	store.Store
	until time.Time
}

func (s *frailStore) Accept(ctx context.Context, a *store.Acceptance) (*store.Accepted, error) {
	if time.Now().Before(s.until) {
		return nil, store.ErrUnavailable
	}
	return s.Store.Accept(ctx, a)
}

// TestScheduleWhileTheStoreIsDown runs late what is due meanwhile.
func TestScheduleWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := &frailStore{Store: sharedDatabase(t), until: time.Now().Add(24*time.Hour + 10*time.Minute)}
		var ran times
		rt := startOn(t, database, integrationOf(ran.note, scheduled(sluice.Schedule{Value: "0 0 * * *"})))
		_, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(49 * time.Hour)
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, database.Close())
		require.Len(t, ran.list(), 2)
		require.WithinDuration(t, database.until, ran.list()[0], time.Minute)
	})
}

// TestManySchedulesAtOnce fires what is due at midnight in bounded numbers, with a backlog
// that has room for few: all of it runs.
func TestManySchedulesAtOnce(t *testing.T) {
	t.Parallel()
	const instances = 300
	var firing, most, ran atomic.Int64
	integration := integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		pass(ctx, time.Second)
		ran.Add(1)
		return nil, nil
	}, scheduled(sluice.Schedule{Value: "0 0 * * *"}), func(f *sluice.Flow) {
		f.OnTrigger = func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			most.Store(max(most.Load(), firing.Add(1)))
			pass(ctx, time.Second)
			firing.Add(-1)
			return nil, nil
		}
	})
	options := runtime.Options{
		Integrations: []*sluice.Integration{integration}, Concurrency: 4, MaxQueued: 16,
		Logger: slog.New(slog.DiscardHandler),
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		for i := range instances {
			h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: strconv.Itoa(i)}})
		}
		h.Advance(24 * time.Hour)
		h.Advance(time.Hour)
		require.EqualValues(t, instances, ran.Load())
		require.LessOrEqual(t, most.Load(), int64(32))
		require.Greater(t, most.Load(), int64(4))
	})
}

// TestHangingPollsDelayNobody polls for more customers whose service does not answer than fire
// at once, and for one whose does.
func TestHangingPollsDelayNobody(t *testing.T) {
	t.Parallel()
	const hanging = 40
	integration := integrationOf(nothing, scheduled(sluice.Schedule{Value: "* * * * *"}), func(f *sluice.Flow) {
		f.TriggerType = sluice.TriggerTypePolling
		f.OnTrigger = func(ctx context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			if run.Customer.ExternalID != "healthy" {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			return &sluice.TriggerResult{PolledNoChanges: true}, nil
		}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		for i := range hanging {
			h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: strconv.Itoa(i)}})
		}
		healthy := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "healthy"}})
		h.Advance(time.Hour)
		require.Len(t, h.Find(store.Filter{Instance: healthy.ID, Status: store.StatusSkipped}), 60)
		h.LeaveUnfinished()
	})
}

// TestTriggersLongerThanTheirClaim are called once for each due time, also where they end in the
// moment in which the schedule is claimed again.
func TestTriggersLongerThanTheirClaim(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, time.Minute} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			called := map[time.Time]int{}
			integration := integrationOf(nothing, scheduled(sluice.Schedule{Value: "*/2 * * * *"}), func(f *sluice.Flow) {
				f.OnTrigger = func(ctx context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
					called[payload.DueAt]++
					pass(ctx, takes)
					return nil, nil
				}
			})
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				h.Advance(time.Hour + time.Minute + time.Second)
				require.Len(t, called, 30)
				for due, times := range called {
					require.Equal(t, 1, times, due)
				}
			})
		})
	}
}

// TestUnwritablePayloadOfASchedule fails on record, once for each due time.
func TestUnwritablePayloadOfASchedule(t *testing.T) {
	t.Parallel()
	calls := 0
	integration := integrationOf(nothing, func(f *sluice.Flow) {
		f.Schedule = &sluice.Schedule{Value: "0 * * * *"}
		f.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			calls++
			payload.Body = sluice.NewBody(make(chan int))
			return &sluice.TriggerResult{Payload: payload}, nil
		}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(150 * time.Minute)
		require.Equal(t, 2, calls)
		require.Len(t, h.Executions(), 2)
		require.Equal(t, store.StatusFailed, h.Executions()[0].Status)
		require.Contains(t, h.Executions()[0].Error, "unsupported type: chan int")
	})
}
