package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// kept is how many bytes of bodies are on record.
func kept(h *sluicetest.Harness) (bytes int) {
	for _, x := range h.Executions() {
		bytes += len(x.Payload.RawBody.Data)
	}
	return bytes
}

// TestBodiesOfStrangersAreNotKept sends bodies that reach no flow, and some that do not fit
// theirs.
func TestBodiesOfStrangersAreNotKept(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		for _, body := range []string{`{"eventType":"lost","orgId":"a"}`, `{"eventType":"invoice.paid","orgId":"b"}`, `{"eventType":["a list"]}`} {
			require.GreaterOrEqual(t, call(t, h, h.URL("invoice.paid"), body).StatusCode, 400)
		}
		require.Len(t, h.Executions(), 3)
		require.Zero(t, kept(h))
	})
	typed := sluice.Define(sluice.Flow{Name: "Flow", StableKey: "flow"}, func(context.Context, *sluice.Run, struct{ N int }) (int, error) { return 0, nil })
	run(t, &sluice.Integration{Name: "Test", Flows: []sluice.Flow{typed.Flow}}, func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, http.StatusBadRequest, h.Post("Flow", `{"N":"no number"}`).StatusCode)
		require.Len(t, h.Executions(), 1)
		require.Zero(t, kept(h))
	})
}

// TestRefusedBytesAreBounded: a trigger's error keeps its body, but no large one, and not
// endlessly many.
func TestRefusedBytesAreBounded(t *testing.T) {
	t.Parallel()
	refusing := func(f *sluice.Flow) {
		f.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, errors.New("no")
		}
	}
	run(t, integrationOf(nothing, refusing), func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `"small"`)
		require.Equal(t, len(`"small"`), kept(h))
		h.Post("Flow", `"`+strings.Repeat("x", 100_000)+`"`)
		require.Len(t, h.Executions(), 2)
		require.Equal(t, len(`"small"`), kept(h), "a large body is kept")
		const requests, size = 60, 50_000
		for range requests {
			h.Post("Flow", `"`+strings.Repeat("x", size-2)+`"`)
			h.Advance(time.Second)
		}
		require.Len(t, h.Executions(), 2+requests)
		require.Less(t, kept(h), 1<<20+requests*4<<10)
		require.Greater(t, kept(h), 10*size)
	})
	run(t, integrationOf(nothing, refusing), func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `{}`, "X-Large", strings.Repeat("x", 100_000))
		require.Empty(t, h.Executions(), "large headers are kept")
	})
}
