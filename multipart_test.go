package sluice

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// part is one part as a client writes it: its headers, an empty line, its data.
func multipartBody(parts ...string) []byte {
	return []byte("--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n")
}

func TestParseMultipart(t *testing.T) {
	t.Parallel()
	raw := multipartBody(
		"Content-Disposition: form-data; name=\"person\"\r\nContent-Type: application/json\r\n\r\n{\"firstname\":\"Taylor\"}",
		"Content-Disposition: form-data; name=\"photo\"; filename=\"C:\\\\dir\\\\taylor.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG",
		"Content-Disposition: form-data; name=\"note\"\r\n\r\nhello",
		"Content-Disposition: form-data; name=\"note\"\r\n\r\n",
		"Content-Disposition: form-data; name=\"note\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=1",
		"Content-Disposition: form-data; name=\"\xff\"\r\nContent-Type: multipart/form-data; boundary=c\r\n\r\n--c--",
		"Content-Type: text/plain\r\n\r\nwithout a name",
	)
	b, err := ParseBody("Multipart/Form-Data; boundary=b", raw)
	require.NoError(t, err)
	require.Equal(t, object{
		"person": object{"data": object{"firstname": "Taylor"}, "contentType": "application/json"},
		"photo":  object{"data": []byte("\x89PNG"), "contentType": "image/png", "filename": "taylor.png"},
		"note": []any{
			object{"data": "hello", "contentType": "text/plain"},
			object{"data": nil, "contentType": "text/plain"},
			object{"data": "a=1", "contentType": "application/x-www-form-urlencoded"},
		},
		"\uFFFD": object{"data": []byte("--c--"), "contentType": "multipart/form-data; boundary=c"},
	}, b.Data())
	name, ok, err := b.Lookup(path(t, "person.data.firstname"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "Taylor", name)

	b, err = ParseBody("multipart/form-data; boundary=b", []byte("--b--"))
	require.NoError(t, err)
	require.Equal(t, object{}, b.Data())
}

func TestMultipartThatIsRefused(t *testing.T) {
	t.Parallel()
	part := "Content-Disposition: form-data; name=p\r\nContent-Type: application/json\r\n\r\n{]"
	_, err := ParseBody("multipart/form-data; boundary=b", multipartBody(part))
	require.EqualError(t, err, `sluice: body: part "p": malformed JSON: at byte 1: unexpected "]", looking for a key in quotes`)

	whole := multipartBody("Content-Disposition: form-data; name=p\r\n\r\nx")
	for cut := 1; cut < len(whole)-len("--\r\n"); cut++ {
		_, err := ParseBody("multipart/form-data; boundary=b", whole[:cut])
		require.Error(t, err, "cut short: %q", whole[:cut])
	}

	headers := strings.Repeat("X-A: 1\r\n", 10_001)
	_, err = ParseBody("multipart/form-data; boundary=b", multipartBody(headers+"\r\nx"))
	require.ErrorContains(t, err, "message too large")
}

func TestMultipartPartsAreCounted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	parts := make([]string, 1_001)
	for i := range parts {
		parts[i] = fmt.Sprintf("Content-Disposition: form-data; name=p%d; filename=f\r\n\r\nx", i)
	}
	_, err := ParseBody("multipart/form-data; boundary=b", multipartBody(parts[:1_000]...))
	require.NoError(t, err)
	_, err = ParseBody("multipart/form-data; boundary=b", multipartBody(parts...))
	require.EqualError(t, err, "sluice: body: more than 1000 parts")

	var large bytes.Buffer
	writer := multipart.NewWriter(&large)
	part, err := writer.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="large"`}, "Content-Type": {"image/png"},
	})
	require.NoError(t, err)
	_, err = part.Write(make([]byte, 33<<20)) // more than ReadForm keeps in memory
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	_, err = ParseBody(writer.FormDataContentType(), large.Bytes())
	require.NoError(t, err)
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left, "parts never go to files")
}
