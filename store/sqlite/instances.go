package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store"
)

// PutInstance implements [store.Instances].
func (s *Store) PutInstance(ctx context.Context, instance *store.Instance) error {
	w := &putInstance{Instance: *instance}
	w.Endpoints = slices.Clone(instance.Endpoints)
	var err error
	if w.keys, err = encodeKeys(instance.Keys); err == nil {
		err = s.submit(ctx, w)
	}
	if violated(err) {
		err = fmt.Errorf("its name or one of its endpoints is another instance's: %w", store.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("store: put instance %s: %w", instance.ID, err)
	}
	instance.Revision++
	return nil
}

type putInstance struct {
	store.Instance
	keys  []byte
	stale bool
}

func (w *putInstance) apply(s *Store) error {
	ctx, conn := context.Background(), s.conn
	args := []any{
		w.Name, w.Integration, w.Version, w.Customer.ID, w.Customer.ExternalID, w.Customer.Name,
		w.Config, w.keys, w.Paused, w.Pending, w.Change, encodeTime(w.DeployedAt), w.Revision + 1, w.ID,
	}
	query := `UPDATE instances SET name = ?, integration = ?, version = ?, customer = ?, customer_external_id = ?,
		customer_name = ?, config = ?, api_keys = ?, paused = ?, pending = ?, change = ?, deployed_at = ?, revision = ? WHERE id = ? AND revision = ?`
	if w.Revision == 0 {
		query = `INSERT INTO instances (name, integration, version, customer, customer_external_id, customer_name,
			config, api_keys, paused, pending, change, deployed_at, revision, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	} else {
		args = append(args, w.Revision)
	}
	result, err := conn.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	written, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if w.stale = written == 0; w.stale {
		return nil
	}
	if _, err := conn.ExecContext(ctx, "DELETE FROM endpoints WHERE instance = ?", w.ID); err != nil {
		return err
	}
	for i, endpoint := range w.Endpoints {
		if _, err := conn.ExecContext(ctx, "INSERT INTO endpoints (id, instance, position, flow) VALUES (?, ?, ?, ?)",
			endpoint.ID, w.ID, i, endpoint.Flow); err != nil {
			return err
		}
	}
	return nil
}

func (w *putInstance) undo() {}

func (w *putInstance) committed(s *Store, _ bool) error {
	if w.stale {
		return store.ErrConflict
	}
	s.queue.pause(w.ID, w.Paused)
	s.queue.deployed(w.ID, store.IntegrationVersion{Integration: w.Integration, Version: w.Version})
	s.schedules.wake(time.Now())
	return nil
}

// Instance implements [store.Instances].
func (s *Store) Instance(ctx context.Context, id string) (*store.Instance, error) {
	return s.instance(ctx, "id = ?", id)
}

// InstanceByName implements [store.Instances].
func (s *Store) InstanceByName(ctx context.Context, integration, customerID, name string) (*store.Instance, error) {
	return s.instance(ctx, "integration = ? AND customer = ? AND name = ?", integration, customerID, name)
}

// InstanceByEndpoint implements [store.Instances].
func (s *Store) InstanceByEndpoint(ctx context.Context, endpointID string) (*store.Instance, error) {
	return s.instance(ctx, "id = (SELECT instance FROM endpoints WHERE id = ?)", endpointID)
}

// HasAPIKeys implements [store.Instances].
func (s *Store) HasAPIKeys(ctx context.Context, integration string) (found bool, err error) {
	err = s.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&found) },
		"SELECT EXISTS (SELECT 1 FROM instances WHERE integration = ? AND api_keys IS NOT NULL)", integration)
	if err != nil {
		return false, fmt.Errorf("store: find API keys: %w", err)
	}
	return found, nil
}

// InstancesOfCustomer implements [store.Instances].
func (s *Store) InstancesOfCustomer(ctx context.Context, integration, externalID string) ([]*store.Instance, error) {
	return s.instances(ctx, "integration = ? AND customer_external_id = ? ORDER BY name", integration, externalID)
}

func (s *Store) instance(ctx context.Context, where string, args ...any) (*store.Instance, error) {
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

func (s *Store) instances(ctx context.Context, where string, args ...any) ([]*store.Instance, error) {
	var found []*store.Instance
	err := s.query(ctx, func(rows *sql.Rows) error {
		instance, err := scanInstance(rows)
		found = append(found, instance)
		return err
	}, `SELECT id, name, integration, version, customer, customer_external_id, customer_name, config, api_keys, paused,
		pending, change, deployed_at, revision, (SELECT json_group_array(json_array(e.id, e.flow) ORDER BY e.position)
		FROM endpoints e WHERE e.instance = instances.id) FROM instances WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: find instances %q: %w", args, err)
	}
	return found, nil
}

func scanInstance(rows *sql.Rows) (*store.Instance, error) {
	var i store.Instance
	var deployedAt int64
	var keys, endpoints []byte
	if err := rows.Scan(&i.ID, &i.Name, &i.Integration, &i.Version, &i.Customer.ID, &i.Customer.ExternalID,
		&i.Customer.Name, &i.Config, &keys, &i.Paused, &i.Pending, &i.Change, &deployedAt, &i.Revision, &endpoints); err != nil {
		return nil, err
	}
	i.DeployedAt = decodeTime(deployedAt)
	var err error
	if i.Keys, err = decodeKeys(keys); err != nil {
		return nil, err
	}
	var list [][2]string
	if err = json.Unmarshal(endpoints, &list); err != nil {
		return nil, fmt.Errorf("store: read endpoints: %w", err)
	}
	for _, pair := range list {
		i.Endpoints = append(i.Endpoints, store.Endpoint{ID: pair[0], Flow: pair[1]})
	}
	return &i, nil
}
