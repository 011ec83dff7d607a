package sluicetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// judge stands for a test that is itself tested: it keeps its failures, and end ends it.
type judge struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (j *judge) Helper()          {}
func (j *judge) Cleanup(f func()) { j.cleanups = append(j.cleanups, f) }
func (j *judge) Errorf(format string, a ...any) {
	j.failures = append(j.failures, fmt.Sprintf(format, a...))
}
func (j *judge) Failed() bool                   { return len(j.failures) > 0 }
func (j *judge) Fatalf(format string, a ...any) { j.Errorf(format, a...) }

func (j *judge) end() {
	for _, f := range j.cleanups {
		f()
	}
}

// crm is a service that flows call: it hands out a token, and counts contacts.
func crm(t *testing.T) *httptest.Server {
	t.Helper()
	contacts := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Set-Cookie", "session=top-secret-cookie")
			_, _ = io.WriteString(w, `{"access_token": "top-secret-token", "expires_in": 3600}`)
		case r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/logo":
			_, _ = w.Write([]byte("\x89PNG\r\n\x1a\n"))
		default:
			contacts++
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, "contact %d of %d bytes\n", contacts, len(body))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// answer is what came back.
type answer struct{ status, contentType, text string }

func send(t *testing.T, transport http.RoundTripper, method, url, contentType, body string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer top-secret-token")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.Status, response.Header.Get("Content-Type"), string(text)}, nil
}

// useCRM sends what a flow might, and returns what comes back.
func useCRM(t *testing.T, transport http.RoundTripper, url string) string {
	t.Helper()
	var seen strings.Builder
	for _, call := range [][4]string{
		{"POST", "/token?api_key=top-secret-key", "application/x-www-form-urlencoded", "grant_type=password&password=top-secret-password"},
		{"POST", "/contacts", "application/json", `{"name": "Ada", "auth": {"client_secret": "top-secret-client"}}`},
		{"POST", "/contacts", "application/json", `{"name": "Ada", "auth": {"client_secret": "top-secret-client"}}`},
		{"GET", "/logo", "", ""},
	} {
		got, err := send(t, transport, call[0], url+call[1], call[2], call[3])
		require.NoError(t, err)
		fmt.Fprintf(&seen, "%s %q\n", got.status, got.text)
	}
	return seen.String()
}

func TestRecorderReplaysWhatItRecorded(t *testing.T) {
	t.Parallel()
	server := crm(t)
	file := filepath.Join(t.TempDir(), "folder", "crm.txt")
	recording := &judge{TB: t}
	live := useCRM(t, sluicetest.NewRecorder(recording, file, sluicetest.RecorderOptions{Update: true}), server.URL)
	recording.end()
	server.Close()
	require.Empty(t, recording.failures)

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(data), "top-secret")
	require.Contains(t, string(data), "grant_type=password&password=REDACTED")
	require.Contains(t, string(data), `{"access_token": "REDACTED", "expires_in": 3600}`)

	replaying := &judge{TB: t}
	replayed := useCRM(t, sluicetest.NewRecorder(replaying, file, sluicetest.RecorderOptions{}), server.URL)
	replaying.end()
	require.Empty(t, replaying.failures)
	require.Equal(t, strings.ReplaceAll(live, "top-secret-token", "REDACTED"), replayed)
	require.Contains(t, replayed, `201 Created "contact 1 of 63 bytes`)
	require.Contains(t, replayed, `201 Created "contact 2 of 63 bytes`)
	require.Contains(t, replayed, `200 OK "\x89PNG\r\n\x1a\n"`)
}

func TestAFailingTestKeepsItsRecording(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "crm.txt")
	require.NoError(t, os.WriteFile(file, []byte(contacts), 0o600))
	recording := &judge{TB: t}
	sluicetest.NewRecorder(recording, file, sluicetest.RecorderOptions{Update: true})
	recording.Errorf("the flow failed before it called anyone")
	recording.end()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, contacts, string(data))
}

const contacts = `-- request --
POST https://crm.example.com/v1/contacts?notify=yes&list=7
Content-Type: application/json

{"name": "Ada", "age": 36}
-- response --
201 Created
Content-Type: application/json

{"id": 1}
-- request --
GET https://crm.example.com/v1/contacts/1
-- response --
404 Not Found
`

// replaying returns a recorder of the file's text, and the test that it fails.
func replaying(t *testing.T, text string) (*sluicetest.Recorder, *judge) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "crm.txt")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	judge := &judge{TB: t}
	return sluicetest.NewRecorder(judge, file, sluicetest.RecorderOptions{}), judge
}

func TestRecorderComparesRequests(t *testing.T) {
	t.Parallel()
	recorder, judge := replaying(t, contacts)
	got, err := send(t, recorder, "POST", "https://CRM.example.com/v1/contacts?list=7&notify=yes", "application/json", `{"age":36,"name":"Ada"}`)
	require.NoError(t, err)
	require.Equal(t, "201 Created", got.status)
	require.Equal(t, "application/json", got.contentType)
	require.Equal(t, `{"id": 1}`, got.text)
	got, err = send(t, recorder, "GET", "https://crm.example.com/v1/contacts/1", "", "")
	require.NoError(t, err)
	require.Equal(t, "404 Not Found", got.status)
	require.Empty(t, got.text)
	judge.end()
	require.Empty(t, judge.failures)
}

func TestRecorderRefusesUnknownRequests(t *testing.T) {
	t.Parallel()
	recorder, judge := replaying(t, contacts)
	_, err := send(t, recorder, "POST", "https://crm.example.com/v1/contacts?list=8&notify=yes", "application/json", `{"age":36,"name":"Bob"}`)
	require.Error(t, err)
	require.True(t, sluice.IsPermanent(err), "a retry cannot help")
	require.Contains(t, err.Error(), `has no answer to POST https://crm.example.com/v1/contacts?list=8&notify=yes: the most similar request there differs (- recorded, + sent):
      POST https://crm.example.com/v1/contacts
    -   ?list=7
    +   ?list=8
        ?notify=yes
      {
        "age": 36,
    -   "name": "Ada"
    +   "name": "Bob"
      }
if the request is right, save the answer: run the test with RecorderOptions.Update`)
	require.Len(t, judge.failures, 1)
	require.Contains(t, judge.failures[0], `+   "name": "Bob"`, "also where a flow hides the error")

	_, err = send(t, recorder, "GET", "https://crm.example.com/v1/contacts/1", "", "")
	require.NoError(t, err)
	_, err = send(t, recorder, "GET", "https://crm.example.com/v1/contacts/1", "", "")
	require.ErrorContains(t, err, "it was recorded 1 times, and sent once more")

	judge.failures = nil
	judge.end()
	require.Len(t, judge.failures, 1)
	require.Contains(t, judge.failures[0], "has answers that nobody asked for")
	require.Contains(t, judge.failures[0], "\n    POST https://crm.example.com/v1/contacts?notify=yes&list=7")
	require.NotContains(t, judge.failures[0], "contacts/1")
}

func TestRecorderRefusesFiles(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		"-- request --\nGET https://example.com/\n":     "exchange 1: a request must be followed by its response",
		"-- response --\n200 OK\n":                      "exchange 1: a request must be followed by its response",
		"-- answer --\n":                                `the section "answer" on line 1: there are "request" and "response"`,
		"-- request --\nGET\n":                          "there is no method and URL",
		"-- request --\nGET https://example.com/\n{}\n": `"{}" is no header: there must be an empty line before the body`,
		"comment\n-- request --\nGET https://example.com/\n-- response --\nOK\n":         `the section "response" on line 4: it begins with "OK"`,
		"-- request --\nGET https://example.com/\n-- response base64 --\n200 OK\n\n%%\n": "the body: illegal base64 data",
	} {
		_, judge := replaying(t, text)
		require.Len(t, judge.failures, 1, text)
		require.Contains(t, judge.failures[0], message)
	}
	recorder := sluicetest.NewRecorder(&judge{TB: t}, filepath.Join(t.TempDir(), "none.txt"), sluicetest.RecorderOptions{})
	_, err := send(t, recorder, "GET", "https://example.com/", "", "")
	require.ErrorContains(t, err, "nothing is recorded there")
}

// TestRecorderInABubble records and replays what a flow sends, with nothing changed in the flow.
func TestRecorderInABubble(t *testing.T) {
	t.Parallel()
	server := crm(t)
	integration := &sluice.Integration{Name: "Contacts", Flows: []sluice.Flow{{
		Name: "Create", StableKey: "create", IsSynchronous: true,
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/contacts", strings.NewReader("Ada"))
			if err != nil {
				return nil, err
			}
			request.Header.Set("Authorization", "Bearer top-secret-token")
			response, err := run.HTTPClient().Do(request)
			if err != nil {
				return nil, err
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			return &sluice.Result{Data: string(text)}, err
		},
	}}}
	file := filepath.Join(t.TempDir(), "crm.txt")
	for _, update := range []bool{true, false} {
		judge := &judge{TB: t}
		recorder := sluicetest.NewRecorder(judge, file, sluicetest.RecorderOptions{Update: update})
		options := sluicetest.Options{
			Runtime:     runtime.Options{Integrations: []*sluice.Integration{integration}, Transport: recorder},
			Deployments: []runtime.Deployment{{}},
		}
		sluicetest.RunOptions(t, options, func(t *testing.T, h *sluicetest.Harness) {
			require.Equal(t, `"contact 1 of 3 bytes\n"`, h.Post("Create", `{}`).Text)
		})
		judge.end()
		require.Empty(t, judge.failures)
		server.Close()
	}
}
