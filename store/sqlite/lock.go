package sqlite

import (
	"errors"
	"fmt"
	"os"
)

// errLocked is what the system's lock call means when another owner has the lock.
var errLocked = errors.New("locked")

// lock makes this store the only owner of the database at path. The lock stands on a file
// of its own, because closing any descriptor of a database drops SQLite's locks on it. It
// ends with the process, however that ends; the file stays.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: lock %s: its directory must exist and be writable: %w", path, err)
	}
	if err = lockFile(file); err == nil {
		if err = keepPrivate(path); err == nil {
			return file, nil
		}
	}
	_ = file.Close()
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("store: %s is in use, by another process or by another store of this one: "+
			"stop that one first, or choose another file; one process owns a file", path)
	}
	return nil, fmt.Errorf("store: lock %s: %w", path, err)
}

// keepPrivate creates the database's file for the owner's eyes only, if it is not there: it
// holds payloads and configurations. SQLite gives its log the same mode.
func keepPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}
