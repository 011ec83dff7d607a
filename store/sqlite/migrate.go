package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a file as a store of Sluice: "Slui".
const applicationID = 0x536c7569

// migrate brings the schema to this program's version, forward only. Migration n stands in
// the n-th file and leaves user_version n.
func migrate(ctx context.Context, conn *sql.Conn, path string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn, path)
	if err != nil {
		return err
	}
	if version > len(files) {
		return fmt.Errorf("store: %s has schema version %d, this program knows up to %d: "+
			"run the newer program that wrote it, or restore a backup of before", path, version, len(files))
	}
	for ; version < len(files); version++ {
		script, err := migrations.ReadFile(files[version])
		if err != nil {
			return err
		}
		statements := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			script, applicationID, version+1)
		if _, err := conn.ExecContext(ctx, statements); err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK")
			return explainOpen(path, fmt.Errorf("%s: %w", files[version], err))
		}
	}
	return nil
}

// schemaVersion reads how far the file was migrated. It refuses files of other programs.
func schemaVersion(ctx context.Context, conn *sql.Conn, path string) (int, error) {
	var version, application, tables int
	err := conn.QueryRowContext(ctx, "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) "+
		"FROM pragma_user_version, pragma_application_id").Scan(&version, &application, &tables)
	if err != nil {
		return 0, explainOpen(path, err)
	}
	if tables > 0 && application != applicationID {
		return 0, fmt.Errorf("store: %s is the database of another program: choose another file", path)
	}
	return version, nil
}
