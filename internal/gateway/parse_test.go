package gateway

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

const bodyLimit = 10_000

// newGateway is a gateway whose bodies are limited to bodyLimit bytes.
func newGateway(tb testing.TB) *Gateway {
	tb.Helper()
	e, err := engine.New(tb.Context(), engine.Options{
		Integrations: []*sluice.Integration{{Name: "Test", Flows: []sluice.Flow{{
			Name: "Flow", StableKey: "flow",
			OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
		}}}},
		Logger: slog.New(slog.DiscardHandler), BaseURL: "http://sluice.test", Concurrency: 1, MaxRunningBytes: 1,
	})
	require.NoError(tb, err)
	return New(e, Options{MaxBodyBytes: bodyLimit, MaxInFlightBytes: 10 * bodyLimit, RateLimit: 50, ReadTimeout: time.Minute})
}

// parse has the gateway parse a request.
func parse(tb testing.TB, g *Gateway, contentType, encoding string, body io.Reader) (*sluice.TriggerPayload, error) {
	tb.Helper()
	request := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/trigger/e", body)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	c := &call{ResponseWriter: httptest.NewRecorder(), request: request, endpoint: "e"}
	err := g.parse(c)
	require.Equal(tb, g.options.MaxInFlightBytes-c.held, g.inFlight.free.Load())
	g.inFlight.give(c.held)
	return c.payload, err
}

func compress(tb testing.TB, coding, text string) string {
	tb.Helper()
	var buffer bytes.Buffer
	var writer io.WriteCloser
	switch coding {
	case "gzip":
		writer = gzip.NewWriter(&buffer)
	case "zlib":
		writer = zlib.NewWriter(&buffer)
	case "raw":
		var err error
		writer, err = flate.NewWriter(&buffer, flate.BestSpeed)
		require.NoError(tb, err)
	}
	_, err := writer.Write([]byte(text))
	require.NoError(tb, err)
	require.NoError(tb, writer.Close())
	return buffer.String()
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	const text = `{"a":1}`
	zip := compress(t, "gzip", text)
	long := strings.Repeat(" ", bodyLimit)
	tests := map[string]struct {
		encoding, wire string
		status         int
	}{
		"none":                  {"", text, 0},
		"identity":              {"Identity", text, 0},
		"gzip":                  {"gzip", zip, 0},
		"in upper case":         {"GZIP", zip, 0},
		"old name":              {"x-gzip", zip, 0},
		"gzip in two members":   {"gzip", compress(t, "gzip", `{"a"`) + compress(t, "gzip", `:1}`), 0},
		"deflate":               {"deflate", compress(t, "zlib", text), 0},
		"deflate without frame": {"deflate", compress(t, "raw", text), 0},
		"twice":                 {"deflate, gzip", compress(t, "gzip", compress(t, "zlib", text)), 0},
		"and identity":          {"identity,,gzip", zip, 0},
		"no body":               {"gzip", "", 0},
		"three times":           {"gzip,gzip,gzip", zip, 415},
		"brotli":                {"br", "x", 415},
		"unknown after gzip":    {"gzip, zstd", zip, 415},
		"no gzip":               {"gzip", text, 400},
		"no deflate":            {"deflate", "\xff\xff\xff\xff", 400},
		"cut":                   {"gzip", zip[:len(zip)-1], 400},
		"cut in the head":       {"gzip", zip[:5], 400},
		"deflate cut":           {"deflate", compress(t, "zlib", text)[:9], 400},
		"garbage after gzip":    {"gzip", zip + "x", 400},
		"garbage after deflate": {"deflate", compress(t, "zlib", text) + "x", 400},
		"wrong checksum":        {"gzip", zip[:len(zip)-8] + "\x00\x00\x00\x00" + zip[len(zip)-4:], 400},
		"at the limit":          {"gzip", compress(t, "gzip", text+long[len(text):]), 0},
		"over the limit":        {"gzip", compress(t, "gzip", text+long[len(text)-1:]), 413},
		"over it in between":    {"gzip, gzip", compress(t, "gzip", compress(t, "gzip", "")+long), 413},
		"over it on the wire":   {"gzip", long + "x", 413},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload, err := parse(t, newGateway(t), "application/json", test.encoding, strings.NewReader(test.wire))
			if test.status != 0 {
				var refused *refusal
				require.ErrorAs(t, err, &refused)
				require.Equal(t, test.status, refused.status, refused.message)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.wire, string(payload.RawBody.Data), "RawBody is what came over the wire")
			plain, err := payload.Body.Bytes()
			require.NoError(t, err)
			if test.wire != "" {
				require.JSONEq(t, text, string(plain))
			}
		})
	}
}

func TestBodiesOfUnknownLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, minRead - 1, minRead, minRead + 1, 2*minRead + 1, bodyLimit, bodyLimit + 1, 4 * bodyLimit} {
		text := strings.Repeat("x", length)
		payload, err := parse(t, newGateway(t), "text/plain", "", io.MultiReader(strings.NewReader(text)))
		if length > bodyLimit {
			var refused *refusal
			require.ErrorAs(t, err, &refused)
			require.Equal(t, http.StatusRequestEntityTooLarge, refused.status)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, text, string(payload.RawBody.Data))
	}
}

func TestInFlightBudget(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", bodyLimit)
	bodies := map[string]struct {
		encoding string
		body     func() io.Reader
	}{
		"known length":   {"", func() io.Reader { return strings.NewReader(text) }},
		"unknown length": {"", func() io.Reader { return io.MultiReader(strings.NewReader(text)) }},
		"inflated":       {"gzip", func() io.Reader { return strings.NewReader(compress(t, "gzip", text)) }},
	}
	for name, test := range bodies {
		g := newGateway(t)
		full := g.options.MaxInFlightBytes - bodyLimit + 1
		require.True(t, g.inFlight.take(full))
		g.options.MaxInFlightBytes -= full
		_, err := parse(t, g, "", test.encoding, test.body())
		var refused *refusal
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, http.StatusServiceUnavailable, refused.status)
		require.Equal(t, unavailableRetry, refused.retryAfter)

		g.inFlight.give(full)
		g.options.MaxInFlightBytes += full
		_, err = parse(t, g, "", test.encoding, test.body())
		require.NoError(t, err, name)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add("application/json", "", []byte(`{"a":[1,2.5e300,"\ud800"]}`))
	f.Add("application/json", "gzip", []byte(compress(f, "gzip", `{"a":1}`)))
	f.Add("text/xml; charset=latin1", "deflate", []byte(compress(f, "raw", "<a/>")))
	f.Add("multipart/form-data; boundary=b", "", []byte("--b\r\nContent-Disposition: form-data; name=p\r\n\r\nx\r\n--b--"))
	f.Add("application/x-www-form-urlencoded", "deflate, gzip", []byte("a=1&a=%zz;b"))
	f.Fuzz(func(t *testing.T, contentType, encoding string, body []byte) {
		g := newGateway(t)
		payload, err := parse(t, g, contentType, encoding, bytes.NewReader(body))
		var refused *refusal
		var malformed *sluice.BodyError
		switch {
		case err == nil:
			require.NoError(t, payload.Body.Err())
			require.Equal(t, len(body), len(payload.RawBody.Data))
			require.True(t, bytes.Equal(body, payload.RawBody.Data))
			_, err := payload.Body.MarshalJSON()
			require.NoError(t, err)
		case errors.As(err, &refused):
			require.Contains(t, []int{400, 413, 415}, refused.status)
		default:
			require.ErrorAs(t, err, &malformed)
		}
	})
}
