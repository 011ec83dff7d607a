package runtime_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// dialer opens a connection to the server under test: a harness's or a real one's.
type dialer func(ctx context.Context) (net.Conn, error)

// answer is an HTTP response, with its body read.
type answer struct {
	*http.Response
	body []byte
	// raw is the whole answer as it came over the wire.
	raw []byte
}

// exchange sends one request, its bytes as they are, over a connection of its own and reads
// the answer.
func exchange(t *testing.T, dial dialer, request []byte) *answer {
	t.Helper()
	conn, err := dial(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	go func() { _, _ = conn.Write(request) }() // A server may answer before it has read everything.
	method, _, _ := bytes.Cut(request, []byte(" "))
	var raw bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), &http.Request{Method: string(method)})
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	if response.Close { // What net/http takes out of the headers.
		response.Header.Set("Connection", "close")
	}
	if response.TransferEncoding != nil {
		response.Header["Transfer-Encoding"] = response.TransferEncoding
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return &answer{response, body, raw.Bytes()}
}

// String is the answer as a golden file shows it: headers sorted, what is large or no text
// only as its size and hash.
func (a *answer) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", a.Proto, a.Status)
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		for _, value := range a.Header[name] {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	if len(a.body) > 0 {
		fmt.Fprintf(&text, "\n%s\n", readable(a.body))
	}
	return text.String()
}

func readable(body []byte) string {
	const limit = 4000
	if len(body) <= limit && utf8.Valid(body) && !bytes.ContainsFunc(body, func(r rune) bool { return r < ' ' && r != '\n' }) {
		return string(body)
	}
	hash := sha256.Sum256(body)
	return fmt.Sprintf("{{%d bytes, SHA-256 %x…}}", len(body), hash[:4])
}

// rawRequest turns the text of a golden file into a request's bytes. The lines of the head
// end with CRLF, and so do those of a multipart body; a body without a length gets one.
func rawRequest(t *testing.T, text string) []byte {
	t.Helper()
	head, body, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n\n")
	head = strings.TrimSuffix(head, "\n")
	lower := strings.ToLower(head)
	if strings.Contains(lower, "\ncontent-type: multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n")
	}
	if body != "" && !strings.Contains(lower, "\ncontent-length:") && !strings.Contains(lower, "\ntransfer-encoding:") {
		head += "\nContent-Length: " + strconv.Itoa(len(body))
	}
	return []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)
}

// target is what a request asks for.
func target(t *testing.T, request []byte) *url.URL {
	t.Helper()
	line, _, _ := strings.Cut(string(request), "\r\n")
	fields := strings.Fields(line)
	require.Len(t, fields, 3, line)
	parsed, err := url.Parse(fields[1])
	require.NoError(t, err)
	return parsed
}
