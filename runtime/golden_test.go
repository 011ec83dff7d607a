package runtime_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var update = flag.Bool("update", false, "rewrite the golden files with what the runtime answers")

// TestGolden holds the runtime to the answers and records in testdata/golden. A file there
// says in its comment what it shows; its sections are
//
//	options    one "name: value" a line, see goldenOptions
//	request    HTTP/1.1 as it is sent, a template: {{path "Flow"}}, {{location}} (where the
//	           answer before redirected to), {{repeat "text" 100}}, {{hex "89504e47"}}
//	wait       how long to wait before the next request
//	stop       stop the runtime
//	response   the answer to the request before
//	records    the executions that are on record when all is done
//
// -update rewrites the last two. What differs from run to run is masked.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			require.NotEmpty(t, archive.Comment, "say what it shows")
			var got *txtar.Archive
			sluicetest.RunOptions(t, goldenOptions(t, archive), func(t *testing.T, h *sluicetest.Harness) {
				g := &golden{h: h, runtime: h.Runtime, dial: h.Dial, urls: h.Deploy(goldenDeployment).WebhookURLs}
				got = g.play(t, archive)
				h.Drain()
				got.Files = append(got.Files, txtar.File{Name: "records", Data: []byte(g.records())})
			})
			if *update {
				require.NoError(t, os.WriteFile(file, txtar.Format(got), 0o600))
				return
			}
			require.Equal(t, string(txtar.Format(archive)), string(txtar.Format(got)))
		})
	}
}

// TestGoldenOverTCP gets the same answers from a real server, and from the harness, byte for
// byte but for what is masked: ids, times and secrets.
func TestGoldenOverTCP(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	require.NoError(t, err)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			var harness []string
			sluicetest.RunOptions(t, goldenOptions(t, archive), func(t *testing.T, h *sluicetest.Harness) {
				g := &golden{h: h, runtime: h.Runtime, dial: h.Dial, urls: h.Deploy(goldenDeployment).WebhookURLs}
				g.play(t, archive)
				h.Drain()
				harness = g.wire
			})
			options := goldenOptions(t, archive)
			database, err := options.OpenStore(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, database.Close()) })
			options.Runtime.BaseURL, options.Runtime.Store = "http://sluice.test", database
			rt, err := runtime.New(t.Context(), options.Runtime)
			require.NoError(t, err)
			require.NoError(t, rt.Start(t.Context()))
			instance, err := rt.Deploy(t.Context(), goldenDeployment)
			require.NoError(t, err)
			server := httptest.NewServer(rt.Handler())
			dial := func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
			}
			g := &golden{runtime: rt, dial: dial, urls: instance.WebhookURLs}
			got := g.play(t, archive)
			server.Close()
			require.NoError(t, rt.Stop(t.Context()))
			want := &txtar.Archive{Comment: archive.Comment}
			for _, section := range archive.Files {
				if section.Name != "records" {
					want.Files = append(want.Files, section)
				}
			}
			require.Equal(t, string(txtar.Format(want)), string(txtar.Format(got)))
			require.NotEmpty(t, g.wire)
			require.Equal(t, g.wire, harness)
		})
	}
}

// goldenOptions are those that an archive asks for.
func goldenOptions(t *testing.T, archive *txtar.Archive) sluicetest.Options {
	t.Helper()
	options := sluicetest.Options{
		Runtime:   runtime.Options{Integrations: []*sluice.Integration{goldenIntegration()}},
		OpenStore: func(ctx context.Context) (store.Store, error) { return sqlite.Open(ctx, ":memory:") },
	}
	for _, section := range archive.Files {
		if section.Name != "options" {
			continue
		}
		for line := range strings.Lines(string(section.Data)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			goldenOption(t, &options, name, value)
		}
	}
	return options
}

func goldenOption(t *testing.T, o *sluicetest.Options, name, value string) {
	t.Helper()
	options, open := &o.Runtime, o.OpenStore
	var err error
	switch name + ": " + value {
	case "integration: event router":
		options.Integrations = []*sluice.Integration{eventRouter()}
		return
	case "integration: shared receiver":
		options.Integrations = []*sluice.Integration{sharedReceiver()}
		return
	case "integration: multi-tenant router":
		options.Integrations = []*sluice.Integration{multiTenantRouter()}
		return
	case "sync-response: redirect":
		options.SyncResponse = runtime.SyncResponseRedirect
		return
	case "recording: none":
		options.Recording = runtime.RecordNone
		return
	case "store: takes no executions":
		o.OpenStore = func(ctx context.Context) (store.Store, error) {
			opened, err := open(ctx)
			return readOnlyStore{opened}, err
		}
		return
	}
	switch name {
	case "max-body":
		options.MaxBodyBytes, err = strconv.ParseInt(value, 10, 64)
	case "rate-limit":
		options.RateLimit, err = strconv.Atoi(value)
	case "concurrency":
		options.Concurrency, err = strconv.Atoi(value)
	case "sync-timeout":
		options.SyncTimeout, err = time.ParseDuration(value)
	case "result-expiry":
		options.ResultExpiry, err = time.ParseDuration(value)
	default:
		t.Fatalf("no option is %q: %q", name, value)
	}
	require.NoError(t, err)
}

// readOnlyStore is a store whose disk is full: it takes neither executions nor results.
type readOnlyStore struct{ store.Store }

var errDiskFull = fmt.Errorf("%w: disk full", store.ErrUnavailable)

func (readOnlyStore) Accept(context.Context, *store.Acceptance) (*store.Accepted, error) {
	return nil, errDiskFull
}

func (readOnlyStore) PutResult(context.Context, *store.Result) error { return errDiskFull }

// golden plays an archive against a server.
type golden struct {
	// h is nil over TCP.
	h       *sluicetest.Harness
	runtime *runtime.Runtime
	dial    dialer
	// urls of the flows, by name.
	urls map[string]string
	// location is where the latest answer redirected to.
	location string
	mask     mask
	// wire is what the server sent, masked.
	wire     []string
	wireMask mask
}

// play sends the requests and returns the archive with what came back.
func (g *golden) play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	t.Helper()
	g.mask.endpoints = map[string]string{}
	g.wireMask.endpoints = g.mask.endpoints
	for _, flow := range slices.Sorted(maps.Keys(g.urls)) { // Of flows that share one, the last.
		g.mask.endpoints[path.Base(g.urls[flow])] = flow
	}
	got := &txtar.Archive{Comment: archive.Comment}
	for _, section := range archive.Files {
		switch section.Name {
		case "response", "records":
			continue
		case "wait":
			pause, err := time.ParseDuration(strings.TrimSpace(string(section.Data)))
			require.NoError(t, err)
			g.pass(pause)
		case "stop":
			require.NoError(t, g.runtime.Stop(t.Context()))
		}
		got.Files = append(got.Files, section)
		if section.Name == "request" {
			response := g.request(t, string(section.Data))
			got.Files = append(got.Files, txtar.File{Name: "response", Data: []byte(g.mask.apply(response))})
		}
	}
	return got
}

// pass lets time pass: over TCP it is that of the clock on the wall.
func (g *golden) pass(d time.Duration) {
	if g.h != nil {
		g.h.Advance(d)
		return
	}
	<-time.After(d)
}

// records tells what is on record of executions.
func (g *golden) records() string {
	var records strings.Builder
	for _, x := range g.h.Executions() {
		describe(&records, x)
	}
	return g.mask.apply(records.String())
}

// request sends the request of a section and returns the answer's text.
func (g *golden) request(t *testing.T, text string) string {
	t.Helper()
	parsed, err := template.New("request").Funcs(template.FuncMap{
		"path": func(flow string) (string, error) {
			parsed, err := url.Parse(g.urls[flow])
			if err == nil && parsed.Path == "" {
				err = errors.New("no such flow: " + flow)
			}
			return parsed.Path, err
		},
		"location": func() string { return g.location },
		"repeat":   strings.Repeat,
		"hex": func(digits string) (string, error) {
			decoded, err := hex.DecodeString(digits)
			return string(decoded), err
		},
	}).Parse(text)
	require.NoError(t, err)
	var rendered bytes.Buffer
	require.NoError(t, parsed.Execute(&rendered, nil))
	raw := rawRequest(t, rendered.String())
	response := exchange(t, g.dial, raw)
	g.wire = append(g.wire, g.wireMask.apply(string(response.raw)))
	if location := response.Header.Get("Location"); location != "" {
		reference, err := url.Parse(location)
		require.NoError(t, err)
		g.location = target(t, raw).ResolveReference(reference).RequestURI()
	}
	return response.String()
}

// describe writes what is on record of an execution.
func describe(text *strings.Builder, x *sluicetest.Execution) {
	fmt.Fprintf(text, "%s: flow %s, %s, %s, attempts %d\n", x.ID, x.Flow, x.InvokeType, x.Status, len(x.Attempts))
	if body := x.Payload.RawBody.Data; len(body) > 0 {
		fmt.Fprintf(text, "  body: %s\n", readable(body))
	}
	if x.Result != nil {
		fmt.Fprintf(text, "  result: %d %s %s\n", x.Result.StatusCode, x.Result.ContentType, readable(x.Result.Data))
	}
	if x.Error != "" {
		fmt.Fprintf(text, "  error: %s\n", x.Error)
	}
}

// mask replaces what differs from run to run.
type mask struct {
	// endpoints holds the names of flows by their endpoints' ids.
	endpoints map[string]string
	// ids holds the number of each id, in the order they came.
	ids map[string]int
}

var (
	maskedID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	maskedTime   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	maskedDate   = regexp.MustCompile(`(?m)^Date: .*$`)
	maskedSecret = regexp.MustCompile(`result/[A-Z2-7]{26}\b`)
)

func (m *mask) apply(text string) string {
	for id, flow := range m.endpoints {
		text = strings.ReplaceAll(text, id, "{{"+flow+"}}")
	}
	text = maskedID.ReplaceAllStringFunc(text, func(id string) string {
		if m.ids == nil {
			m.ids = map[string]int{}
		}
		if m.ids[id] == 0 {
			m.ids[id] = len(m.ids) + 1
		}
		return fmt.Sprintf("{{id %d}}", m.ids[id])
	})
	text = maskedTime.ReplaceAllString(text, "{{time}}")
	text = maskedSecret.ReplaceAllString(text, "result/{{secret}}")
	return maskedDate.ReplaceAllString(text, "Date: {{date}}")
}
