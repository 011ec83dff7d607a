package sluicetest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-go/sluice/runtime"
)

// SaveRequest saves the request that started an execution, as text with the secrets taken out, for
// [CheckRequests] and to be read. The execution is one on record: that of a running instance
// (runtime.Runtime.Execution), of the operators' API as JSON, or of a harness.
//
// Of the request everything is kept that the record has: headers, as the trigger left them,
// without those that only the trigger may see, the query, the path and the exact body, but not
// the method. What was started by a schedule or a deployment has no request, and one that was
// refused has no body on record if the body did not fit the flow.
func SaveRequest(file string, execution *runtime.Execution, redaction Redaction) error {
	captured, err := captureRequest(execution)
	if err != nil {
		return fmt.Errorf("sluicetest: execution %s: %w", execution.ID, err)
	}
	comment := fmt.Sprintf("The request of execution %s of %s, accepted %s.\n\n",
		execution.ID, strings.TrimSpace(execution.Integration+" "+execution.Version), execution.AcceptedAt.Format(time.RFC3339))
	data := formatMessages(comment, []*message{newRedactor(redaction).message(captured)})
	if err := writeFile(file, data); err != nil {
		return fmt.Errorf("sluicetest: execution %s: %w", execution.ID, err)
	}
	return nil
}

// captureRequest turns the payload of an execution back into its request. In place of the
// endpoint its URL has the stable key of the flow.
func captureRequest(x *runtime.Execution) (*message, error) {
	switch {
	case x.Flow == "":
		return nil, errors.New("it reached no flow")
	case len(x.Payload.Headers) == 0 && len(x.Payload.RawBody.Data) == 0:
		return nil, fmt.Errorf("no request started it: it is of the type %q", x.InvokeType)
	}
	path := "/" + url.PathEscape(x.Flow)
	if x.Payload.PathFragment != "" {
		path += "/" + x.Payload.PathFragment
	}
	if query := url.Values(x.Payload.QueryParameters).Encode(); query != "" {
		path += "?" + query
	}
	m := &message{method: http.MethodPost, url: path, header: http.Header{}, body: x.Payload.RawBody.Data}
	for name, values := range x.Payload.Headers {
		for _, value := range values {
			m.header.Add(name, value)
		}
	}
	if contentType := x.Payload.RawBody.ContentType; contentType != "" {
		m.header.Set("Content-Type", contentType)
	}
	for _, name := range []string{"Accept-Encoding", "Connection", "Content-Length", "User-Agent"} {
		m.header.Del(name) // They are the connection's, and the client's.
	}
	return m, nil
}
