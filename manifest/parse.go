package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parse reads a document by the rules of YAML 1.2's core schema, to the values of JSON:
// dates, yes and 1_000 stay texts. Numbers are float64.
func parse(document []byte) (any, error) {
	var root yaml.Node
	if err := yaml.Load(document, &root); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return resolve(&root, 0)
}

// maxDepth bounds nesting, and aliases that contain themselves.
const maxDepth = 200

func resolve(node *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("manifest: line %d: nested too deeply", node.Line)
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return resolve(node.Content[0], depth+1)
	case yaml.AliasNode:
		return resolve(node.Alias, depth+1)
	case yaml.SequenceNode:
		values := make([]any, len(node.Content))
		for i, child := range node.Content {
			value, err := resolve(child, depth+1)
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		return values, nil
	case yaml.MappingNode:
		return resolveMapping(node, depth)
	case yaml.ScalarNode:
		return scalar(node), nil
	default:
		return nil, fmt.Errorf("manifest: line %d: not a value", node.Line)
	}
}

func resolveMapping(node *yaml.Node, depth int) (any, error) {
	members := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		value, err := resolve(node.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		members[node.Content[i].Value] = value
	}
	return members, nil
}

func scalar(node *yaml.Node) any {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if node.Style&quoted != 0 {
		return node.Value
	}
	switch node.Value {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	}
	if strings.Trim(node.Value, "0123456789+-.eE") == "" {
		if number, err := strconv.ParseFloat(node.Value, 64); err == nil {
			return number
		}
	}
	return node.Value
}
