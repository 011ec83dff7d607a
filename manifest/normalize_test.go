package manifest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// same are members that mean the same absent as present with their default. Spectral tells
// them apart, because in JavaScript a member is given or not; Go's structs have one zero
// value. They are dropped from both sides.
var same = []struct {
	path   string
	value  any
	reason string
}{
	{"description", "", "an empty text is none"},
	{"category", "", "an empty text is none"},
	{"documentation", "", "an empty text is none"},
	{"version", "", "an empty text is none"},
	{"configPages[].tagline", "", "an empty text is none"},
	{"flows[].description", "", "an empty text is none"},
	{"requiredConfigVars[].description", "", "an empty text is none"},
	{"requiredConfigVars[].timeZone", "", "an empty text is UTC"},
	{"flows[].queueConfig.dedupeIdField", "", "an empty path is none"},
	{"flows[].retryConfig.uniqueRequestIdField", "", "an empty path is none"},
	{"flows[].isSynchronous", false, "false is the default"},
	{"flows[].isAgentFlow", false, "false is the default"},
	{"flows[].runInitialSyncOnDeploy", false, "false is the default"},
	{"flows[].queueConfig.singletonExecutions", false, "false is the default"},
	{"flows[].steps[].errorConfig.usesExponentialBackoff", false, "false is the default"},
	{"flows[].steps[].errorConfig.ignoreFinalError", false, "false is the default"},
	{"flows[].steps[].errorConfig.maxAttempts", 0.0, "no attempts are the default"},
	{"flows[].steps[].errorConfig.delaySeconds", 0.0, "no delay is the default"},
	{"requiredConfigVars[].defaultValue", "", "without a default a handle reads the same"},
	{"requiredConfigVars[].defaultValue", "false", "without a default a handle reads the same"},
	{"requiredConfigVars[].defaultValue", "0", "without a default a handle reads the same"},
}

// normalize drops what is the same when it is absent, and compares texts that hold JSON as
// JSON: a Go struct or map has another order of members.
func normalize(path string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		members := map[string]any{}
		for key, member := range value {
			memberPath := strings.TrimPrefix(path+"."+key, ".")
			if !isSame(memberPath, member) {
				members[key] = normalize(memberPath, member)
			}
		}
		if value["collectionType"] == "keyvaluelist" {
			members["defaultValue"] = entryTexts(members["defaultValue"])
		}
		return members
	case []any:
		elements := make([]any, len(value))
		for i, element := range value {
			elements[i] = normalize(path+"[]", element)
		}
		return elements
	case string:
		return jsonText(value)
	}
	return value
}

func isSame(path string, value any) bool {
	for _, member := range same {
		if member.path == path && member.value == value {
			return true
		}
	}
	return false
}

// jsonText parses a text that holds a JSON object or list.
func jsonText(text string) any {
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return text
	}
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return map[string]any{"JSON": value}
}

// entryTexts writes the values of a key-value list as texts: spectral does so for a map,
// and leaves them for a list; Go has one form for both.
func entryTexts(fallback any) any {
	parsed, ok := fallback.(map[string]any)
	if !ok {
		return fallback
	}
	entries, _ := parsed["JSON"].([]any)
	for _, entry := range entries {
		if entry, ok := entry.(map[string]any); ok {
			if _, text := entry["value"].(string); !text {
				entry["value"] = fmt.Sprint(entry["value"])
			}
		}
	}
	return fallback
}

// difference returns the first difference of two values; empty when they are equal.
func difference(path string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: want an object, got %#v", path, got)
		}
		keys := maps.Clone(want)
		maps.Copy(keys, got)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			w, wanted := want[key]
			g, gotten := got[key]
			if wanted != gotten {
				return fmt.Sprintf("%s.%s: wanted %v (%#v), gotten %v (%#v)", path, key, wanted, w, gotten, g)
			}
			if found := difference(path+"."+key, w, g); found != "" {
				return found
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return fmt.Sprintf("%s: want %d elements, got %#v", path, len(want), got)
		}
		for i := range want {
			if found := difference(fmt.Sprintf("%s[%d]", path, i), want[i], got[i]); found != "" {
				return found
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s: want %#v, got %#v", path, want, got)
	}
	return ""
}
