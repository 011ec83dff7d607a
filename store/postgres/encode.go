package postgres

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice/store"
)

// clock is the time of the database, as columns keep times.
const clock = "(extract(epoch FROM clock_timestamp()) * 1000000000)::bigint"

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

func encodeID(id string) ([16]byte, error) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return [16]byte{}, fmt.Errorf("%w: %q is not a UUID in lower case", store.ErrInvalidID, id)
	}
	return parsed, nil
}

func decodeID(id [16]byte) string { return uuid.UUID(id).String() }

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

// escaped begins text that PostgreSQL would refuse: what follows is hexadecimal.
const escaped = "\x01"

// encodeText is what a column keeps of text that others wrote: PostgreSQL takes only UTF-8
// without NUL.
func encodeText(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") && !strings.HasPrefix(s, escaped) {
		return s
	}
	return escaped + hex.EncodeToString([]byte(s))
}

func decodeText(texts ...*string) error {
	for _, text := range texts {
		if digits, found := strings.CutPrefix(*text, escaped); found {
			decoded, err := hex.DecodeString(digits)
			if err != nil {
				return fmt.Errorf("store: read a text: %w", err)
			}
			*text = string(decoded)
		}
	}
	return nil
}
