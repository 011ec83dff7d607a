package engine

import (
	"time"

	"github.com/sluice-go/sluice/store"
)

// watchInstances forgets what is cached of instances whenever one was written, maybe by
// another process. It ends with the claiming context.
func (e *Engine) watchInstances(watcher store.Watcher) {
	defer e.Leave()
	seen := int64(0)
	for e.claiming.Err() == nil {
		now, err := watcher.AwaitInstances(e.claiming, seen)
		switch {
		case err == nil:
			seen = now
			e.forgetAll()
		case e.claiming.Err() == nil:
			e.options.Logger.WarnContext(e.claiming, "watching instances failed", "error", err)
			pause(e.claiming, time.Second)
		}
	}
}

// forgetAll drops all cached instances.
func (e *Engine) forgetAll() {
	e.caching.Lock()
	defer e.caching.Unlock()
	e.writes++
	e.instances.Clear()
}
