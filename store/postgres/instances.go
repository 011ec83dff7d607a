package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// PutInstance implements [store.Instances].
func (s *Store) PutInstance(ctx context.Context, instance *store.Instance) error {
	err := s.writeInstance(ctx, func(ctx context.Context, tx *transaction) error { return putInstance(ctx, tx, instance) })
	if violated(err) {
		err = fmt.Errorf("its name or one of its endpoints is another instance's: %w", store.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("store: put instance %s: %w", instance.ID, err)
	}
	instance.Revision++
	return nil
}

// writeInstance runs fn, and tells everybody that instances were written.
func (s *Store) writeInstance(ctx context.Context, fn func(ctx context.Context, tx *transaction) error) error {
	err := s.within(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
			if err := fn(ctx, tx); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE revisions SET instances = instances + 1")
			return err
		})
	})
	if err == nil {
		s.say(toldInstances)
		s.say(toldReady) // It may not be paused any more.
		s.say(toldUpkeep)
		s.tell.send()
	}
	return err
}

const (
	insertInstance = `INSERT INTO instances (name, integration, version, customer, customer_external_id, customer_name,
		config, api_keys, paused, pending, change, deployed_at, revision, id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1, $14)`
	updateInstance = `UPDATE instances SET name = $1, integration = $2, version = $3, customer = $4, customer_external_id = $5,
		customer_name = $6, config = $7, api_keys = $8, paused = $9, pending = $10, change = $11, deployed_at = $12, revision = $13 + 1
		WHERE id = $14 AND revision = $13`
)

func putInstance(ctx context.Context, tx *transaction, i *store.Instance) error {
	keys, err := encodeKeys(i.Keys)
	if err != nil {
		return err
	}
	statement := updateInstance
	if i.Revision == 0 {
		statement = insertInstance
	}
	id := encodeText(i.ID)
	written, err := affected(tx.Exec(ctx, statement, encodeText(i.Name), encodeText(i.Integration), encodeText(i.Version),
		encodeText(i.Customer.ID), encodeText(i.Customer.ExternalID), encodeText(i.Customer.Name), i.Config, keys, i.Paused, i.Pending,
		i.Change, encodeTime(i.DeployedAt), i.Revision, id))
	if err == nil && !written {
		err = store.ErrConflict
	}
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue("DELETE FROM endpoints WHERE instance = $1", id)
	for n, endpoint := range i.Endpoints {
		b.Queue("INSERT INTO endpoints (id, instance, position, flow) VALUES ($1, $2, $3, $4)",
			encodeText(endpoint.ID), id, n, encodeText(endpoint.Flow))
	}
	return tx.SendBatch(ctx, b)
}

// DeleteInstance implements [store.Instances].
func (s *Store) DeleteInstance(ctx context.Context, instance *store.Instance) error {
	err := s.writeInstance(ctx, func(ctx context.Context, tx *transaction) error { return deleteInstance(ctx, tx, instance) })
	if err != nil {
		return fmt.Errorf("store: delete instance %s: %w", instance.ID, err)
	}
	return nil
}

// ofInstance chooses the scopes of state that belong to an instance and its flows.
const ofInstance = "owner = $1 AND kind IN ('instance', 'flow')"

func deleteInstance(ctx context.Context, tx *transaction, i *store.Instance) error {
	id := encodeText(i.ID)
	written, err := affected(tx.Exec(ctx, "DELETE FROM instances WHERE id = $1 AND revision = $2", id, i.Revision))
	if err == nil && !written {
		err = store.ErrConflict
	}
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT kind, owner, flow FROM state_scopes WHERE "+ofInstance, id)
	if err != nil {
		return err
	}
	scopes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (scope store.Scope, err error) {
		err = row.Scan(&scope.Kind, &scope.ID, &scope.Flow)
		if err == nil {
			err = decodeText(&scope.ID, &scope.Flow)
		}
		return scope, err
	})
	if err != nil {
		return err
	}
	keys := make([]int64, len(scopes))
	for n, scope := range scopes {
		keys[n] = scopeLock(scope)
	}
	if err := lock(ctx, tx, keys); err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue("DELETE FROM endpoints WHERE instance = $1", id)
	b.Queue("DELETE FROM schedules WHERE instance = $1", id)
	b.Queue("DELETE FROM state_values WHERE scope IN (SELECT id FROM state_scopes WHERE "+ofInstance+")", id)
	b.Queue("DELETE FROM state_scopes WHERE "+ofInstance, id)
	return tx.SendBatch(ctx, b)
}

// Instance implements [store.Instances].
func (s *Store) Instance(ctx context.Context, id string) (*store.Instance, error) {
	return s.instance(ctx, "id = $1", id)
}

// InstanceByName implements [store.Instances].
func (s *Store) InstanceByName(ctx context.Context, integration, customerID, name string) (*store.Instance, error) {
	return s.instance(ctx, "integration = $1 AND customer = $2 AND name = $3", integration, customerID, name)
}

// InstanceByEndpoint implements [store.Instances].
func (s *Store) InstanceByEndpoint(ctx context.Context, endpointID string) (*store.Instance, error) {
	return s.instance(ctx, "id = (SELECT instance FROM endpoints WHERE id = $1)", endpointID)
}

// InstancesOfCustomer implements [store.Instances].
func (s *Store) InstancesOfCustomer(ctx context.Context, integration, externalID string) ([]*store.Instance, error) {
	return s.instances(ctx, "integration = $1 AND customer_external_id = $2", integration, externalID)
}

// HasAPIKeys implements [store.Instances].
func (s *Store) HasAPIKeys(ctx context.Context, integration string) (found bool, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		return s.readers.QueryRow(ctx, "SELECT EXISTS (SELECT FROM instances WHERE integration = $1 AND api_keys IS NOT NULL)",
			encodeText(integration)).Scan(&found)
	})
	if err != nil {
		return false, fmt.Errorf("store: find API keys: %w", err)
	}
	return found, nil
}

func (s *Store) instance(ctx context.Context, where string, args ...string) (*store.Instance, error) {
	found, err := s.instances(ctx, where, args...)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("store: find instance %q: %w", args, store.ErrNotFound)
	default:
		return found[0], nil
	}
}

// instances finds instances with their endpoints, by name, in one statement and therefore
// one snapshot.
func (s *Store) instances(ctx context.Context, where string, texts ...string) (found []*store.Instance, err error) {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = encodeText(text)
	}
	err = s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, `SELECT id, name, integration, version, customer, customer_external_id, customer_name, config, api_keys,
			paused, pending, change, deployed_at, revision,
			ARRAY(SELECT e.id FROM endpoints e WHERE e.instance = i.id ORDER BY position),
			ARRAY(SELECT e.flow FROM endpoints e WHERE e.instance = i.id ORDER BY position)
			FROM instances i WHERE `+where+" ORDER BY name", args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scanInstance)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: find instances %q: %w", texts, err)
	}
	return found, nil
}

func scanInstance(row pgx.CollectableRow) (*store.Instance, error) {
	var i store.Instance
	var deployedAt int64
	var keys []byte
	var ids, flows []string
	err := row.Scan(&i.ID, &i.Name, &i.Integration, &i.Version, &i.Customer.ID, &i.Customer.ExternalID, &i.Customer.Name,
		&i.Config, &keys, &i.Paused, &i.Pending, &i.Change, &deployedAt, &i.Revision, &ids, &flows)
	if err != nil {
		return nil, fmt.Errorf("store: read an instance: %w", err)
	}
	i.DeployedAt = decodeTime(deployedAt)
	for n, id := range ids {
		endpoint := store.Endpoint{ID: id, Flow: flows[n]}
		if err := decodeText(&endpoint.ID, &endpoint.Flow); err != nil {
			return nil, err
		}
		i.Endpoints = append(i.Endpoints, endpoint)
	}
	if i.Keys, err = decodeKeys(keys); err != nil {
		return nil, err
	}
	return &i, decodeText(&i.ID, &i.Name, &i.Integration, &i.Version, &i.Customer.ID, &i.Customer.ExternalID, &i.Customer.Name)
}
