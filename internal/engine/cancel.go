package engine

import "github.com/sluice-go/sluice"

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
