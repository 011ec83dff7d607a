package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// startHere deploys both integrations in memory and returns what was deployed, and a way to
// post to a path with an API key.
func startHere(t *testing.T) (d *deployment, post func(path, body, key string) *httptest.ResponseRecorder) {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{endpoints("secret"), invoices}, Database: ":memory:",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, rt.Start(t.Context()))
	first, err := deploy(t.Context(), rt)
	require.NoError(t, err)
	d, err = deploy(t.Context(), rt)
	require.NoError(t, err)
	require.Equal(t, first.own.WebhookURLs, d.own.WebhookURLs)
	require.NotEqual(t, first.keyed, d.keyed)
	post = func(path, body, key string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Api-Key", key)
		recorder := httptest.NewRecorder()
		rt.Handler().ServeHTTP(recorder, request)
		return recorder
	}
	urls := d.urls("secret", 1000)
	require.Equal(t, http.StatusUnauthorized, post(urls.Keyed[0].Path, "{}", first.keyed[0]).Code, "a key of an earlier start")
	return d, post
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	d, post := startHere(t)
	urls := d.urls("secret", 1000)
	require.Equal(t, http.StatusOK, post(urls.Async, "{}", "").Code)
	require.Contains(t, post(urls.Sync+"/a?b=c", `{"d":1}`, "").Body.String(), `"pathFragment":"a"`)
	for i, keyed := range urls.Keyed {
		require.Equal(t, http.StatusOK, post(keyed.Path, "{}", keyed.Key).Code)
		require.Equal(t, http.StatusUnauthorized, post(keyed.Path, "{}", urls.Keyed[1-i].Key).Code)
	}
	require.Equal(t, http.StatusUnauthorized, post(urls.HMAC.Path, "{}", "").Code)
	require.Equal(t, http.StatusNotFound, post(urls.Unknown, "{}", "").Code)
	answer := post(urls.HeaderFlow, `{"name":"X-Greeting","value":"hello"}`, "")
	require.Equal(t, "hello", answer.Header().Get("X-Greeting"))
	require.Equal(t, http.StatusBadRequest, post(urls.HeaderFlow, `{"name":"X-Greeting","value":"a\r\nb"}`, "").Code)
}

func TestSharedEndpoint(t *testing.T) {
	t.Parallel()
	d, post := startHere(t)
	urls := d.urls("secret", 1000)
	send := func(customer, flow, key string) int {
		body, err := json.Marshal(map[string]string{customerField: customer, flowField: flow})
		require.NoError(t, err)
		return post(urls.Shared.Path, string(body), key).Code
	}
	require.Equal(t, http.StatusOK, send(urls.Shared.Customer, urls.Shared.Flow, ""))
	require.Equal(t, http.StatusOK, send("cust_1", "invoice.overdue", ""))
	require.Equal(t, http.StatusOK, send("cust_2", "invoice.paid", d.customer2["invoice.paid"]))
	require.Equal(t, http.StatusUnauthorized, send("cust_2", "invoice.paid", ""))
	require.Equal(t, http.StatusUnauthorized, send("cust_2", "invoice.paid", d.customer2["invoice.overdue"]))
	require.Equal(t, http.StatusUnauthorized, send("cust_3", "invoice.paid", d.customer2["invoice.paid"]))
	require.Equal(t, http.StatusNotFound, send("cust_1", urls.PreprocessFlow, ""))
	require.Equal(t, http.StatusNotFound, send("cust_1", "invoice.sent", ""))
}

// TestSigned drives the signed flow as the harness's users do.
func TestSigned(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, endpoints("secret"), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		scheme := sluice.HMAC(signatureHeader, sluice.HMACSHA256)
		h.Webhook("Signed").Sign(scheme, "secret").JSON(1).RequireStatus(http.StatusOK)
		h.Webhook("Signed").Sign(scheme, "another secret").JSON(1).RequireStatus(http.StatusUnauthorized)
		h.Webhook("Signed").Header(signatureHeader, hexMAC("secret", "1")).JSON(2).RequireStatus(http.StatusUnauthorized)
	})
}
