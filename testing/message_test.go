package sluicetest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestFilesOfMessages finds every message in its file again, whatever its body.
func TestFilesOfMessages(t *testing.T) {
	t.Parallel()
	body := rapid.OneOf(
		rapid.SliceOf(rapid.Byte()),
		rapid.Map(rapid.StringOf(rapid.RuneFrom([]rune("a \n-{é\r\x00"))), func(s string) []byte { return []byte(s) }),
		rapid.SampledFrom([][]byte{nil, []byte("\n"), []byte("\n\n"), []byte("-- request --\nGET /"), []byte("a\n-- b --"), []byte("x\r\n")}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var messages []sluicetest.Message
		for range rapid.IntRange(0, 4).Draw(t, "messages") {
			m := sluicetest.Message{Header: http.Header{}, Body: body.Draw(t, "body")}
			if rapid.Bool().Draw(t, "request") {
				m.Method, m.URL = "PUT", "https://example.com/a?b=c"
			} else {
				m.Status = rapid.IntRange(100, 599).Draw(t, "status")
			}
			if rapid.Bool().Draw(t, "headers") {
				m.Header = http.Header{"Accept": {"a", "b: c"}, "Empty": {""}}
			}
			messages = append(messages, m)
		}
		comment, read, err := sluicetest.ParseMessages(sluicetest.FormatMessages("A comment.\n", messages))
		require.NoError(t, err)
		require.Equal(t, "A comment.\n", comment)
		require.Len(t, read, len(messages))
		for i, m := range messages {
			if len(m.Body) == 0 {
				m.Body, read[i].Body = nil, nil
			}
			require.Equal(t, m, read[i])
		}
	})
}

func FuzzParseMessages(f *testing.F) {
	f.Add([]byte(contacts))
	f.Add([]byte("-- response base64 --\n200 OK\nA: b\n\nAAEC\n"))
	f.Add([]byte("-- request --\nGET http://[::1]/?%zz\n\n\n\n-- request --"))
	f.Fuzz(func(t *testing.T, data []byte) {
		comment, messages, err := sluicetest.ParseMessages(data)
		if err != nil {
			return
		}
		written := sluicetest.FormatMessages(comment, messages)
		_, again, err := sluicetest.ParseMessages(written)
		require.NoError(t, err, "%s", written)
		require.Equal(t, written, sluicetest.FormatMessages(comment, again))
	})
}
