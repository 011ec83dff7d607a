package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/transcript"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// run calls test with the integration and both fakes, in memory and on a virtual clock.
func run(t *testing.T, test func(t *testing.T, h *sluicetest.Harness, from *crm, to *warehouse)) {
	t.Helper()
	from, to := newCRM(), newWarehouse()
	options := runtime.Options{
		Integrations: []*sluice.Integration{crmSync()},
		Transport:    sluicetest.Hosts{"crm.test": from.handler(), "warehouse.test": to.handler()},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		test(t, h, from, to)
	})
}

// deploy deploys the integration for the customer of both fakes.
func deploy(h *sluicetest.Harness, from *crm, to *warehouse) {
	h.Deploy(runtime.Deployment{Config: configuration(from, to, "http://crm.test", "http://warehouse.test")})
	h.Drain()
}

// polls are the executions that the schedule started, oldest first.
func polls(h *sluicetest.Harness) []*sluicetest.Execution {
	return h.Find(store.Filter{InvokeType: string(sluice.InvokePoll)})
}

// TestSync copies all pages at first, and then what has changed.
func TestSync(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, from *crm, to *warehouse) {
		for n := range 230 {
			from.change(fmt.Sprintf("C-%d", n+1), "somebody")
		}
		deploy(h, from, to)
		require.Len(t, to.table(), 230)

		h.Advance(time.Minute)
		from.change("C-7", "Ann")
		from.change("C-231", "Bob") // In the same second.
		h.Advance(time.Minute)
		from.change("C-232", "Cleo") // In the second of the poll that has just come.
		h.Advance(3 * time.Minute)
		h.Drain()
		require.Len(t, to.table(), 232)
		require.Equal(t, "Ann", to.named("C-7"))
		for i, want := range []store.Status{
			store.StatusSkipped, store.StatusSucceeded, store.StatusSucceeded, store.StatusSkipped, store.StatusSkipped,
		} {
			polls(h)[i].RequireStatus(want)
		}
		require.Equal(t, 2, to.mostWrites(), "that is C-7, which has changed once")
	})
}

// TestTokens: tokens are used until they expire or are revoked.
func TestTokens(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, from *crm, to *warehouse) {
		deploy(h, from, to)
		h.Advance(3*time.Hour + 30*time.Minute)
		require.Equal(t, 4, from.tokensIssued())
		from.revoke()
		from.change("C-1", "Ann")
		h.Advance(2 * time.Minute)
		require.Len(t, to.table(), 1)
		require.Equal(t, 5, from.tokensIssued())
	})
}

// TestWrongCredentials: what the CRM will never take is not tried again.
func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, from *crm, to *warehouse) {
		other := newCRM()
		deploy(h, other, to)
		h.Advance(time.Minute)
		polls(h)[0].RequireFailed("the CRM does not know these credentials")
		require.Zero(t, from.tokensIssued())
	})
}

// TestBusyWarehouse: a warehouse that is busy is given its time, and no contact is written
// again.
func TestBusyWarehouse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		busy     time.Duration
		attempts int
	}{
		"half a minute, which the step waits":      {30 * time.Second, 1},
		"ten minutes, after which a retry goes on": {10 * time.Minute, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, h *sluicetest.Harness, from *crm, to *warehouse) {
				for n := range 5 {
					from.change(fmt.Sprintf("C-%d", n+1), "somebody")
				}
				to.busy(2, test.busy)
				began := time.Now()
				deploy(h, from, to)
				require.Equal(t, test.busy, time.Since(began).Round(time.Second))
				require.Len(t, to.table(), 5)
				require.Equal(t, 1, to.mostWrites())
				h.Executions()[0].RequireSucceeded().RequireAttempts(test.attempts).RequireResult(5)
			})
		})
	}
}

// TestProgram does what the comment of the program tells a newcomer to type.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, "127.0.0.1:0", in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	transcript.Run(t, regexp.MustCompile(`http://[^/]+`).FindString(line))
	stop()
	require.NoError(t, <-served)
}
