package engine

import (
	"context"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// canceledError is the cause with which the context of a canceled execution ends. Without a
// reason it was canceled by another process, and the store knows the reason.
type canceledError struct{ reason string }

func (e *canceledError) Error() string {
	if e.reason == "" {
		return sluice.ErrCanceled.Error()
	}
	return sluice.ErrCanceled.Error() + ": " + e.reason
}

func (e *canceledError) Unwrap() error { return sluice.ErrCanceled }

// Cancel ends an execution from outside. One that runs here has its context ended at once,
// one that runs elsewhere when its process hears of it.
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	status, err := e.options.Store.Cancel(ctx, id, reason)
	if err != nil {
		return err
	}
	if status == store.StatusRunning {
		e.tenures.end(id, &canceledError{reason})
	}
	return nil
}
