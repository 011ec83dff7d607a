package main

import (
	"context"

	"github.com/sluice-go/sluice"
)

// reportTime is when a customer wants the report.
var reportTime = sluice.ScheduleVar{
	Key: "Report time", StableKey: "report-time", Default: "0 8 * * 1-5", TimeZone: "Europe/Berlin",
}

// integration copies what happens in the shop.
func integration(s *shop) *sluice.Integration {
	return &sluice.Integration{
		Name:        "Shop",
		ConfigPages: []sluice.ConfigPage{{Name: "Report", Elements: []sluice.ConfigElement{reportTime}}},
		Flows:       []sluice.Flow{newOrders(s), allCustomers(s), report(s)},
	}
}

// newOrders polls: the flow runs only when there are new orders.
func newOrders(s *shop) sluice.Flow {
	return sluice.Flow{
		Name:        "New orders",
		StableKey:   "new-orders",
		TriggerType: sluice.TriggerTypePolling,
		Schedule:    &sluice.Schedule{Value: "* * * * *"},
		OnTrigger: func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			last, _, err := sluice.PollState[int](ctx, run)
			if err != nil {
				return nil, err
			}
			orders := s.ordersAfter(last)
			if len(orders) == 0 {
				return &sluice.TriggerResult{PolledNoChanges: true}, nil
			}
			if err := sluice.SetPollState(ctx, run, orders[len(orders)-1].ID); err != nil {
				return nil, err
			}
			payload.Body = sluice.NewBody(orders)
			return &sluice.TriggerResult{Payload: payload}, nil
		},
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			var orders []order
			if err := run.Payload.Body.Decode(&orders); err != nil {
				return nil, err
			}
			run.Logger.InfoContext(ctx, "new orders", "count", len(orders))
			return &sluice.Result{Data: orders}, nil
		},
	}
}

// allCustomers copies the shop's customers every night and once at the first deployment, page
// by page, in batches of 50 of which two run at once.
func allCustomers(s *shop) sluice.Flow {
	atOnce := 2
	fetch := func(_ context.Context, _ *sluice.Run, _ *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[string, int], error) {
		page := 0
		if cursor != nil {
			page = *cursor
		}
		customers, more := s.customers(page)
		result := &sluice.BatchPage[string, int]{Items: customers}
		if more {
			next := page + 1
			result.PaginationState = &next
		}
		return result, nil
	}
	return sluice.Flow{
		Name:        "All customers",
		StableKey:   "all-customers",
		Schedule:    &sluice.Schedule{Value: "30 2 * * *", TimeZone: "Europe/Berlin", CatchUp: 1},
		Trigger:     sluice.BatchTrigger[string, int]{OnTrigger: fetch, OnDeploy: fetch},
		BatchConfig: &sluice.BatchConfig{BatchSize: 50, ConcurrentBatchLimit: &atOnce},
		RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1},
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			var customers []string
			if err := run.Payload.Body.Decode(&customers); err != nil {
				return nil, err
			}
			return &sluice.Result{Data: len(customers)}, nil
		},
	}
}

// report runs at the time that the customer chose, never beside itself.
func report(s *shop) sluice.Flow {
	return sluice.Flow{
		Name:        "Report",
		StableKey:   "report",
		Schedule:    &sluice.Schedule{ConfigVar: "Report time"},
		QueueConfig: sluice.StandardQueueConfig{SingletonExecutions: true},
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: s.report(run.Payload.DueAt)}, nil
		},
	}
}
