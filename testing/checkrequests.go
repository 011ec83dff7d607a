package sluicetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-go/sluice/runtime"
)

// CheckOptions say what saved requests are delivered to.
type CheckOptions struct {
	// Options of the harness, with the integrations in its Runtime. Deployments defaults to one
	// instance of each integration, and the Runtime's Transport to none: flows that call out
	// fail, which does not count.
	Options
	// Prepare changes a request before it is sent: presents the API key or makes the signature
	// that was taken out when it was saved. Nil changes nothing.
	Prepare func(t *testing.T, request *http.Request)
}

// CheckedRequest is a saved request, and what became of it.
type CheckedRequest struct {
	// File it was saved in, and the stable key of the Flow that it is for.
	File, Flow string
	// Accepted says that it was answered with a status below 400, or why not: Reason.
	Accepted bool
	Reason   string
	// Execution that it started, when it was over; nil if it started none. An accepted request
	// may have one that failed.
	Execution *runtime.Execution
}

// CheckRequests delivers requests that [SaveRequest] has saved to a definition: those of a file,
// or of all files of a folder, below it too, with names ending in .txt. So it tells before a
// release which requests of production the new code would refuse: through its signatures,
// triggers, schemas and types. Each request comes alone, to a runtime of its own in a bubble,
// for the flow with the stable key that it was for, and is not waited for by a caller. A file
// that cannot be read, and a folder without files, fail the test.
func CheckRequests(t *testing.T, path string, options CheckOptions) (checked []CheckedRequest) {
	t.Helper()
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || file != path && filepath.Ext(file) != ".txt" {
			return err
		}
		request, err := readRequest(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		checked = append(checked, options.check(t, file, request))
		return nil
	})
	if err == nil && len(checked) == 0 {
		err = fmt.Errorf("%s has no files ending in .txt", path)
	}
	if err != nil {
		t.Fatalf("saved requests: %v", err)
	}
	return checked
}

// RequireAccepted delivers saved requests to a definition, as [CheckRequests] does, and fails the
// test for each that it refuses.
func RequireAccepted(t *testing.T, path string, options CheckOptions) {
	t.Helper()
	for _, request := range CheckRequests(t, path, options) {
		if !request.Accepted {
			t.Errorf("%s: flow %q refuses it: %s", request.File, request.Flow, request.Reason)
		}
	}
}

func readRequest(file string) (*message, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, messages, err := parseMessages(data)
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 || messages[0].method == "" || !strings.HasPrefix(messages[0].url, "/") {
		return nil, errors.New("it must hold one request, as SaveRequest writes it")
	}
	return messages[0], nil
}

func (o CheckOptions) check(t *testing.T, file string, request *message) (checked CheckedRequest) {
	t.Helper()
	target, query, _ := strings.Cut(strings.TrimPrefix(request.url, "/"), "?")
	key, fragment, _ := strings.Cut(target, "/")
	checked.File = file
	var err error
	if checked.Flow, err = url.PathUnescape(key); err != nil {
		checked.Reason = fmt.Sprintf("its URL: %v", err)
		return checked
	}
	integration, flow := o.find(checked.Flow)
	if flow == "" {
		checked.Reason = "no flow of the definition has the stable key"
		return checked
	}
	RunOptions(t, o.harness(), func(t *testing.T, h *Harness) {
		address := h.urlFor(integration, flow)
		if fragment != "" {
			address += "/" + fragment
		}
		if query != "" {
			address += "?" + query
		}
		sent, err := http.NewRequestWithContext(t.Context(), request.method, address, bytes.NewReader(request.body))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sent.Header = request.header.Clone()
		sent.Header.Set("Prismatic-Synchronous", "false")
		if o.Prepare != nil {
			o.Prepare(t, sent)
		}
		response := h.Deliver(sent)
		h.Drain()
		if checked.Accepted = response.StatusCode < http.StatusBadRequest; !checked.Accepted {
			checked.Reason = response.Status + ": " + response.Text
		}
		if executions := h.Executions(); len(executions) > 0 && response.ExecutionID() != "" {
			checked.Execution = executions[0].Execution
		}
	})
	return checked
}

// find returns the name of the flow with the stable key, and that of its integration.
func (o CheckOptions) find(stableKey string) (integration, flow string) {
	for _, candidate := range o.Runtime.Integrations {
		for _, f := range candidate.Flows {
			if f.StableKey == stableKey {
				return candidate.Name, f.Name
			}
		}
	}
	return "", ""
}

func (o CheckOptions) harness() Options {
	options := o.Options
	if len(options.Deployments) == 0 {
		for _, integration := range options.Runtime.Integrations {
			options.Deployments = append(options.Deployments, runtime.Deployment{Integration: integration.Name})
		}
	}
	if options.Runtime.Transport == nil {
		options.Runtime.Transport = Hosts{}
	}
	return options
}

// urlFor is the URL of a flow of an integration's instance that was deployed last.
func (h *Harness) urlFor(integration, flow string) (address string) {
	h.t.Helper()
	for _, instance := range h.Instances() {
		if instance.Integration == integration {
			address = h.urlOf(instance, flow)
		}
	}
	if address == "" {
		h.t.Fatalf("no instance of the integration %q is deployed", integration)
	}
	return address
}
