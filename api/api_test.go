package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/api"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestExecutions(t *testing.T) {
	t.Parallel()
	integration := &sluice.Integration{Name: "Test", Flows: []sluice.Flow{{
		Name: "Flow", StableKey: "flow", IsSynchronous: true,
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: run.Payload.Body.Data()}, nil
		},
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		var ids []string
		for i := range 5 {
			ids = append(ids, h.Post("Flow", strconv.Itoa(i)).Header.Get("prismatic-executionid"))
		}
		handler := api.New(h.Runtime)
		get := func(path string, status int, into any) {
			t.Helper()
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
			require.Equal(t, status, recorder.Code, recorder.Body)
			require.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
			require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), into))
		}
		var one struct {
			ID, Status string
			Result     struct{ Data int }
			Payload    struct{ Body struct{ Data int } }
		}
		get("/api/v1/executions/"+ids[3], http.StatusOK, &one)
		require.Equal(t, ids[3], one.ID)
		require.Equal(t, "succeeded", one.Status)
		require.Equal(t, 3, one.Result.Data)
		require.Equal(t, 3, one.Payload.Body.Data)

		var list struct{ Executions []struct{ ID string } }
		page := func(query string) (got []string) {
			t.Helper()
			list.Executions = nil
			get("/api/v1/executions"+query, http.StatusOK, &list)
			for _, x := range list.Executions {
				got = append(got, x.ID)
			}
			return got
		}
		require.Equal(t, []string{ids[4], ids[3], ids[2], ids[1], ids[0]}, page(""))
		require.Equal(t, []string{ids[4], ids[3]}, page("?limit=2"))
		require.Equal(t, []string{ids[2], ids[1]}, page("?limit=2&after="+ids[3]))
		require.Len(t, page("?flow=flow&status=succeeded"), 5)
		require.Empty(t, page("?status=failed"))
		require.Empty(t, page("?flow=other"))

		var refused struct{ Error string }
		for path, status := range map[string]int{
			"/api/v1/executions/nope":                                       http.StatusNotFound,
			"/api/v1/executions/01a20396-04a4-7317-a4fb-9ef2b8db023b":       http.StatusNotFound,
			"/api/v1/executions?after=nope":                                 http.StatusBadRequest,
			"/api/v1/executions?after=01a20396-04a4-7317-a4fb-9ef2b8db023b": http.StatusBadRequest,
			"/api/v1/executions?status=nope":                                http.StatusBadRequest,
			"/api/v1/executions?limit=0":                                    http.StatusBadRequest,
			"/api/v1/executions?limit=x":                                    http.StatusBadRequest,
			"/api/v1/executions?limit=101":                                  http.StatusBadRequest,
		} {
			refused.Error = ""
			get(path, status, &refused)
			require.NotEmpty(t, refused.Error, path)
		}
	})
}
