package sluice

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func path(t *testing.T, text string) FieldPath {
	t.Helper()
	p, err := ParseFieldPath(text)
	require.NoError(t, err)
	return p
}

func TestParseFieldPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		segments []string
	}{
		{`flowName`, []string{"flowName"}},
		{`body.data.items.0.id`, []string{"body", "data", "items", "0", "id"}},
		{`body.data["a.b"].c`, []string{"body", "data", "a.b", "c"}},
		{`["a.b"]["c"]`, []string{"a.b", "c"}},
		{`[""].x`, []string{"", "x"}},
		{`["\u0061\"]"]`, []string{`a"]`}},
		{`Do Thing?.a[0].ü/$`, []string{"Do Thing?", "a[0]", "ü/$"}},
	} {
		p := path(t, test.text)
		require.Equal(t, test.segments, p.segments, test.text)
		require.Equal(t, test.segments, path(t, p.String()).segments)
	}
	for _, test := range []struct{ text, want string }{
		{``, `sluice: field path "": a segment is empty; write an empty key as [""]`},
		{`.a`, `sluice: field path ".a": a segment is empty; write an empty key as [""]`},
		{`a..b`, `sluice: field path "a..b": a segment is empty; write an empty key as [""]`},
		{`a.`, `sluice: field path "a.": a segment is empty; write an empty key as [""]`},
		{`["a`, `sluice: field path "[\"a": after [" comes a JSON string and a closing "]`},
		{`["a"`, `sluice: field path "[\"a\"": a closing ] is missing after a key in quotes`},
		{`["a"]b`, `sluice: field path "[\"a\"]b": after a closing ] comes a dot or another ["`},
		{"a\xff", `sluice: field path "a\xff" is not UTF-8`},
	} {
		_, err := ParseFieldPath(test.text)
		require.EqualError(t, err, test.want)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	type result struct {
		FlowName string `json:"flowName"`
		Count    int
	}
	root := object{
		"data":    object{"event": "order.created", "n": json.Number("1.0"), "on": true, "no": nil, "list": []any{object{"id": "x"}}},
		"headers": NewHeaders(http.Header{"X-Event": {"a", "b"}, "X.y": {"dotted"}}),
		"query":   QueryParameters{"flow": {"first", "second"}},
		"bytes":   []byte("x"),
		"result":  &result{"Flow A", 3},
		"names":   map[string]string{"a": "b"},
		"body":    NewBody(json.RawMessage(`{"id":9007199254740993}`)),
		"none":    (*result)(nil),
	}
	for _, test := range []struct {
		path, want string
		ok         bool
	}{
		{"data.event", "order.created", true},
		{"data.n", "1.0", true},
		{"data.on", "true", true},
		{"data.no", "", false},
		{"data.list.0.id", "x", true},
		{"data.list.00.id", "", false},
		{"data.list.1.id", "", false},
		{"data.list.-1.id", "", false},
		{"data.EVENT", "", false},
		{"data.event.length", "", false},
		{"headers.x-event", "a, b", true},
		{"headers.X-EVENT", "a, b", true},
		{`headers["x.y"]`, "dotted", true},
		{"headers.none", "", false},
		{"query.flow", "first", true},
		{"query.Flow", "", false},
		{"bytes.0", "", false},
		{"result.flowName", "Flow A", true},
		{"result.Count", "3", true},
		{"result.count", "", false},
		{"names.a", "b", true},
		{"body.id", "9007199254740993", true},
		{"none", "", false},
		{"none.x", "", false},
	} {
		value, ok, err := path(t, test.path).Lookup(root)
		require.NoError(t, err, test.path)
		require.Equal(t, test.want, value, test.path)
		require.Equal(t, test.ok, ok, test.path)
	}
	for _, test := range []struct{ path, kind string }{
		{"data", "an object"},
		{"data.list", "a list"},
		{"data.list.0", "an object"},
		{"headers", "an object"},
		{"query", "an object"},
		{"bytes", "bytes"},
		{"result", "an object"},
	} {
		_, ok, err := path(t, test.path).Lookup(root)
		require.False(t, ok)
		require.EqualError(t, err, `sluice: field path "`+test.path+`" leads to `+test.kind+
			`; it must lead to a string, a number or a boolean`)
	}
	whole, ok, err := FieldPath{}.Lookup("the value itself")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "the value itself", whole)
	_, _, err = path(t, "a").Lookup(func() {})
	require.ErrorContains(t, err, "unsupported type")
}

func TestBodyLookupOfEveryKind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ contentType, raw, path, want string }{
		{"application/json", "\uFEFF" + ` {"orgId":"a","orgId":"b"} `, "orgId", "b"},
		{"application/json", `{"a.b":{"\u0063":"\u00e9"}}`, `["a.b"].c`, "é"},
		{"application/x-www-form-urlencoded", `event=a&to=1&to=2`, `to.1`, "2"},
		{
			"multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=p\r\nContent-Type: application/json\r\n\r\n{\"n\":1}\r\n--b--", "p.data.n", "1",
		},
	} {
		b, err := ParseBody(test.contentType, []byte(test.raw))
		require.NoError(t, err)
		value, ok, err := b.Lookup(path(t, test.path))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, test.want, value)
	}
	whole, ok, err := NewBody("text").Lookup(FieldPath{})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "text", whole)
}

// genJSON draws JSON as no encoder writes it: keys twice, escaped, and not UTF-8.
func genJSON(depth int) *rapid.Generator[string] {
	key := rapid.SampledFrom([]string{`"a"`, `"\u0061"`, `"A"`, `"0"`, `"a.b"`, `""`, `"\""`, "\"\xff\"", "\"\uFFFD\"", `"\ud800"`, `"é"`})
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	scalar := rapid.SampledFrom([]string{`null`, `true`, `false`, `0`, `-0`, `1.50`, `1e400`, `"x"`, `"\u00e9\n"`, "\"\xff\"", `"\udc00"`})
	return rapid.Custom(func(t *rapid.T) string {
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if depth == 0 || kind == 0 {
			return scalar.Draw(t, "scalar")
		}
		var parts []string
		for range rapid.IntRange(0, 4).Draw(t, "size") {
			part := space.Draw(t, "space") + genJSON(depth-1).Draw(t, "value") + space.Draw(t, "space")
			if kind > 1 {
				part = space.Draw(t, "space") + key.Draw(t, "key") + space.Draw(t, "space") + ":" + part
			}
			parts = append(parts, part)
		}
		if kind > 1 {
			return "{" + strings.Join(parts, ",") + "}"
		}
		return "[" + strings.Join(parts, ",") + "]"
	})
}

func TestBodyLookupFindsWhatDataHas(t *testing.T) {
	t.Parallel()
	segment := rapid.SampledFrom([]string{"a", "A", "0", "1", "a.b", "", `"`, "\uFFFD", "é", "00"})
	rapid.Check(t, func(t *rapid.T) {
		raw := genJSON(4).Draw(t, "json")
		requireSameLookup(t, raw, FieldPath{segments: rapid.SliceOfN(segment, 0, 4).Draw(t, "path")})
	})
}

// requireSameLookup checks that the search in the bytes agrees with the one in Data.
func requireSameLookup(t require.TestingT, raw string, p FieldPath) {
	b, err := ParseBody("application/json", []byte(raw))
	require.NoError(t, err)
	want, wantOK, wantErr := p.Lookup(b.Data())
	value, ok, err := b.Lookup(p)
	require.Equal(t, wantErr, err)
	require.Equal(t, wantOK, ok)
	require.Equal(t, want, value)
}

func TestFieldPathsKeepEveryKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(`a0.["]\ `))))
		p := FieldPath{segments: rapid.SliceOfN(segment, 1, 4).Draw(t, "segments")}
		parsed, err := ParseFieldPath(p.String())
		require.NoError(t, err)
		require.Equal(t, p, parsed)
	})
}

func FuzzFieldPath(f *testing.F) {
	for _, seed := range []string{`body.data.items.0.id`, `a["b.c"].d`, `["\u0061"]`, `a[["b"]`, `.`, `[""]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseFieldPath(text)
		if err != nil {
			return
		}
		again, err := ParseFieldPath(p.String())
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}

func FuzzBodyLookup(f *testing.F) {
	f.Add(`{"a":[1,{"b":"x"}]}`, `a.1.b`)
	f.Add(`{"a":{"b":1},"\u0061":{"c":2}}`, `a.c`)
	f.Add("{\"\xff\":null}", "\uFFFD")
	f.Fuzz(func(t *testing.T, raw, text string) {
		p, err := ParseFieldPath(text)
		if err != nil {
			return
		}
		if _, err := ParseBody("application/json", []byte(raw)); err != nil {
			return
		}
		requireSameLookup(t, raw, p)
	})
}
