package sluicetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluice-go/sluice"
)

// RecorderOptions say how a [Recorder] works; the zero value replays.
type RecorderOptions struct {
	// Update calls the services and saves what they answer, in place of what was saved. Bind
	// it to a flag of your test package:
	//
	//	var update = flag.Bool("update", false, "call the services and save what they answer")
	Update bool
	// Transport calls the services with Update. Defaults to http.DefaultTransport. It is
	// called one request at a time, outside of a bubble.
	Transport http.RoundTripper
	// Redaction names secrets of your own, beside those that are always taken out.
	Redaction Redaction
}

// Recorder is the transport of a runtime under test: it answers what flows send with
// Run.HTTPClient from a file, in which the answers of the real services were saved. Give it to
// Options.Transport. See [NewRecorder].
type Recorder struct {
	tb       testing.TB
	file     string
	redactor *redactor

	mu        sync.Mutex
	exchanges []*exchange
	// live calls the services; nil where the file answers.
	live *liveTransport
}

// exchange is a request and the answer to it.
type exchange struct {
	request, response *message
	// replayed says that the answer was given.
	replayed bool
}

// NewRecorder returns a recorder of the exchanges in the file: text to read, edit and commit,
// with secrets taken out (see [Redaction]). A request is answered like the first one of the
// file that has the same method, URL and body and was not answered yet; JSON bodies are the
// same whatever the order of their members, and headers are not compared. Secrets are taken
// out before that, so any secret fits any other.
//
// A request that is not in the file gets an error and fails the test with the difference to
// the most similar one that is; the error is [sluice.Permanent]. So do answers of the file that
// nobody asked for, when the test is over.
//
// Make it before the harness runs, in the test itself: with RecorderOptions.Update it calls the
// services in real time, which a bubble does not have. Each test has a file of its own.
func NewRecorder(tb testing.TB, file string, options RecorderOptions) *Recorder {
	tb.Helper()
	r := &Recorder{tb: tb, file: file, redactor: newRedactor(options.Redaction)}
	if options.Update {
		r.live = startLiveTransport(options.Transport)
		tb.Cleanup(r.save)
		return r
	}
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatalf("recorder: %v", err)
	}
	if r.exchanges, err = parseExchanges(data); err != nil {
		tb.Fatalf("recorder: %s: %v", file, err)
	}
	tb.Cleanup(r.reportUnused)
	return r
}

// parseExchanges reads a file of requests and the responses to them.
func parseExchanges(data []byte) (exchanges []*exchange, err error) {
	_, messages, err := parseMessages(data)
	if err != nil {
		return nil, err
	}
	for pair := range slices.Chunk(messages, 2) {
		if len(pair) != 2 || pair[0].method == "" || pair[1].method != "" {
			return nil, fmt.Errorf("exchange %d: a request must be followed by its response", len(exchanges)+1)
		}
		exchanges = append(exchanges, &exchange{request: pair[0], response: pair[1]})
	}
	return exchanges, nil
}

// RoundTrip implements [http.RoundTripper].
func (r *Recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	sent := &message{method: request.Method, url: request.URL.String(), header: request.Header.Clone()}
	if sent.method == "" {
		sent.method = http.MethodGet
	}
	if request.Body != nil {
		var err error
		sent.body, err = io.ReadAll(request.Body)
		if err = errors.Join(err, request.Body.Close()); err != nil {
			return nil, err
		}
	}
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live != nil {
		received, err := r.live.call(sent)
		if err != nil {
			return nil, err
		}
		r.exchanges = append(r.exchanges, &exchange{request: r.redactor.message(sent), response: r.redactor.message(received)})
		return received.response(request), nil
	}
	return r.replay(request, r.redactor.message(sent))
}

// replay answers a request from the file.
func (r *Recorder) replay(request *http.Request, sent *message) (*http.Response, error) {
	answered := 0
	for _, recorded := range r.exchanges {
		switch {
		case !sameRequest(recorded.request, sent):
		case recorded.replayed:
			answered++
		default:
			recorded.replayed = true
			return recorded.response.response(request), nil
		}
	}
	why := r.difference(sent)
	if answered > 0 {
		why = fmt.Sprintf("it was recorded %d times, and sent once more", answered)
	}
	err := fmt.Errorf("%s has no answer to %s %s: %s\nif the request is right, save the answer: run the test with RecorderOptions.Update",
		r.file, sent.method, sent.url, why)
	r.tb.Errorf("recorder: %v", err)
	return nil, sluice.Permanent(fmt.Errorf("recorder: %w", err))
}

// difference tells how a request differs from the most similar one of the file.
func (r *Recorder) difference(sent *message) string {
	var nearest []diffLine
	for _, recorded := range r.exchanges {
		if diff := diffLines(recorded.request.lines(), sent.lines()); nearest == nil || changed(diff) < changed(nearest) {
			nearest = diff
		}
	}
	if nearest == nil {
		return "nothing is recorded there"
	}
	return "the most similar request there differs (- recorded, + sent):\n" + strings.TrimRight(formatDiff("    ", nearest), "\n")
}

func (r *Recorder) reportUnused() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var unused []string
	for _, recorded := range r.exchanges {
		if !recorded.replayed {
			unused = append(unused, "\n    "+recorded.request.method+" "+recorded.request.url)
		}
	}
	if len(unused) > 0 {
		r.tb.Errorf("recorder: %s has answers that nobody asked for: record anew with RecorderOptions.Update, or take them out:%s",
			r.file, strings.Join(unused, ""))
	}
}

// save writes what was recorded.
func (r *Recorder) save() {
	r.live.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tb.Failed() {
		r.tb.Logf("recorder: %s stays as it is, because the test failed", r.file)
		return
	}
	var messages []*message
	for _, recorded := range r.exchanges {
		messages = append(messages, recorded.request, recorded.response)
	}
	if err := writeFile(r.file, formatMessages("", messages)); err != nil {
		r.tb.Errorf("recorder: %v", err)
	}
}

// writeFile writes a file of test data, in a folder that may not be there yet.
func writeFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
