package sluicetest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestRedaction(t *testing.T) {
	t.Parallel()
	own := sluicetest.Redaction{Headers: []string{"x-tenant"}, Fields: []string{"iban"}, Texts: []string{"s3cret/1"}}
	url, header, body := sluicetest.RedactRequest(own,
		"https://ada:pw@example.com/s3cret/1?page=2&api-key=k&Access%5FToken=t&key=k&note=s3cret%2F1",
		http.Header{
			"Authorization": {"Bearer abc"}, "Cookie": {"a=b"}, "X-Hub-Signature-256": {"sha256=00"}, "X-Tenant": {"acme"},
			"Accept": {"*/*"}, "Content-Type": {"application/json"}, "X-Note": {"for s3cret/1"},
		},
		[]byte(`{"page": 2, "Client_Secret" : "a\"b", "tokens": 1, "token": ["a", {"id": 7, "password": 12}, null],`+
			` "iban":"DE1", "text": "see ghp_abcdefgh, eyJhbGciOi.eyJzdWIi.c2ln", "n": 1.50}`))
	require.Equal(t, "https://REDACTED@example.com/REDACTED?page=2&api-key=REDACTED&Access%5FToken=REDACTED&key=REDACTED&note=REDACTED", url)
	require.Equal(t, http.Header{
		"Authorization": {"REDACTED"}, "Cookie": {"REDACTED"}, "X-Hub-Signature-256": {"REDACTED"}, "X-Tenant": {"REDACTED"},
		"Accept": {"*/*"}, "Content-Type": {"application/json"}, "X-Note": {"for REDACTED"},
	}, header)
	require.Equal(t, `{"page": 2, "Client_Secret" : "REDACTED", "tokens": 1, "token": ["REDACTED", {"id": 7, "password": 0}, null],`+
		` "iban":"REDACTED", "text": "see REDACTED, REDACTED", "n": 1.50}`, string(body))

	_, header, body = sluicetest.RedactRequest(own, "https://example.com/", http.Header{"Content-Type": {"multipart/form-data; boundary=x7"}},
		[]byte("--x7\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n"+
			"--x7\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: application/json\r\n\r\n{\"jwt\":\"j\"}\r\n--x7--\r\n"))
	require.Equal(t, "multipart/form-data; boundary=boundary", header.Get("Content-Type"))
	require.Contains(t, string(body), "--boundary\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nREDACTED\r\n")
	require.Contains(t, string(body), `{"jwt":"REDACTED"}`)

	_, _, body = sluicetest.RedactRequest(own, "https://example.com/", http.Header{"Content-Type": {"text/xml"}},
		[]byte(`<a><ns:Password type="x">hunter2</ns:Password><name>Ada</name></a>`))
	require.Equal(t, `<a><ns:Password type="x">REDACTED</ns:Password><name>Ada</name></a>`, string(body))

	for dirty, clean := range map[string]string{
		"<a>\r\n<password>hunter2</password>\r\n</a>\r\n":    "<a>\r\n<password>REDACTED</password>\r\n</a>\r\n",
		"name,token\r\nAda,ghp_abcdefgh\r\nBob,s3cret/1\r\n": "name,token\r\nAda,REDACTED\r\nBob,REDACTED\r\n",
		"\xff\xfe\x00s3cret/1\x00\xe4 ghp_abcdefgh":          "\xff\xfe\x00REDACTED\x00\xe4 REDACTED",
		"\x89PNG\r\n\x1a\n\x00\xff":                          "\x89PNG\r\n\x1a\n\x00\xff",
	} {
		_, _, body = sluicetest.RedactRequest(own, "https://example.com/", http.Header{"Content-Type": {"text/plain"}}, []byte(dirty))
		require.Equal(t, clean, string(body), "bodies that files keep in base64")
	}
}

// FuzzRedaction keeps what is JSON JSON, and finds nothing left at the second look.
func FuzzRedaction(f *testing.F) {
	f.Add("application/json", []byte(`{"token": [1, {"a": "b"}, true], "x": {"password": ""}}`))
	f.Add("application/x-www-form-urlencoded", []byte("token=a&b=%zz&&=c"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nx\r\n--b--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		_, header, clean := sluicetest.RedactRequest(sluicetest.Redaction{}, "https://example.com/", http.Header{"Content-Type": {contentType}}, body)
		require.Equal(t, json.Valid(body), json.Valid(clean))
		_, _, again := sluicetest.RedactRequest(sluicetest.Redaction{}, "https://example.com/", header, clean)
		require.Equal(t, string(clean), string(again))
	})
}
