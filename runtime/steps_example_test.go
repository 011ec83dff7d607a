package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// shop stands for other systems: what it was asked for, and how often it still fails.
type shop struct {
	asked []string
	fails int
}

func (s *shop) ask(what string) error {
	s.asked = append(s.asked, what)
	if s.fails > 0 {
		s.fails--
		return errors.New("the shop is closed")
	}
	return nil
}

type order struct {
	ID int `json:"orderid"`
}

// charge charges once, ships every order, and asks for a review a day later.
func (s *shop) charge(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	payment, err := sluice.Step(ctx, "charge", func(context.Context) (string, error) {
		return "payment of " + run.Flow.Name, s.ask("charge")
	}, sluice.WithTimeout(30*time.Second), sluice.WithErrorConfig(sluice.StepErrorConfig{
		ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 3, DelaySeconds: 2, UsesExponentialBackoff: true,
	}))
	if err != nil {
		return nil, err
	}

	orders := []order{{1}, {2}, {3}}
	labels, err := sluice.ForEach(ctx, "ship", orders, func(_ context.Context, o order, _ int) (string, error) {
		return "label", s.ask("ship")
	}, sluice.WithConcurrency(1))
	if err != nil {
		return nil, err
	}

	if err := sluice.Sleep(ctx, "before the review", 24*time.Hour); err != nil {
		return nil, err
	}
	_, err = sluice.Step(ctx, "ask for a review", func(context.Context) (bool, error) { return true, s.ask("review") })
	return &sluice.Result{Data: payment + ", " + strings.Join(labels, " ")}, err
}

// count keeps state.
func (s *shop) count(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	state := run.InstanceState()
	last, known, err := sluice.GetState[int](ctx, state, "last order")
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		state.Set(ctx, "last order", last+1),
		state.Increment(ctx, "runs", 1),
		state.Append(ctx, "log", "another run"),
		run.CrossFlowState().SaveCurrentTime(ctx, "last run"),
	)
	if err != nil {
		return nil, err
	}

	if err := run.Checkpoint(ctx); err != nil {
		return nil, err
	}
	if err := s.ask("what may fail"); err != nil {
		return nil, err // What was changed before the checkpoint is saved.
	}
	return &sluice.Result{Data: known}, nil
}

// news handles orders that it has not seen before.
func (s *shop) news(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	orders := []order{{124}, {123}, {122}} // The newest first.
	fresh, err := sluice.DeDuplicate(ctx, run.InstanceState(), "orders", orders, func(o order) int { return o.ID })
	if err != nil {
		return nil, err
	}
	return &sluice.Result{Data: len(fresh)}, nil
}

// TestGuideOfSteps runs what the guide shows, and finds all of its code here.
func TestGuideOfSteps(t *testing.T) {
	t.Parallel()
	s := &shop{fails: 2}
	run(t, integrationOf(s.charge), func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		x := h.Execution(id)
		require.Equal(t, `"payment of Flow, label label label"`, string(x.Result.Data))
		require.Equal(t, []string{"charge", "charge", "charge", "ship", "ship", "ship", "review"}, s.asked)
		require.Equal(t, 24*time.Hour+6*time.Second, x.Attempts[0].EndedAt.Sub(x.Attempts[0].StartedAt))
	})
	s = &shop{fails: 1}
	run(t, integrationOf(s.count, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, "the shop is closed", h.Execution(h.Post("Flow", `{}`).Header.Get("prismatic-executionid")).Error)
		require.Equal(t, "true", h.Post("Flow", `{}`).Text)
	})
	run(t, integrationOf(s.news, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, "3", h.Post("Flow", `{}`).Text)
		require.Equal(t, "0", h.Post("Flow", `{}`).Text)
		require.Equal(t, store.StatusSucceeded, h.Executions()[1].Status)
	})
}
