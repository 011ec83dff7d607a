package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	fixed   = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
	chunked = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\na\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n"
	empty   = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
)

func TestReadAnswerStopsAfterTheBody(t *testing.T) {
	t.Parallel()
	for response, want := range map[string]answer{
		fixed:   {status: 200},
		chunked: {status: 404},
		empty:   {status: 204, last: true},
	} {
		r := bufio.NewReader(strings.NewReader(response + "next"))

		got, err := readAnswer(r)

		require.NoError(t, err)
		require.Equal(t, want, got)
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "next", string(rest), response)
	}
}

func TestReadAnswerRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]string{
		"no HTTP":          "hello\r\n\r\n",
		"short status":     "HTTP/1.1 20 OK\r\n\r\n",
		"interim status":   "HTTP/1.1 100 Continue\r\n\r\n",
		"no colon":         "HTTP/1.1 200 OK\r\nhello\r\n\r\n",
		"no length":        "HTTP/1.1 200 OK\r\n\r\nhello",
		"negative length":  "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"chunk size":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"chunk too long":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
		"truncated body":   fixed[:len(fixed)-1],
		"truncated chunk":  chunked[:len(chunked)-30],
		"truncated header": "HTTP/1.1 200 OK\r\nContent-",
	} {
		_, err := readAnswer(bufio.NewReader(strings.NewReader(response)))
		require.Error(t, err, name)
	}
}

func TestReadAnswerAllocatesNothing(t *testing.T) { //nolint:paralleltest // Allocations are counted for the whole process.
	source := strings.NewReader(fixed)
	r := bufio.NewReader(source)

	allocations := testing.AllocsPerRun(100, func() {
		source.Reset(fixed)
		r.Reset(source)
		if _, err := readAnswer(r); err != nil {
			t.Fatal(err)
		}
	})

	require.Zero(t, allocations)
}

// FuzzReadAnswer checks what readAnswer accepts against net/http's client, which is stricter.
func FuzzReadAnswer(f *testing.F) {
	for _, response := range []string{fixed, chunked, empty} {
		f.Add([]byte(response))
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		ours := bufio.NewReader(bytes.NewReader(response))
		got, err := readAnswer(ours)
		if err != nil {
			return
		}
		theirs := bufio.NewReader(bytes.NewReader(response))
		want, err := http.ReadResponse(theirs, nil)
		if err != nil {
			return
		}
		if _, err = io.Copy(io.Discard, want.Body); err != nil {
			return
		}
		require.NoError(t, want.Body.Close())
		require.Equal(t, want.StatusCode, got.status)
		ourRest, err := io.ReadAll(ours)
		require.NoError(t, err)
		theirRest, err := io.ReadAll(theirs)
		require.NoError(t, err)
		require.Equal(t, theirRest, ourRest)
	})
}
