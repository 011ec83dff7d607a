package manifest

import (
	"errors"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/casing"
	"github.com/sluice-go/sluice/internal/variant"
)

func (e *exporter) connection(configVar sluice.ConnectionVar, definition sluice.ConfigVarDefinition) (object, error) {
	switch connection := variant.Of(configVar.Connection).(type) {
	case sluice.BasicConnection:
		return e.inlineConnection(definition, connection.Inputs, connection.OnPremConnectionConfig, nil)
	case sluice.OAuth2AuthorizationCodeConnection:
		return e.inlineConnection(definition, connection.Inputs, connection.OnPremConnectionConfig, connection.OAuth2Config)
	case sluice.OAuth2ClientCredentialsConnection:
		return e.inlineConnection(definition, connection.Inputs, connection.OnPremConnectionConfig, connection.OAuth2Config)
	case sluice.ConnectionReference:
		return e.referencedConnection(definition, connection)
	case sluice.OrganizationActivatedConnection, sluice.CustomerActivatedConnection, sluice.UserActivatedConnection:
		o := newObject()
		o.text("key", definition.Key)
		o.text("stableKey", definition.StableKey)
		o.text("dataType", "connection")
		o.text("useScopedConfigVar", definition.StableKey)
		return o, nil
	}
	return object{}, errors.New("a connection is required")
}

func (e *exporter) inlineConnection(
	definition sluice.ConfigVarDefinition, inputs []sluice.ConnectionInput, onPrem sluice.OnPremConnectionConfig, oauth2 *sluice.OAuth2Config,
) (object, error) {
	if onPrem == "" {
		onPrem = sluice.OnPremDisallowed
	}
	connection := newObject()
	connection.text("key", casing.Camel(definition.Key))
	connection.set("component", e.ownComponent)
	nodes := newObject()
	for _, input := range inputs {
		if input.Shown != nil && !*input.Shown || input.Type == sluice.InputTypeTemplate {
			continue
		}
		node, err := connectionInput(input)
		if err != nil {
			return object{}, err
		}
		nodes.set(input.Key, node)
	}
	o := connectionHead(definition)
	o.text("onPremiseConnectionConfig", string(onPrem))
	o.set("connection", connection.node)
	o.set("inputs", nodes.node)
	setConnectionMeta(o, definition, oauth2)
	return o, nil
}

func (e *exporter) referencedConnection(definition sluice.ConfigVarDefinition, connection sluice.ConnectionReference) (object, error) {
	manifest, _ := e.integration.Component(connection.Component)
	entry, _ := manifest.Connection(connection.Key)
	reference, err := reference(manifest, entry.ComponentEntry, connection.Values)
	if err != nil {
		return object{}, err
	}
	action := object{reference.action()}
	action.optional("template", connection.Template)
	o := connectionHead(definition)
	o.optional("onPremiseConnectionConfig", string(connection.OnPremiseConnectionConfig))
	o.set("connection", action.node)
	o.set("inputs", reference.inputs)
	setConnectionMeta(o, definition, connection.OAuth2Config)
	return o, nil
}

func connectionHead(definition sluice.ConfigVarDefinition) object {
	o := newObject()
	o.text("stableKey", definition.StableKey)
	o.optional("description", definition.Description)
	o.text("key", definition.Key)
	o.text("dataType", "connection")
	return o
}

func setConnectionMeta(o object, definition sluice.ConfigVarDefinition, oauth2 *sluice.OAuth2Config) {
	o.boolean("orgOnly", definition.PermissionAndVisibilityType == sluice.PermissionOrganization)
	meta := configMeta(definition)
	if oauth2 != nil {
		meta.optional("overrideGrantType", oauth2.OverrideGrantType)
		meta.texts("allowedTokenParams", oauth2.AllowedTokenParams)
		meta.optional("oAuthSuccessRedirectUri", oauth2.OAuthSuccessRedirectURI)
		meta.optional("oAuthFailureRedirectUri", oauth2.OAuthFailureRedirectURI)
	}
	o.set("meta", meta.node)
}

func connectionInput(input sluice.ConnectionInput) (*node, error) {
	o := newObject()
	if input.Collection == "" {
		fallback := input.Default
		if fallback == nil || fallback == false || fallback == 0 {
			fallback = "" // As in spectral.
		}
		value, err := jsonNode(fallback)
		if err != nil {
			return nil, err
		}
		o.text("type", "value")
		o.set("value", value)
	} else {
		items, err := collectionDefault(input.Default)
		if err != nil {
			return nil, err
		}
		o.text("type", "complex")
		o.set("value", list(items))
	}
	o.set("meta", inputMeta(input.PermissionAndVisibilityType, input.VisibleToOrgDeployer, input.WriteOnly))
	return o.node, nil
}

// collectionDefault writes the default of a list of texts, or of keys and values.
func collectionDefault(value any) ([]*node, error) {
	if texts, ok := value.([]string); ok {
		items := make([]*node, len(texts))
		for i, item := range texts {
			items[i] = valueItem(text(item)).node
		}
		return items, nil
	}
	pairs, _ := sluice.Pairs(value)
	items := make([]*node, len(pairs))
	for i, pair := range pairs {
		node, err := jsonNode(pair.Value)
		if err != nil {
			return nil, err
		}
		o := newObject()
		o.text("name", pair.Key)
		o.text("type", "value")
		o.set("value", node)
		items[i] = o.node
	}
	return items, nil
}
