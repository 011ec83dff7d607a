package runtime_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// The load of the memory tests, and what it may add.
const (
	memoryClients = 30
	maxBody       = 6_000_000
	memoryLimit   = 300 << 20
)

// serveForReal serves the integration's flow named Flow on a real listener and a file, and
// returns its URL.
func serveForReal(t *testing.T, integration *sluice.Integration) (endpoint string) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integration}, Database: filepath.Join(t.TempDir(), "test.db"),
		BaseURL: server.URL, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, rt.Start(t.Context()))
	mux.Handle("/", rt.Handler())
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	return instance.WebhookURLs["Flow"]
}

// residentMemory is what the process has of the machine's memory: as the system counts it
// where it tells, as Go does elsewhere.
func residentMemory() int {
	var all, resident int
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(statm), &all, &resident); err == nil {
			return resident * os.Getpagesize()
		}
	}
	var stats goruntime.MemStats
	goruntime.ReadMemStats(&stats)
	return int(stats.Sys - stats.HeapReleased)
}

// memoryGrowth calls work and returns by how much the process grew at most meanwhile.
func memoryGrowth(work func()) int {
	debug.FreeOSMemory()
	before, most := residentMemory(), 0
	done, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			most = max(most, residentMemory()-before)
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	}()
	work()
	close(done)
	<-sampled
	return most
}

// repeat reads as a text over and over, and waits before its last bytes until every other
// body has come as far.
type repeat struct {
	pattern []byte
	left    int
	others  *sync.WaitGroup
	arrived bool
}

func newRepeat(text string, length int, others *sync.WaitGroup) *repeat {
	return &repeat{pattern: bytes.Repeat([]byte(text), 32_768/len(text)), left: length, others: others}
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= len(r.pattern) && !r.arrived {
		r.arrived = true
		r.others.Done()
		r.others.Wait()
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.pattern[:min(r.left, len(r.pattern))])
	n -= n % 2 // Patterns have one or two bytes: begin anew.
	r.left -= n
	return n, nil
}

// TestThreat37InFlightMemory sends 30 bodies of the maximum size at a time. It measures the
// process, so it runs alone.
func TestThreat37InFlightMemory(t *testing.T) { //nolint:paralleltest // It measures the process.
	if underRace {
		t.Skip("the race detector multiplies memory: make test measures it")
	}
	if testing.Short() {
		t.Skip("it moves a gigabyte")
	}
	part := "--b\r\nContent-Disposition: form-data; name=p\r\nContent-Type: application/json\r\n\r\n"
	tests := map[string]struct {
		contentType      string
		head, text, tail string
		chunked          bool
	}{
		"bytes":     {"application/octet-stream", "", "xx", "", false},
		"chunked":   {"application/octet-stream", "", "xx", "", true},
		"JSON":      {"application/json", "[0", ",0", "]", false},
		"form":      {"application/x-www-form-urlencoded", "a=1", "xx", "", false},
		"multipart": {"multipart/form-data; boundary=b", part + "[0", ",0", "]\r\n--b--", false},
	}
	for name, test := range tests { //nolint:paralleltest // It measures the process.
		t.Run(name, func(t *testing.T) {
			endpoint := serveForReal(t, integrationOf(nothing))
			middle := (maxBody - len(test.head) - len(test.tail)) / 2 * 2
			statuses := make([]int, memoryClients)
			grown := memoryGrowth(func() {
				var clients, bodies sync.WaitGroup
				bodies.Add(memoryClients)
				for n := range memoryClients {
					clients.Go(func() {
						body := io.MultiReader(strings.NewReader(test.head), newRepeat(test.text, middle, &bodies), strings.NewReader(test.tail))
						length := int64(len(test.head) + middle + len(test.tail))
						if test.chunked {
							length = -1
						}
						statuses[n] = upload(t, endpoint, body, length, "Content-Type", test.contentType)
					})
				}
				clients.Wait()
			})
			t.Logf("%d requests of %d bytes: +%d MB", memoryClients, maxBody, grown>>20)
			require.Equal(t, slices.Repeat([]int{http.StatusOK}, memoryClients), statuses)
			require.Less(t, grown, memoryLimit)
		})
	}
}

// upload posts a body and returns the answer's status; 0 is none.
func upload(t *testing.T, endpoint string, body io.Reader, length int64, name, value string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, body)
	if err != nil {
		return 0
	}
	request.Header.Set(name, value)
	request.ContentLength = length
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Log(err)
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestThreat8DecompressionBomb sends a megabyte that is a gigabyte.
func TestThreat8DecompressionBomb(t *testing.T) { //nolint:paralleltest // It measures the process.
	if underRace {
		t.Skip("the race detector multiplies memory: make test measures it")
	}
	const members = 64
	var member bytes.Buffer
	writer := gzip.NewWriter(&member)
	_, err := writer.Write(make([]byte, 1<<30/members))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	bomb := bytes.Repeat(member.Bytes(), members)
	endpoint := serveForReal(t, integrationOf(nothing))
	grown := memoryGrowth(func() {
		for range 5 {
			status := upload(t, endpoint, bytes.NewReader(bomb), int64(len(bomb)), "Content-Encoding", "gzip")
			require.Equal(t, http.StatusRequestEntityTooLarge, status)
		}
	})
	t.Logf("%d bytes that are a gigabyte: +%d MB", len(bomb), grown>>20)
	require.Less(t, grown, 100<<20)
}
