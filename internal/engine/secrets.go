package engine

import (
	"fmt"
	"slices"

	"github.com/sluice-go/sluice/internal/secret"
	"github.com/sluice-go/sluice/store"
)

// openConfig returns the instance's configuration as JSON.
func (e *Engine) openConfig(record *store.Instance) ([]byte, error) {
	if !secret.IsSealed(record.Config) {
		return record.Config, nil
	}
	config, err := e.secrets.Open(record.Config, "config", record.ID)
	if err != nil {
		return nil, fmt.Errorf("configuration of instance %s: %w: check Options.MasterKeys", record.ID, err)
	}
	return config, nil
}

// openKey returns an API key of the instance; empty if only its hash is known.
func (e *Engine) openKey(record *store.Instance, key *store.APIKey) (string, error) {
	if key.Sealed == nil {
		return "", nil
	}
	opened, err := e.secrets.Open(key.Sealed, keyPlace(record, key)...)
	if err != nil {
		return "", fmt.Errorf("API key %s… of flow %q, instance %s: %w: check Options.MasterKeys", key.Prefix, key.Flow, record.ID, err)
	}
	return string(opened), nil
}

// keyPlace binds a sealed key to its tenant, its flow and its hash.
func keyPlace(record *store.Instance, key *store.APIKey) []string {
	return []string{"api key", record.ID, key.Flow, string(key.Hash)}
}

// seal encrypts the secrets of the record with the first master key, if there is one:
// those that are readable, and those that an older master key sealed. It tells whether
// there were any.
func (e *Engine) seal(record *store.Instance) (changed bool, err error) {
	if !e.secrets.CanSeal() {
		return false, nil
	}
	if !e.secrets.IsCurrent(record.Config) {
		config, err := e.openConfig(record)
		if err != nil {
			return false, err
		}
		record.Config, changed = e.secrets.Seal(config, "config", record.ID), true
	}
	record.Keys = slices.Clone(record.Keys)
	for i := range record.Keys {
		key := &record.Keys[i]
		if key.Sealed == nil || e.secrets.IsCurrent(key.Sealed) {
			continue
		}
		opened, err := e.openKey(record, key)
		if err != nil {
			return false, err
		}
		key.Sealed, changed = e.secrets.Seal([]byte(opened), keyPlace(record, key)...), true
	}
	return changed, nil
}
