package sluice

import "maps"

// ConnectionVar is a config variable of a connection to another system.
type ConnectionVar struct {
	// Key names the variable to people and in references. Required, unique.
	Key string
	// StableKey identifies the variable for ever, also when Key changes. Required, unique.
	// For an activated connection it is the stable key of that connection.
	StableKey string
	// Description is shown to people.
	Description string
	// PermissionAndVisibilityType says who sees and edits the value; customer by default.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows it to the organization's deployers; true by default.
	VisibleToOrgDeployer *bool
	// Connection says how to connect. Required.
	Connection ConnectionDefinition
}

// Connection is the value of a [ConnectionVar].
type Connection struct {
	// Key of the connection's type.
	Key string `json:"key"`
	// ConfigVarKey is the key of the config variable that holds it.
	ConfigVarKey string `json:"configVarKey"`
	// Fields are the values of its inputs, by key.
	Fields map[string]any `json:"fields"`
	// Token of OAuth 2.0, such as access_token and refresh_token.
	Token map[string]any `json:"token,omitempty"`
	// Context of the token, such as when it expires.
	Context map[string]any `json:"context,omitempty"`
}

// Field returns the field key as text; empty when it is missing or no text.
func (c Connection) Field(key string) string {
	text, _ := c.Fields[key].(string)
	return text
}

// AccessToken returns the token's access_token; empty when there is none.
func (c Connection) AccessToken() string {
	text, _ := c.Token["access_token"].(string)
	return text
}

// Get returns the instance's connection; without one its Fields are nil.
func (v ConnectionVar) Get(run *Run) Connection {
	value := readConfig(run, v.Key, Connection{ConfigVarKey: v.Key})
	value.Fields, value.Token, value.Context = maps.Clone(value.Fields), maps.Clone(value.Token), maps.Clone(value.Context)
	return value
}

// Definition implements [ConfigVar].
func (v ConnectionVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeConnection,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Connection:                  v.Connection,
	}
}

func (ConnectionVar) configElement() {}

// ConnectionDefinition says how to connect: [BasicConnection],
// [OAuth2AuthorizationCodeConnection], [OAuth2ClientCredentialsConnection],
// [ConnectionReference], [OrganizationActivatedConnection],
// [CustomerActivatedConnection] or [UserActivatedConnection]. The interface is sealed.
type ConnectionDefinition interface {
	connectionDefinition()
}

// BasicConnection connects with the values of its inputs.
type BasicConnection struct {
	// Inputs are what people fill in.
	Inputs []ConnectionInput
	// OnPremConnectionConfig is required when an input is OnPremControlled.
	OnPremConnectionConfig OnPremConnectionConfig
	// Icons of the connection.
	Icons ConnectionIcons
}

// OAuth2AuthorizationCodeConnection connects with a token that a person grants.
type OAuth2AuthorizationCodeConnection struct {
	// Inputs must have the keys authorizeUrl, tokenUrl, scopes, clientId and clientSecret.
	Inputs []ConnectionInput
	// OAuth2PKCEMethod is empty for none.
	OAuth2PKCEMethod OAuth2PKCEMethod
	// OAuth2Config changes details; nil changes none.
	OAuth2Config *OAuth2Config
	// OnPremConnectionConfig is required when an input is OnPremControlled.
	OnPremConnectionConfig OnPremConnectionConfig
	// Icons of the connection.
	Icons ConnectionIcons
}

// OAuth2ClientCredentialsConnection connects with a token that the client itself gets.
type OAuth2ClientCredentialsConnection struct {
	// Inputs must have the keys tokenUrl, scopes, clientId and clientSecret.
	Inputs []ConnectionInput
	// OAuth2Config changes where people are sent; nil changes nothing.
	OAuth2Config *OAuth2Config
	// OnPremConnectionConfig is required when an input is OnPremControlled.
	OnPremConnectionConfig OnPremConnectionConfig
	// Icons of the connection.
	Icons ConnectionIcons
}

// ConnectionReference is a connection of a component in the registry.
type ConnectionReference struct {
	// Component is its name in the registry. Required.
	Component string
	// Key of the connection in the component. Required.
	Key string
	// Values of its inputs, by key. Inputs without one have the component's default.
	Values map[string]InputExpression
	// Template names a template of the connection.
	Template string
	// OnPremiseConnectionConfig is for connections that can be on-premise.
	OnPremiseConnectionConfig OnPremConnectionConfig
	// OAuth2Config changes details of OAuth 2.0; nil changes none.
	OAuth2Config *OAuth2Config
}

// OrganizationActivatedConnection is a connection that the organization has set up once,
// for all customers or for each.
type OrganizationActivatedConnection struct{}

// CustomerActivatedConnection is a connection that the customer has set up once, for all
// instances.
type CustomerActivatedConnection struct{}

// UserActivatedConnection is a connection that each user sets up. It belongs on a
// user-level config page.
type UserActivatedConnection struct{}

func (BasicConnection) connectionDefinition()                   {}
func (OAuth2AuthorizationCodeConnection) connectionDefinition() {}
func (OAuth2ClientCredentialsConnection) connectionDefinition() {}
func (ConnectionReference) connectionDefinition()               {}
func (OrganizationActivatedConnection) connectionDefinition()   {}
func (CustomerActivatedConnection) connectionDefinition()       {}
func (UserActivatedConnection) connectionDefinition()           {}

// OAuth2PKCEMethod says how the code of an authorization is protected (RFC 7636).
type OAuth2PKCEMethod string

// The PKCE methods. The zero value is none.
const (
	PKCEPlain OAuth2PKCEMethod = "plain"
	PKCES256  OAuth2PKCEMethod = "S256"
)

// OAuth2Config changes details of OAuth 2.0.
type OAuth2Config struct {
	// OverrideGrantType replaces the grant type of the token request. Not for client
	// credentials.
	OverrideGrantType string
	// AllowedTokenParams are further parameters of the token request. Not for client
	// credentials.
	AllowedTokenParams []string
	// OAuthSuccessRedirectURI is where people are sent after a success.
	OAuthSuccessRedirectURI string
	// OAuthFailureRedirectURI is where people are sent after a failure.
	OAuthFailureRedirectURI string
}

// OnPremConnectionConfig says whether a connection may go through an on-premise agent.
type OnPremConnectionConfig string

// Whether a connection may go through an on-premise agent.
const (
	OnPremAllowed    OnPremConnectionConfig = "allowed"
	OnPremDisallowed OnPremConnectionConfig = "disallowed"
	OnPremRequired   OnPremConnectionConfig = "required"
)

// ConnectionIcons are paths of a connection's icons.
type ConnectionIcons struct {
	// AvatarPath is the icon of the connection.
	AvatarPath string
	// OAuth2ConnectionIconPath is the icon of the button that starts OAuth 2.0.
	OAuth2ConnectionIconPath string
}

// ConnectionInputType is the type of a connection's input.
type ConnectionInputType string

// The types of a connection's inputs.
const (
	InputTypeString   ConnectionInputType = "string"
	InputTypeData     ConnectionInputType = "data"
	InputTypeText     ConnectionInputType = "text"
	InputTypePassword ConnectionInputType = "password"
	InputTypeBoolean  ConnectionInputType = "boolean"
	// InputTypeTemplate is computed from other inputs; people do not see it.
	InputTypeTemplate ConnectionInputType = "template"
)

// ConnectionInput is one input of a connection.
type ConnectionInput struct {
	// Key names the field of the [Connection]. Required, unique in the connection.
	Key string
	// Label is shown to people. Required.
	Label string
	// KeyLabel is shown above the keys of a key-value list, Label above its values.
	KeyLabel string
	// Type is required.
	Type ConnectionInputType
	// TemplateValue is the text of a template: {{#key}} stands for another input of the
	// connection that is not a template.
	TemplateValue string
	// Collection is empty for a single value.
	Collection CollectionType
	// Default is a string, for a boolean also a bool, a []string for a value list or a
	// []KeyValue[string] for a key-value list; nil is none.
	Default any
	// Required inputs must have a value.
	Required bool
	// Shown shows the input to people; true by default.
	Shown *bool
	// WriteOnly hides the value once it is given.
	WriteOnly bool
	// OnPremControlled lets an on-premise agent replace the value.
	OnPremControlled bool
	// Placeholder, Comments and Example help people.
	Placeholder string
	Comments    string
	Example     string
	// Model holds the choices; empty takes any value.
	Model []InputChoice
	// Clean turns a value that is given into the one that code sees; nil keeps it. It is
	// called again on its own result when stored values are loaded.
	Clean func(value any) (any, error)
	// PermissionAndVisibilityType says who sees and edits the value; customer by default.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows it to the organization's deployers; true by default.
	VisibleToOrgDeployer *bool
}

// InputChoice is one choice of an input.
type InputChoice struct {
	// Label is shown to people.
	Label string
	// Value that is chosen.
	Value string
}
