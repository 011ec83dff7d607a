package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testDeleteInstance(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "delete", testDeleteOne)
	s.test(t, "delete another revision", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		require.ErrorIs(t, h.DeleteInstance(h.ctx(), i), store.ErrConflict)
		require.NoError(t, h.PutInstance(h.ctx(), i))
		old := *i
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.change(set(ofInstance(i.ID), "k", "1"))
		require.ErrorIs(t, h.DeleteInstance(h.ctx(), &old), store.ErrConflict)
		requireFound(t, h, i)
		h.requireState(ofInstance(i.ID), map[string]string{"k": "1"})
		require.NoError(t, h.DeleteInstance(h.ctx(), i))
		require.ErrorIs(t, h.DeleteInstance(h.ctx(), i), store.ErrConflict)
		require.ErrorIs(t, h.PutInstance(h.ctx(), i), store.ErrConflict)
	})
}

// testDeleteOne deletes one of two instances, and takes its name and endpoints again.
func testDeleteOne(t *testing.T, h *harness) {
	i, other := instance(t, "acme", "main"), instance(t, "globex", "main")
	id := i.ID
	gone := []store.Scope{ofInstance(id), ofFlow(id, "import"), ofFlow(id, "export")}
	kept := []store.Scope{
		ofInstance(other.ID), ofFlow(other.ID, "import"), ofExecution(id), {Kind: store.ScopeIntegration, ID: id},
	}
	for _, scope := range append(gone, kept...) {
		h.change(set(scope, "k", "1"), set(scope, "l", "1"))
	}
	for _, i := range []*store.Instance{i, other} {
		require.NoError(t, h.PutInstance(h.ctx(), i))
		require.NoError(t, h.PutSchedules(h.ctx(), i.ID, []*store.Schedule{
			{Instance: i.ID, Flow: "import", Spec: "s", Due: time.Now().Add(time.Hour).UTC()},
		}))
	}
	waits := h.accept(id)

	require.NoError(t, h.DeleteInstance(h.ctx(), i))
	_, err := h.Instance(h.ctx(), id)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = h.InstanceByName(h.ctx(), i.Integration, i.Customer.ID, i.Name)
	require.ErrorIs(t, err, store.ErrNotFound)
	for _, endpoint := range i.Endpoints {
		_, err = h.InstanceByEndpoint(h.ctx(), endpoint.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	schedules, err := h.Schedules(h.ctx(), id)
	require.NoError(t, err)
	require.Empty(t, schedules)
	for _, scope := range gone {
		h.requireState(scope, map[string]string{"k": "", "l": ""})
	}

	requireFound(t, h, other)
	schedules, err = h.Schedules(h.ctx(), other.ID)
	require.NoError(t, err)
	require.Len(t, schedules, 1)
	for _, scope := range kept {
		h.requireState(scope, map[string]string{"k": "1", "l": "1"})
	}
	require.Equal(t, store.StatusQueued, h.record(waits.ID).Status)
	require.Equal(t, []string{waits.ID}, ids(h.claim(1)))

	again := instance(t, "acme", "main")
	again.Endpoints = i.Endpoints
	require.NoError(t, h.PutInstance(h.ctx(), again))
	requireFound(t, h, again)
}
