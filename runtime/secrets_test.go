package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var password = sluice.StringVar{Key: "Password", StableKey: "password"}

// withPassword is an integration with secrets of every kind. Its flow Flow takes customers'
// keys, Organization the organization's.
func withPassword(execute sluice.ExecutionFunc) *sluice.Integration {
	integration := keyed(execute)
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{password}}}
	organization := integration.Flows[0]
	organization.Name, organization.StableKey = "Organization", "organization"
	secured(sluice.EndpointSecurityOrganization, organizationKey)(&organization)
	integration.Flows = append(integration.Flows, organization)
	return integration
}

const organizationKey = "organization-key-1"

func masterKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// site is a runtime on a database file, as one process after another opens it.
type site struct {
	*runtime.Runtime
	instance *runtime.Instance
	logs     *lockedBuffer
}

// lockedBuffer takes logs from many goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// openSite starts a runtime with the master keys.
func openSite(t *testing.T, path string, integration *sluice.Integration, masterKeys ...[]byte) *site {
	t.Helper()
	s := &site{logs: &lockedBuffer{}}
	var err error
	s.Runtime, err = runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integration}, Database: path, MasterKeys: masterKeys,
		Logger: slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	return s
}

// deployPassword deploys the instance with its secret.
func (s *site) deployPassword(t *testing.T) error {
	t.Helper()
	instance, err := s.Deploy(t.Context(), runtime.Deployment{Config: map[string]any{"Password": "pass-word-secret"}})
	if err == nil {
		s.instance = instance
	}
	return err
}

func (s *site) post(t *testing.T, webhook, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	endpoint, err := url.Parse(webhook)
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	s.Handler().ServeHTTP(recorder, request)
	return recorder
}

// holds tells whether a file of the folder holds the text.
func holds(t *testing.T, folder, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return slices.ContainsFunc(files, func(file string) bool {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return bytes.Contains(data, []byte(text))
	})
}

// requireNowhere fails if a file of the folder, or one of the texts, holds a secret.
func requireNowhere(t *testing.T, folder string, texts []string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		require.NotEmpty(t, secret)
		require.False(t, holds(t, folder, secret), "the database holds %q", secret)
		for _, text := range texts {
			require.NotContains(t, text, secret)
		}
	}
}

func TestThreat2_KeysAreNotInTheDatabase(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][][]byte{"hashed": nil, "sealed": {masterKey(1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			s := openSite(t, filepath.Join(folder, "a.db"), withPassword(noop), keys...)
			require.NoError(t, s.deployPassword(t))
			key := createKey(t, s.Runtime, s.instance, "Flow")
			require.Equal(t, http.StatusOK, s.post(t, s.instance.WebhookURLs["Flow"], `{}`, "Api-Key", key).Code)
			require.Len(t, key, 64)
			requireNowhere(t, folder, []string{s.logs.String()}, key, key[8:40])
			require.NoError(t, s.Stop(t.Context()))
			requireNowhere(t, folder, nil, key, key[8:40])
		})
	}
}

func TestThreat25_SecretsAreNotOnRecord(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var saw map[string][]string
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		saw = run.WebhookAPIKeys
		run.Logger.InfoContext(ctx, "here are my headers", "headers", run.Payload.Headers)
		return &sluice.Result{Data: run.Payload.Headers}, nil
	}
	integration := withPassword(flow)
	integration.Flows[1].OnTrigger = func(_ context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		require.NotEmpty(t, payload.Headers.Get("Authorization"))
		require.Equal(t, payload.WebhookAPIKeys, run.WebhookAPIKeys)
		return nil, errors.New("refused")
	}
	s := openSite(t, filepath.Join(folder, "a.db"), integration, masterKey(1))
	require.NoError(t, s.deployPassword(t))
	key, other := createKey(t, s.Runtime, s.instance, "Flow"), createKey(t, s.Runtime, s.instance, "Other")
	secrets := map[string]string{
		"Authorization": "Bearer authorization-secret", "Proxy-Authorization": "proxy-secret", "Cookie": "session=cookie-secret",
		"Set-Cookie": "session=set-cookie-secret", "X-Api-Key": "x-api-key-secret",
	}
	headers := []string{"X-Public", "not-a-secret"}
	for name, secret := range secrets {
		headers = append(headers, name, secret)
	}
	var answers []string
	send := func(status int, flow, body string, more ...string) {
		t.Helper()
		answer := s.post(t, s.instance.WebhookURLs[flow], body, append(slices.Clip(headers), more...)...)
		require.Equal(t, status, answer.Code, answer.Body.String())
		answers = append(answers, answer.Body.String())
	}
	send(200, "Flow", `{}`, "Api-Key", key, "prismatic-synchronous", "true")
	require.Equal(t, map[string][]string{"Flow": {key}, "Other": {other}, "Organization": {organizationKey}}, saw)
	send(200, "Flow", `{}`, "Api-Key", key)
	send(200, "Organization", `{}`, "Api-Key", organizationKey)
	send(400, "Flow", `{malformed`, "Api-Key", key)
	send(400, "Other", `{}`, "Api-Key", other)
	send(401, "Flow", `{}`, "Api-Key", other)
	require.NoError(t, s.Stop(t.Context()))

	all := []string{key, other, organizationKey, "pass-word-secret"}
	for _, secret := range secrets {
		all = append(all, secret)
	}
	requireNowhere(t, folder, append(answers, s.logs.String()), all...)
	require.Contains(t, s.logs.String(), "not-a-secret", "nothing was logged")
	require.Contains(t, answers[0], "not-a-secret")
	require.True(t, holds(t, folder, "not-a-secret"), "nothing is on record")
}

func TestCustomersKeysAreShownOnlyWithAMasterKey(t *testing.T) {
	t.Parallel()
	var saw map[string][]string
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		saw = run.WebhookAPIKeys
		return nil, nil
	}
	sluicetest.Run(t, withPassword(flow), func(t *testing.T, h *sluicetest.Harness) {
		key := createKey(t, h.Runtime, h.Deploy(runtime.Deployment{}), "Flow")
		h.Post("Flow", `{}`, "Api-Key", key, "prismatic-synchronous", "true")
		require.Equal(t, map[string][]string{"Flow": {}, "Other": {}, "Organization": {organizationKey}}, saw)
	})
}

func TestThreat26_SecretsAreSealed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.db")
	var saw string
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		saw = password.Get(run)
		return nil, nil
	}
	integration := withPassword(flow)
	deploys := 0
	integration.Flows[0].OnInstanceDeploy = func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) {
		deploys++
		return nil, nil
	}
	s := openSite(t, path, integration, masterKey(1))
	require.NoError(t, s.deployPassword(t))
	require.NoError(t, s.deployPassword(t))
	require.Equal(t, 1, deploys, "a sealed configuration counts as changed")
	key := createKey(t, s.Runtime, s.instance, "Flow")
	works := func(s *site) {
		t.Helper()
		saw = ""
		answer := s.post(t, s.instance.WebhookURLs["Flow"], `{}`, "Api-Key", key, "prismatic-synchronous", "true")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.Equal(t, "pass-word-secret", saw)
	}
	works(s)
	webhook := s.instance.WebhookURLs["Flow"]
	require.NoError(t, s.Stop(t.Context()))
	requireNowhere(t, folder, nil, "pass-word-secret", key)

	for name, keys := range map[string][][]byte{"without its key": nil, "with another key": {masterKey(2)}} {
		s = openSite(t, path, integration, keys...)
		answer := s.post(t, webhook, `{}`, "Api-Key", key)
		require.Equal(t, http.StatusServiceUnavailable, answer.Code, name)
		require.Contains(t, s.logs.String(), "its master key is not configured: check Options.MasterKeys", name)
		require.ErrorContains(t, s.deployPassword(t), "its master key is not configured: check Options.MasterKeys", name)
		require.NoError(t, s.Stop(t.Context()))
	}

	s = openSite(t, path, integration, masterKey(2), masterKey(1)) // A new key in front.
	require.NoError(t, s.deployPassword(t))
	require.NoError(t, s.Stop(t.Context()))
	s = openSite(t, path, integration, masterKey(2)) // The old one is dropped.
	require.NoError(t, s.deployPassword(t))
	works(s)
	require.Equal(t, 1, deploys, "a rotation counts as a change")
	require.NoError(t, s.Stop(t.Context()))
}

func TestSecretsAreSealedOnceThereIsAMasterKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.db")
	s := openSite(t, path, withPassword(noop))
	require.NoError(t, s.deployPassword(t))
	key := createKey(t, s.Runtime, s.instance, "Flow")
	require.NoError(t, s.Stop(t.Context()))

	s = openSite(t, path, withPassword(noop), masterKey(1))
	require.NoError(t, s.deployPassword(t))
	require.Equal(t, http.StatusOK, s.post(t, s.instance.WebhookURLs["Flow"], `{}`, "Api-Key", key).Code)
	record := changeInstance(t, s, path, s.instance.ID, func(*store.Instance) {})
	require.NotContains(t, string(record.Config), "pass-word-secret")
}

// changeInstance stops the runtime and changes what the database holds of an instance.
func changeInstance(t *testing.T, s *site, path, id string, change func(*store.Instance)) *store.Instance {
	t.Helper()
	require.NoError(t, s.Stop(t.Context()))
	db, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	record, err := db.Instance(t.Context(), id)
	require.NoError(t, err)
	change(record)
	require.NoError(t, db.PutInstance(t.Context(), record))
	require.NoError(t, db.Close())
	return record
}

func TestThreat26_AlteredAndSwappedSecretsAreFound(t *testing.T) {
	t.Parallel()
	changes := map[string]func(i, globex *store.Instance){
		"configuration altered": func(i, _ *store.Instance) { i.Config[len(i.Config)-1] ^= 1 },
		"configuration swapped": func(i, globex *store.Instance) { i.Config = globex.Config },
		"key altered":           func(i, _ *store.Instance) { i.Keys[0].Sealed[30] ^= 1 },
		"key swapped":           func(i, globex *store.Instance) { i.Keys[0].Sealed = globex.Keys[0].Sealed },
		"key of another flow":   func(i, _ *store.Instance) { i.Keys[0].Sealed = i.Keys[1].Sealed },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			s := openSite(t, path, withPassword(noop), masterKey(1))
			other, err := s.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: "globex"}})
			require.NoError(t, err)
			createKey(t, s.Runtime, other, "Flow")
			require.NoError(t, s.deployPassword(t))
			key := createKey(t, s.Runtime, s.instance, "Flow")
			createKey(t, s.Runtime, s.instance, "Other")
			webhook := s.instance.WebhookURLs["Flow"]
			globex := changeInstance(t, s, path, other.ID, func(*store.Instance) {})
			changeInstance(t, s, path, s.instance.ID, func(i *store.Instance) { change(i, globex) })

			s = openSite(t, path, withPassword(noop), masterKey(1))
			require.Equal(t, http.StatusServiceUnavailable, s.post(t, webhook, `{}`, "Api-Key", key).Code)
			require.Contains(t, s.logs.String(), "it was altered, or stands in the wrong place")
			require.NotContains(t, s.logs.String(), key)
			require.ErrorContains(t, s.deployPassword(t), "it was altered, or stands in the wrong place")
			require.Equal(t, http.StatusOK, s.post(t, other.WebhookURLs["Organization"], `{}`, "Api-Key", organizationKey).Code)
		})
	}
}

func TestMasterKeyLengthIsChecked(t *testing.T) {
	t.Parallel()
	_, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(noop)}, Database: ":memory:", MasterKeys: [][]byte{masterKey(1), []byte("short")},
	})
	require.ErrorContains(t, err, "Options.MasterKeys[1] has 5 bytes: it must be 32 random ones")
}
