package runtime_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestTriggersHaveALimit: one that heeds the end of its context, and one that ignores it.
func TestTriggersHaveALimit(t *testing.T) {
	t.Parallel()
	for name, heeds := range map[string]bool{"heeding": true, "ignoring": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := make(chan struct{})
			integration := integrationOf(nothing, func(f *sluice.Flow) {
				f.OnTrigger = func(ctx context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
					if heeds {
						<-ctx.Done()
						return nil, context.Cause(ctx)
					}
					<-end
					payload.Headers["late"] = []string{"write"}
					return nil, nil
				}
			})
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				end = make(chan struct{}) // Of the bubble.
				began := time.Now()
				response := h.Post("Flow", `{}`)
				require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
				require.Contains(t, response.Text, "took too long. Nothing was accepted.")
				require.Less(t, time.Since(began), 31*time.Second)
				x := h.Executions()[0]
				require.Equal(t, store.StatusFailed, x.Status)
				require.Contains(t, x.Error, engine.ErrOverdue.Error())
				close(end)
			})
		})
	}
}

// TestHooksHaveALimit deploys with a hook that ignores the end of its context.
func TestHooksHaveALimit(t *testing.T) {
	t.Parallel()
	var end chan struct{}
	integration := integrationOf(nothing, func(f *sluice.Flow) {
		f.OnInstanceDeploy = func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) {
			<-end
			return nil, nil
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		end = make(chan struct{})
		began := time.Now()
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, `flow "Flow": onInstanceDeploy: the code took longer than it may: the code ignores`)
		require.Less(t, time.Since(began), 35*time.Second)
		close(end)
	})
}
