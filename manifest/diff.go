package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// ChangeKind says what happened to a field.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "+"
	Removed ChangeKind = "-"
	Changed ChangeKind = "~"
)

// Change is one difference of two manifests.
type Change struct {
	// Kind of the change.
	Kind ChangeKind
	// Path of the field. Elements of lists are named by their stable key, key or name:
	// flows[orders].retryConfig.maxAttempts.
	Path string
	// Old and New values, as JSON values; Old is nil when it was added, New when it was
	// removed.
	Old, New any
}

// String is the change on one line: ~ flows[orders].description: "old" -> "new".
func (c Change) String() string {
	switch c.Kind {
	case Added:
		return fmt.Sprintf("+ %s: %s", c.Path, short(c.New))
	case Removed:
		return fmt.Sprintf("- %s: %s", c.Path, short(c.Old))
	default:
		return fmt.Sprintf("~ %s: %s -> %s", c.Path, short(c.Old), short(c.New))
	}
}

// short is a value as JSON, cut where it is long.
func short(value any) string {
	const longest = 80
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	if text := []rune(string(data)); len(text) > longest {
		return string(text[:longest]) + "…"
	}
	return string(data)
}

// Diff tells how a manifest differs from an older one, in the order of paths. Elements of
// lists are compared by their stable key, key or name, so that one that moved or was added
// does not change the others; a new order of the same elements is one change. Export both
// with the same reference key.
func Diff(oldDocument, newDocument []byte) ([]Change, error) {
	before, err := parse(oldDocument)
	if err != nil {
		return nil, fmt.Errorf("the old document: %w", err)
	}
	after, err := parse(newDocument)
	if err != nil {
		return nil, fmt.Errorf("the new document: %w", err)
	}
	var d differ
	d.values("", before, after)
	slices.SortStableFunc(d.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return d.changes, nil
}

type differ struct{ changes []Change }

func (d *differ) values(path string, before, after any) {
	switch before := before.(type) {
	case map[string]any:
		if after, ok := after.(map[string]any); ok {
			d.members(path, before, after)
			return
		}
	case []any:
		if after, ok := after.([]any); ok {
			d.lists(path, before, after)
			return
		}
	}
	if !reflect.DeepEqual(before, after) {
		d.changes = append(d.changes, Change{Changed, path, before, after})
	}
}

func (d *differ) members(path string, before, after map[string]any) {
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for key := range keys {
		was, had := before[key]
		is, has := after[key]
		d.either(strings.TrimPrefix(path+"."+key, "."), was, had, is, has)
	}
}

func (d *differ) either(path string, was any, had bool, is any, has bool) {
	switch {
	case !had:
		d.changes = append(d.changes, Change{Added, path, nil, is})
	case !has:
		d.changes = append(d.changes, Change{Removed, path, was, nil})
	default:
		d.values(path, was, is)
	}
}

func (d *differ) lists(path string, before, after []any) {
	oldNames, oldOK := identities(before)
	newNames, newOK := identities(after)
	if !oldOK || !newOK {
		for i := range max(len(before), len(after)) {
			d.either(fmt.Sprintf("%s[%d]", path, i), element(before, i), i < len(before), element(after, i), i < len(after))
		}
		return
	}
	for i, name := range oldNames {
		j := slices.Index(newNames, name)
		d.either(path+"["+name+"]", before[i], true, element(after, j), j >= 0)
	}
	for j, name := range newNames {
		if !slices.Contains(oldNames, name) {
			d.either(path+"["+name+"]", nil, false, after[j], true)
		}
	}
	oldOrder, newOrder := common(oldNames, newNames), common(newNames, oldNames)
	if !slices.Equal(oldOrder, newOrder) {
		d.changes = append(d.changes, Change{Changed, path, anys(oldOrder), anys(newOrder)})
	}
}

func element(list []any, index int) any {
	if index < 0 || index >= len(list) {
		return nil
	}
	return list[index]
}

// identities names the elements of a list; ok is false when they have no names, or not
// each its own.
func identities(list []any) (names []string, ok bool) {
	seen := map[string]bool{}
	for _, element := range list {
		name := identity(element)
		if name == "" || seen[name] {
			return nil, false
		}
		seen[name] = true
		names = append(names, name)
	}
	return names, true
}

func identity(element any) string {
	members, ok := element.(map[string]any)
	if !ok {
		return ""
	}
	for _, key := range []string{"stableKey", "key", "name", "value"} {
		if name, ok := members[key].(string); ok && name != "" {
			return name
		}
	}
	return ""
}

// common returns the names that the other list has too.
func common(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(others, name) })
}

func anys(names []string) []any {
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list
}
