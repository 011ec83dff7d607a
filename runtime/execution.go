package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/store"
)

// Execution is all that is on record of one run of a flow.
type Execution struct {
	ID string `json:"id"`
	// Status is queued, running, waiting (for a retry), succeeded, failed, canceled or
	// skipped.
	Status store.Status `json:"status"`
	// Integration is the integration's name, Version the version that accepted it.
	Integration string `json:"integration"`
	Version     string `json:"version"`
	// Customer, User and Instance are ids, Flow is a stable key. They are empty where a
	// request was refused before they were known.
	Customer string `json:"customer"`
	User     string `json:"user,omitempty"`
	Instance string `json:"instance"`
	Flow     string `json:"flow"`
	// InvokeType says what started it.
	InvokeType sluice.InvokeType `json:"invokeType"`
	AcceptedAt time.Time         `json:"acceptedAt"`
	// Due is when a waiting execution runs again; zero if it does not wait.
	Due time.Time `json:"due,omitzero"`
	// Original is the id of the execution that this one replays; empty if it replays none.
	Original string `json:"original,omitempty"`
	// InvokedBy is the call that started it; nil if no other flow called it.
	InvokedBy *InvokedBy `json:"invokedBy,omitempty"`
	// Payload is what started it, as the flow received it.
	Payload Payload `json:"payload"`
	// Logs of what ran before it was accepted: the preprocess flow and the flow's trigger.
	Logs []LogLine `json:"logs"`
	// Attempts that ended, oldest first.
	Attempts []Attempt `json:"attempts"`
	// Steps on record, in the order of their recording.
	Steps []Step `json:"steps"`
	// Result of the attempt that succeeded; nil if there is none.
	Result *Result `json:"result,omitempty"`
	// Error of the last attempt, if it failed or its error was ignored.
	Error string `json:"error,omitempty"`
}

// InvokedBy is the call of a flow by another one.
type InvokedBy struct {
	// ExecutionID is that of the caller, in its attempt of that number.
	ExecutionID string `json:"executionId"`
	Attempt     int    `json:"attempt"`
	// Step is the name of the caller's step that the call was.
	Step string `json:"step"`
	// Source is where the call came from, in the caller's words.
	Source string `json:"source,omitempty"`
	// Depth counts the calls down to this one, from the execution that all began with.
	Depth int `json:"depth"`
}

// Payload is what started an execution: the part of a [sluice.TriggerPayload] that is kept.
// What the instance knows is attached anew whenever the execution runs.
type Payload struct {
	Headers         sluice.Headers         `json:"headers"`
	QueryParameters sluice.QueryParameters `json:"queryParameters"`
	RawBody         sluice.RawBody         `json:"rawBody"`
	Body            sluice.Body            `json:"body"`
	PathFragment    string                 `json:"pathFragment"`
	InvokeURL       string                 `json:"invokeUrl"`
	StartedAt       time.Time              `json:"startedAt"`
}

// Attempt is one run of an execution.
type Attempt struct {
	// Number counts attempts from 1.
	Number    int          `json:"number"`
	Status    store.Status `json:"status"`
	StartedAt time.Time    `json:"startedAt"`
	EndedAt   time.Time    `json:"endedAt"`
	Error     string       `json:"error,omitempty"`
	// NextAttempt is when the execution is due again; zero if it is not.
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
	Logs        []LogLine `json:"logs"`
}

// LogLine is a line that an attempt logged.
type LogLine struct {
	Time       time.Time      `json:"time"`
	Level      string         `json:"level"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Step is the recorded result of a durable unit.
type Step struct {
	Name string `json:"name"`
	// Key tells steps of one name apart.
	Key string `json:"key"`
	// Attempt that ran it; 0 is before the execution was accepted.
	Attempt   int       `json:"attempt"`
	StartedAt time.Time `json:"startedAt"`
	EndedAt   time.Time `json:"endedAt"`
	// Result as JSON; none if there is an Error.
	Result json.RawMessage `json:"result,omitempty"`
	// Error of a step that was ignored.
	Error string `json:"error,omitempty"`
}

// Result is what the flow handed back.
type Result struct {
	// Data is JSON as it is, other text as a JSON string, bytes as base64 if Binary.
	Data        json.RawMessage   `json:"data"`
	Binary      bool              `json:"binary,omitempty"`
	ContentType string            `json:"contentType"`
	StatusCode  int               `json:"statusCode"`
	Headers     map[string]string `json:"headers,omitempty"`
}

// Execution returns what is on record of the execution with the id, or an error that is
// [store.ErrNotFound].
func (rt *Runtime) Execution(ctx context.Context, id string) (*Execution, error) {
	record, err := rt.store.Execution(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("runtime: execution %q: %w", id, err)
	}
	return newExecution(record)
}

// Executions returns up to limit executions that match the filter, the last accepted first.
// after is the ID of the last one of the previous page; empty begins with the newest. The error is
// [store.ErrNotFound] if there is no such execution.
func (rt *Runtime) Executions(ctx context.Context, filter store.Filter, after string, limit int) ([]*Execution, error) {
	records, err := rt.store.Executions(ctx, filter, after, limit)
	if err != nil {
		return nil, fmt.Errorf("runtime: executions: %w", err)
	}
	executions := make([]*Execution, 0, len(records))
	for _, record := range records {
		execution, err := newExecution(record)
		if err != nil {
			return nil, err
		}
		executions = append(executions, execution)
	}
	return executions, nil
}

// newExecution decodes a record.
func newExecution(record *store.Record) (*Execution, error) {
	payload, invoker, err := engine.DecodePayload(record.Payload)
	if err != nil {
		return nil, fmt.Errorf("runtime: execution %q: %w", record.ID, err)
	}
	x := &Execution{
		ID: record.ID, Status: record.Status, Integration: record.Integration, Version: record.Version,
		Customer: record.Customer, User: record.User, Instance: record.Instance, Flow: record.Flow,
		InvokeType: sluice.InvokeType(record.InvokeType), AcceptedAt: record.AcceptedAt,
		Due: record.Due, Original: record.Original,
		Payload: Payload{
			Headers: payload.Headers, QueryParameters: payload.QueryParameters, RawBody: payload.RawBody, Body: payload.Body,
			PathFragment: payload.PathFragment, InvokeURL: payload.InvokeURL, StartedAt: payload.StartedAt,
		},
		Logs: []LogLine{}, Attempts: make([]Attempt, 0, len(record.Attempts)), Steps: make([]Step, 0, len(record.Steps)),
	}
	if invoker != nil {
		x.InvokedBy = &InvokedBy{
			ExecutionID: record.Parent, Attempt: invoker.Attempt, Step: invoker.Step, Source: invoker.Source, Depth: record.Depth,
		}
	}
	if record.Logs != nil {
		if err := json.Unmarshal(record.Logs, &x.Logs); err != nil {
			return nil, fmt.Errorf("runtime: execution %q: logs before its acceptance: %w", record.ID, err)
		}
	}
	for _, outcome := range record.Attempts {
		if err := x.addAttempt(outcome); err != nil {
			return nil, fmt.Errorf("runtime: execution %q: %w", record.ID, err)
		}
	}
	for _, step := range record.Steps {
		x.Steps = append(x.Steps, Step{
			Name: step.Name, Key: step.Key, Attempt: step.Attempt,
			StartedAt: step.StartedAt, EndedAt: step.EndedAt, Result: step.Result, Error: step.Error,
		})
	}
	return x, nil
}

func (x *Execution) addAttempt(outcome *store.Outcome) error {
	attempt := Attempt{
		Number: outcome.Attempt, Status: outcome.Status, StartedAt: outcome.StartedAt, EndedAt: outcome.EndedAt,
		Error: outcome.Error, NextAttempt: outcome.NextAttempt, Logs: []LogLine{},
	}
	if outcome.Logs != nil {
		if err := json.Unmarshal(outcome.Logs, &attempt.Logs); err != nil {
			return fmt.Errorf("logs of attempt %d: %w", attempt.Number, err)
		}
	}
	x.Attempts = append(x.Attempts, attempt)
	x.Error = outcome.Error
	if outcome.Status != store.StatusSucceeded || outcome.Result == nil {
		return nil
	}
	x.Result = &Result{}
	if err := json.Unmarshal(outcome.Result, x.Result); err != nil {
		return fmt.Errorf("result of attempt %d: %w", attempt.Number, err)
	}
	return nil
}
