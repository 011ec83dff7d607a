package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-go/sluice/store"
)

const (
	// keySize is how many random bytes make an API key; it is shown in hexadecimal.
	keySize = 32
	// minKeyLength bounds the keys of other systems: their hash must not be guessable.
	minKeyLength = 16
	// prefixLength is how much of a key is kept readable, but never over a quarter.
	prefixLength = 8
)

// CreateAPIKey draws a new key for a flow of an instance, by the flow's name. This is the
// only time that it is shown.
func (e *Engine) CreateAPIKey(ctx context.Context, instanceID, flow string) (string, error) {
	var random [keySize]byte
	rand.Read(random[:])
	key := hex.EncodeToString(random[:])
	if err := e.AddAPIKey(ctx, instanceID, flow, key); err != nil {
		return "", err
	}
	return key, nil
}

// AddAPIKey lets callers in with a key that exists already. Adding a live key again changes
// nothing.
func (e *Engine) AddAPIKey(ctx context.Context, instanceID, flow, key string) error {
	if len(key) < minKeyLength || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("an API key has at least %d characters, all of them visible ASCII", minKeyLength)
	}
	return e.changeKeys(ctx, instanceID, flow, func(record *store.Instance, flow *Flow) error {
		if !flow.takesCustomerKeys() {
			return fmt.Errorf("flow %q takes no customer's keys: its EndpointSecurityType is %s", flow.Name, flow.EndpointSecurityType)
		}
		hash := sha256.Sum256([]byte(key))
		added := store.APIKey{
			Flow: flow.StableKey, Hash: hash[:], Prefix: key[:min(prefixLength, len(key)/4)], CreatedAt: time.Now().UTC(),
		}
		if slices.ContainsFunc(record.Keys, func(k store.APIKey) bool { return k.Flow == added.Flow && bytes.Equal(k.Hash, added.Hash) }) {
			return errNothingToDo
		}
		if e.secrets.CanSeal() {
			added.Sealed = e.secrets.Seal([]byte(key), keyPlace(record, &added)...)
		}
		record.Keys = append(record.Keys, added)
		return nil
	})
}

// RevokeAPIKey ends the life of a flow's key, named by itself or by its prefix: the next
// request with it is refused. It returns [store.ErrNotFound] when there is no such key.
func (e *Engine) RevokeAPIKey(ctx context.Context, instanceID, flow, keyOrPrefix string) error {
	return e.changeKeys(ctx, instanceID, flow, func(record *store.Instance, flow *Flow) error {
		hash := sha256.Sum256([]byte(keyOrPrefix))
		found := indexKeys(record.Keys, func(k store.APIKey) bool { return k.Flow == flow.StableKey && bytes.Equal(k.Hash, hash[:]) })
		if len(found) == 0 {
			found = indexKeys(record.Keys, func(k store.APIKey) bool { return k.Flow == flow.StableKey && k.Prefix == keyOrPrefix })
		}
		switch len(found) {
		case 0:
			return fmt.Errorf("flow %q has no such API key: %w", flow.Name, store.ErrNotFound)
		case 1:
			record.Keys = slices.Delete(record.Keys, found[0], found[0]+1)
			return nil
		default:
			return fmt.Errorf("%d API keys of flow %q begin so: give the whole key", len(found), flow.Name)
		}
	})
}

func indexKeys(keys []store.APIKey, is func(store.APIKey) bool) (found []int) {
	for i, key := range keys {
		if is(key) {
			found = append(found, i)
		}
	}
	return found
}

// errNothingToDo ends a change without a write.
var errNothingToDo = errors.New("nothing to do")

// changeKeys writes a change of an instance's keys, over whatever else is written at the
// same time.
func (e *Engine) changeKeys(
	ctx context.Context, instanceID, flow string, change func(record *store.Instance, flow *Flow) error,
) error {
	for {
		record, err := e.options.Store.Instance(ctx, instanceID)
		if err != nil {
			return err
		}
		d, err := e.definition(record.Integration)
		if err != nil {
			return err
		}
		target, err := d.flowNamed(flow)
		if err != nil {
			return err
		}
		changed := *record
		changed.Keys = slices.Clone(record.Keys)
		switch err := change(&changed, target); {
		case errors.Is(err, errNothingToDo):
			return nil
		case err != nil:
			return err
		}
		if err := e.putInstance(ctx, record, &changed); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// APIKeys lists what is known of an instance's keys, oldest first. Their Flow is the flow's
// name, if it is registered.
func (e *Engine) APIKeys(ctx context.Context, instanceID string) ([]store.APIKey, error) {
	record, err := e.options.Store.Instance(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	d, err := e.definition(record.Integration)
	if err != nil {
		return nil, err
	}
	keys := slices.Clone(record.Keys)
	for i := range keys {
		if flow, ok := d.flows[keys[i].Flow]; ok {
			keys[i].Flow = flow.Name
		}
	}
	return keys, nil
}

// flowNamed finds a flow by its name.
func (d *definition) flowNamed(name string) (*Flow, error) {
	for _, flow := range d.ordered {
		if flow.Name == name {
			return flow, nil
		}
	}
	return nil, fmt.Errorf("integration %q has no flow named %q", d.integration.Name, name)
}
