package sluice

import "github.com/sluice-go/sluice/internal/variant"

// QueueConfig says how the executions of one flow of one instance share time:
// [ParallelQueueConfig], [ThrottledQueueConfig], [SequentialQueueConfig] or
// [StandardQueueConfig]. The interface is sealed.
type QueueConfig interface {
	queueConfig()
}

// ParallelQueueConfig runs every execution at once. It is the default.
type ParallelQueueConfig struct{}

// ThrottledQueueConfig runs a limited number of executions at once.
type ThrottledQueueConfig struct {
	// ConcurrencyLimit is how many run at once, 2 to 15. Required.
	ConcurrencyLimit int
	// DedupeIDField is the path of a field in the trigger's payload: a second execution
	// with the same value within the window is not run.
	DedupeIDField string
	// BlockOnRetry has a failed execution keep its place until it is retried. It is not part
	// of the manifest.
	BlockOnRetry bool
}

// SequentialQueueConfig runs one execution after the other, in the order of acceptance.
type SequentialQueueConfig struct {
	// DedupeIDField is the path of a field in the trigger's payload: a second execution
	// with the same value within the window is not run.
	DedupeIDField string
	// BlockOnRetry has later executions wait until a failed one has succeeded or is not
	// retried any more. Without it they overtake it, until its retry is due. It is not part
	// of the manifest.
	BlockOnRetry bool
}

// StandardQueueConfig is the untyped form of older definitions.
type StandardQueueConfig struct {
	// UsesFIFOQueue runs executions in the order of acceptance, one after the other or
	// ConcurrencyLimit at once. Not for synchronous or scheduled flows.
	UsesFIFOQueue bool
	// DedupeIDField is as in [SequentialQueueConfig].
	DedupeIDField string
	// SingletonExecutions skips a scheduled run while the previous one is not over. Only
	// for scheduled flows.
	SingletonExecutions bool
	// ConcurrencyLimit is how many run at once, 2 to 15; nil is no limit.
	ConcurrencyLimit *int
}

// DedupeIDField is the field of that name of any variant; empty is none.
func DedupeIDField(config QueueConfig) string {
	switch queue := variant.Of(config).(type) {
	case ThrottledQueueConfig:
		return queue.DedupeIDField
	case SequentialQueueConfig:
		return queue.DedupeIDField
	case StandardQueueConfig:
		return queue.DedupeIDField
	default:
		return ""
	}
}

func (ParallelQueueConfig) queueConfig()   {}
func (ThrottledQueueConfig) queueConfig()  {}
func (SequentialQueueConfig) queueConfig() {}
func (StandardQueueConfig) queueConfig()   {}
