package sluice

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseQuery(t *testing.T) {
	t.Parallel()
	q, err := ParseQuery("a=1&a=2&b=x+y%21&c&semi=1;2")
	require.NoError(t, err)
	require.Equal(t, QueryParameters{"a": {"1", "2"}, "b": {"x y!"}, "c": {""}, "semi": {"1;2"}}, q)
	require.Equal(t, "1", q.Get("a"), "of a repeated parameter the first counts")
	require.Equal(t, []string{"1", "2"}, q.Values("a"))
	require.Empty(t, q.Get("A"))

	for _, empty := range []string{"", "&"} {
		q, err = ParseQuery(empty)
		require.NoError(t, err)
		require.Nil(t, q)
		require.Empty(t, q.Get("a"))
	}
	q, err = ParseQuery("a=1&b=%zz&c=3")
	require.EqualError(t, err, `sluice: query: invalid URL escape "%zz"`)
	require.Equal(t, QueryParameters{"a": {"1"}, "c": {"3"}}, q)
}

func TestQueryParametersAsJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(QueryParameters{"a": {"1", "2"}, "b": {"\xff"}})
	require.NoError(t, err)
	require.Equal(t, `{"a":"1","b":"\ufffd"}`, string(text))
	text, err = json.Marshal(QueryParameters(nil))
	require.NoError(t, err)
	require.Equal(t, `{}`, string(text))

	var q QueryParameters
	require.NoError(t, json.Unmarshal([]byte(`{"a":"1","b":["2","3"]}`), &q))
	require.Equal(t, QueryParameters{"a": {"1"}, "b": {"2", "3"}}, q)
	for _, empty := range []string{`{}`, `null`} {
		require.NoError(t, json.Unmarshal([]byte(empty), &q))
		require.Nil(t, q)
	}
	require.EqualError(t, json.Unmarshal([]byte(`{"a":1}`), &q),
		`sluice: query parameters: "a" must be a string or a list of strings`)
}
