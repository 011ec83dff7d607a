package jsonscan

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference is encoding/json's value of a text.
func reference(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

func FuzzBuild(f *testing.F) {
	for _, text := range []string{
		`null`, ` true `, `"a\u0041\ud83d\ude00"`, "\"\xff\"", `[1,-0.5e+3,9007199254740993]`, `{"a":1,"a":{"b":[]},"\u0062":""}`,
		`"\b\f\n\r\t\/\\\""`, `"\ud800"`, `"\ud800x"`, `"\ud800\u0041"`, `"\udc00\ud800\udc00"`, `"\ud83d\ude0"`, "\"\\n\xc3\x28\"",
		`{"a":`, `[1,]`, `{"a" 1}`, `tru`, `01`, `"\x"`, `{}x`, ``, "\"\n\"", `{"":{"":null}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := Build(text, maxFindDepth)
		if !json.Valid(text) {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		want, err := reference(text)
		require.NoError(t, err)
		require.Equal(t, want, value)
	})
}

func TestBuildBoundsTheDepth(t *testing.T) {
	t.Parallel()
	_, err := Build([]byte(`[[1]]`), 2)
	require.NoError(t, err)
	_, err = Build([]byte(`[[[1]]]`), 2)
	require.ErrorContains(t, err, "nested too deeply")
}

func BenchmarkBuild(b *testing.B) {
	text := []byte(`{"id":"A-17","customer":{"name":"Ada Lovelace","email":"ada@example.com","tags":["vip","uk"]},"items":[` +
		`{"sku":"tea","quantity":2,"price":4.5,"gift":false},{"sku":"cup","quantity":1,"price":12,"gift":true},` +
		`{"sku":"pot","quantity":1,"price":39.9,"gift":null}],"note":"leave at the door","total":60.9}`)
	b.Run("Build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Build(text, 100); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				b.Fatal(err)
			}
		}
	})
}
