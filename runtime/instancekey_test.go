package runtime_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// heldStore holds the look-up of one endpoint id until it is let go.
type heldStore struct {
	store.Store
	id   atomic.Value
	held chan struct{}
}

func (s *heldStore) InstanceByEndpoint(ctx context.Context, id string) (*store.Instance, error) {
	if s.id.Load() == id {
		<-s.held
	}
	return s.Store.InstanceByEndpoint(ctx, id)
}

// TestAnInstanceIDIsNoEndpoint calls /trigger/{instance id} while an execution of the
// instance is loaded by that id.
func TestAnInstanceIDIsNoEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, err := sqlite.Open(t.Context(), ":memory:")
		require.NoError(t, err)
		s := &heldStore{Store: memory, held: make(chan struct{})}
		rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{integrationOf(nothing)}, Store: s, Concurrency: 1})
		require.NoError(t, err)
		require.NoError(t, rt.Start(t.Context()))
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		s.id.Store(instance.ID)
		stranger := make(chan int)
		go func() { stranger <- serve(t, rt, http.MethodPost, "/trigger/"+instance.ID, "{}").Code }()
		synctest.Wait()
		id := deliver(t, rt, http.StatusOK) // The dispatcher has the only slot: it claims it and loads the instance.
		synctest.Wait()
		close(s.held)
		require.Equal(t, http.StatusNotFound, <-stranger)
		synctest.Wait()
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status, execution(t, rt, id).Error)
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, memory.Close())
	})
}
