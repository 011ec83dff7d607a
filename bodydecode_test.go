package sluice

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

type order struct {
	ID    string `json:"id"`
	Total int64  `json:"total"`
	Extra any    `json:"extra,omitempty"`
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	b, err := ParseBody("application/json", []byte("\uFEFF"+` {"id":"1","total":9007199254740993,"extra":{"n":9007199254740993}} `))
	require.NoError(t, err)
	var got order
	require.NoError(t, b.Decode(&got))
	require.Equal(t, order{"1", 9007199254740993, object{"n": json.Number("9007199254740993")}}, got)

	var all any
	require.NoError(t, b.Decode(&all))
	require.Equal(t, b.Data(), all)
	fields, _ := all.(object)
	fields["changed"] = true
	require.NotContains(t, b.Data(), "changed", "what is decoded is the caller's own")
}

type node struct {
	Next  *node
	Lines map[string][][1]struct{ Extra stringer }
}

type stringer interface{ String() string }

func TestExactNumbersWhereverAnAnyIs(t *testing.T) {
	t.Parallel()
	require.True(t, holdsAny(reflect.TypeFor[*node]()))
	require.False(t, holdsAny(reflect.TypeFor[*bigOrder]()))
	for _, v := range []any{
		&[]any{}, &map[string]any{}, &struct{ A []map[string]any }{}, &struct{ A *struct{ B any } }{},
	} {
		require.True(t, holdsAny(reflect.TypeOf(v)))
	}
	var got struct{ A []map[string]*struct{ B any } }
	require.NoError(t, NewBody(json.RawMessage(`{"a":[{"x":{"b":9007199254740993}}]}`)).Decode(&got))
	require.Equal(t, json.Number("9007199254740993"), got.A[0]["x"].B)
}

func TestDecodeForms(t *testing.T) {
	t.Parallel()
	b, err := ParseBody("application/x-www-form-urlencoded", []byte("id=1&extra=a&extra=b"))
	require.NoError(t, err)
	var got order
	require.NoError(t, b.Decode(&got))
	require.Equal(t, order{ID: "1", Extra: []any{"a", "b"}}, got)
	var all object
	require.NoError(t, b.Decode(&all))
	require.Equal(t, b.Data(), all)

	b, err = ParseBody("multipart/form-data; boundary=b", []byte(
		"--b\r\nContent-Disposition: form-data; name=file; filename=x.bin\r\nContent-Type: image/png\r\n\r\n\xff\x00\r\n--b--\r\n"))
	require.NoError(t, err)
	var parts struct {
		File struct {
			Data     []byte
			Filename string
		}
	}
	require.NoError(t, b.Decode(&parts))
	require.Equal(t, "\xff\x00", string(parts.File.Data))
	require.Equal(t, "x.bin", parts.File.Filename)
}

func TestDecodeTextAndBytes(t *testing.T) {
	t.Parallel()
	type name string
	text := StoredBody("text/plain", []byte("10.0.0.1"))
	var (
		asString  string
		asName    name
		asBytes   []byte
		asAny     any
		asAddress netip.Addr
	)
	for _, v := range []any{&asString, &asName, &asBytes, &asAny, &asAddress} {
		require.NoError(t, text.Decode(v))
	}
	require.Equal(t, "10.0.0.1", asString)
	require.Equal(t, name("10.0.0.1"), asName)
	require.Equal(t, "10.0.0.1", string(asBytes))
	require.Equal(t, "10.0.0.1", asAny)
	require.Equal(t, netip.MustParseAddr("10.0.0.1"), asAddress)

	binary := StoredBody("image/png", []byte("\xff"))
	var data json.RawMessage
	require.NoError(t, binary.Decode(&data))
	require.Equal(t, "\xff", string(data))
	require.NoError(t, binary.Decode(&asAny))
	require.Equal(t, []byte("\xff"), asAny)
	require.NoError(t, StoredBody("text/plain", []byte("\xff")).Decode(&asString))
	require.Equal(t, "\xff", asString)
}

func TestDecodeNamesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		contentType, raw string
		into             any
		want             string
	}{
		{
			"application/json", `{"total":"x"}`, new(order),
			"sluice: body: json: cannot unmarshal string into Go struct field order.total of type int64 (at byte 12)",
		},
		{
			"application/json", `[]`, new(order),
			"sluice: body: json: cannot unmarshal array into Go value of type sluice.order (at byte 1)",
		},
		{
			"application/x-www-form-urlencoded", `total=1`, new(order),
			"sluice: body: json: cannot unmarshal string into Go struct field order.total of type int64",
		},
		{
			"text/plain", `{"id":"1"}`, new(order),
			`sluice: body: content type "text/plain" does not decode into a Go value of type sluice.order`,
		},
		{
			"image/png", "x", new(string),
			`sluice: body: content type "image/png" does not decode into a Go value of type string`,
		},
		{"text/plain", "nowhere", new(netip.Addr), `sluice: body: ParseAddr("nowhere"): unable to parse IP`},
	} {
		b, err := ParseBody(test.contentType, []byte(test.raw))
		require.NoError(t, err)
		err = b.Decode(test.into)
		require.EqualError(t, err, test.want)
		_, ok := errors.AsType[*BodyError](err)
		require.True(t, ok)
	}
	for _, v := range []any{nil, order{}, (*order)(nil)} {
		err := StoredBody("text/plain", []byte("x")).Decode(v)
		require.ErrorContains(t, err, "sluice: body: json: Unmarshal(")
		_, ok := errors.AsType[*BodyError](err)
		require.False(t, ok, "that is the flow's fault, not the sender's")
	}
	require.NotErrorIs(t, StoredBody("text/plain", []byte("x")).Decode(new(int)), io.EOF)
}

type bigOrder struct {
	ID    string `json:"id"`
	Lines []struct {
		SKU      string  `json:"sku"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"price"`
		Note     string  `json:"note"`
	} `json:"lines"`
}

func bigJSON() []byte {
	text := []byte(`{"id":"ord_1","lines":[`)
	for len(text) < 950 {
		text = append(text, `{"sku":"A-17","quantity":3,"price":12.50,"note":"leave at the door"},`...)
	}
	return append(text, `{}],"event":"order.created"}`...)
}

func BenchmarkBody(b *testing.B) {
	raw := bigJSON()
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseBody("application/json", raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lookup", func(b *testing.B) {
		body := StoredBody("application/json", raw)
		event := FieldPath{[]string{"event"}, 0}
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := body.Lookup(event); !ok || err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		body := StoredBody("application/json", raw)
		b.ReportAllocs()
		for b.Loop() {
			var order bigOrder
			if err := body.Decode(&order); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var order bigOrder
			if err := json.Unmarshal(raw, &order); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("data", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if StoredBody("application/json", raw).Data() == nil {
				b.Fatal("no data")
			}
		}
	})
}
