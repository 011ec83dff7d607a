package sluicetest_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

type batchPage = sluice.BatchPage[any, any]

// batchRun is what came of a flow with a batch trigger.
type batchRun struct {
	response *sluicetest.Response
	// payloads of the executions that received batches, and the cursors that the calls of the
	// trigger got.
	payloads []map[string]any
	cursors  []any
	// statuses of the pages, the first one first.
	statuses []store.Status
}

// runBatch calls a flow whose trigger returns the pages, one a call, or polls it once.
func runBatch(t *testing.T, payload sluice.TriggerPayload, poll bool, pages ...*batchPage) (run batchRun) {
	t.Helper()
	var mu sync.Mutex
	received := map[int]map[string]any{} // By page: batches run at the same time.
	flow := flow1(nil, func(_ context.Context, r *sluice.Run) (*sluice.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		received[r.Batch.Page] = shown(r.Payload)
		return nil, nil
	})
	calls := 0
	flow.BatchConfig = &sluice.BatchConfig{BatchSize: 10}
	flow.Trigger = sluice.BatchTrigger[any, any]{OnTrigger: func(_ context.Context, _ *sluice.Run, _ *sluice.TriggerPayload, cursor *any) (*batchPage, error) {
		var got any
		if cursor != nil {
			got = *cursor
		}
		run.cursors = append(run.cursors, got)
		calls++
		if calls > len(pages) {
			return nil, nil
		}
		return pages[calls-1], nil
	}}
	if poll {
		flow.TriggerType, flow.Schedule = sluice.TriggerTypePolling, &sluice.Schedule{Value: "0 0 * * *"}
	}
	integration := &sluice.Integration{Name: "Integration 1", Flows: []sluice.Flow{flow}}
	sluicetest.Run(t, integration, func(_ *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		if poll {
			h.Tick()
			h.Drain()
		} else {
			webhook := h.Webhook("Flow 1")
			for name, values := range payload.QueryParameters {
				webhook.Query(name, values[0])
			}
			run.response = webhook.Body("application/json", payload.RawBody.Data)
			h.Drain()
		}
		for _, x := range h.Executions() {
			if x.InvokeType != sluice.InvokeBatch || len(run.statuses) == 0 {
				run.statuses = append(run.statuses, x.Status)
			}
		}
	})
	for _, page := range slices.Sorted(maps.Keys(received)) {
		run.payloads = append(run.payloads, received[page])
	}
	return run
}

// pageOf is the page that an input's fire describes.
func pageOf(value any) *batchPage {
	page := &batchPage{}
	page.Items, _ = object(value)["items"].([]any)
	if cursor, ok := object(value)["paginationState"]; ok {
		page.PaginationState = &cursor
	}
	page.PolledNoChanges, _ = object(value)["polledNoChanges"].(bool)
	if response := object(object(value)["response"]); len(response) > 0 {
		status, _ := response["statusCode"].(float64)
		contentType, _ := response["contentType"].(string)
		page.Response = &sluice.HTTPResponse{StatusCode: int(status), ContentType: contentType, Body: "accepted"}
	}
	return page
}

// secondPage runs the input's page as the second one, with the input's incoming cursor.
func secondPage(t *testing.T, input map[string]any) batchRun {
	t.Helper()
	incoming := input["incoming"]
	return runBatch(t, payloadOf(input["payload"]), false, &batchPage{PaginationState: &incoming}, pageOf(input["fire"]))
}

// next is the cursor that the call after n calls got; nil if there was none.
func (r batchRun) next(n int) any {
	if len(r.cursors) <= n {
		return nil
	}
	return r.cursors[n]
}

// polledResult is what the first page of a poll came to, as spectral names it.
func polledResult(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	pages := []*batchPage{pageOf(input["fire"])}
	if incoming, ok := input["incoming"]; ok {
		pages = append([]*batchPage{{PaginationState: &incoming}}, pages...)
	}
	statuses := runBatch(t, sluice.TriggerPayload{}, true, pages...).statuses
	if len(statuses) == 0 {
		return nil, nil
	}
	if statuses[len(statuses)-1] == store.StatusSkipped {
		return map[string]any{"resultType": "polled_no_changes"}, nil
	}
	return map[string]any{"resultType": "completed"}, nil
}

var batchMirrors = map[string]mirror{
	"items go to payload.body.data, contentType application/json, paginationState null": func(t *testing.T, input map[string]any) (any, error) {
		run := runBatch(t, payloadOf(input["payload"]), false, pageOf(input["fire"]))
		return map[string]any{"payload": run.payloads[0]}, nil
	},
	"returned paginationState replaces the incoming one": func(t *testing.T, input map[string]any) (any, error) {
		run := secondPage(t, input)
		body := object(run.payloads[0]["body"])
		return map[string]any{"body": body, "items": body["data"], "paginationState": run.next(2), "next": run.next(2)}, nil
	},
	"last page: incoming cursor is overwritten by null": func(t *testing.T, input map[string]any) (any, error) {
		run := secondPage(t, input)
		return map[string]any{"paginationState": run.next(2), "next": run.next(2)}, nil
	},
	"empty object cursor is not the end": func(t *testing.T, input map[string]any) (any, error) {
		return runBatch(t, sluice.TriggerPayload{}, false, pageOf(input["fire"])).next(1), nil
	},
	"response and branch are forwarded, unknown members dropped": func(t *testing.T, input map[string]any) (any, error) {
		response := runBatch(t, sluice.TriggerPayload{}, false, pageOf(input["fire"])).response
		return map[string]any{"response": map[string]any{
			"statusCode": response.StatusCode, "contentType": response.Header.Get("Content-Type"),
		}}, nil
	},
	"polling flow, first page, polledNoChanges true becomes resultType":    polledResult,
	"polling flow, first page, absent: completed":                          polledResult,
	"polling flow, later page, polledNoChanges true is ignored: completed": polledResult,
	"three-page run": func(t *testing.T, input map[string]any) (any, error) {
		given, _ := input["pages"].([]any)
		var pages []*batchPage
		for i, items := range given {
			page := &batchPage{}
			page.Items, _ = items.([]any)
			if i+1 < len(given) {
				var cursor any = map[string]any{"n": i + 1}
				page.PaginationState = &cursor
			}
			pages = append(pages, page)
		}
		run := runBatch(t, sluice.TriggerPayload{}, false, pages...)
		var seen []any
		for i, payload := range run.payloads {
			seen = append(seen, map[string]any{"items": object(payload["body"])["data"], "next": run.next(i + 1)})
		}
		return seen, nil
	},
}
