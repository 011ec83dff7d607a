package sluice

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type object = map[string]any

func TestParseBodyByContentType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		contentType, raw string
		want             any
	}{
		{"application/json", `{"a":[1,"x",true,null]}`, object{"a": []any{json.Number("1"), "x", true, nil}}},
		{"application/json", `{"id":9007199254740993}`, object{"id": json.Number("9007199254740993")}},
		{"application/json", `1e400`, json.Number("1e400")},
		{"application/json", `{"a":1,"a":2}`, object{"a": json.Number("2")}},
		{"application/json", `{"a":{"b":1},"a":{"c":2}}`, object{"a": object{"c": json.Number("2")}}},
		{"Application/JSON; charset=utf-8", ` {} `, object{}},
		{"text/json", `[]`, []any{}},
		{"application/vnd.api+json", `"x"`, "x"},
		{"application/json", `null`, nil},
		{"application/json", "\uFEFF{}", object{}},
		{"application/json", "\"\xff\"", "\uFFFD"},
		{"application/json", " \r\n\t", nil},
		{"application/x-www-form-urlencoded", `a=1&b=x+y%21&b=;&c=`, object{"a": "1", "b": []any{"x y!", ";"}, "c": ""}},
		{"application/x-www-form-urlencoded", `a=%ff`, object{"a": "\uFFFD"}},
		{"text/plain", `{"a":1}`, `{"a":1}`},
		{"text/csv; charset=utf-8", "a,b\n", "a,b\n"},
		{"application/xml", `<a/>`, `<a/>`},
		{"image/svg+xml", `<svg/>`, `<svg/>`},
		{"text/plain", "\xff", []byte("\xff")},
		{"image/png", "\x89PNG", []byte("\x89PNG")},
		{"application/octet-stream", "x", []byte("x")},
		{"", `{"a":1}`, []byte(`{"a":1}`)},
		{"nonsense;;", "x", []byte("x")},
	} {
		b, err := ParseBody(test.contentType, []byte(test.raw))
		require.NoError(t, err, test.raw)
		require.Equal(t, test.want, b.Data(), "%s as %s", test.raw, test.contentType)
		require.NoError(t, b.Err())
		require.Equal(t, test.contentType, b.ContentType())
		raw, err := b.Bytes()
		require.NoError(t, err)
		require.Equal(t, test.raw, string(raw), "the bytes stay as they came")
		require.Equal(t, test.want, StoredBody(test.contentType, raw).Data(), "stored and read back")
	}
}

func TestEmptyBodies(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{
		"", "application/json", "text/plain", "image/png", "application/x-www-form-urlencoded", "multipart/form-data",
	} {
		b, err := ParseBody(contentType, nil)
		require.NoError(t, err, contentType)
		require.True(t, b.IsEmpty(), contentType)
		require.Nil(t, b.Data(), contentType)
		require.Equal(t, contentType, b.ContentType())

		order := order{ID: "kept"}
		require.NoError(t, b.Decode(&order), contentType)
		require.Equal(t, "kept", order.ID, "like null, an empty body changes nothing")
		_, ok, err := b.Lookup(path(t, "id"))
		require.NoError(t, err)
		require.False(t, ok)
	}
	require.True(t, StoredBody("application/json", []byte(" \n")).IsEmpty())
	require.False(t, NewBody(json.RawMessage("null")).IsEmpty())
	require.False(t, StoredBody("text/plain", []byte(" ")).IsEmpty())
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ contentType, raw, want string }{
		{"application/json", `{"a":}`, `sluice: body: malformed JSON: at byte 5: unexpected "}", looking for a value`},
		{"application/json", `{} {}`, `sluice: body: malformed JSON: at byte 3: unexpected "{" after the value`},
		{"application/json", "\uFEFF", ``},
		{"application/x-www-form-urlencoded", `a=%zz`, `sluice: body: invalid URL escape "%zz"`},
		{"multipart/form-data", `x`, `sluice: body: content type "multipart/form-data" has no boundary`},
		{"multipart/form-data; boundary", `x`, `sluice: body: content type "multipart/form-data; boundary": mime: invalid media parameter`},
		{"multipart/form-data; boundary=b", `x`, `sluice: body: multipart: NextPart: unexpected EOF`},
	} {
		_, err := ParseBody(test.contentType, []byte(test.raw))
		if test.want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, test.want)
		fault, ok := errors.AsType[*BodyError](err)
		require.True(t, ok)
		require.Equal(t, test.contentType, fault.ContentType)
		require.Equal(t, test.contentType == "application/json", errors.Is(err, ErrMalformedJSON))
	}
}

func TestJSONDepthIsBounded(t *testing.T) {
	t.Parallel()
	nested := func(levels int) []byte {
		return []byte(strings.Repeat("[", levels) + strings.Repeat("]", levels))
	}
	_, err := ParseBody("application/json", nested(1_000))
	require.NoError(t, err)
	_, err = ParseBody("application/json", nested(1_001))
	require.ErrorIs(t, err, ErrMalformedJSON)

	start := time.Now()
	_, err = ParseBody("application/json", nested(100_000))
	require.ErrorIs(t, err, ErrMalformedJSON)
	require.Less(t, time.Since(start), time.Second)
}

func TestNewBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value             any
		contentType, want string
		data              any
	}{
		{nil, "", "", nil},
		{"text", "text/plain; charset=utf-8", "text", "text"},
		{"", "text/plain; charset=utf-8", "", nil},
		{[]byte{0, 1}, "application/octet-stream", "\x00\x01", []byte{0, 1}},
		{json.RawMessage(` {"a": 1} `), "application/json", ` {"a": 1} `, object{"a": json.Number("1")}},
		{
			order{ID: "<1>", Total: 1 << 60},
			"application/json", `{"id":"<1>","total":1152921504606846976}`,
			object{"id": "<1>", "total": json.Number("1152921504606846976")},
		},
		{(*order)(nil), "application/json", `null`, nil},
		{12, "application/json", `12`, json.Number("12")},
		{NewBody("text"), "text/plain; charset=utf-8", "text", "text"},
	} {
		b := NewBody(test.value)
		raw, err := b.Bytes()
		require.NoError(t, err)
		require.Equal(t, test.want, string(raw))
		require.Equal(t, test.contentType, b.ContentType())
		require.Equal(t, test.data, b.Data())
		require.Equal(t, test.data, StoredBody(b.ContentType(), raw).Data(), "stored and read back")
	}
}

func TestNewBodyReportsWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	for _, value := range []any{math.Inf(1), func() {}, json.RawMessage(`{`)} {
		b := NewBody(value)
		_, err := b.Bytes()
		require.ErrorContains(t, err, "sluice: body: ")
		require.Equal(t, err, b.Err())
		require.Equal(t, err, b.Decode(new(any)))
		require.Nil(t, b.Data())
		require.False(t, b.IsEmpty())
		_, _, lookup := b.Lookup(FieldPath{})
		require.Equal(t, err, lookup)
		_, marshal := json.Marshal(b)
		require.ErrorIs(t, marshal, err)
	}
}

// counted counts how often it is marshalled.
type counted struct{ times *int }

func (c counted) MarshalJSON() ([]byte, error) {
	*c.times++
	return []byte(`{"a":[1]}`), nil
}

func TestBodyIsMadeOnceForAllItsUsers(t *testing.T) {
	t.Parallel()
	times := 0
	b := NewBody(counted{&times})
	require.Zero(t, times, "nothing is marshalled before it is needed")
	var wait sync.WaitGroup
	for range 8 {
		copied := b
		wait.Go(func() {
			copied.Data()
			_, _, _ = copied.Lookup(FieldPath{[]string{"a", "0"}, 0})
			_ = copied.Decode(new(any))
		})
	}
	wait.Wait()
	require.Equal(t, 1, times)
	first, _ := b.Data().(object)
	second, _ := b.Data().(object)
	first["shared"] = true
	require.Contains(t, second, "shared")
}

func TestBodyAsJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ contentType, raw, want string }{
		{"", ``, `{"data":null}`},
		{"application/json", ``, `{"data":null,"contentType":"application/json"}`},
		{"application/json", "\uFEFF{\"n\":1.0,\"n\":1e2,\"h\":\"<\"}\n", `{"data":{"n":1.0,"n":1e2,"h":"<"},"contentType":"application/json"}`},
		{"application/json", "\"\xff\xfe\"", "{\"data\":\"\uFFFD\uFFFD\",\"contentType\":\"application/json\"}"},
		{"text/plain", "a\"<", `{"data":"a\"<","contentType":"text/plain"}`},
		{"text/plain", "\xff", `{"data":"/w==","contentType":"text/plain","encoding":"base64"}`},
		{"image/png", "\x89P", `{"data":"iVA=","contentType":"image/png","encoding":"base64"}`},
		{"a/\xff", "x", "{\"data\":\"eA==\",\"contentType\":\"a/\\ufffd\",\"encoding\":\"base64\"}"},
		{"application/x-www-form-urlencoded", "a=1", `{"data":{"a":"1"},"contentType":"application/x-www-form-urlencoded"}`},
	} {
		text, err := StoredBody(test.contentType, []byte(test.raw)).MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, test.want, string(text))
		require.True(t, json.Valid(text))
	}
	text, err := json.Marshal(RawBody{Data: []byte("\xff\x00"), ContentType: "image/png"})
	require.NoError(t, err)
	require.JSONEq(t, `{"data":"/wA=","contentType":"image/png"}`, string(text))
	var raw RawBody
	require.NoError(t, json.Unmarshal(text, &raw))
	require.Equal(t, RawBody{Data: []byte("\xff\x00"), ContentType: "image/png"}, raw)
}

func TestStoredBodyThatIsDamaged(t *testing.T) {
	t.Parallel()
	b := StoredBody("application/json", []byte(`{"a":`))
	require.Nil(t, b.Data())
	require.Error(t, b.Err())
	require.Error(t, b.Decode(new(any)))
	_, _, err := b.Lookup(path(t, "a"))
	require.Error(t, err)
}

func FuzzParseBody(f *testing.F) {
	f.Add("application/json", []byte(`{"a":[1,{"b":"\u00e9"}]}`))
	f.Add("application/json", []byte("\uFEFF \"\xff\""))
	f.Add("application/x-www-form-urlencoded", []byte(`a=1&a=%20;b`))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--"))
	f.Add("text/plain", []byte("x\xff"))
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		b, err := ParseBody(contentType, raw)
		isJSON := bodyKindOf(contentType) == kindJSON && !b.IsEmpty()
		if err != nil {
			require.ErrorContains(t, err, "sluice: body: ")
			if errors.Is(err, ErrMalformedJSON) && bodyKindOf(contentType) == kindJSON {
				require.True(t, !json.Valid(jsonText(raw)) || strings.Contains(err.Error(), "nested too deeply"))
			}
			return
		}
		if isJSON {
			var want any
			require.NoError(t, decodeJSON(jsonText(raw), &want))
			require.Equal(t, want, b.Data())
		}
		require.Equal(t, b.IsEmpty(), b.Data() == nil && string(jsonText(raw)) != "null")
		text, err := json.Marshal(b)
		require.NoError(t, err)
		require.True(t, json.Valid(text))
		require.NoError(t, b.Decode(new(any)))
		got, err := b.Bytes()
		require.NoError(t, err)
		require.Equal(t, raw, got)
	})
}
