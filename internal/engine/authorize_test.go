package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// securedFlow is a registered flow of the security type.
func securedFlow(t *testing.T, security sluice.EndpointSecurityType) *Flow {
	t.Helper()
	flow, err := newFlow(&sluice.Flow{Name: "Flow", EndpointSecurityType: security, OrganizationAPIKeys: []string{"one", "two"}})
	require.NoError(t, err)
	return flow
}

var securityTypes = map[sluice.EndpointSecurityType]struct{ without, organization error }{
	"":                                      {nil, nil},
	sluice.EndpointSecurityUnsecured:        {nil, nil},
	sluice.EndpointSecurityCustomerOptional: {nil, nil},
	sluice.EndpointSecurityCustomerRequired: {ErrUnauthorized, ErrUnauthorized},
	sluice.EndpointSecurityOrganization:     {ErrUnauthorized, nil},
	"of the future":                         {ErrUnauthorized, ErrUnauthorized},
}

func TestAuthorizeWithoutAnInstance(t *testing.T) {
	t.Parallel()
	for security, want := range securityTypes {
		target := Target{Flow: securedFlow(t, security)}
		require.Equal(t, want.without, target.Authorize(nil), security)
		require.Equal(t, want.organization, target.Authorize([]string{"one"}), security)
		require.Equal(t, want.organization, target.Authorize([]string{"two"}), security)
		require.Equal(t, want.without, target.Authorize([]string{"one", "two"}), security)
		require.Equal(t, want.without, target.Authorize([]string{"one, two"}), security)
	}
}

func TestOrganizationWithoutKeysIsClosed(t *testing.T) {
	t.Parallel()
	flow, err := newFlow(&sluice.Flow{Name: "Flow", EndpointSecurityType: sluice.EndpointSecurityOrganization})
	require.NoError(t, err)
	require.Equal(t, ErrUnauthorized, Target{Flow: flow}.Authorize(nil))
	require.Equal(t, ErrUnauthorized, Target{Flow: flow}.Authorize([]string{""}))
}

func TestUnknownCustomersAreRefusedWhereOthersHaveKeys(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	e := &Engine{
		options:     Options{Store: db},
		definitions: map[string]*definition{"Orders": {integration: &sluice.Integration{Name: "Orders"}}},
	}
	for security, want := range securityTypes {
		require.Equal(t, want.without, e.AuthorizeUnknown(t.Context(), unknownCustomer(e, securedFlow(t, security)), nil), security)
	}
	require.NoError(t, db.PutInstance(t.Context(), &store.Instance{ID: "i", Integration: "Orders", Keys: []store.APIKey{{Flow: "flow"}}}))
	for security, want := range securityTypes {
		if security == "" || security == sluice.EndpointSecurityCustomerOptional {
			want.without = ErrUnauthorized
		}
		require.Equal(t, want.without, e.AuthorizeUnknown(t.Context(), unknownCustomer(e, securedFlow(t, security)), nil), security)
	}
}

// unknownCustomer is the error of a request that names a flow and a customer whom nobody
// knows.
func unknownCustomer(e *Engine, flow *Flow) *RouteError {
	return &RouteError{UnknownCustomer: true, to: Target{Flow: flow, definition: e.definitions["Orders"]}}
}
