package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// binaryFlow answers with bytes, which callers are redirected to.
func binaryFlow(context.Context, *sluice.Run) (*sluice.Result, error) {
	return &sluice.Result{Data: []byte{1, 2, 3}}, nil
}

// bare delivers a request without a body.
func bare(t *testing.T, h *sluicetest.Harness, method, url string) *sluicetest.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	return h.Deliver(request)
}

// TestThreat20ResultURL: a result's URL cannot be guessed, takes GET, and ends.
func TestThreat20ResultURL(t *testing.T) {
	t.Parallel()
	options := runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(binaryFlow, synchronous)},
		ResultExpiry: time.Hour, Recording: runtime.RecordNone,
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		secrets := map[string]bool{}
		var last string
		for range 10_000 {
			recorder := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Flow"), http.NoBody)
			h.Runtime.Handler().ServeHTTP(recorder, request)
			require.Equal(t, http.StatusSeeOther, recorder.Code)
			location := recorder.Header().Get("Location")
			require.NotContains(t, location, "//", "the URL is absolute")
			resolved, err := request.URL.Parse(location)
			require.NoError(t, err)
			last = resolved.String()
			secrets[path.Base(last)] = true
		}
		require.Len(t, secrets, 10_000)
		response := bare(t, h, http.MethodGet, last)
		require.Equal(t, "\x01\x02\x03", response.Text)
		require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		next := last[:len(last)-1] + string('A'+(last[len(last)-1]-'A'+1)%26)
		for _, wrong := range []string{next, last + "A", last[:len(last)-1], strings.ToLower(last), last + "/", last + "%20", last + "/../" + path.Base(next)} {
			require.Equal(t, http.StatusNotFound, bare(t, h, http.MethodGet, wrong).StatusCode, wrong)
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			require.Equal(t, http.StatusMethodNotAllowed, bare(t, h, method, last).StatusCode, method)
		}
		h.Advance(time.Hour)
		require.Equal(t, http.StatusNotFound, bare(t, h, http.MethodGet, last).StatusCode)
	})
}

// TestTimesByDefault: a caller waits 29 seconds, and a result's URL answers for a day.
func TestTimesByDefault(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var seconds int
		if err := run.Payload.Body.Decode(&seconds); err != nil {
			return nil, err
		}
		time.Sleep(time.Duration(seconds) * time.Second)
		return binaryFlow(ctx, run)
	}
	sluicetest.Run(t, integrationOf(slow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		require.Equal(t, http.StatusGatewayTimeout, h.Webhook("Flow").JSON(30).StatusCode)
		response := h.Webhook("Flow").JSON(28)
		require.Equal(t, http.StatusSeeOther, response.StatusCode)
		result, err := response.Location()
		require.NoError(t, err)
		h.Advance(24*time.Hour - time.Second)
		require.Equal(t, http.StatusOK, bare(t, h, http.MethodGet, result.String()).StatusCode)
		h.Advance(time.Second)
		require.Equal(t, http.StatusNotFound, bare(t, h, http.MethodGet, result.String()).StatusCode)
	})
}

// TestPausedWhileItsCallerWaits: what is not durable yet when its instance is paused waits for the
// resumption, and its caller learns the id.
func TestPausedWhileItsCallerWaits(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]sluice.ExecutionFunc{
		"before a step": func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			data, err := sluice.Step(ctx, "step", func(context.Context) (string, error) { return "done", nil })
			return &sluice.Result{Data: data}, err
		},
		"for too long": func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			select {
			case <-time.After(time.Minute):
				return &sluice.Result{Data: "done"}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pause func()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				pause()
				return work(ctx, run)
			}
			sluicetest.Run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
				instance := h.Deploy(runtime.Deployment{})
				pause = sync.OnceFunc(func() { h.Pause(instance) })
				answer := h.Post("Flow", `{}`).RequireStatus(http.StatusGatewayTimeout)
				h.Advance(time.Hour)
				require.Equal(t, store.StatusQueued, answer.Execution().Status)
				h.Resume(instance)
				h.Drain()
				answer.Execution().RequireSucceeded().RequireResult("done")
			})
		})
	}
}

func TestResultsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "results.db")
		rt := open(t, file, integrationOf(binaryFlow, synchronous))
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		call := func(method, url string) *httptest.ResponseRecorder {
			recorder := httptest.NewRecorder()
			rt.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, url, http.NoBody))
			return recorder
		}
		response := call(http.MethodPost, instance.WebhookURLs["Flow"])
		require.Equal(t, http.StatusSeeOther, response.Code)
		require.NoError(t, rt.Stop(t.Context()))
		rt = open(t, file, integrationOf(binaryFlow, synchronous))
		endpoint, err := url.Parse(instance.WebhookURLs["Flow"])
		require.NoError(t, err)
		location, err := endpoint.Parse(response.Header().Get("Location"))
		require.NoError(t, err)
		require.Equal(t, "\x01\x02\x03", call(http.MethodGet, location.String()).Body.String())
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestResultLocation resolves the redirect from wherever the caller was, below any mount.
func TestResultLocation(t *testing.T) {
	t.Parallel()
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(binaryFlow, synchronous)}, Database: ":memory:", RateLimit: -1,
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	handler := http.StripPrefix("/hooks/v1", rt.Handler())
	endpoint := "http://host/hooks/v1/trigger/" + path.Base(instance.WebhookURLs["Flow"])
	rapid.Check(t, func(rt *rapid.T) {
		segment := rapid.SampledFrom([]string{"", "a", "b%2Fc", ".", "é", "%2e%2e", "a:b", "x.y"})
		fragment := strings.Join(rapid.SliceOfN(segment, 0, 5).Draw(rt, "fragment"), "/")
		query := rapid.SampledFrom([]string{"", "?a=/b/../c", "?"}).Draw(rt, "query")
		called := endpoint + rapid.SampledFrom([]string{"/", "/x/../"}).Draw(rt, "first") + fragment + query
		recorder := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, called, http.NoBody)
		handler.ServeHTTP(recorder, request)
		require.Equal(rt, http.StatusSeeOther, recorder.Code)
		location, err := request.URL.Parse(recorder.Header().Get("Location"))
		require.NoError(rt, err)
		require.Equal(rt, "/hooks/v1/trigger/result", path.Dir(location.Path), called)
	})
	require.NoError(t, rt.Stop(t.Context()))
}

// TestThreat17EncodedSlash: a slash that is escaped, or doubled, reaches the flow as it
// came, with the body.
func TestThreat17EncodedSlash(t *testing.T) {
	t.Parallel()
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.PathFragment + " " + string(run.Payload.RawBody.Data)}, nil
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		endpoint, err := url.Parse(h.URL("Flow"))
		require.NoError(t, err)
		for _, fragment := range []string{"a%2Fb", "/evil.test/x", "a//b", "a/../b", "%2e%2e/b", "a/%2E/b"} {
			raw := "POST " + endpoint.Path + "/" + fragment + " HTTP/1.1\nHost: sluice.test\n\nbody\n"
			response := exchange(t, h.Dial, rawRequest(t, raw))
			require.Equal(t, http.StatusOK, response.StatusCode, fragment)
			require.Equal(t, `"`+fragment+` body"`, string(response.body))
		}
		for _, path := range []string{"//evil.test/x", "//" + endpoint.Path[1:], "/./trigger/x"} {
			response := exchange(t, h.Dial, rawRequest(t, "POST "+path+" HTTP/1.1\nHost: sluice.test\n\nbody\n"))
			require.Equal(t, http.StatusNotFound, response.StatusCode, path)
			require.Empty(t, response.Header.Get("Location"))
		}
	})
}

// abort delivers requests at the same time, whose callers have gone after a second.
func abort(t *testing.T, h *sluicetest.Harness, calls int) {
	t.Helper()
	endpoint, err := url.Parse(h.URL("Flow"))
	require.NoError(t, err)
	callers := make([]net.Conn, calls)
	for i := range callers {
		callers[i], err = h.Dial(t.Context())
		require.NoError(t, err)
		_, err = callers[i].Write(rawRequest(t, "POST "+endpoint.Path+" HTTP/1.1\nHost: sluice.test\n\nbody\n"))
		require.NoError(t, err)
	}
	h.Advance(time.Second)
	for _, caller := range callers {
		require.NoError(t, caller.Close())
	}
	synctest.Wait()
}

// TestThreat39SyncClientDisconnect: the run goes on and ends in a final state, also where
// it would not be on record otherwise.
func TestThreat39SyncClientDisconnect(t *testing.T) {
	t.Parallel()
	const calls = 1000
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		select {
		case <-time.After(10 * time.Second): // Virtual.
			return &sluice.Result{Data: "done"}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for _, recording := range []runtime.Recording{runtime.RecordAll, runtime.RecordNone} {
		options := runtime.Options{Integrations: []*sluice.Integration{integrationOf(flow, synchronous)}, Recording: recording, Concurrency: 2 * calls}
		sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
			h.Deploy(runtime.Deployment{})
			abort(t, h, calls)
			h.Drain()
			executions := h.Executions()
			require.Equal(t, calls, len(executions))
			for _, x := range executions {
				require.Equal(t, store.StatusSucceeded, x.Status)
				require.Len(t, x.Attempts, 1)
			}
		})
	}
}

// TestDisconnectInTheTrigger: nothing is accepted of a caller who has gone.
func TestDisconnectInTheTrigger(t *testing.T) {
	t.Parallel()
	for name, obeys := range map[string]bool{"ends with its context": true, "does not heed its context": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cause error
			ran := false
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
				ran = true
				return nil, nil
			}
			trigger := func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
				<-ctx.Done()
				cause = ctx.Err()
				if obeys {
					return nil, cause
				}
				return nil, nil
			}
			run(t, integrationOf(flow, func(f *sluice.Flow) { f.OnTrigger = trigger }), func(t *testing.T, h *sluicetest.Harness) {
				abort(t, h, 1)
				h.Drain()
				require.ErrorIs(t, cause, context.Canceled)
				require.Empty(t, h.Executions())
				require.False(t, ran)
			})
		})
	}
}

// TestThreat33PanicInTheTrigger: it ends that request only.
func TestThreat33PanicInTheTrigger(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"string": "boom", "error": errors.New("boom"), "nil": nil, "abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			healthy := false
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
			trigger := func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
				if !healthy {
					panic(value)
				}
				return nil, nil
			}
			run(t, integrationOf(flow, func(f *sluice.Flow) { f.OnTrigger = trigger }), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, http.StatusInternalServerError, response.StatusCode)
				require.Equal(t, `{"error":"The flow panicked."}`, response.Text)
				x := h.Execution(response.Header.Get("prismatic-executionid"))
				require.Equal(t, store.StatusFailed, x.Status)
				require.Contains(t, x.Error, "panic: ")
				healthy = true
				require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
			})
		})
	}
}

// TestErrorsAreAlwaysJSON: whatever an error's text holds, and however long it is.
func TestErrorsAreAlwaysJSON(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"quotes": `a "b" \c`, "control": "a\x00\x1b\r\nb", "not UTF-8": "a\xff\xc3", "separators": "\u2028\u2029",
		"empty": "", "long": strings.Repeat("ü", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New(message) }
			run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, http.StatusBadRequest, response.StatusCode)
				var body map[string]string
				require.NoError(t, json.Unmarshal([]byte(response.Text), &body), response.Text)
				require.True(t, utf8.ValidString(response.Text))
				require.Contains(t, body, "error")
				require.Less(t, len(response.Text), 5000)
				require.NotContains(t, strings.TrimSuffix(body["error"], "…"), "…")
				require.Equal(t, store.StatusFailed, h.Execution(response.Header.Get("prismatic-executionid")).Status)
			})
		})
	}
}

// TestThreat43ErrorOracle: a 404 does not tell what exists.
func TestThreat43ErrorOracle(t *testing.T) {
	t.Parallel()
	run(t, integrationOf(binaryFlow), func(t *testing.T, h *sluicetest.Harness) {
		want := bare(t, h, http.MethodGet, "http://sluice.test/trigger/unknown")
		require.Equal(t, http.StatusNotFound, want.StatusCode)
		for _, other := range []string{"/", "/trigger/", "/trigger/AAAAAAAAAAAAAAAAAAAAAA/a", "/trigger/result", "/trigger/result/A", "/other"} {
			response := bare(t, h, http.MethodGet, "http://sluice.test"+other)
			require.Equal(t, want.Text, response.Text, other)
			require.Equal(t, want.Header, response.Header, other)
		}
	})
}

// TestInvalidConfiguredResponse: runtime.New refuses what could not be sent.
func TestInvalidConfiguredResponse(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]sluice.WebhookTrigger{
		"status":       {StatusCode: 99},
		"content type": {ContentType: "text/plain\r\nX-A: b", Body: "b"},
		"header":       {Headers: map[string]string{"Content-Length": "1"}},
		"twice":        {Headers: map[string]string{"X-A": "1", "x-a": "2"}},
	} {
		integration := integrationOf(binaryFlow, func(f *sluice.Flow) { f.Trigger = trigger })
		_, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{integration}, Database: ":memory:"})
		require.ErrorContains(t, err, "trigger", name)
	}
}

// TestStopEndsWaitingForAResult: a caller is told that a durable execution goes on.
func TestStopEndsWaitingForAResult(t *testing.T) {
	t.Parallel()
	steps := 0
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if _, err := counter(ctx, &steps, "once"); err != nil {
			return nil, err
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		answers := make(chan *sluicetest.Response)
		go func() { answers <- h.Post("Flow", `{}`) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, h.Runtime.Stop(ctx))
		response := <-answers
		require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
		executionID(t, response)
		h.LeaveUnfinished()
	})
}

func TestResultLimit(t *testing.T) {
	t.Parallel()
	data := make([]byte, 50_000_001) // Nothing touches its memory.
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return &sluice.Result{Data: data}, nil }
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{}`)
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.True(t, bytes.Contains([]byte(response.Text), []byte("at most 50000000 can be answered")), response.Text)
	})
}

// TestThreat42Smuggling: a message of doubtful length is refused, or read in one way only.
// net/http lets Transfer-Encoding win over Content-Length; a proxy in front must not differ.
func TestThreat42Smuggling(t *testing.T) {
	t.Parallel()
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: string(run.Payload.RawBody.Data)}, nil
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		endpoint, err := url.Parse(h.URL("Flow"))
		require.NoError(t, err)
		call := func(headers, body string) *answer {
			return exchange(t, h.Dial, []byte("POST "+endpoint.Path+" HTTP/1.1\r\nHost: sluice.test\r\n"+headers+"\r\n"+body))
		}
		both := call("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n")
		require.Equal(t, `"body"`, string(both.body))
		for _, headers := range []string{
			"Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: -1\r\n", "Content-Length: +4\r\n", "Content-Length: 4, 5\r\n",
			"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
			"Content-Length : 4\r\n", "Host: other\r\n",
		} {
			require.GreaterOrEqual(t, call(headers, "body").StatusCode, 400, headers)
		}
		require.Len(t, h.Executions(), 1)
	})
}
