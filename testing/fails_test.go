package sluicetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// failing makes TestFails fail as it names.
const failing = "SLUICETEST_FAILING"

// fails are tests that fail, and what they say then.
var fails = map[string]struct {
	test    func(h *sluicetest.Harness)
	want    []string
	options sluicetest.Options
}{
	"unfinished": {
		test: func(h *sluicetest.Harness) {
			h.Post("sleep", "{}")
			h.Post("retry", "{}")
		},
		want: []string{
			"executions are unfinished when the test ends: 2; call Drain, or LeaveUnfinished if that is meant; the oldest:\n",
			` of flow "sleep" (webhook), accepted at 2000-01-01T00:00:00Z:`, "is running\n",
			"attempt 1 ended: closed; the next is due at +5m0s\n", "waits until +5m0s\n",
		},
	},
	"goroutine": {
		test: func(*sluicetest.Harness) { go leak(make(chan int)) },
		want: []string{"blocked goroutines remain; what is left in the bubble:\n\n", "testing_test.leak(", "fails_test.go:"},
	},
	"goroutine in real time": {
		test:    func(*sluicetest.Harness) { go leak(make(chan int)) },
		want:    []string{"goroutines remain when the test ends:\n\n1 @ ", "testing_test.leak", "fails_test.go:"},
		options: sluicetest.Options{RealTime: true},
	},
	"deadlock": {
		test: func(*sluicetest.Harness) { leak(make(chan int)) },
		want: []string{"all goroutines in bubble are blocked; what is left in the bubble:\n\n", "testing_test.leak(", "fails_test.go:"},
	},
	"two stores": {
		want:    []string{"sluicetest: Options.OpenStore and Options.Runtime.Store are both set: give one"},
		options: sluicetest.Options{Runtime: runtime.Options{Store: struct{ store.Store }{}}, OpenStore: inMemory},
	},
	"a store and a file": {
		want:    []string{"Options.Store and Options.Database are both set: give one"},
		options: sluicetest.Options{Runtime: runtime.Options{Database: "test.db"}, OpenStore: inMemory},
	},
	"never drained": {
		test: func(h *sluicetest.Harness) {
			h.Post("retry", "{}")
			h.Pause(h.Instance())
			h.Drain()
		},
		want: []string{"executions are unfinished after 8760h0m0s; one of them:\n", "the next is due at +5m0s\n"},
	},
}

func inMemory(ctx context.Context) (store.Store, error) { return sqlite.Open(ctx, ":memory:") }

func leak(never chan int) { <-never }

func sleepy() *sluice.Integration {
	return of("Shop",
		sluice.Flow{Name: "sleep", OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		}},
		sluice.Flow{
			Name: "retry", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 5},
			OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("closed") },
		})
}

// TestFails fails in a process of its own, and the test beside it is run all the same.
func TestFails(t *testing.T) {
	t.Parallel()
	if name := os.Getenv(failing); name != "" {
		options := fails[name].options
		options.Runtime.Integrations = []*sluice.Integration{sleepy()}
		options.Deployments = []runtime.Deployment{{}}
		sluicetest.RunOptions(t, options, func(_ *testing.T, h *sluicetest.Harness) { fails[name].test(h) })
		return
	}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			require.NoError(t, err)
			command := exec.CommandContext(t.Context(), self, "-test.run=^(TestFails|TestAPIKey)$", "-test.v")
			command.Env = append(os.Environ(), failing+"="+name)
			out, err := command.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Contains(t, string(out), "--- FAIL: TestFails")
			require.Contains(t, string(out), "--- PASS: TestAPIKey")
			text := strings.ReplaceAll(string(out), "\n        ", "\n")
			for _, want := range fail.want {
				require.Contains(t, text, want)
			}
		})
	}
}

// TestLeaveUnfinished passes: what is meant is no fault.
func TestLeaveUnfinished(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sleepy(), func(_ *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Post("sleep", "{}")
		h.Post("retry", "{}")
		h.LeaveUnfinished()
	})
}
