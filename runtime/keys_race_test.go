package runtime_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// lateReads is a store in which something happens between the reading of an instance and
// its arrival.
type lateReads struct {
	store.Store
	meanwhile func()
}

func (s *lateReads) InstanceByEndpoint(ctx context.Context, id string) (*store.Instance, error) {
	instance, err := s.Store.InstanceByEndpoint(ctx, id)
	if meanwhile := s.meanwhile; meanwhile != nil {
		s.meanwhile = nil
		meanwhile()
	}
	return instance, err
}

func TestThreat3_RevokedKeyIsNotReadBackIntoTheCache(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	late := &lateReads{Store: db}
	options := runtime.Options{Integrations: []*sluice.Integration{keyed(noop)}, Store: late}
	rt, err := runtime.New(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, rt.Stop(context.WithoutCancel(t.Context()))) })
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	key := createKey(t, rt, instance, "Flow")
	late.meanwhile = func() { require.NoError(t, rt.RevokeAPIKey(t.Context(), instance.ID, "Flow", key)) }
	s := &site{Runtime: rt}
	for range 2 {
		require.Equal(t, http.StatusUnauthorized, s.post(t, instance.WebhookURLs["Flow"], `{}`, "Api-Key", key).Code)
	}
}
