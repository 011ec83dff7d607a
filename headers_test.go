package sluice

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeadersAreFoundInAnyCase(t *testing.T) {
	t.Parallel()
	h := NewHeaders(http.Header{"Content-Type": {"text/plain"}, "X-Foo": {"1", "2"}, "X-None": {}})
	require.Equal(t, Headers{"content-type": {"text/plain"}, "x-foo": {"1", "2"}, "x-none": {}}, h)
	for _, name := range []string{"x-foo", "X-Foo", "X-FOO"} {
		require.Equal(t, "1, 2", h.Get(name))
		require.Equal(t, []string{"1", "2"}, h.Values(name))
	}
	require.Empty(t, h.Get("X-Bar"))
	require.Nil(t, h.Values("X-Bar"))
	require.Empty(t, Headers(nil).Get("X-Foo"))
	for name, lower := range lowerNames {
		require.Equal(t, strings.ToLower(name), lower)
		require.Equal(t, http.CanonicalHeaderKey(name), name, "a name that net/http never writes")
	}
}

func TestHeadersOfOneNameInSeveralCases(t *testing.T) {
	t.Parallel()
	upper := []string{"1", "spare"}[:1]
	h := NewHeaders(http.Header{"x-foo": {"3"}, "X-foo": {"2"}, "X-FOO": upper})
	require.Equal(t, Headers{"x-foo": {"1", "2", "3"}}, h)
	require.Equal(t, "spare", upper[:2][1], "shared values are not written to")
}

func TestHeadersWithoutSecrets(t *testing.T) {
	t.Parallel()
	h := Headers{"authorization": {"secret"}, "Authorization": {"added"}, "x-foo": {"1"}}
	rest := h.Without(func(name string) bool { return name == "authorization" })
	require.Equal(t, Headers{"x-foo": {"1"}}, rest)
	require.Contains(t, h, "authorization", "the original stays")

	none := func(string) bool { return false }
	h.Without(none)["x-bar"] = nil
	require.Contains(t, h, "x-bar", "nothing to leave out: the same map")
}

func TestHeadersAsJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(Headers{"x-foo": {"1", "2"}, "x-bar": {"\xff"}})
	require.NoError(t, err)
	require.Equal(t, `{"x-bar":"\ufffd","x-foo":"1, 2"}`, string(text))
	text, err = json.Marshal(Headers(nil))
	require.NoError(t, err)
	require.Equal(t, `{}`, string(text))

	var h Headers
	require.NoError(t, json.Unmarshal([]byte(`{"X-Foo":"1","x-bar":["2","3"],"x-none":[]}`), &h))
	require.Equal(t, []string{"1"}, h.Values("x-foo"))
	require.Equal(t, []string{"2", "3"}, h.Values("x-bar"))
	require.Empty(t, h.Values("x-none"))
	require.NoError(t, json.Unmarshal([]byte(`null`), &h))
	require.Nil(t, h)
	for _, wrong := range []string{`{"a":1}`, `{"a":[1]}`, `{"a":null}`} {
		require.EqualError(t, json.Unmarshal([]byte(wrong), &h), `sluice: headers: "a" must be a string or a list of strings`)
	}
	require.Error(t, json.Unmarshal([]byte(`[]`), &h))
}

var commonHeader = http.Header{
	"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Content-Length": {"999"}, "Content-Type": {"application/json"},
	"User-Agent": {"curl"}, "X-Forwarded-For": {"10.0.0.1"}, "X-Request-Id": {"1"},
}

//nolint:paralleltest // AllocsPerRun counts what the whole process allocates
func TestHeadersAllocateTheMapOnly(t *testing.T) {
	var h Headers
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h = NewHeaders(commonHeader) }), 2.0, "the map and its table")
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Without(func(string) bool { return false }) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Get("Content-Type") }))
}

func BenchmarkNewHeaders(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewHeaders(commonHeader)
	}
}
