package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// echoPayload answers the payload that the flow received.
func echoPayload(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	return &sluice.Result{Data: run.Payload}, nil
}

// echoed is what the tests read of an echoed payload.
type echoed struct {
	Headers         map[string]string
	QueryParameters map[string]string
	InvokeURL       string
	WebhookURLs     map[string]string
	Body            struct{ Data json.RawMessage }
}

// sendEcho delivers a request and reads the echo.
func sendEcho(t *testing.T, h *sluicetest.Harness, url, body string, change ...func(*http.Request)) (*sluicetest.Response, echoed) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(request)
	}
	response := h.Deliver(request)
	var payload echoed
	if response.StatusCode == http.StatusOK {
		require.NoError(t, json.Unmarshal([]byte(response.Text), &payload))
	}
	return response, payload
}

// header sets a header, its name as it is written here.
func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func TestThreat5HeaderCase(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		for _, name := range []string{"X-Foo", "x-foo", "X-FOO"} {
			_, payload := sendEcho(t, h, h.URL("Flow"), "", header(name, "bar"))
			require.Equal(t, "bar", payload.Headers["x-foo"], name)
			require.NotContains(t, payload.Headers, "X-Foo")
		}
	})
}

func TestThreat6DuplicateHeadersAndParameters(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		_, payload := sendEcho(t, h, h.URL("Flow")+"?a=1&a=2&b=%zz&c=3;4", "", header("X-Foo", "1", "2"))
		require.Equal(t, "1, 2", payload.Headers["x-foo"])
		require.Equal(t, map[string]string{"a": "1", "c": "3;4"}, payload.QueryParameters)
		require.Equal(t, h.URL("Flow")+"?a=1&a=2&b=%zz&c=3;4", payload.InvokeURL)
	})
	trigger := sluice.HMACTrigger{Signature: plainHMAC, Secrets: []string{seedSecret}}
	run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		for _, values := range [][]string{{"wrong", seedHash}, {seedHash, "wrong"}, {"wrong," + seedHash}} {
			response, _ := sendEcho(t, h, h.URL("Flow"), seedBody, header("My-Hmac-Header", values...))
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, values)
		}
	})
}

func TestThreat10MultipartBomb(t *testing.T) {
	t.Parallel()
	before, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	typed := header("Content-Type", "multipart/form-data; boundary=b")
	part := "--b\r\nContent-Disposition: form-data; name=p\r\n\r\nx\r\n"
	run(t, integrationOf(nothing), func(t *testing.T, h *sluicetest.Harness) {
		for parts, want := range map[int]int{1_000: 200, 1_001: 400, 10_000: 400, 100_000: 400} {
			response, _ := sendEcho(t, h, h.URL("Flow"), strings.Repeat(part, parts)+"--b--", typed, header("Prismatic-Synchronous", "true"))
			require.Equal(t, want, response.StatusCode, "%d parts: %s", parts, response.Text)
		}
		headers := strings.Repeat("X-H: v\r\n", 20_000)
		response, _ := sendEcho(t, h, h.URL("Flow"), "--b\r\n"+headers+part[5:]+"--b--", typed)
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "20,000 headers in a part")
		large := "--b\r\nContent-Disposition: form-data; name=p; filename=f\r\n\r\n" + strings.Repeat("x", 5_000_000) + "\r\n--b--"
		response, _ = sendEcho(t, h, h.URL("Flow"), large, typed)
		require.Equal(t, http.StatusOK, response.StatusCode)
	})
	after, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	known := map[string]bool{}
	for _, entry := range before {
		known[entry.Name()] = true
	}
	for _, entry := range after {
		require.False(t, !known[entry.Name()] && strings.HasPrefix(entry.Name(), "multipart-"), "%s was left", entry.Name())
	}
}

func TestThreat11JSONDepth(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(nothing, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		for depth, want := range map[int]int{1_000: 200, 1_001: 400, 100_000: 400} {
			for open, closing := range map[string]string{"[": "]", `{"a":`: "1}"} {
				body := strings.Repeat(open, depth) + strings.Repeat(closing, depth)
				if open != "[" {
					body = strings.Repeat(open, depth) + "1" + strings.Repeat("}", depth)
				}
				require.Equal(t, want, h.Post("Flow", body).StatusCode, "%d of %s", depth, open)
			}
		}
	})
}

func TestThreat13Numbers(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		for _, number := range []string{"9007199254740993", "0.1000000000000000055", "1e400", "-0", "123456789012345678901234567890"} {
			_, payload := sendEcho(t, h, h.URL("Flow"), `{"n":`+number+`}`)
			require.Equal(t, `{"n":`+number+`}`, string(payload.Body.Data))
		}
	})
}

func TestThreat15InvalidUTF8(t *testing.T) {
	t.Parallel()
	body := "{\"a\":\"\xff\xc3(\",\"\xfe\":\"\\ud800\"}"
	run(t, integrationOf(echoPayload), func(t *testing.T, h *sluicetest.Harness) {
		for _, contentType := range []string{"application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"} {
			response, _ := sendEcho(t, h, h.URL("Flow"), body, header("Content-Type", contentType), header("X-Raw", "\xff"))
			require.Equal(t, http.StatusOK, response.StatusCode, contentType)
			h.Drain()
			x := h.Execution(response.Header.Get("prismatic-executionid"))
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Equal(t, body, string(x.Payload.RawBody.Data), contentType)
			record, err := json.Marshal(x)
			require.NoError(t, err)
			require.True(t, json.Valid(record))
		}
	})
}

func TestThreat18HostPoisoning(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		response, payload := sendEcho(t, h, h.URL("Flow"), "{}", func(r *http.Request) { r.Host = "evil.test" })
		require.Equal(t, h.URL("Flow"), payload.InvokeURL)
		require.Equal(t, map[string]string{"Flow": h.URL("Flow")}, payload.WebhookURLs)
		require.NotContains(t, response.Text, "evil.test")
	})
}

func TestThreat19ForwardedHeaders(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		_, payload := sendEcho(t, h, h.URL("Flow"), "{}", header("X-Forwarded-Host", "evil.test"), header("X-Forwarded-Proto", "gopher"),
			header("X-Forwarded-Prefix", "/evil"), header("X-Forwarded-For", "1.2.3.4"), header("Forwarded", "host=evil.test"),
			header("X-Original-Url", "/evil"), header("X-Http-Method-Override", "DELETE"))
		require.Equal(t, h.URL("Flow"), payload.InvokeURL)
		require.Equal(t, map[string]string{"Flow": h.URL("Flow")}, payload.WebhookURLs)
		require.Equal(t, "evil.test", payload.Headers["x-forwarded-host"], "it is data, as any other header")
	})
}

func TestThreat24LogInjection(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.InfoContext(ctx, "got it", "by", run.Payload.QueryParameters.Get("by"), "body", run.Payload.Body.Data())
		return nil, fmt.Errorf("bad: %v", run.Payload.Body.Data())
	}
	for name, handler := range map[string]slog.Handler{"text": slog.NewTextHandler(&log, nil), "json": slog.NewJSONHandler(&log, nil)} {
		log.Reset()
		runWith(t, runtime.Options{Logger: slog.New(handler)}, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
			evil := "a\nlevel=ERROR msg=forged\r\n\x1b[31mred"
			response, _ := sendEcho(t, h, h.URL("Flow")+"?by=%0Alevel=ERROR%20msg=forged%1B", evil, header("Content-Type", "text/plain"))
			require.Equal(t, http.StatusOK, response.StatusCode)
			h.Drain()
			require.Len(t, h.Executions(), 1)
		})
		require.Contains(t, log.String(), "forged", name)
		require.NotContains(t, log.String(), "\x1b", name)
		for line := range strings.Lines(log.String()) {
			require.False(t, strings.HasPrefix(line, "level=ERROR"), "%s: %s", name, line)
		}
	}
}

// TestConnectionSurvivesRefusals refuses requests before their body is read, between others
// on the same connection.
func TestConnectionSurvivesRefusals(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(echoPayload, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		for range 3 {
			response, _ := sendEcho(t, h, h.URL("Flow"), "{}", header("Content-Encoding", "zstd"))
			require.Equal(t, http.StatusUnsupportedMediaType, response.StatusCode)
			response, _ = sendEcho(t, h, h.URL("Flow"), "{}")
			require.Equal(t, http.StatusOK, response.StatusCode)
			h.Advance(time.Minute) // A deadline that was left on the connection would end it.
		}
	})
}
