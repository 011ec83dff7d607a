package headers_test

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/internal/headers"
)

// TestThreat38ResponseSplitting refuses headers that would forge others or reframe the
// answer.
func TestThreat38ResponseSplitting(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]map[string]string{
		"line break":      {"X-A": "a\r\nSet-Cookie: b"},
		"line feed":       {"X-A": "a\nb"},
		"carriage return": {"X-A": "a\rb"},
		"NUL":             {"X-A": "a\x00b"},
		"escape":          {"X-A": "a\x1bb"},
		"delete":          {"X-A": "a\x7fb"},
		"empty name":      {"": "a"},
		"name with space": {"X A": "a"},
		"name with colon": {"X-A: b": "a"},
		"name with break": {"X-A\r\nX-B": "a"},
		"name not ASCII":  {"X-Ä": "a"},
		"length":          {"Content-Length": "1"},
		"length in lower": {"content-length": "1"},
		"chunks":          {"Transfer-Encoding": "chunked"},
		"TE":              {"TE": "trailers"},
		"connection":      {"Connection": "X-A"},
		"keep alive":      {"Keep-Alive": "1"},
		"trailer":         {"Trailer": "X-A"},
		"upgrade":         {"Upgrade": "h2c"},
		"proxy":           {"Proxy-Authenticate": "Basic"},
		"execution":       {"Prismatic-ExecutionId": "1"},
		"one name twice":  {"X-A": "a", "x-a": "a"},
		"content type":    {"Content-Type": "a\r\nb"},
	} {
		require.Len(t, headers.Faults(bad), 1, name)
	}
	require.False(t, headers.IsValue("text/plain\r\nX-A: b"))
}

func TestGoodHeaders(t *testing.T) {
	t.Parallel()
	require.Empty(t, headers.Faults(nil))
	require.Empty(t, headers.Faults(map[string]string{
		"content-type": "text/csv", "Set-Cookie": "a=b; HttpOnly", "x_y": "tab\tand ü", "Location": "/elsewhere", "X-Empty": "",
	}))
}

// TestHeadersStayApart writes whatever passes the check, and reads it back.
func TestHeadersStayApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.MapOfN(rapid.StringN(1, 3, -1), rapid.String(), 0, 4).Draw(t, "headers")
		if len(headers.Faults(given)) > 0 {
			return
		}
		written := http.Header{}
		for name, value := range given {
			written.Set(name, value)
		}
		var buffer bytes.Buffer
		buffer.WriteString("HTTP/1.1 200 OK\r\n")
		require.NoError(t, written.Write(&buffer))
		buffer.WriteString("\r\n")
		response, err := http.ReadResponse(bufio.NewReader(&buffer), nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		require.Len(t, response.Header, len(given))
		for name, value := range given {
			require.Equal(t, strings.Trim(value, " \t"), response.Header.Get(name), name)
		}
	})
}
