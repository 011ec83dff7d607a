package postgres

import (
	"context"

	"github.com/sluice-go/sluice/store"
)

// gate lets in one at a time.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// enter waits until nobody else is in, or until ctx or the store ends.
func (g gate) enter(ctx, running context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-running.Done():
		return store.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }
