package engine

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
)

// deriveID is the id of an execution that something else brings about: always the same for
// the same origin, whose id is a UUID version 7, and name. It is a UUID version 7 with the
// time of the origin.
func deriveID(origin, name string) string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%q %q", origin, name))
	var id uuid.UUID
	copy(id[:], hash[:])
	if from, err := uuid.Parse(origin); err == nil {
		copy(id[:6], from[:6])
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
