package storetest

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func instance(tb testing.TB, customer, name string) *store.Instance {
	tb.Helper()
	return &store.Instance{
		ID: newID(tb), Name: name, Integration: "orders", Version: "1.2.0",
		Customer: store.Customer{ID: customer, ExternalID: "x-" + customer, Name: "Customer " + customer},
		Config:   []byte(`{"url":"https://example.com"}`), Paused: true, Pending: true, Change: []byte{0, 255}, DeployedAt: start,
		Endpoints: []store.Endpoint{{ID: newID(tb), Flow: "import"}, {ID: newID(tb)}},
		Keys: []store.APIKey{
			{Flow: "import", Hash: []byte{0, 255}, Prefix: "ab", Sealed: []byte{255, 0}, CreatedAt: start},
			{Flow: "export", Hash: []byte{1}, CreatedAt: start},
		},
	}
}

func testInstances(t *testing.T, s *suite) {
	s.test(t, "put and find", func(t *testing.T, h *harness) {
		i, other := instance(t, "acme", "main"), instance(t, "globex", "main")
		require.NoError(t, h.PutInstance(h.ctx(), i))
		require.NoError(t, h.PutInstance(h.ctx(), other))
		require.EqualValues(t, 1, i.Revision)
		requireFound(t, h, i)
		requireFound(t, h, other)
	})
	s.test(t, "put again", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		require.NoError(t, h.PutInstance(h.ctx(), i))
		gone := i.Endpoints[0].ID
		i.Name, i.Version, i.Paused, i.Config = "second", "1.3.0", false, []byte("{}")
		i.Pending, i.Change = false, nil
		i.Endpoints = []store.Endpoint{{ID: newID(t), Flow: "export"}, i.Endpoints[1]}
		i.Keys = nil
		require.NoError(t, h.PutInstance(h.ctx(), i))
		require.EqualValues(t, 2, i.Revision)
		requireFound(t, h, i)
		_, err := h.InstanceByEndpoint(h.ctx(), gone)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = h.InstanceByName(h.ctx(), "orders", "acme", "main")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
	s.test(t, "not found", func(t *testing.T, h *harness) {
		_, err := h.Instance(h.ctx(), newID(t))
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = h.InstanceByName(h.ctx(), "orders", "acme", "main")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = h.InstanceByEndpoint(h.ctx(), "e")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
	s.test(t, "conflicts", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		require.NoError(t, h.PutInstance(h.ctx(), i))
		for name, spoil := range map[string]func(*store.Instance){
			"revision too low":  func(i *store.Instance) { i.Revision = 0 },
			"revision too high": func(i *store.Instance) { i.Revision = 2 },
			"unknown":           func(i *store.Instance) { i.ID = newID(t); i.Name, i.Endpoints = "other", nil },
			"name":              func(i *store.Instance) { i.ID, i.Revision, i.Endpoints = newID(t), 0, nil },
			"endpoint":          func(i *store.Instance) { i.ID, i.Revision, i.Name = newID(t), 0, "other" },
		} {
			bad := *i
			bad.Version = "6.6.6"
			spoil(&bad)
			revision := bad.Revision
			require.ErrorIs(t, h.PutInstance(h.ctx(), &bad), store.ErrConflict, name)
			require.Equal(t, revision, bad.Revision, name)
		}
		requireFound(t, h, i)
	})
	s.test(t, "two at once", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		require.NoError(t, h.PutInstance(h.ctx(), i))
		var won atomic.Int32
		var all sync.WaitGroup
		for range 16 {
			mine := *i
			all.Go(func() {
				if h.PutInstance(h.ctx(), &mine) == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, won.Load())
	})
	testDeleteInstance(t, s)
	testAPIKeys(t, s)
	testCustomers(t, s)
	testSharedEndpoint(t, s)
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.crash()
		requireFound(t, h, i)
	})
}

func testAPIKeys(t *testing.T, s *suite) {
	s.test(t, "has API keys", func(t *testing.T, h *harness) {
		requireKeys := func(want bool, integration string) {
			t.Helper()
			found, err := h.HasAPIKeys(h.ctx(), integration)
			require.NoError(t, err)
			require.Equal(t, want, found)
		}
		bare, keyed := instance(t, "acme", "main"), instance(t, "globex", "main")
		bare.Keys = nil
		require.NoError(t, h.PutInstance(h.ctx(), bare))
		requireKeys(false, "orders")
		require.NoError(t, h.PutInstance(h.ctx(), keyed))
		requireKeys(true, "orders")
		requireKeys(false, "other")
		keyed.Keys = []store.APIKey{}
		require.NoError(t, h.PutInstance(h.ctx(), keyed))
		requireKeys(false, "orders")
	})
}

func testCustomers(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "of a customer", func(t *testing.T, h *harness) {
		second, first := instance(t, "acme", "two"), instance(t, "acme", "one")
		other, elsewhere := instance(t, "globex", "one"), instance(t, "acme", "one")
		first.Paused, second.Pending = false, true
		elsewhere.Integration = "stock"
		for _, i := range []*store.Instance{second, first, other, elsewhere} {
			require.NoError(t, h.PutInstance(h.ctx(), i))
		}
		found, err := h.InstancesOfCustomer(h.ctx(), "orders", "x-acme")
		require.NoError(t, err)
		require.Equal(t, []*store.Instance{first, second}, found)
		for _, unknown := range []string{"acme", "X-acme", "x-acme ", "x-acm%", ""} {
			found, err = h.InstancesOfCustomer(h.ctx(), "orders", unknown)
			require.NoError(t, err)
			require.Empty(t, found, unknown)
		}
	})
}

func testSharedEndpoint(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "a shared endpoint", func(t *testing.T, h *harness) {
		got := make([]string, 16)
		var all sync.WaitGroup
		for i := range got {
			proposed := newID(t)
			all.Go(func() { got[i], _ = h.SharedEndpoint(h.ctx(), "orders", proposed) })
		}
		all.Wait()
		require.NotEmpty(t, got[0])
		for _, id := range got {
			require.Equal(t, got[0], id)
		}
		other, err := h.SharedEndpoint(h.ctx(), "stock", "s")
		require.NoError(t, err)
		require.Equal(t, "s", other)
		_, err = h.SharedEndpoint(h.ctx(), "sales", "s")
		require.ErrorIs(t, err, store.ErrConflict)
		_, err = h.InstanceByEndpoint(h.ctx(), "s")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
	s.crashTest(t, "a shared endpoint after a crash", func(t *testing.T, h *harness) {
		id, err := h.SharedEndpoint(h.ctx(), "orders", "first")
		require.NoError(t, err)
		h.crash()
		again, err := h.SharedEndpoint(h.ctx(), "orders", "second")
		require.NoError(t, err)
		require.Equal(t, id, again)
	})
}

// requireFound finds the instance in all ways.
func requireFound(t *testing.T, h *harness, want *store.Instance) {
	t.Helper()
	found, err := h.Instance(h.ctx(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, found)
	found, err = h.InstanceByName(h.ctx(), want.Integration, want.Customer.ID, want.Name)
	require.NoError(t, err)
	require.Equal(t, want, found)
	for _, endpoint := range want.Endpoints {
		found, err = h.InstanceByEndpoint(h.ctx(), endpoint.ID)
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
}
