package sluicetest_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// comparePair holds what a mirror returned against the pair. The rules, all of them:
//
//  1. A value that is undefined, null or absent is the same.
//  2. A text that is a JSON object or list is that object or list: spectral's tester hands a
//     body out as text where its platform has parsed it (a defect of the tester).
//  3. Ids, times and URLs are drawn by the runtime, in its own form: members of the names in
//     drawn are not compared, nor what customers, instances, users, integrations and flows have
//     beyond the members that spectral prints.
//  4. Headers of HTTP itself, in transport, are not compared; of prismatic-invoked-by the custom
//     source is: its other members tell of the platform's machinery.
//  5. Where spectral gives a body or headers without a content type, Go's may have one: it has
//     come over HTTP. Where its tester gives a rawBody that is no text, Go's holds the bytes.
//  6. A connection knows the config variable that holds it, as on the platform and unlike in the
//     tester.
//  7. Members in testdata/differences.json are not compared, for the reasons there.
//  8. An error of a TypeError is an error, its words are JavaScript's; of any other error the
//     text is the same.
func comparePair(t *testing.T, members map[string]string, pair behaviourPair, got any, err error) {
	t.Helper()
	if pair.Error != nil {
		require.Error(t, err)
		if pair.Error.Name != "TypeError" {
			require.EqualError(t, err, pair.Error.Message)
		}
		return
	}
	require.NoError(t, err)
	want, actual := plain(t, pair.Output), plain(t, got)
	want, actual = normalise(want, members), normalise(actual, members)
	align(want, actual)
	require.Equal(t, want, actual)
}

// plain is a value as JSON has it.
func plain(t *testing.T, value any) (decoded any) {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &decoded))
	return decoded
}

// drawn are members that the runtime draws (rule 3).
const drawn = " id executionId stableId versionSequenceId startedAt webhookUrls webhookApiKeys invokeUrl "

// transport are headers of HTTP itself (rule 4).
const transport = " accept-encoding content-length user-agent host connection "

// normalise applies the rules that concern one side; nil is a value that is absent.
func normalise(value any, members map[string]string) any {
	switch value := value.(type) {
	case string:
		if value == "<undefined>" {
			return nil
		}
		var decoded any
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			if json.Unmarshal([]byte(value), &decoded) == nil {
				return normalise(decoded, members)
			}
		}
		return value
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = normalise(element, members)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, member := range value {
			_, isListed := members[name]
			if isListed || name == "configVarKey" || strings.Contains(drawn, " "+name+" ") || strings.Contains(transport, " "+name+" ") {
				continue
			}
			if member = normalise(member, members); member != nil {
				object[name] = member
			}
		}
		if frame, ok := object["prismatic-invoked-by"].(map[string]any); ok {
			object["prismatic-invoked-by"] = frame["customSource"]
		}
		delete(object, "prismatic-executionid")
		return object
	default:
		return value
	}
}

// attributes are what Go may tell more of than spectral prints (rule 3).
const attributes = " customer instance user integration flow "

// align applies the rules that need both sides.
func align(want, got any) {
	switch want := want.(type) {
	case []any:
		if got, ok := got.([]any); ok {
			for i := range min(len(want), len(got)) {
				align(want[i], got[i])
			}
		}
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return
		}
		for name, member := range want {
			inner, isObject := member.(map[string]any)
			other, _ := got[name].(map[string]any)
			switch {
			case isObject && strings.Contains(attributes, " "+name+" "):
				if name == "user" {
					delete(want, name) // Nobody's own endpoint was called.
					delete(got, name)
					continue
				}
				maps.DeleteFunc(other, func(name string, _ any) bool { return inner[name] == nil })
			case name == "rawBody" && isObject && isBuilt(inner["data"]):
				delete(want, name)
				delete(got, name)
			case name == "body" && isObject && inner["contentType"] == nil:
				delete(other, "contentType")
			case name == "headers" && isObject && inner["content-type"] == nil:
				delete(other, "content-type")
			}
			align(member, got[name])
		}
		if want["user"] == nil {
			delete(got, "user")
		}
	}
}

func isBuilt(data any) bool {
	_, isObject := data.(map[string]any)
	return isObject
}
