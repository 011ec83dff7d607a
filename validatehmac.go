package sluice

import "fmt"

// hmacTrigger checks a trigger that lets signed requests through. A secret is never part of
// a message.
func (v *validator) hmacTrigger(path string, trigger HMACTrigger) {
	if err := trigger.Signature.Validate(); err != nil {
		for _, fault := range splitErrors(err) {
			v.add(path+".signature", "%v", fault)
		}
	}
	if len(trigger.Secrets) == 0 && len(trigger.SecretVars) == 0 {
		v.add(path, "secrets or secretVars are required: without a secret no signature fits")
	}
	for i, secret := range trigger.Secrets {
		if err := trigger.Signature.CheckSecret(secret); err != nil {
			v.add(fmt.Sprintf("%s.secrets[%d]", path, i), "%v", err)
		}
	}
	for i, secret := range trigger.SecretVars {
		v.secretVar(fmt.Sprintf("%s.secretVars[%d]", path, i), secret)
	}
	if trigger.Response != nil {
		v.webhookTrigger(path+".response", WebhookTrigger(*trigger.Response))
	}
}

func (v *validator) secretVar(path string, secret SecretVar) {
	definition, ok := v.vars[secret.ConfigVar]
	connection := definition.DataType == DataTypeConnection
	switch {
	case !ok:
		v.add(path+".configVar", "there is no config variable %q", secret.ConfigVar)
	case connection && secret.Field == "":
		v.add(path+".field", "%q is a connection: name the field that holds the secret", secret.ConfigVar)
	case connection:
	case secret.Field != "":
		v.add(path+".field", "%q is no connection: it has no fields", secret.ConfigVar)
	case definition.DataType != DataTypeString || definition.CollectionType == CollectionKeyValueList:
		v.add(path+".configVar", "%q holds no text: a secret stands in a string, a list of strings or a connection", secret.ConfigVar)
	}
}

// splitErrors returns the errors that errors.Join put together.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
