package sluice

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluice-go/sluice/internal/variant"
)

// connection checks a connection that stands on a page.
func (v *validator) connection(path string, connectionVar ConnectionVar, keys *configKeys) {
	connectionPath := path + ".connection"
	switch connection := variant.Of(connectionVar.Connection).(type) {
	case nil:
		v.add(connectionPath, "a connection is required")
	case BasicConnection:
		keys.takeFunction(path, "connection", connectionVar.Key)
		v.inputs(connectionPath+".inputs", connection.Inputs)
		v.onPrem(connectionPath, connectionVar.StableKey, connection.Inputs, connection.OnPremConnectionConfig)
	case OAuth2AuthorizationCodeConnection:
		keys.takeFunction(path, "connection", connectionVar.Key)
		v.inputs(connectionPath+".inputs", connection.Inputs)
		v.onPrem(connectionPath, connectionVar.StableKey, connection.Inputs, connection.OnPremConnectionConfig)
		v.oauth2Inputs(connectionPath+".inputs", connection.Inputs, "authorizeUrl", "tokenUrl", "scopes", "clientId", "clientSecret")
		if connection.OAuth2PKCEMethod != "" {
			oneOf(v, connectionPath+".oauth2PkceMethod", connection.OAuth2PKCEMethod, PKCEPlain, PKCES256)
		}
	case OAuth2ClientCredentialsConnection:
		keys.takeFunction(path, "connection", connectionVar.Key)
		v.inputs(connectionPath+".inputs", connection.Inputs)
		v.onPrem(connectionPath, connectionVar.StableKey, connection.Inputs, connection.OnPremConnectionConfig)
		v.oauth2Inputs(connectionPath+".inputs", connection.Inputs, "tokenUrl", "scopes", "clientId", "clientSecret")
		if config := connection.OAuth2Config; config != nil && (config.OverrideGrantType != "" || len(config.AllowedTokenParams) > 0) {
			v.add(connectionPath+".oauth2Config", "client credentials take redirect URIs only")
		}
	case ConnectionReference:
		v.connectionReference(connectionPath, connection)
	}
}

func (v *validator) connectionReference(path string, reference ConnectionReference) {
	component, ok := v.component(path, reference.Component)
	if !ok {
		return
	}
	entry, ok := component.Connection(reference.Key)
	if !ok {
		v.missingEntry(path, reference.Component, reference.Key)
		return
	}
	if reference.OnPremiseConnectionConfig != "" {
		v.onPremType(path+".onPremiseConnectionConfig", reference.OnPremiseConnectionConfig)
		if !entry.OnPremAvailable {
			v.add(path+".onPremiseConnectionConfig", "the component's connection cannot be on-premise")
		}
	}
	v.expressions(path+".values", reference.Values, entry.Inputs)
}

func (v *validator) onPremType(path string, config OnPremConnectionConfig) {
	oneOf(v, path, config, OnPremAllowed, OnPremDisallowed, OnPremRequired)
}

// onPrem checks that on-premise inputs and the config agree, in spectral's words.
func (v *validator) onPrem(path, stableKey string, inputs []ConnectionInput, config OnPremConnectionConfig) {
	controlled := map[string]bool{}
	for _, input := range inputs {
		if input.OnPremControlled {
			controlled[input.Key] = true
		}
	}
	path += ".onPremConnectionConfig"
	switch {
	case len(controlled) > 0 && config == "":
		v.mirror(path, "Connection %s has onPremControlled inputs but no onPremConnectionConfig value set. Please set an onPremConnectionConfig value for the connection.", stableKey)
	case len(controlled) == 0 && config != "" && config != OnPremDisallowed:
		v.mirror(path, "Connection %s has onPremConnectionConfig set but no onPremControlled inputs. The connection will not be valid without onPremControlled inputs (host, port).", stableKey)
	case len(controlled) > 0 && (!controlled["host"] || !controlled["port"]):
		v.add(path, "an on-premise connection needs the inputs host and port, both onPremControlled")
	}
	if config != "" {
		v.onPremType(path, config)
	}
}

func (v *validator) oauth2Inputs(path string, inputs []ConnectionInput, required ...string) {
	for _, key := range required {
		if !slices.ContainsFunc(inputs, func(input ConnectionInput) bool { return input.Key == key }) {
			v.add(path, "OAuth 2.0 needs the input %q", key)
		}
	}
}

func (v *validator) inputs(path string, inputs []ConnectionInput) {
	keys := v.unique("the input")
	for n, input := range inputs {
		inputPath := at(path, n)
		keys.take(inputPath+".key", input.Key)
		if input.Type == InputTypeTemplate {
			v.templateInput(inputPath+".templateValue", input, inputs)
		} else if input.TemplateValue != "" {
			v.add(inputPath+".templateValue", "only an input of type template has one")
		}
		if v.mirrored {
			continue
		}
		v.required(inputPath+".label", input.Label)
		oneOf(v, inputPath+".type", input.Type,
			InputTypeString, InputTypeData, InputTypeText, InputTypePassword, InputTypeBoolean, InputTypeTemplate)
		v.collection(inputPath+".collection", input.Collection)
		v.permission(inputPath, input.PermissionAndVisibilityType)
		v.inputDefault(inputPath+".default", input)
	}
}

func (v *validator) inputDefault(path string, input ConnectionInput) {
	if isNil(input.Default) {
		return
	}
	if _, err := json.Marshal(input.Default); err != nil {
		v.add(path, "the value cannot be written as JSON")
		return
	}
	if _, err := input.parseType(input.Default); err != nil {
		v.add(path, "%v", err)
	}
}

// templateInput checks that other inputs fill a template, in spectral's words.
func (v *validator) templateInput(path string, input ConnectionInput, inputs []ConnectionInput) {
	matches := slot.FindAllStringSubmatch(input.TemplateValue, -1)
	if len(matches) == 0 {
		v.mirror(path, `Template input "%s": No template slots were found. Declare a template slot with this notation: {{#someInputKey}}`, input.Key)
	}
	var invalid []string
	for _, match := range matches {
		if !slices.ContainsFunc(inputs, func(other ConnectionInput) bool {
			return other.Key == match[1] && other.Type != InputTypeTemplate
		}) {
			invalid = append(invalid, match[1])
		}
	}
	if len(invalid) > 0 {
		v.mirror(path, `Template input "%s": Invalid keys were found in the template string. All referenced keys must be non-template inputs declared in the first argument: %s`, input.Key, strings.Join(invalid, ","))
	}
}
