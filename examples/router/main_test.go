package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/transcript"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// run calls test with the integration, deployed for both merchants, and a fake marketplace,
// in memory and on a virtual clock.
func run(t *testing.T, test func(t *testing.T, h *sluicetest.Harness, market *marketplace)) {
	t.Helper()
	market := newMarketplace(nil)
	options := runtime.Options{
		Integrations: []*sluice.Integration{orders("http://market.test/api", market.key)},
		Transport:    sluicetest.Hosts{"market.test": market.handler()},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options, Deployments: merchants}, func(t *testing.T, h *sluicetest.Harness) {
		market.client = h.Client()
		market.register(h.URL("Route"))
		test(t, h, market)
	})
}

// TestOrder: each merchant gets an order that he has a part in, with his configuration.
func TestOrder(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, market *marketplace) {
		require.Contains(t, market.buy(t.Context(), url.Values{"acme": {"tea"}, "globex": {"cups", "jugs"}}), "answered 200")
		require.Contains(t, market.buy(t.Context(), url.Values{"globex": {"cups"}}), "answered 200")
		h.Drain()
		require.Equal(t, []string{
			"A-1: acme ships tea in Hamburg", "A-1: globex ships cups and jugs in Rotterdam", "A-2: globex ships cups in Rotterdam",
		}, market.told())
		var customers []string
		for _, x := range h.Executions() {
			customers = append(customers, x.RequireSucceeded().Customer)
		}
		require.Equal(t, []string{"acme", "globex", "globex"}, customers)
	})
}

// TestUnknown: what is for somebody unknown, or of an unknown type, is refused as a whole.
func TestUnknown(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, market *marketplace) {
		require.Contains(t, market.buy(t.Context(), url.Values{"acme": {"tea"}, "initech": {"staplers"}}), "answered 404")
		require.Contains(t, market.tell(t.Context(), Event{Type: "order.moved"}), "answered 422")
		h.Drain()
		require.Empty(t, market.told())
		for _, x := range h.Executions() {
			x.RequireStatus(store.StatusFailed)
		}
	})
}

// TestOtherCallers: whoever has found out the URL needs the marketplace's key too.
func TestOtherCallers(t *testing.T) {
	t.Parallel()
	run(t, func(_ *testing.T, h *sluicetest.Harness, _ *marketplace) {
		h.Webhook("Route").JSON(Event{Type: "order.created"}).RequireStatus(http.StatusUnauthorized)
		h.Webhook("Route").APIKey("a key of somebody's").JSON(Event{Type: "order.created"}).RequireStatus(http.StatusUnauthorized)
	})
}

// TestRepeatedEvent: the marketplace sends an event again when it has not heard the answer.
func TestRepeatedEvent(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, market *marketplace) {
		event := Event{ID: "event-7", Type: "order.created", Order: "A-7", Lines: []Line{{Merchant: "acme", Item: "tea"}}}
		first := h.Webhook("Route").APIKey(market.key).JSON(event).RequireStatus(http.StatusOK)
		again := h.Webhook("Route").APIKey(market.key).JSON(event).RequireStatus(http.StatusOK)
		require.Equal(t, first.ExecutionID(), again.ExecutionID())
		h.Drain()
		require.Len(t, h.Executions(), 1)
	})
}

// TestOneURL: the marketplace needs one URL only, whatever flow and merchant it is for.
func TestOneURL(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, _ *marketplace) {
		for _, instance := range h.Instances() {
			require.Equal(t, h.URL("Route"), instance.WebhookURLs["Ship order"])
		}
	})
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
