package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

var hostileSeed = flag.Uint64("hostile.seed", 0, "seed of the hostile requests; 0 draws one")

const (
	hostileRequests = 2000
	hostileMaxBody  = 1_000_000
	// hostileClients send at the same time.
	hostileClients = 4
	// slowShare is how many times rarer slow kinds are.
	slowShare = 8
)

// kinds are all kinds of hostile requests.
func kinds() (all []kind) {
	for _, some := range [][]kind{lineKinds, framingKinds, headerKinds, pathKinds, bodyKinds, jsonKinds, keyKinds, signatureKinds, sharedKinds} {
		all = append(all, some...)
	}
	return all
}

// TestHostileRequests attacks the program and asks after every single request whether it
// still serves its customers. What a kind must be answered stands with it.
func TestHostileRequests(t *testing.T) { //nolint:paralleltest // It measures the program's memory.
	began := time.Now()
	count := hostileRequests
	if testing.Short() {
		count /= 10
	}
	seed := *hostileSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -args -hostile.seed=%d", seed)
	c := startChild(t, hostileMaxBody)
	for n := range 10 {
		require.NoError(t, c.normal(n))
	}
	// Warm up with the same kinds: buffers and caches reach their size.
	attack(t, c, seed+1, count/4)
	burst(t, c)
	checkFootprint(t, c, func() { attack(t, c, seed, count) })
	c.stop(t)
	require.Less(t, time.Since(began), 90*time.Second)
}

// burst reads at the same time as often as the database has connections for reading, and
// more, so that all of them are open.
func burst(t *testing.T, c *child) {
	t.Helper()
	var clients errgroup.Group
	for n := range 64 {
		clients.Go(func() error {
			m := &maker{Rand: rand.New(rand.NewPCG(0, uint64(n))), URLs: c.urls, address: c.address}
			for range 20 {
				if err := (attempt{want: []int{404}, wire: []byte(m.head("GET", "/trigger/result/"+m.text(43)))}).run(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, clients.Wait())
}

// attack sends the requests, and a normal one after each.
func attack(t *testing.T, c *child, seed uint64, count int) {
	t.Helper()
	order := drawKinds(seed, count)
	var mu sync.Mutex
	var failures []string
	raw, seen := 0, map[string]bool{}
	var clients errgroup.Group
	clients.SetLimit(hostileClients)
	for n, k := range order {
		clients.Go(func() error {
			m := &maker{Rand: rand.New(rand.NewPCG(seed, uint64(n))), URLs: c.urls, address: c.address}
			a := k.make(m)
			err := a.run(c)
			next := c.normal(n)
			mu.Lock()
			defer mu.Unlock()
			seen[k.name] = true
			if a.request == nil {
				raw++
			}
			if err != nil {
				failures = append(failures, fmt.Sprintf("request %d, %s: %v", n, k.name, err))
			}
			if next != nil {
				failures = append(failures, fmt.Sprintf("normal request after %d, %s: %v", n, k.name, next))
			}
			return nil
		})
	}
	_ = clients.Wait()
	t.Logf("%d hostile requests of %d kinds, %d over raw sockets", len(order), len(seen), raw)
	require.NoError(t, c.log.panicked())
	require.Empty(t, failures)
	require.GreaterOrEqual(t, len(seen), 40)
	require.GreaterOrEqual(t, 3*raw, len(order))
}

// drawKinds draws the order: every kind at least once, the slow ones rarely.
func drawKinds(seed uint64, count int) []kind {
	source := rand.New(rand.NewPCG(seed, 0))
	all := kinds()
	order := append([]kind{}, all...)
	for len(order) < count {
		if k := all[source.IntN(len(all))]; !k.slow || source.IntN(slowShare) == 0 {
			order = append(order, k)
		}
	}
	source.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
