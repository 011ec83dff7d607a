package gateway

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

// resultPrefix precedes the secret of a result's URL. It lies below pathPrefix, where no
// endpoint has this name, so that a host mounts one path.
const resultPrefix = pathPrefix + "result/"

// maxDirect is the size of the largest result that is sent at once, unless the flow gave a
// status code: 5 MB (seed 001, "Synchronous invocations and redirects").
const maxDirect = 5_000_000

// preferDirect is the query parameter, and in its canonical form the header, by which a
// caller asks for the result itself or, with "false", for a redirect.
const (
	preferDirect       = "prismatic-prefer-direct-sync-response"
	preferDirectHeader = "Prismatic-Prefer-Direct-Sync-Response"
)

// respondResult sends a flow's result, or redirects to it. A result with a status code of
// its own is never redirected to (seed 001, "Response body and status code limitations").
func (g *Gateway) respondResult(c *call, executionID string, reply *engine.Reply) error {
	c.setExecutionID(executionID)
	if reply.OwnStatus || g.prefersDirect(c) && len(reply.Body) <= maxDirect && isText(reply.ContentType) {
		c.respondReply(reply)
		return nil
	}
	secret, err := g.engine.KeepResult(c.request.Context(), executionID, reply)
	if err != nil {
		answer := unavailable("The execution is over, but its result cannot be kept at the moment.")
		answer.executionID = executionID
		return answer
	}
	c.Header().Set("Location", relativeToRoot(c.request.URL.EscapedPath())+resultPrefix[1:]+secret)
	c.write(http.StatusSeeOther, jsonType, nil)
	return nil
}

// prefersDirect tells what the caller asks for: by header, else by query parameter, else
// it is as configured.
func (g *Gateway) prefersDirect(c *call) bool {
	query, _ := sluice.ParseQuery(c.request.URL.RawQuery)
	for _, value := range []string{c.request.Header.Get(preferDirectHeader), query.Get(preferDirect)} {
		switch {
		case isTrue(value):
			return true
		case isFalse(value):
			return false
		}
	}
	return !g.options.RedirectResults
}

// isText tells whether a content type is text-like: text, JSON, XML and the like.
func isText(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	kind, name, _ := strings.Cut(media, "/")
	if kind == "text" {
		return true
	}
	switch name[strings.LastIndexByte(name, '+')+1:] {
	case "json", "xml", "yaml":
		return true
	case "csv", "graphql", "javascript", "jsonl", "rtf", "sql", "toml", "x-javascript", "x-ndjson", "x-www-form-urlencoded", "x-yaml", "xml-dtd":
		return kind == "application"
	default:
		return false
	}
}

// relativeToRoot is the way from the requested path up to the root that the handler is
// mounted on, as a relative reference: what lies above is the host's.
func relativeToRoot(path string) string {
	segments := strings.Split(path, "/")
	depth := 0
	for _, segment := range segments[1 : len(segments)-1] { // A reference starts at the last slash.
		switch segment {
		case ".":
		case "..": // A client that left it in takes it out with the reference's own.
			depth = max(depth-1, 0)
		default:
			depth++
		}
	}
	return strings.Repeat("../", depth)
}

// serveResult sends a kept result to whoever knows its URL.
func (g *Gateway) serveResult(c *call, secret string) error {
	if method := c.request.Method; method != http.MethodGet && method != http.MethodHead {
		return &refusal{
			status: http.StatusMethodNotAllowed, message: "Method " + method + " is not allowed: fetch a result with GET.", allow: "GET, HEAD",
		}
	}
	if wait, ok := g.results.allow(secret); !ok {
		return tooMany("The result is fetched too often.", wait)
	}
	reply, executionID, err := g.readResult(c, secret)
	if err != nil {
		return err
	}
	c.setExecutionID(executionID)
	c.setHeaders(reply.Headers)
	header := c.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	c.write(reply.StatusCode, reply.ContentType, reply.Body)
	return nil
}

// readResult reads a kept result, as many at a time as there are processors, and counts its
// bytes against the budget until it is sent. One that is larger than the budget takes it all.
func (g *Gateway) readResult(c *call, secret string) (reply *engine.Reply, executionID string, err error) {
	ctx := c.request.Context()
	select {
	case g.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, "", unavailable(cannotReadResult)
	}
	defer func() { <-g.reading }()
	reply, executionID, err = g.engine.Result(ctx, secret)
	switch {
	case errors.Is(err, engine.ErrUnknownResult):
		return nil, "", errNotFound
	case err != nil:
		return nil, "", unavailable(cannotReadResult)
	}
	return reply, executionID, g.hold(c, min(int64(len(reply.Body)), g.options.MaxInFlightBytes))
}

const cannotReadResult = "The result cannot be read at the moment."
