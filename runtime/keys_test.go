package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func noop(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }

func secured(security sluice.EndpointSecurityType, organization ...string) func(*sluice.Flow) {
	return func(f *sluice.Flow) { f.EndpointSecurityType, f.OrganizationAPIKeys = security, organization }
}

// keyed is an integration whose flows Flow and Other ask for a customer's key.
func keyed(execute sluice.ExecutionFunc) *sluice.Integration {
	integration := integrationOf(execute, secured(sluice.EndpointSecurityCustomerRequired))
	other := integration.Flows[0]
	other.Name, other.StableKey = "Other", "other"
	integration.Flows = append(integration.Flows, other)
	return integration
}

func createKey(t *testing.T, rt *runtime.Runtime, instance *runtime.Instance, flow string) string {
	t.Helper()
	key, err := rt.CreateAPIKey(t.Context(), instance.ID, flow)
	require.NoError(t, err)
	return key
}

// withKeys posts to the flow with a header Api-Key for each key, and returns the status.
func withKeys(h *sluicetest.Harness, flow string, keys ...string) int {
	var headers []string
	for _, key := range keys {
		headers = append(headers, "Api-Key", key)
	}
	return h.Post(flow, `{}`, headers...).StatusCode
}

func TestEndpointSecurity(t *testing.T) {
	t.Parallel()
	const open, closed = http.StatusOK, http.StatusUnauthorized
	tests := map[sluice.EndpointSecurityType]struct {
		customerKeys                            bool
		before, without, customer, organization int // before and after a customer's key was created
	}{
		sluice.EndpointSecurityUnsecured:        {false, open, open, open, open},
		"":                                      {true, open, closed, open, closed},
		sluice.EndpointSecurityCustomerOptional: {true, open, closed, open, closed},
		sluice.EndpointSecurityCustomerRequired: {true, closed, closed, open, closed},
		sluice.EndpointSecurityOrganization:     {false, closed, closed, closed, open},
	}
	for security, want := range tests {
		t.Run(string(security), func(t *testing.T) {
			t.Parallel()
			var organizationKeys []string
			if security == sluice.EndpointSecurityOrganization {
				organizationKeys = []string{"org-key-1", "org-key-2"}
			}
			integration := integrationOf(noop, secured(security, organizationKeys...))
			sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				instance := h.Deploy(runtime.Deployment{})
				require.Equal(t, want.before, withKeys(h, "Flow"))
				key, err := h.Runtime.CreateAPIKey(t.Context(), instance.ID, "Flow")
				if !want.customerKeys {
					require.ErrorContains(t, err, `flow "Flow" takes no customer's keys`)
					key = "0123456789abcdef"
				}
				require.Equal(t, want.without, withKeys(h, "Flow"))
				require.Equal(t, want.customer, withKeys(h, "Flow", key))
				require.Equal(t, want.organization, withKeys(h, "Flow", "org-key-1"))
				require.Equal(t, want.organization, withKeys(h, "Flow", "org-key-2"))
			})
		})
	}
}

func TestThreat1_KeysAreComparedWhole(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		var keys []string
		for range 5 {
			keys = append(keys, createKey(t, h.Runtime, instance, "Flow"))
		}
		for i, key := range keys {
			require.Equal(t, http.StatusOK, withKeys(h, "Flow", key), "key %d", i)
			for _, wrong := range []string{
				key[1:], key[:len(key)-1], key + "0", "0" + key, strings.ToUpper(key) + "A", key + key, key + ", " + key, key[:8], "",
				"Bearer " + key,
			} {
				response := h.Post("Flow", `{}`, "Api-Key", wrong)
				require.Equal(t, http.StatusUnauthorized, response.StatusCode, "%q", wrong)
				require.NotContains(t, response.Text, key[:8])
			}
		}
		mixed := "Abcdefghijklmnop"
		require.NoError(t, h.Runtime.AddAPIKey(t.Context(), instance.ID, "Flow", mixed))
		require.Equal(t, http.StatusOK, withKeys(h, "Flow", mixed))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", strings.ToLower(mixed)))
		h.Drain()
		require.Len(t, h.Executions(), len(keys)+1, "a refused request is on record")
	})
}

func TestThreat3_KeysRotateAndAreRevokedAtOnce(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		k1, k2 := createKey(t, h.Runtime, instance, "Flow"), createKey(t, h.Runtime, instance, "Flow")
		require.NotEqual(t, k1, k2)
		require.Equal(t, http.StatusOK, withKeys(h, "Flow", k1))
		require.Equal(t, http.StatusOK, withKeys(h, "Flow", k2))
		require.NoError(t, h.Runtime.RevokeAPIKey(t.Context(), instance.ID, "Flow", k1))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", k1))
		require.Equal(t, http.StatusOK, withKeys(h, "Flow", k2))

		h.Deploy(runtime.Deployment{})
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", k1), "a deployment brought a revoked key back")
		keys, err := h.Runtime.APIKeys(t.Context(), instance.ID)
		require.NoError(t, err)
		require.Equal(t, []runtime.APIKey{{Flow: "Flow", Prefix: k2[:8], CreatedAt: time.Now().UTC()}}, keys)
		require.NoError(t, h.Runtime.RevokeAPIKey(t.Context(), instance.ID, "Flow", keys[0].Prefix))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", k2))
	})
}

func TestRevokeNamesOneKey(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		for _, end := range []string{"-first-key-", "-second-key"} {
			require.NoError(t, h.Runtime.AddAPIKey(t.Context(), instance.ID, "Flow", "shared"+end))
		}
		revoke := func(flow, key string) error { return h.Runtime.RevokeAPIKey(t.Context(), instance.ID, flow, key) }
		require.ErrorContains(t, revoke("Flow", "shar"), "2 API keys")
		require.ErrorIs(t, revoke("Flow", ""), store.ErrNotFound)
		require.ErrorIs(t, revoke("Other", "shared-first-key-"), store.ErrNotFound)
		require.ErrorContains(t, revoke("Third", "shared-first-key-"), `no flow named "Third"`)
		require.ErrorIs(t, h.Runtime.RevokeAPIKey(t.Context(), "nobody", "Flow", "shar"), store.ErrNotFound)
		unknown := revoke("Flow", "some-unknown-secret")
		require.ErrorIs(t, unknown, store.ErrNotFound)
		require.NotContains(t, unknown.Error(), "secret", "an error shows a key")
		require.NoError(t, revoke("Flow", "shared-first-key-"))
		require.NoError(t, revoke("Flow", "shar"))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", "shared-second-key"))
	})
}

func TestAddedKeys(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		for range 2 {
			require.NoError(t, h.Runtime.AddAPIKey(t.Context(), instance.ID, "Flow", "0123456789abcdef"))
		}
		keys, err := h.Runtime.APIKeys(t.Context(), instance.ID)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, "0123", keys[0].Prefix, "too much of a short key is kept")
		for _, bad := range []string{"", "0123456789abcde", "0123456789 abcdef", "0123456789abcdé", "0123456789abcdef\n"} {
			err := h.Runtime.AddAPIKey(t.Context(), instance.ID, "Flow", bad)
			require.ErrorContains(t, err, "at least 16 characters", "%q", bad)
		}
	})
}

func TestKeysAreChangedBesideOtherWrites(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		const many = 20
		keys := make([]string, many)
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				var err error
				if keys[i], err = h.Runtime.CreateAPIKey(t.Context(), instance.ID, "Flow"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, key := range keys {
			require.Equal(t, http.StatusOK, withKeys(h, "Flow", key))
		}
	})
}

// A hook may hand a key to the system that it registers its webhook with.
func TestKeysChangeWhileHooksRun(t *testing.T) {
	t.Parallel()
	var rt *runtime.Runtime
	created, fails := "", false
	integration := keyed(noop)
	integration.Flows[0].OnInstanceDeploy = func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
		if fails {
			if err := rt.RevokeAPIKey(ctx, run.Instance.ID, "Flow", created); err != nil {
				return nil, err
			}
			return nil, errors.New("no")
		}
		var err error
		created, err = rt.CreateAPIKey(ctx, run.Instance.ID, "Flow")
		return nil, err
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		rt = h.Runtime
		h.Deploy(runtime.Deployment{})
		require.Equal(t, http.StatusOK, withKeys(h, "Flow", created))
		fails = true
		_, err := rt.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: "default", Name: "New name"}})
		require.ErrorContains(t, err, "no")
		require.NotErrorIs(t, err, store.ErrConflict)
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", created), "undoing a deployment brought a revoked key back")
	})
}

func TestThreat6_DoubledKeyIsRefused(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		key := createKey(t, h.Runtime, h.Deploy(runtime.Deployment{}), "Flow")
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", key, key))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", "wrong", key))
		require.Equal(t, http.StatusUnauthorized, withKeys(h, "Flow", key, "wrong"))
		require.Equal(t, http.StatusOK, h.Post("Flow", `{}`, "aPI-kEY", key).StatusCode)
	})
}

func TestThreat21_KeysAreOfOneInstanceAndFlow(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		type door struct{ customer, flow string }
		keys := map[door]string{}
		for _, customer := range []string{"acme", "globex"} {
			instance := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			for _, flow := range []string{"Flow", "Other"} {
				keys[door{customer, flow}] = createKey(t, h.Runtime, instance, flow)
			}
		}
		for _, customer := range []string{"acme", "globex"} {
			h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			for _, flow := range []string{"Flow", "Other"} {
				for of, key := range keys {
					want := http.StatusUnauthorized
					if of == (door{customer, flow}) {
						want = http.StatusOK
					}
					require.Equal(t, want, withKeys(h, flow, key), "key of %v at %s %s", of, customer, flow)
				}
			}
		}
	})
}

// endless is a body that never comes.
type endless struct{ done <-chan struct{} }

func (e endless) Read([]byte) (int, error) {
	<-e.done
	return 0, io.ErrUnexpectedEOF
}

func TestThreat31_KeyIsCheckedBeforeTheBody(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{-1, 100, 1_000_000, 1 << 40} {
		t.Run(strconv.FormatInt(length, 10), func(t *testing.T) {
			t.Parallel()
			run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
				done := make(chan struct{})
				defer close(done)
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Flow"), endless{done})
				require.NoError(t, err)
				request.ContentLength = length
				began := time.Now()
				response := h.Deliver(request)
				require.Zero(t, time.Since(began), "it waited for the body")
				require.Equal(t, http.StatusUnauthorized, response.StatusCode)
				require.True(t, response.Close)
			})
		})
	}
}

func TestThreat43_RefusalsTellNothing(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, keyed(noop), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "without keys"}})
		var answers []*sluicetest.Response
		answers = append(answers, h.Post("Flow", `{}`), h.Post("Flow", `{}`, "Api-Key", "0123456789abcdef"))
		instance := h.Deploy(runtime.Deployment{})
		key, other := createKey(t, h.Runtime, instance, "Flow"), createKey(t, h.Runtime, instance, "Other")
		revoked := createKey(t, h.Runtime, instance, "Flow")
		require.NoError(t, h.Runtime.RevokeAPIKey(t.Context(), instance.ID, "Flow", revoked))
		for _, headers := range [][]string{
			{},
			{"Api-Key", ""},
			{"Api-Key", "0"},
			{"Api-Key", key[1:]},
			{"Api-Key", other},
			{"Api-Key", revoked},
			{"Api-Key", key, "Api-Key", key},
			{"Authorization", key},
			{"Content-Encoding", "zstd"},
			{"prismatic-synchronous", "true"},
		} {
			answers = append(answers, h.Post("Flow", `{malformed`, headers...))
		}
		for _, answer := range answers {
			require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
			require.Equal(t, `{"error":"A valid API key is required."}`, answer.Text)
			require.Equal(t, answers[0].Header, answer.Header)
			require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
			require.True(t, answer.Close)
		}
		require.Empty(t, h.Executions())

		unknown, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Flow")+"x", strings.NewReader(`{}`))
		require.NoError(t, err)
		unknown.Header.Set("Api-Key", key)
		answer := h.Deliver(unknown)
		require.Equal(t, http.StatusNotFound, answer.StatusCode)
		require.Equal(t, `{"error":"Not found."}`, answer.Text)
	})
}
