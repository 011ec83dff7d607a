package runtime

import (
	"context"
	"fmt"
)

// CancelExecution ends an execution, with the reason on its record. One that waits, for its
// first attempt or a later one, is canceled at once. Of one that runs the context ends with
// the cause [sluice.ErrCanceled], at once or, if it runs in another process, within a third
// of that one's Lease: it is canceled when its code returns an error, or ten seconds later;
// code that returns no error had come to its end, and that counts. The error is
// [store.ErrNotFound] for what is not on record, and [store.ErrConflict] for what is over.
func (rt *Runtime) CancelExecution(ctx context.Context, id, reason string) error {
	if reason == "" {
		return fmt.Errorf("runtime: cancel execution %q: a reason is required: it stands on the record", id)
	}
	if err := rt.engine.Cancel(ctx, id, reason); err != nil {
		return fmt.Errorf("runtime: cancel execution %q: %w", id, err)
	}
	return nil
}
