package sluicetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFaultsStrikeEveryMethod finds the methods of the store by reflection: none passes by the
// faults, also one that is added.
func TestFaultsStrikeEveryMethod(t *testing.T) {
	t.Parallel()
	errStruck := errors.New("struck")
	require.NotEmpty(t, storeMethods())
	for _, name := range storeMethods() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &Harness{t: t}
			h.Fail(errStruck, Before(name))
			faulty := faultyStore(nil, newLife(&h.faults, nil))
			method := reflect.ValueOf(faulty).MethodByName(name)
			args := make([]reflect.Value, method.Type().NumIn())
			for i := range args {
				args[i] = reflect.Zero(method.Type().In(i))
				if method.Type().In(i) == reflect.TypeFor[context.Context]() {
					args[i] = reflect.ValueOf(t.Context())
				}
			}
			results := method.Call(args)
			err, _ := reflect.TypeAssert[error](results[len(results)-1])
			require.ErrorIs(t, err, errStruck)
			require.Panics(t, func() { method.Call(args) }, "it strikes once; then the call reaches the store, which is missing here")
		})
	}
}

// failures is a test that notes how it failed.
type failures struct {
	testing.TB
	errors []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *failures) Fatal(args ...any) {
	f.errors = append(f.errors, fmt.Sprint(args...))
	runtime.Goexit()
}

// failing returns what a test with the harness fails with.
func failing(t *testing.T, test func(h *Harness)) []string {
	t.Helper()
	f := &failures{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(&Harness{t: f})
	}()
	<-done
	return f.errors
}

func TestAFaultThatDoesNotStrikeFailsTheTest(t *testing.T) {
	t.Parallel()
	errs := failing(t, func(h *Harness) {
		h.Crash(BeforeStep("charge"))
		l := newLife(&h.faults, nil)
		require.NoError(t, l.come(t.Context(), Point{moment: before, kind: stepCall, name: "refund"}))
		h.requireStruck()
	})
	require.Len(t, errs, 1)
	require.Contains(t, errs[0], `the crash before step "charge" did not come`)
	require.Contains(t, errs[0], `before step "refund"`)
	require.Empty(t, failing(t, func(h *Harness) {
		h.Crash(BeforeStep("charge"))
		h.Mend()
		h.requireStruck()
	}))
}

func TestPointsThatAreNowhere(t *testing.T) {
	t.Parallel()
	errs := failing(t, func(h *Harness) { h.Crash(Before("Finsh")) })
	require.Contains(t, errs[0], `store.Store has no method "Finsh"`)
	require.Contains(t, errs[0], "Finish")
	errs = failing(t, func(h *Harness) { h.Crash(Point{}) })
	require.Contains(t, errs[0], "nowhere")
}
