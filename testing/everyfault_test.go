package sluicetest_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestNothingIsLost has every fault strike at every point that a script comes to: whatever was
// answered comes to its end, once, in its order and within its limit.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	reached := map[string]bool{}
	played := 0
	t.Cleanup(func() {
		if played < len(scripts()) {
			return // -run has chosen some.
		}
		for _, method := range unreached {
			require.False(t, reached[method], "%s is reached: take it off the list", method)
			reached[method] = true
		}
		for _, method := range methodsOfTheStore() {
			if !reached[method] {
				t.Errorf("no script comes to %s", method)
			}
		}
	})
	for _, script := range scripts() {
		t.Run(script.name, func(t *testing.T) {
			t.Parallel()
			points := script.points(t)
			mu.Lock()
			played++
			for _, point := range points {
				reached[methodOf(point)] = true
			}
			mu.Unlock()
			for name, strike := range strikes {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for i, point := range points {
						if (raceEnabled || testing.Short()) && i%few != len(script.name)%few {
							continue
						}
						t.Run(point.String(), func(t *testing.T) {
							t.Parallel()
							script.play(t, func(h *sluicetest.Harness) { strike(h, point) })
						})
					}
				})
			}
		})
	}
}

// few is how many points of a script share one place in a short test, and under the race
// detector, which takes ten times as long.
const few = 6

// strikes are the faults.
var strikes = map[string]func(h *sluicetest.Harness, at sluicetest.Point){
	"crash":       func(h *sluicetest.Harness, at sluicetest.Point) { h.Crash(at) },
	"unavailable": func(h *sluicetest.Harness, at sluicetest.Point) { h.Fail(store.ErrUnavailable, at) },
	"lost lease":  func(h *sluicetest.Harness, at sluicetest.Point) { h.LoseLease(at) },
}

// script is what happens to a runtime while faults strike.
type script struct {
	name    string
	options func(notes *notes) runtime.Options
	run     func(s *stage)
}

// points are those that the script comes to when nothing goes wrong.
func (s script) points(t *testing.T) []sluicetest.Point {
	t.Helper()
	var harness *sluicetest.Harness
	s.play(t, func(h *sluicetest.Harness) { harness = h })
	points := harness.Points()
	require.NotEmpty(t, points)
	return points
}

// play runs the script with a fault. Its log would be long.
func (s script) play(t *testing.T, strike func(h *sluicetest.Harness)) {
	t.Helper()
	n := &notes{steps: map[string][]time.Time{}}
	options := s.options(n)
	options.Logger = slog.New(slog.DiscardHandler)
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		strike(h)
		stage := &stage{T: t, h: h, notes: n}
		s.run(stage)
		h.Mend() // With a fault before it, another point may not be reached.
	})
}

// stage is where a script is played.
type stage struct {
	*testing.T
	h     *sluicetest.Harness
	notes *notes
}

// again does something until it is done, as somebody would who gets no answer, or an error.
func (s *stage) again(do func() error) {
	s.Helper()
	const tries = 10
	var err error
	for range tries {
		if err = do(); err == nil && !s.h.Crashed() {
			return
		}
		s.revive()
		if err == nil {
			return
		}
		s.h.Advance(time.Second)
	}
	s.Fatalf("it is not done after %d tries: %v", tries, err)
}

// revive restarts the runtime if it has crashed.
func (s *stage) revive() {
	s.Helper()
	if s.h.Crashed() {
		s.h.Restart()
	}
}

// pass lets time pass, in which the runtime may crash: soon enough for schedules to notice
// nothing, it is there again.
func (s *stage) pass(d time.Duration) {
	s.Helper()
	began := time.Now()
	for left := d; left > 0; left = d - time.Since(began) {
		s.h.Advance(min(left, max(time.Second, time.Since(began)/4), 20*time.Second))
		s.revive()
	}
}

// deploy deploys an instance.
func (s *stage) deploy(d runtime.Deployment) (instance *runtime.Instance) {
	s.Helper()
	s.again(func() (err error) {
		instance, err = s.h.Runtime.Deploy(s.Context(), d)
		return err
	})
	return s.h.Deploy(d) // The harness notes where it is.
}

// send sends a request until it is answered with 200 or a redirect.
func (s *stage) send(flow string, body string, headers ...string) (response *sluicetest.Response) {
	s.Helper()
	s.again(func() error {
		response = s.h.Post(flow, body, headers...)
		if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusSeeOther {
			return fmt.Errorf("answered %s %s", response.Status, response.Text)
		}
		return nil
	})
	return response
}

// settle lets everything come to its end and checks that nothing was lost.
func (s *stage) settle() {
	s.Helper()
	s.pass(15 * time.Minute) // Longer than what was sent twice, its answer lost, is tried.
	s.h.Mend()
	for _, x := range s.h.Pending() {
		s.Fatalf("it hangs:\n%s", x.Timeline())
	}
	s.h.RequireNothingLost()
}

// notes are what flows did.
type notes struct {
	mu    sync.Mutex
	steps map[string][]time.Time
}

func (n *notes) step(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps[key] = append(n.steps[key], time.Now())
}

// unreached are the methods that no runtime calls of its own accord.
var unreached = []string{"Close"}

func methodsOfTheStore() (names []string) {
	for method := range reflect.TypeFor[store.Store]().Methods() {
		names = append(names, method.Name)
	}
	return names
}

// methodOf is the method of a point.
func methodOf(point sluicetest.Point) string {
	_, name, _ := strings.Cut(point.String(), " ")
	return name
}
