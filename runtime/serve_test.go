package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// integrationOf is an integration with one flow named Flow that does what execute does.
func integrationOf(execute sluice.ExecutionFunc, change ...func(*sluice.Flow)) *sluice.Integration {
	flow := sluice.Flow{Name: "Flow", StableKey: "flow", OnExecution: execute}
	for _, f := range change {
		f(&flow)
	}
	return &sluice.Integration{Name: "Test", Flows: []sluice.Flow{flow}}
}

// run drives the integration with a default instance deployed.
func run(t *testing.T, integration *sluice.Integration, test func(t *testing.T, h *sluicetest.Harness)) {
	t.Helper()
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(t, h)
	})
}

func executionID(t *testing.T, response *sluicetest.Response) string {
	t.Helper()
	var answer struct {
		ExecutionID string `json:"executionId"`
	}
	require.NoError(t, json.Unmarshal([]byte(response.Text), &answer), response.Text)
	require.Equal(t, answer.ExecutionID, response.Header.Get("prismatic-executionid"))
	return answer.ExecutionID
}

func synchronous(f *sluice.Flow) { f.IsSynchronous = true }

func TestAsynchronousExecution(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var order struct{ ID int }
		if err := run.Payload.Body.Decode(&order); err != nil {
			return nil, err
		}
		run.Logger.InfoContext(ctx, "got it", "order", order.ID)
		doubled, err := sluice.Step(ctx, "double", func(context.Context) (int, error) { return 2 * order.ID, nil })
		return &sluice.Result{Data: map[string]int{"doubled": doubled}}, err
	}
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{"id":21}`, "X-Shop", "tea", "Authorization", "Bearer secret")
		require.Equal(t, http.StatusOK, response.StatusCode, response.Text)
		require.Equal(t, "application/json", response.Header.Get("Content-Type"))
		h.Drain()
		x := h.Execution(executionID(t, response))
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.JSONEq(t, `{"doubled":42}`, string(x.Result.Data))
		require.Equal(t, 200, x.Result.StatusCode)
		require.Len(t, x.Attempts, 1)
		require.Equal(t, "got it", x.Attempts[0].Logs[0].Message)
		require.InDelta(t, 21, x.Attempts[0].Logs[0].Attributes["order"], 0)
		require.Len(t, x.Steps, 1)
		require.Equal(t, "double", x.Steps[0].Name)
		require.JSONEq(t, `42`, string(x.Steps[0].Result))
		require.Equal(t, "tea", x.Payload.Headers.Get("X-SHOP"))
		require.Empty(t, x.Payload.Headers.Get("Authorization"), "a secret header stands in the record")
		require.Equal(t, `{"id":21}`, string(x.Payload.RawBody.Data))
	})
}

func TestSynchronousAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		result *sluice.Result
		err    error
		status int
		kind   string
		body   string
	}{
		"nil result":       {nil, nil, 200, "application/json", "null"},
		"data":             {&sluice.Result{Data: map[string]any{"a": "<b>"}}, nil, 200, "application/json", `{"a":"<b>"}`},
		"text":             {&sluice.Result{Data: "hi", ContentType: "text/plain"}, nil, 200, "text/plain", "hi"},
		"text as JSON":     {&sluice.Result{Data: "hi"}, nil, 200, "application/json", `"hi"`},
		"bytes":            {&sluice.Result{Data: []byte{0, 255}, StatusCode: 200}, nil, 200, "application/octet-stream", "\x00\xff"},
		"status":           {&sluice.Result{StatusCode: 415}, nil, 415, "application/json", "null"},
		"status and data":  {&sluice.Result{StatusCode: 201, Data: 7}, nil, 201, "application/json", "7"},
		"no such status":   {&sluice.Result{StatusCode: 99}, nil, 400, "application/json", `{"error":"the result's status code is 99: it must be 200 to 599"}`},
		"error":            {nil, errors.New("The widget requested is not in the database"), 400, "application/json", `{"error":"The widget requested is not in the database"}`},
		"reject":           {nil, sluice.Reject(422, "no"), 422, "application/json", `{"error":"no"}`},
		"permanent":        {nil, sluice.Permanent(errors.New("no")), 400, "application/json", `{"error":"no"}`},
		"not encodable":    {&sluice.Result{Data: func() {}}, nil, 400, "application/json", `{"error":"the result's data cannot be encoded as JSON: json: unsupported type: func()"}`},
		"redirect":         {&sluice.Result{Data: "Redirecting you...", ContentType: "text/plain", StatusCode: 303, Headers: map[string]string{"Location": "https://example.com/"}}, nil, 303, "text/plain", "Redirecting you..."},
		"no content":       {&sluice.Result{StatusCode: 204}, nil, 204, "application/json", ""},
		"typed JSON bytes": {&sluice.Result{Data: []byte(`{}`), ContentType: "application/json"}, nil, 200, "application/json", "{}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return test.result, test.err }
			run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, test.status, response.StatusCode)
				require.Equal(t, test.kind, response.Header.Get("Content-Type"))
				require.Equal(t, test.body, response.Text)
				x := h.Execution(response.Header.Get("prismatic-executionid"))
				require.Equal(t, test.status < 400 || test.status == 415, x.Status == store.StatusSucceeded, "it %s", x.Status)
				if test.result != nil && test.result.Headers != nil {
					require.Equal(t, "https://example.com/", response.Header.Get("Location"))
				}
			})
		})
	}
}

func TestSynchronousHeaderOverrulesTheFlow(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return &sluice.Result{Data: "done"}, nil }
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, `"done"`, h.Post("Flow", `{}`, "prismatic-synchronous", "true").Text)
		require.NotEqual(t, `"done"`, h.Post("Flow", `{}`).Text)
	})
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		executionID(t, h.Post("Flow", `{}`, "prismatic-synchronous", "false"))
	})
}

func TestSynchronousDeadline(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Minute) // Virtual: the flow takes too long.
		return &sluice.Result{Data: "late"}, nil
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		before := time.Now()
		response := h.Post("Flow", `{}`)
		require.Equal(t, 29*time.Second, time.Since(before))
		require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
		id := executionID(t, response)
		require.Equal(t, store.StatusRunning, h.Execution(id).Status)
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Execution(id).Status)
		require.Equal(t, `"late"`, string(h.Execution(id).Result.Data))
	})
}

func TestMalformedJSON(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{bad-data`)
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Equal(t, `{"error":"Received malformed JSON payload."}`, response.Text)
		require.EqualValues(t, 44, response.ContentLength)
		x := h.Execution(response.Header.Get("prismatic-executionid"))
		require.Equal(t, store.StatusFailed, x.Status)
		require.Empty(t, x.Payload.RawBody.Data)
		for range 100 {
			h.Post("Flow", `{bad-data`)
		}
		require.Less(t, len(h.Executions()), 30, "an attacker can fill the store")
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		deliver := func(method, url, body string, headers ...string) *sluicetest.Response {
			request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
			require.NoError(t, err)
			for i := 0; i < len(headers); i += 2 {
				request.Header.Set(headers[i], headers[i+1])
			}
			return h.Deliver(request)
		}
		url := h.URL("Flow")
		for _, unknown := range []string{"/", "/trigger", "/trigger/", "/trigger/nope", "/trigger//" + url, "/other/" + url} {
			require.Equal(t, http.StatusNotFound, deliver("POST", "http://sluice.test"+unknown, "").StatusCode, unknown)
		}
		for _, method := range []string{"OPTIONS", "TRACE", "PROPFIND"} {
			response := deliver(method, url, "")
			require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
			require.Equal(t, "GET, POST, PUT, PATCH, DELETE", response.Header.Get("Allow"))
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			require.Equal(t, http.StatusOK, deliver(method, url, "").StatusCode, method)
		}
		require.Equal(t, http.StatusOK, deliver("POST", url, strings.Repeat("x", 6_000_000)).StatusCode)
		require.Equal(t, http.StatusRequestEntityTooLarge, deliver("POST", url, strings.Repeat("x", 6_000_001)).StatusCode)
		require.Equal(t, http.StatusUnsupportedMediaType, deliver("POST", url, "x", "Content-Encoding", "zstd").StatusCode)
		require.Equal(t, http.StatusBadRequest, deliver("POST", url, strings.Repeat("[", 100_000), "Content-Type", "application/json").StatusCode)
	})
}

func TestPanics(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"string": "boom", "error": errors.New("boom"), "nil": nil, "abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			healthy := false
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
				if healthy {
					return nil, nil
				}
				panic(value)
			}
			run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, http.StatusInternalServerError, response.StatusCode)
				require.Equal(t, `{"error":"The flow panicked."}`, response.Text)
				x := h.Execution(response.Header.Get("prismatic-executionid"))
				require.Equal(t, store.StatusFailed, x.Status)
				require.Contains(t, x.Error, "panic: ")
				require.Contains(t, x.Attempts[0].Logs[0].Attributes["stack"], "serve_test.go")
				healthy = true
				require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
			})
		})
	}
}
