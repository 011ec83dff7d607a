package sluicetest

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/sluice-go/sluice"
)

// DefaultConnectionValueEnvironmentVariable is where [ConnectionValue] looks by default.
const DefaultConnectionValueEnvironmentVariable = "PRISMATIC_CONNECTION_VALUE"

// CreateConnection is spectral's createConnection: the value of a connection whose type has the
// key, for InvokeOptions.ConfigVars or an input of a component. Deployments name the config
// variable in it.
func CreateConnection(key string, fields, token map[string]any) sluice.Connection {
	return sluice.Connection{Key: key, Fields: fields, Token: token}
}

// ConnectionValue reads a connection from an environment variable, as JSON with "fields" and
// "token": real credentials for a test against the real service, such as one that runs with
// RecorderOptions.Update. An empty name is [DefaultConnectionValueEnvironmentVariable]. Its Key
// is empty, as that of spectral's connectionValue: a deployment sets it.
func ConnectionValue(environmentVariable string) (sluice.Connection, error) {
	if environmentVariable == "" {
		environmentVariable = DefaultConnectionValueEnvironmentVariable
	}
	var connection sluice.Connection
	text := os.Getenv(environmentVariable)
	if text == "" {
		return connection, fmt.Errorf("Unable to find connection value: set the environment variable %s", environmentVariable) //nolint:staticcheck // spectral's text.
	}
	if err := json.Unmarshal([]byte(text), &connection); err != nil {
		return sluice.Connection{}, fmt.Errorf("the environment variable %s holds no connection as JSON: %w", environmentVariable, err)
	}
	connection.Key = ""
	return connection, nil
}
