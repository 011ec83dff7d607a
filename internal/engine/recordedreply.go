package engine

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/store"
)

// recordedReply is what an execution on record answers: its result, null if it was skipped, or an
// *ExecutionError.
func recordedReply(record *store.Record) (*Reply, error) {
	last := record.Attempts[len(record.Attempts)-1]
	switch {
	case last.Status == store.StatusSkipped:
		return newReply(nil)
	case last.Status != store.StatusSucceeded:
		return nil, &ExecutionError{recordedFailure(last)}
	}
	var stored struct {
		StatusCode   int
		ContentType  string
		OwnStatus    bool
		Headers      map[string]string
		Text, Binary bool
		Data         json.RawMessage
	}
	if err := json.Unmarshal(last.Result, &stored); err != nil {
		return nil, fmt.Errorf("the result of execution %s: %w", record.ID, err)
	}
	reply := &Reply{
		StatusCode: stored.StatusCode, OwnStatus: stored.OwnStatus, ContentType: stored.ContentType,
		Headers: stored.Headers, Body: stored.Data, encoded: !stored.Text && !stored.Binary,
	}
	var err error
	switch {
	case stored.Binary:
		err = json.Unmarshal(stored.Data, &reply.Body)
	case stored.Text:
		var text string
		err = json.Unmarshal(stored.Data, &text)
		reply.Body = []byte(text)
	}
	if err != nil {
		return nil, fmt.Errorf("the result of execution %s: %w", record.ID, err)
	}
	return reply, nil
}

// failure is what is kept of a failed attempt beside its error.
type failure struct {
	StatusCode int    `json:"statusCode,omitempty"`
	Message    string `json:"message,omitempty"`
	Panicked   bool   `json:"panicked,omitempty"`
	// Steps are the names of the steps that it failed in, from the outermost.
	Steps []string `json:"steps,omitempty"`
}

// encodeFailure keeps how a flow rejected its caller, that it panicked, and in which steps it
// failed; nil if it did nothing of that.
func encodeFailure(err error) []byte {
	var kept failure
	if rejected, ok := errors.AsType[*sluice.RejectError](err); ok {
		kept.StatusCode, kept.Message = rejected.StatusCode, rejected.Message
	} else {
		_, kept.Panicked = errors.AsType[*sluice.PanicError](err)
	}
	for step, ok := errors.AsType[*sluice.StepError](err); ok; step, ok = errors.AsType[*sluice.StepError](step.Err) {
		kept.Steps = append(kept.Steps, step.Name)
	}
	if kept.StatusCode == 0 && !kept.Panicked && kept.Steps == nil {
		return nil
	}
	data, _ := encode.JSON(kept) //nolint:errchkjson // Strings and numbers always have a JSON form.
	return data
}

// recordedFailure is the error that an attempt ended with, as far as it is on record.
func recordedFailure(outcome *store.Outcome) error {
	kept, err := decodeFailure(outcome)
	switch {
	case err != nil:
		return err
	case kept.Panicked:
		return &sluice.PanicError{Value: outcome.Error}
	case kept.StatusCode != 0:
		return sluice.Reject(kept.StatusCode, kept.Message)
	default:
		return errors.New(outcome.Error)
	}
}

func decodeFailure(outcome *store.Outcome) (kept failure, err error) {
	if outcome.Result == nil {
		return kept, nil
	}
	if err := json.Unmarshal(outcome.Result, &kept); err != nil {
		return kept, fmt.Errorf("the record of a failure: %w", err)
	}
	return kept, nil
}
