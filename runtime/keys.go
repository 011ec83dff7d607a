package runtime

import (
	"context"
	"fmt"
	"time"
)

// APIKey is what is known of a key that callers of a flow present in the header Api-Key.
// The key itself is shown once, by CreateAPIKey.
type APIKey struct {
	// Flow is the flow's name.
	Flow string
	// Prefix is how the key begins.
	Prefix string
	// CreatedAt is when it was created, in UTC.
	CreatedAt time.Time
}

// CreateAPIKey draws a new key of 256 random bits for a flow of an instance, by the flow's
// name, and returns it: only its hash is kept, and a copy for the flow itself if there are
// master keys (see Options.MasterKeys). A flow may have several live keys. The first one
// closes a flow of [sluice.EndpointSecurityCustomerOptional] to callers without a key. It
// is an error for flows that take no customer's keys, and [store.ErrNotFound] for an
// unknown instance.
func (rt *Runtime) CreateAPIKey(ctx context.Context, instanceID, flow string) (string, error) {
	key, err := rt.engine.CreateAPIKey(ctx, instanceID, flow)
	if err != nil {
		return "", fmt.Errorf("runtime: create API key: %w", err)
	}
	return key, nil
}

// AddAPIKey is CreateAPIKey with a key that callers use already, at least 16 visible ASCII
// characters long. Adding a live key again changes nothing.
func (rt *Runtime) AddAPIKey(ctx context.Context, instanceID, flow, key string) error {
	if err := rt.engine.AddAPIKey(ctx, instanceID, flow, key); err != nil {
		return fmt.Errorf("runtime: add API key: %w", err)
	}
	return nil
}

// RevokeAPIKey ends the life of a flow's key, named by itself or by its prefix: from the
// next request on it is refused. Without any key a flow of
// [sluice.EndpointSecurityCustomerOptional] is open again: create the next key first. It is
// [store.ErrNotFound] when there is no such key, and an error when several keys have the
// prefix.
func (rt *Runtime) RevokeAPIKey(ctx context.Context, instanceID, flow, keyOrPrefix string) error {
	if err := rt.engine.RevokeAPIKey(ctx, instanceID, flow, keyOrPrefix); err != nil {
		return fmt.Errorf("runtime: revoke API key: %w", err)
	}
	return nil
}

// APIKeys lists what is known of the live keys of an instance, oldest first.
func (rt *Runtime) APIKeys(ctx context.Context, instanceID string) ([]APIKey, error) {
	records, err := rt.engine.APIKeys(ctx, instanceID)
	if err != nil {
		return nil, fmt.Errorf("runtime: API keys: %w", err)
	}
	keys := make([]APIKey, len(records))
	for i, record := range records {
		keys[i] = APIKey{Flow: record.Flow, Prefix: record.Prefix, CreatedAt: record.CreatedAt}
	}
	return keys, nil
}
