package store_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/store"
)

var scope = store.Scope{Kind: store.ScopeInstance, ID: "i"}

func change(op store.StateOp, value string) store.StateChange {
	c := store.StateChange{Scope: scope, Key: "k", Op: op}
	if value != "" {
		c.Value = []byte(value)
	}
	return c
}

// bytesOf is a value as the store has it: none is nil.
func bytesOf(value string) []byte {
	if value == "" {
		return nil
	}
	return []byte(value)
}

func TestApply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value  string
		op     store.StateOp
		by     string
		result string
	}{
		{"", store.StateSet, "null", "null"},
		{"1", store.StateSet, `"a"`, `"a"`},
		{"1", store.StateDelete, "", ""},
		{"1", store.StateClear, "", ""},
		{"", store.StateIncrement, "5", "5"},
		{"9007199254740993", store.StateIncrement, "1", "9007199254740994"},
		{"0.1", store.StateIncrement, "0.2", "0.3"},
		{"0.5", store.StateIncrement, "1.5", "2"},
		{"1e3", store.StateIncrement, "-1E-2", "999.99"},
		{"-0", store.StateIncrement, "0", "0"},
		{"", store.StateAppend, "[1]", "[1]"},
		{"[]", store.StateAppend, "[]", "[]"},
		{"[ ]", store.StateAppend, " [1]", "[1]"},
		{"[1, 2]", store.StateAppend, "[]", "[1, 2]"},
		{"[1, 2]", store.StateAppend, `["<]"]`, `[1, 2,"<]"]`},
		{"", store.StateRemove, "[1]", ""},
		{"[]", store.StateRemove, "[1]", "[]"},
		{`[1, "1", 1.0, {"b": [10], "a": "<"}, null]`, store.StateRemove, `[10e-1, {"a":"\u003c","b":[1e1]}]`, `["1",null]`},
		{`["<", 1.50]`, store.StateRemove, `[2]`, `["<",1.50]`},
		{"", store.StateExpect, "", ""},
		{"", store.StateExpect, "null", ""},
		{"null", store.StateExpect, "", "null"},
		{`{"a": 100}`, store.StateExpect, `{"a":1e2}`, `{"a": 100}`},
		{"0", store.StateExpect, "-0.0", "0"},
		{"1e99999999999", store.StateExpect, "1E99999999999", "1e99999999999"},
	} {
		t.Run(fmt.Sprint(c.value, " ", c.op, " ", c.by), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, change(c.op, c.by).Check())
			result, err := change(c.op, c.by).Apply(bytesOf(c.value))
			require.NoError(t, err)
			require.Equal(t, bytesOf(c.result), result)
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		op    store.StateOp
		by    string
		err   error
	}{
		{`"1"`, store.StateIncrement, "1", store.ErrStateType},
		{"null", store.StateIncrement, "1", store.ErrStateType},
		{strings.Repeat("9", 2000), store.StateIncrement, "1", store.ErrStateType},
		{"1e401", store.StateIncrement, "1", store.ErrStateType},
		{"1e-99999999999", store.StateIncrement, "1", store.ErrStateType},
		{"1", store.StateAppend, "[1]", store.ErrStateType},
		{`"[]"`, store.StateRemove, "[1]", store.ErrStateType},
		{"", store.StateExpect, "0", store.ErrStateConflict},
		{"null", store.StateExpect, "{}", store.ErrStateConflict},
		{"[]", store.StateExpect, "null", store.ErrStateConflict},
		{"1", store.StateExpect, "10", store.ErrStateConflict},
		{"1", store.StateExpect, "-1", store.ErrStateConflict},
		{"1", store.StateExpect, `"1"`, store.ErrStateConflict},
		{"[1,2]", store.StateExpect, "[2,1]", store.ErrStateConflict},
		{`{"a":1}`, store.StateExpect, `{"A":1}`, store.ErrStateConflict},
	} {
		t.Run(fmt.Sprint(c.value, " ", c.op, " ", c.by), func(t *testing.T) {
			t.Parallel()
			_, err := change(c.op, c.by).Apply(bytesOf(c.value))
			require.ErrorIs(t, err, c.err)
			require.ErrorContains(t, err, `"k"`)
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*store.StateChange)
		says  string
	}{
		"operation":     {func(c *store.StateChange) { c.Op = "double" }, "no such operation"},
		"no value":      {func(c *store.StateChange) { c.Value = nil }, "no JSON"},
		"no JSON":       {func(c *store.StateChange) { c.Value = []byte("{") }, "no JSON"},
		"no number":     {func(c *store.StateChange) { c.Op = store.StateIncrement }, "no number"},
		"half a number": {func(c *store.StateChange) { c.Op, c.Value = store.StateIncrement, []byte("1/2") }, "no number"},
		"no list":       {func(c *store.StateChange) { c.Op = store.StateAppend }, "no list"},
		"half a list":   {func(c *store.StateChange) { c.Op, c.Value = store.StateRemove, []byte("[1") }, "no JSON"},
		"no key":        {func(c *store.StateChange) { c.Key = "" }, "0 bytes"},
		"long key":      {func(c *store.StateChange) { c.Key = strings.Repeat("k", 1025) }, "1025 bytes"},
		"key with NUL":  {func(c *store.StateChange) { c.Key = "a\x00" }, "NUL"},
		"key of bytes":  {func(c *store.StateChange) { c.Key = "\xff" }, "UTF-8"},
		"kind":          {func(c *store.StateChange) { c.Scope.Kind = "" }, "no scope"},
		"no id":         {func(c *store.StateChange) { c.Scope.ID = "" }, "needs an ID"},
		"needless flow": {func(c *store.StateChange) { c.Scope.Flow = "f" }, "a flow"},
		"no flow":       {func(c *store.StateChange) { c.Scope.Kind = store.ScopeFlow }, "a flow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := change(store.StateSet, `"v"`)
			require.NoError(t, spoilt.Check())
			c.spoil(&spoilt)
			require.ErrorContains(t, spoilt.Check(), c.says)
		})
	}
}

// anyJSON draws a value and a second spelling of it.
func anyJSON(depth int) *rapid.Generator[[2]string] {
	return rapid.Custom(func(r *rapid.T) [2]string {
		kind := rapid.IntRange(0, 3).Draw(r, "kind")
		if depth == 0 {
			kind %= 2
		}
		n := 0
		if kind > 1 {
			n = rapid.IntRange(0, 3).Draw(r, "n")
		}
		var first, second []string
		for i := range n {
			element := anyJSON(depth-1).Draw(r, "element")
			if kind == 3 {
				name := fmt.Sprintf("%q:", string(rune('a'+i)))
				element[0], element[1] = name+element[0], " "+name+" "+element[1]
				second = append([]string{element[1]}, second...) // Members have no order.
			} else {
				second = append(second, element[1])
			}
			first = append(first, element[0])
		}
		switch kind {
		case 0:
			n := rapid.Int64Range(-1e6, 1e6).Draw(r, "number")
			return [2]string{strconv.FormatInt(n, 10), fmt.Sprintf("%d.0e-2", 100*n)}
		case 1:
			text, err := json.Marshal(rapid.StringMatching(`[a-z<"]{0,3}`).Draw(r, "text"))
			require.NoError(r, err)
			return [2]string{string(text), strings.ReplaceAll(string(text), "a", `\u0061`)}
		case 2:
			return [2]string{"[" + strings.Join(first, ",") + "]", "[ " + strings.Join(second, " , ") + "]"}
		default:
			return [2]string{"{" + strings.Join(first, ",") + "}", "{" + strings.Join(second, ",") + " }"}
		}
	})
}

// TestExpectComparesValues knows a value in another spelling, and no other value.
func TestExpectComparesValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a, b := anyJSON(3).Draw(r, "a"), anyJSON(3).Draw(r, "b")
		for _, expected := range []string{a[0], a[1]} {
			result, err := change(store.StateExpect, expected).Apply([]byte(a[0]))
			require.NoError(r, err)
			require.Equal(r, a[0], string(result), "nothing is changed")
		}
		_, err := change(store.StateExpect, b[1]).Apply([]byte(a[0]))
		if a[0] == b[0] {
			require.NoError(r, err)
		} else {
			require.ErrorIs(r, err, store.ErrStateConflict)
		}
	})
}

// TestListsAreBags appends values and removes some of them: what stays is what was not
// removed, in its order.
func TestListsAreBags(t *testing.T) {
	t.Parallel()
	values := rapid.SliceOfN(anyJSON(2), 0, 6)
	list := func(values [][2]string, spelling int) string {
		texts := make([]string, len(values))
		for i, value := range values {
			texts[i] = value[spelling]
		}
		return "[" + strings.Join(texts, ",") + "]"
	}
	rapid.Check(t, func(r *rapid.T) {
		first, second, gone := values.Draw(r, "first"), values.Draw(r, "second"), values.Draw(r, "gone")
		if len(first) > 0 {
			gone = append(gone, rapid.SampledFrom(first).Draw(r, "one"))
		}
		before := []byte(list(first, 0))
		has, err := change(store.StateAppend, list(second, 0)).Apply(before)
		require.NoError(r, err)
		require.Equal(r, list(append(first, second...), 0), string(has))
		require.Equal(r, list(first, 0), string(before), "the old value is as it was")
		has, err = change(store.StateRemove, list(gone, 1)).Apply(has)
		require.NoError(r, err)
		var kept [][2]string
		for _, value := range append(first, second...) {
			unwanted := false
			for _, g := range gone {
				unwanted = unwanted || g[0] == value[0]
			}
			if !unwanted {
				kept = append(kept, value)
			}
		}
		require.Equal(r, list(kept, 0), string(has))
	})
}

// TestSumsAreExact adds numbers in any order: the sum is that of arithmetic.
func TestSumsAreExact(t *testing.T) {
	t.Parallel()
	number := rapid.OneOf(
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})`),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})\.[0-9]{1,9}`),
		rapid.StringMatching(`-?[1-9](\.[0-9])?[eE][-+]?[0-9]{1,2}`),
	)
	rapid.Check(t, func(r *rapid.T) {
		numbers := rapid.SliceOfN(number, 1, 8).Draw(r, "numbers")
		want := new(big.Rat)
		var sum []byte
		for _, n := range numbers {
			exact, ok := new(big.Rat).SetString(n)
			require.True(r, ok)
			want.Add(want, exact)
			var err error
			sum, err = change(store.StateIncrement, n).Apply(sum)
			require.NoError(r, err)
			require.True(r, json.Valid(sum), string(sum))
		}
		got, ok := new(big.Rat).SetString(string(sum))
		require.True(r, ok)
		require.Zero(r, want.Cmp(got), "%s is not %s", sum, want)
		if want.IsInt() {
			require.Equal(r, want.Num().String(), string(sum))
		}
	})
}
