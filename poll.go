package sluice

import "context"

// pollKey is the key of a flow's state that its poll keeps.
const pollKey = "sluice.poll"

// PollState is what the flow's poll set last with [SetPollState], such as a cursor: what
// spectral calls polling.getState. It belongs to the flow of the instance, under a key of its
// own of [Run.InstanceState]. ok is false before the first time.
func PollState[T any](ctx context.Context, run *Run) (value T, ok bool, err error) {
	return GetState[T](ctx, run.InstanceState(), pollKey)
}

// SetPollState replaces the poll's state as a whole. It is committed with the execution that
// the poll starts, and with the record of a poll that found no changes
// ([TriggerResult].PolledNoChanges); a poll that fails saves nothing.
func SetPollState(ctx context.Context, run *Run, value any) error {
	return run.InstanceState().Set(ctx, pollKey, value)
}
