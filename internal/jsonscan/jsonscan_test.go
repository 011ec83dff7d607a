package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheckNamesTheFault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{``, "at byte 0: unexpected end, looking for a value"},
		{`{"a":1`, "at byte 6: unexpected end, looking for a comma or } after a member"},
		{`{"a" 1}`, `at byte 5: unexpected "1", looking for a colon after a key`},
		{`{a:1}`, `at byte 1: unexpected "a", looking for a key in quotes`},
		{`[1,]`, `at byte 3: unexpected "]", looking for a value`},
		{`[1 2]`, `at byte 3: unexpected "2", looking for a comma or ] after an element`},
		{`{} x`, `at byte 3: unexpected "x" after the value`},
		{"{}\x00", `at byte 2: unexpected "\x00" after the value`},
		{`"a`, "at byte 2: unexpected end, in a string"},
		{"\"a\n\"", `at byte 2: unexpected "\n", in a string: control characters must be escaped`},
		{`"\x"`, `at byte 2: unexpected "x", in an escape`},
		{`"\u00g0"`, `at byte 5: unexpected "g", in a \u escape: it takes four hexadecimal digits`},
		{`"\`, "at byte 2: unexpected end, in an escape"},
		{`01`, `at byte 1: unexpected "1" after the value`},
		{`-`, "at byte 1: unexpected end, in a number: looking for a digit"},
		{`1.x`, `at byte 2: unexpected "x", in a number: looking for a digit`},
		{`nul`, `at byte 0: unexpected "n", looking for null`},
	} {
		require.EqualError(t, Check([]byte(test.text), 10), test.want, test.text)
	}
}

func TestCheckBoundsTheDepth(t *testing.T) {
	t.Parallel()
	require.NoError(t, Check([]byte(`[[1],[{}]]`), 3))
	require.EqualError(t, Check([]byte(`[[1],[{}]]`), 2), `at byte 6: unexpected "{", nested too deeply`)

	start := time.Now()
	require.Error(t, Check([]byte(strings.Repeat(`[`, 100_000)), 1_000))
	require.Error(t, Check([]byte(strings.Repeat(`{"a":`, 100_000)), 1_000))
	require.Less(t, time.Since(start), time.Second)
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, path, want string
	}{
		{`{"a": {"b" : [1, { "c": "x" } ]}}`, "a/b/1/c", `"x"`},
		{`{"a": {"b" : [1, { "c": "x" } ]}}`, "a/b/1", `{ "c": "x" }`},
		{`{"a":1,"a":2}`, "a", `2`},
		{`{"a":{"b":1},"a":{"c":2}}`, "a/b", ``},
		{`{"\u0061":1}`, "a", `1`},
		{"{\"\xff\":1}", "\uFFFD", `1`},
		{`{"A":1}`, "a", ``},
		{`[1,2]`, "2", ``},
		{`[1,2]`, "01", ``},
		{`[1,2]`, "-1", ``},
		{`[1,2]`, "a", ``},
		{`"a"`, "0", ``},
		{`{"0":"key"}`, "0", `"key"`},
	} {
		got, err := Find([]byte(test.text), strings.Split(test.path, "/"))
		require.NoError(t, err, test.text)
		require.Equal(t, test.want, string(got), "%s in %s", test.path, test.text)
	}
	_, err := Find([]byte(`{"a":1,}`), []string{"a"})
	require.EqualError(t, err, `at byte 7: unexpected "}", looking for a key in quotes`)
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"\u00e9\n"]}`, " [ ] ", "\"\xff\"", `1e`, "\"\x1f\"", "\"\x7f\"", `"\ud800"`, `{"a":1,"a":2}`, "\uFEFF{}", "{}\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// 10,000 levels are what encoding/json reads; the scan is exactly as strict up to there.
		require.Equal(t, json.Valid(text), Check(text, 10_000) == nil)
		_, _ = Find(text, []string{"a", "0"})
	})
}

func BenchmarkCheck(b *testing.B) {
	text := []byte(`{"id":"ord_1","total":9007199254740993,"lines":[`)
	for len(text) < 1000 {
		text = append(text, `{"sku":"A-17","quantity":3,"price":12.50,"note":"leave at the door"},`...)
	}
	text = append(text, `{}]}`...)
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if err := Check(text, 1000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json Valid", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if !json.Valid(text) {
				b.Fatal("invalid")
			}
		}
	})
}
