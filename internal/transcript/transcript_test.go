package transcript

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRead finds commands, and what they print up to the next one or the end of the block.
func TestRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "main.go")
	comment := `// Shop sells.
//
//	$ go run ./examples/shop
//
// Buy, and look:
//
//	$ curl -s -d item=tea http://127.0.0.1:8080/
//	sold
//	$ curl -s http://127.0.0.1:8080/
//	tea
//	1 piece
//
// Or:
//
//	not printed by a command
package main
`
	require.NoError(t, os.WriteFile(file, []byte(comment), 0o600))
	commands, err := read(file)
	require.NoError(t, err)
	require.Equal(t, []command{
		{line: "go run ./examples/shop"},
		{line: "curl -s -d item=tea http://127.0.0.1:8080/", prints: "sold\n"},
		{line: "curl -s http://127.0.0.1:8080/", prints: "tea\n1 piece\n"},
	}, commands)
}

func TestExpects(t *testing.T) {
	t.Parallel()
	c := command{prints: "{\"id\":\"…\"}\nsold.\n"}
	require.True(t, c.expects("{\"id\":\"A-7\"}\nsold."))
	require.False(t, c.expects("{\"id\":\"A-7\"}\nsold!"))
	require.False(t, c.expects("{\"id\":\"A-7\"}"))
	require.False(t, c.expects("{\"id\":\"A-7\"}\nsold.\nmore"))
	require.True(t, command{}.expects(""))
	require.False(t, command{}.expects("something"))
}

func TestParse(t *testing.T) {
	t.Parallel()
	request, err := parse(`curl -s -X PUT -H 'Content-Type: application/json' -d '{"a b":1}' 'http://127.0.0.1:8080/?a=b&c=d'`)
	require.NoError(t, err)
	require.Equal(t, http.MethodPut, request.Method)
	require.Equal(t, "http://127.0.0.1:8080/?a=b&c=d", request.URL.String())
	require.Equal(t, "application/json", request.Header.Get("Content-Type"))
	body, err := io.ReadAll(request.Body)
	require.NoError(t, err)
	require.Equal(t, `{"a b":1}`, string(body))

	form, err := parse(`curl -d a=b -d 'c=d e' http://127.0.0.1:8080/`)
	require.NoError(t, err)
	require.Equal(t, http.MethodPost, form.Method)
	require.Equal(t, "d e", form.FormValue("c"))

	_, err = parse("curl --fail http://127.0.0.1:8080/")
	require.ErrorContains(t, err, "has the flag --fail")
	_, err = parse("wget http://127.0.0.1:8080/")
	require.ErrorContains(t, err, "is no curl command")
}
