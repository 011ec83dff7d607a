package spectral_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// Handles are package-level variables: a page lists them, flows read them.
var (
	apiURL   = sluice.StringVar{Key: "API URL", StableKey: "api-url", Default: "https://shop.test"}
	color    = sluice.PicklistVar{Key: "Color", StableKey: "color", PickList: []string{"red", "green"}, Default: "red"}
	pageSize = sluice.NumberVar{Key: "Page Size", StableKey: "page-size", Default: 50}
	tags     = sluice.ValueListVar[string]{Element: sluice.StringVar{Key: "Tags", StableKey: "tags"}}
	shop     = sluice.ConnectionVar{Key: "Shop", StableKey: "shop", Connection: sluice.BasicConnection{
		Inputs: []sluice.ConnectionInput{
			{Key: "user", Label: "User", Type: sluice.InputTypeString, Required: true},
			{Key: "password", Label: "Password", Type: sluice.InputTypePassword, Required: true},
		},
	}}
)

var configPages = []sluice.ConfigPage{
	{Name: "Connection", Tagline: "Where your shop is", Elements: []sluice.ConfigElement{apiURL, shop}},
	{Name: "Options", Elements: []sluice.ConfigElement{
		sluice.HTMLElement{Key: "hint", Content: "<p>What to list</p>"}, color, pageSize, tags,
	}},
}

var list = sluice.Flow{
	Name: "List", StableKey: "list", IsSynchronous: true,
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, apiURL.Get(run)+"/?color="+color.Get(run), nil)
		if err != nil {
			return nil, err
		}
		connection := shop.Get(run)
		request.SetBasicAuth(connection.Field("user"), connection.Field("password"))
		response, err := run.HTTPClient().Do(request)
		if err != nil {
			return nil, err
		}
		return &sluice.Result{Data: tags.Get(run), StatusCode: response.StatusCode}, response.Body.Close()
	},
}

func TestConfig(t *testing.T) {
	t.Parallel()
	options := sluicetest.Options{Runtime: runtime.Options{
		Integrations: []*sluice.Integration{{Name: "Shop", Flows: []sluice.Flow{list}, ConfigPages: configPages}},
		Transport: sluicetest.Hosts{"shop.test": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "ada" || password != "secret" || r.FormValue("color") != "green" {
				w.WriteHeader(http.StatusForbidden)
			}
		})},
	}}
	sluicetest.RunOptions(t, options, func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Config: map[string]any{"Color": "blue"}})
		require.ErrorContains(t, err, "Color")
		require.ErrorContains(t, err, "Shop")
		h.Deploy(runtime.Deployment{Config: map[string]any{
			"Color": "green",
			"Tags":  []string{"new"},
			"Shop":  sluice.Connection{Fields: map[string]any{"user": "ada", "password": "secret"}},
		}})
		h.Post("List", `{}`).RequireStatus(200).RequireJSON([]string{"new"})
	})
}

var crm = sluice.ConnectionVar{Key: "CRM", StableKey: "crm", Connection: sluice.OAuth2AuthorizationCodeConnection{
	OAuth2PKCEMethod: sluice.PKCES256,
	Inputs: []sluice.ConnectionInput{
		{Key: "authorizeUrl", Label: "Authorize URL", Type: sluice.InputTypeString, Default: "https://id.example.com/authorize"},
		{Key: "tokenUrl", Label: "Token URL", Type: sluice.InputTypeString, Default: "https://id.example.com/token"},
		{Key: "scopes", Label: "Scopes", Type: sluice.InputTypeString, Default: "read write"},
		{Key: "clientId", Label: "Client ID", Type: sluice.InputTypeString, Required: true},
		{Key: "clientSecret", Label: "Client secret", Type: sluice.InputTypePassword, Required: true},
	},
}}

var whoAmI = sluice.Flow{
	Name: "Who am I", StableKey: "who-am-i", IsSynchronous: true,
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: "Bearer " + crm.Get(run).AccessToken()}, nil
	},
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	integration := &sluice.Integration{
		Name: "CRM", Flows: []sluice.Flow{whoAmI},
		ConfigPages: []sluice.ConfigPage{{Name: "CRM", Elements: []sluice.ConfigElement{crm}}},
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"CRM": sluice.Connection{
			Fields: map[string]any{"clientId": "sluice", "clientSecret": "secret"},
			Token:  map[string]any{"access_token": "token"},
		}}})
		h.Post("Who am I", `{}`).RequireStatus(200).RequireJSON("Bearer token")
	})
}
