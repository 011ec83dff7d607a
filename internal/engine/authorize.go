package engine

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"github.com/sluice-go/sluice"
)

// ErrUnauthorized says that a caller did not present a key that the flow takes. It is the
// same for a wrong, a missing and a doubled key.
var ErrUnauthorized = errors.New("a valid API key is required")

// keyHash is all that is known of a key when it is checked.
type keyHash = [sha256.Size]byte

// Authorize checks the API keys that a request presented against those of the flow: it must
// be exactly one, and a live one. Before the route is known it is the preprocess flow, on a
// shared endpoint without an instance and so without customer's keys; routing by fields of
// the payload asks for none.
func (t Target) Authorize(presented []string) error {
	if t.Flow == nil {
		if t.Flow = t.definition.routing.preprocess; t.Flow == nil {
			return nil
		}
	}
	live, required := t.liveKeys()
	if !required || len(presented) == 1 && isLive(live, presented[0]) {
		return nil
	}
	return ErrUnauthorized
}

// AuthorizeUnknown is Authorize for a request that was routed to a customer whom nobody
// knows: where instances have API keys, it is refused like a wrong key, so that answers do
// not tell which customers there are (design §8). Any other error is the store's: whether
// there are keys is not known then.
func (e *Engine) AuthorizeUnknown(ctx context.Context, unrouted *RouteError, presented []string) error {
	to := unrouted.to
	if err := to.Authorize(presented); err != nil || !to.Flow.takesCustomerKeys() {
		return err
	}
	keyed, err := e.options.Store.HasAPIKeys(ctx, to.definition.integration.Name)
	if err != nil {
		e.options.Logger.ErrorContext(ctx, "looking for API keys failed", "error", err)
		return err
	}
	if keyed {
		return ErrUnauthorized
	}
	return nil
}

// liveKeys are the keys that the flow takes, and whether it asks for one (seed 000,
// "Endpoint security types"). What is not known is closed.
func (t Target) liveKeys() (live []keyHash, required bool) {
	switch t.Flow.EndpointSecurityType {
	case sluice.EndpointSecurityUnsecured:
		return nil, false
	case sluice.EndpointSecurityOrganization:
		return t.Flow.organizationKeys, true
	case "", sluice.EndpointSecurityCustomerOptional:
		live = t.customerKeys()
		return live, len(live) > 0
	default:
		return t.customerKeys(), true
	}
}

func (t Target) customerKeys() []keyHash {
	if t.Instance == nil {
		return nil
	}
	return t.Instance.keys[t.Flow.StableKey]
}

// isLive tells whether the key is one of the live ones, in a time that does not depend on
// which, nor on how much of it is right.
func isLive(live []keyHash, presented string) bool {
	hash := sha256.Sum256([]byte(presented))
	found := 0
	for i := range live {
		found |= subtle.ConstantTimeCompare(hash[:], live[i][:])
	}
	return found == 1
}

// hashKeys hashes keys for their comparison.
func hashKeys(keys []string) []keyHash {
	hashes := make([]keyHash, len(keys))
	for i, key := range keys {
		hashes[i] = sha256.Sum256([]byte(key))
	}
	return hashes
}

// takesCustomerKeys tells whether keys of an instance are ever asked for.
func (f *Flow) takesCustomerKeys() bool {
	switch f.EndpointSecurityType {
	case sluice.EndpointSecurityUnsecured, sluice.EndpointSecurityOrganization:
		return false
	default:
		return true
	}
}
