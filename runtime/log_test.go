package runtime_test

import (
	"context"
	"errors"
	"math"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// careless panics when it is shown.
type careless struct{}

func (careless) String() string               { panic("too shy") }
func (careless) MarshalJSON() ([]byte, error) { panic("too shy") }

// TestLogAttributes: what is logged is shown as well as it can be, and fails no flow.
func TestLogAttributes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct{ value, want any }{
		"text":                {"a", "a"},
		"number":              {7, 7.0},
		"no number":           {math.NaN(), "!ERROR: json: unsupported value: NaN"},
		"duration":            {time.Minute, "1m0s"},
		"time":                {at, "2026-11-23T08:00:00Z"},
		"time of no calendar": {at.AddDate(9000, 0, 0), "!ERROR: json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]"},
		"error":               {errors.New("broken"), "broken"},
		"Stringer":            {&url.URL{Path: "/a"}, "/a"},
		"nil Stringer":        {(*url.URL)(nil), "<nil>"},
		"nil time":            {(*time.Time)(nil), "<nil>"},
		"nil":                 {nil, nil},
		"object":              {map[string]int{"n": 1}, map[string]any{"n": 1.0}},
		"function":            {func() {}, "!ERROR: json: unsupported type: func()"},
		"panics":              {careless{}, "!PANIC: too shy"},
		"panics in an object": {[]any{struct{ Of careless }{}}, "!PANIC: too shy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				run.Logger.InfoContext(ctx, "looked", "value", test.value, "other", 1)
				return nil, nil
			}
			sluicetest.Run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				answer := h.Post("Flow", `{}`)
				h.Drain()
				logs := answer.Execution().RequireSucceeded().Attempts[0].Logs
				require.Len(t, logs, 1)
				require.Equal(t, map[string]any{"value": test.want, "other": 1.0}, logs[0].Attributes)
			})
		})
	}
}
