package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice/store"
)

// encodeTime is what a column keeps of a time: nanoseconds since 1970, 0 for none.
func encodeTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func decodeTime(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

// encodeID is what a column keeps of an execution's id: its 16 bytes, which index better
// than the text.
func encodeID(id string) ([]byte, error) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return nil, fmt.Errorf("%w: %q is not a UUID in lower case", store.ErrInvalidID, id)
	}
	return parsed[:], nil
}

func decodeID(id []byte) (string, error) {
	parsed, err := uuid.FromBytes(id)
	if err != nil {
		return "", fmt.Errorf("store: read an execution id: %w", err)
	}
	return parsed.String(), nil
}

// Outcomes are found by the execution's seq and the attempt, in one integer: a composite
// key would need an index beside the table.
const (
	attemptBits = 20
	maxAttempt  = 1<<attemptBits - 1
)

func outcomeID(seq int64, attempt int) int64 { return seq<<attemptBits | int64(attempt) }

// encodeKeys is what a column keeps of an instance's API keys.
func encodeKeys(keys []store.APIKey) ([]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return json.Marshal(keys)
}

func decodeKeys(data []byte) (keys []store.APIKey, err error) {
	if data == nil {
		return nil, nil
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		return nil, fmt.Errorf("store: read API keys: %w", err)
	}
	return keys, nil
}
