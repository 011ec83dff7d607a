// Package api is the HTTP API for operators. It asks for no credentials: mount it where
// only operators reach it, or behind middleware of your own.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// The number of executions on a page of the list.
const (
	defaultPage = 20
	maxPage     = 100
)

// New returns the handler of the API of a runtime:
//
//	GET /api/v1/executions/{id}  one execution: status, attempts with logs, steps, result
//	GET /api/v1/executions       executions, newest first; parameters flow, instance,
//	                             status, limit (20, at most 100) and after (an id)
func New(rt *runtime.Runtime) http.Handler {
	a := &api{rt}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/executions/{id}", a.execution)
	mux.HandleFunc("GET /api/v1/executions", a.executions)
	return mux
}

// statuses that a list can be narrowed down to.
var statuses = []store.Status{
	store.StatusQueued, store.StatusRunning, store.StatusWaiting,
	store.StatusSucceeded, store.StatusFailed, store.StatusCanceled, store.StatusSkipped,
}

type api struct{ runtime *runtime.Runtime }

func (a *api) execution(w http.ResponseWriter, r *http.Request) {
	execution, err := a.runtime.Execution(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		writeError(w, http.StatusNotFound, "No such execution.")
	case err != nil:
		writeError(w, http.StatusInternalServerError, err.Error())
	default:
		writeJSON(w, http.StatusOK, execution)
	}
}

func (a *api) executions(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := defaultPage
	if given := query.Get("limit"); given != "" {
		var err error
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > maxPage {
			writeError(w, http.StatusBadRequest, "limit must be a number from 1 to 100.")
			return
		}
	}
	filter := store.Filter{Flow: query.Get("flow"), Instance: query.Get("instance"), Status: store.Status(query.Get("status"))}
	if filter.Status != "" && !slices.Contains(statuses, filter.Status) {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("status must be one of %v.", statuses))
		return
	}
	executions, err := a.runtime.Executions(r.Context(), filter, query.Get("after"), limit)
	switch {
	case errors.Is(err, store.ErrInvalidID), errors.Is(err, store.ErrNotFound):
		writeError(w, http.StatusBadRequest, "after must be the id of an execution.")
	case err != nil:
		writeError(w, http.StatusInternalServerError, err.Error())
	default:
		writeJSON(w, http.StatusOK, map[string]any{"executions": executions})
	}
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // A caller who has gone needs no answer.
}
