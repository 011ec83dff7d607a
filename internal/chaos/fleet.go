//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// fleet is the worker processes on one database.
type fleet struct {
	database, folder string

	mu      sync.Mutex
	workers []*worker
	// gone is when a process died or was paused, by its pid: what it did later does not
	// count.
	gone  map[int]time.Time
	kills int
}

// worker is a process; urls are nil while it is not there.
type worker struct {
	command *exec.Cmd
	urls    map[string]string
}

// start runs a worker in the place, and waits until it serves.
func (f *fleet) start(ctx context.Context, place int) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, executable, "worker", "-database", f.database, "-folder", f.folder)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("a worker did not start: %w", err), command.Wait())
	}
	urls := map[string]string{}
	if err := json.Unmarshal(line, &urls); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers[place] = &worker{command, urls}
	return nil
}

// url is that of a flow on a worker that is there.
func (f *fleet) url(random *rand.Rand, flow string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[random.IntN(len(f.workers))]
	if w == nil || w.urls == nil {
		return "", false
	}
	return w.urls[flow], true
}

// kill ends the worker in the place with SIGKILL and starts another.
func (f *fleet) kill(ctx context.Context, place int) error {
	w := f.leave(place)
	f.mu.Lock()
	f.kills++
	f.mu.Unlock()
	if err := w.command.Process.Kill(); err != nil {
		return err
	}
	_ = w.command.Wait() // It was killed.
	f.goneAt(w, time.Now())
	return f.start(ctx, place)
}

// freeze stops the worker in the place for longer than its lease.
func (f *fleet) freeze(ctx context.Context, place int) error {
	w := f.leave(place)
	urls := w.urls
	f.goneAt(w, time.Now())
	if err := w.command.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	_ = pause(ctx, lease+lease/2)
	if err := w.command.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	// What it does late must be refused; then it is killed, so that all that it noted after
	// the pause can be told apart.
	_ = pause(ctx, lease/2)
	w.urls = urls
	f.mu.Lock()
	f.workers[place] = w
	f.mu.Unlock()
	return f.kill(ctx, place)
}

// leave takes the worker out of the callers' sight.
func (f *fleet) leave(place int) *worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[place]
	f.workers[place] = nil
	return w
}

func (f *fleet) goneAt(w *worker, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.gone[w.command.Process.Pid]; !ok {
		f.gone[w.command.Process.Pid] = at
	}
}

// stop ends all workers.
func (f *fleet) stop() {
	for place := range f.workers {
		if w := f.leave(place); w != nil {
			_ = w.command.Process.Kill()
			_ = w.command.Wait()
		}
	}
}
