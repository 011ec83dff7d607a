package runtime_test

import (
	"testing"

	"go.uber.org/goleak"
)

// verifyNoLeaks runs the tests and fails if they leave goroutines behind.
func verifyNoLeaks(m *testing.M) { goleak.VerifyTestMain(m) }
