package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schema is where the tables are: beside those of the program that embeds Sluice.
const schema = "sluice"

// migrationLock keeps processes from migrating at once: "Sluice" and what it is for.
const migrationLock = 0x536c756963650001

// migrate brings the schema to this program's version, forward only. Migration n stands in
// the n-th file.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("the database has schema version %d, this program knows up to %d: "+
				"run the newer program that wrote it, or restore a backup of before", version, len(files))
		}
		for ; version < len(files); version++ {
			script, err := migrations.ReadFile(files[version])
			if err != nil {
				return err
			}
			// Without arguments a script may have many statements.
			if _, err := tx.Exec(ctx, string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("%s: %w", files[version], err)
			}
			if _, err := tx.Exec(ctx, "UPDATE schema_version SET version = $1", version+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// schemaVersion reads how far the database was migrated. In a new one it makes the schema.
func schemaVersion(ctx context.Context, tx pgx.Tx) (version int, err error) {
	var exists bool
	err = tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", schema+".schema_version").Scan(&exists)
	if err != nil {
		return 0, err
	}
	if !exists {
		_, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema+"; CREATE TABLE schema_version (version integer NOT NULL);"+
			" INSERT INTO schema_version (version) VALUES (0)", pgx.QueryExecModeSimpleProtocol)
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT version FROM schema_version").Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errors.New("its table schema_version is empty: restore a backup")
	}
	return version, err
}
