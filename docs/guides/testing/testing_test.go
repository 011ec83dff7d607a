// Package testing_test is the code of the guide on testing.
package testing_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// Order is what the shop sends.
type Order struct {
	ID string `json:"id"`
}

var secret = sluice.StringVar{Key: "Secret", StableKey: "secret"}

// newOrder books an order in the ledger. Only signed requests start it.
var newOrder = sluice.Define(sluice.Flow{
	Name: "New order", StableKey: "new-order",
	Trigger: sluice.HMACTrigger{
		Signature:  sluice.GitHub(),
		SecretVars: []sluice.SecretVar{{ConfigVar: "Secret"}},
	},
	RetryConfig: &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 10, UsesExponentialBackoff: true},
}, func(ctx context.Context, run *sluice.Run, order Order) (string, error) {
	invoice, err := sluice.Step(ctx, "write", func(context.Context) (string, error) {
		return "INV-" + order.ID, nil
	})
	if err != nil {
		return "", err
	}
	if err := run.InstanceState().Increment(ctx, "orders", 1); err != nil {
		return "", err
	}
	return sluice.Step(ctx, "book", func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, "https://ledger.test/"+invoice, nil)
		if err != nil {
			return "", err
		}
		response, err := run.HTTPClient().Do(request)
		if err != nil {
			return "", err
		}
		return invoice, response.Body.Close()
	})
})

// report runs every morning.
var report = sluice.Flow{
	Name: "Report", StableKey: "report",
	Schedule: &sluice.Schedule{Value: "0 8 * * *", TimeZone: "Europe/Berlin"},
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.InfoContext(ctx, "reporting")
		return nil, nil
	},
}

var orders = &sluice.Integration{
	Name:        "Orders",
	Flows:       []sluice.Flow{newOrder.Flow, report},
	ConfigPages: []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{secret}}},
}

// ledger stands for the other system: it keeps what it is asked to book.
type ledger struct{ booked []string }

func (l *ledger) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	l.booked = append(l.booked, strings.TrimPrefix(r.URL.Path, "/"))
}

func options(l *ledger) sluicetest.Options {
	return sluicetest.Options{
		Runtime: runtime.Options{
			Integrations: []*sluice.Integration{orders},
			Transport:    sluicetest.Hosts{"ledger.test": l},
		},
		Deployments: []runtime.Deployment{{Config: map[string]any{"Secret": "s3cret"}}},
	}
}

func TestSignedOrder(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	sluicetest.RunOptions(t, options(l), func(t *testing.T, h *sluicetest.Harness) {
		h.Webhook("New order").JSON(Order{ID: "A-17"}).RequireStatus(401)
		response := h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").JSON(Order{ID: "A-17"}).RequireStatus(200)
		h.Drain()
		response.Execution().
			RequireSucceeded().
			RequireSteps("write", "book").
			RequireResult("INV-A-17")
		require.Equal(t, []string{"INV-A-17"}, l.booked)
	})
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	sluicetest.RunOptions(t, options(&ledger{}), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, "08:00", h.Tick().In(berlin(t)).Format("15:04"))
		h.Advance(7 * 24 * time.Hour)
		require.Len(t, h.Executions(), 8)
		h.Executions()[7].RequireSucceeded().RequireLog("reporting")
	})
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return zone
}

func TestRetries(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	sluicetest.RunOptions(t, options(l), func(t *testing.T, h *sluicetest.Harness) {
		h.RefuseNetwork()
		response := h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").JSON(Order{ID: "A-17"}).RequireStatus(200)
		h.Advance(30 * time.Minute) // The first run, and retries after 10 and 20 minutes.
		response.Execution().RequireStatus(store.StatusWaiting).RequireAttempts(3)
		require.Len(t, h.Pending(), 1)
		h.Mend()
		h.Drain()
		response.Execution().RequireSucceeded().RequireAttempts(4)
	})
}

func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	order := func(h *sluicetest.Harness) *sluicetest.Response {
		return h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").JSON(Order{ID: "A-17"})
	}
	var points []sluicetest.Point
	sluicetest.RunOptions(t, options(&ledger{}), func(_ *testing.T, h *sluicetest.Harness) {
		deployed := len(h.Points())
		order(h)
		h.Drain()
		points = h.Points()[deployed:]
	})
	for _, point := range points {
		t.Run(point.String(), func(t *testing.T) {
			t.Parallel()
			l := &ledger{}
			sluicetest.RunOptions(t, options(l), func(t *testing.T, h *sluicetest.Harness) {
				h.Crash(point)
				for order(h).StatusCode != http.StatusOK { // Senders send again what was not answered.
					h.Restart()
				}
				h.Advance(time.Minute)
				h.Restart()
				h.RequireNothingLost()
				require.Contains(t, l.booked, "INV-A-17")
			})
		})
	}
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/test.db"
	o := options(&ledger{})
	o.OpenStore = func(ctx context.Context) (store.Store, error) { return sqlite.Open(ctx, file) }
	sluicetest.RunOptions(t, o, func(t *testing.T, h *sluicetest.Harness) {
		first := h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").JSON(Order{ID: "A-17"})
		h.Drain()
		next := *orders
		next.Version = "2"
		h.Redeploy(&next)
		second := h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").JSON(Order{ID: "A-18"})
		h.Drain()
		require.Empty(t, first.Execution().RequireSucceeded().Version)
		require.Equal(t, "2", second.Execution().RequireSucceeded().Version)
	})
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no object": `"A-17"`, "a number as id": `{"id":17}`, "no JSON": `{"id"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sluicetest.RunOptions(t, options(&ledger{}), func(_ *testing.T, h *sluicetest.Harness) {
				h.Webhook("New order").Sign(sluice.GitHub(), "s3cret").Body("application/json", []byte(body)).RequireStatus(400)
			})
		})
	}
}
