package engine

import "github.com/sluice-go/sluice/store"

// Strays are claims that the store keeps for this engine and that nobody here knows of: the
// answer that told of them was lost, or their end could not be written. Nobody else gets them
// as long as the engine lives.

// strayLooks is how often in a lease is looked for strays. What is found twice is one: a claim
// that was being accepted is known by then.
const strayLooks = 3

// doubt has strays looked for.
func (e *Engine) doubt() {
	select {
	case e.doubts <- struct{}{}:
	default:
	}
}

// returnStrays gives strays back, whenever there may be some, until the engine claims no more.
func (e *Engine) returnStrays() {
	defer e.Leave()
	for {
		select {
		case <-e.doubts:
		case <-e.claiming.Done():
			return
		}
		before := e.strays()
		for id, claim := range e.strays() {
			if found := before[id]; found == nil || found.Token != claim.Token {
				continue
			}
			e.options.Logger.WarnContext(e.work, "an execution is claimed, but does not run: it is given back", "execution", id)
			e.release(claim, store.Pause{})
		}
	}
}

// strays waits, and returns the claims that nobody here knows of, by execution.
func (e *Engine) strays() map[string]*store.Claim {
	strays := map[string]*store.Claim{}
	for {
		pause(e.claiming, e.worker.Lease/strayLooks)
		if e.claiming.Err() != nil {
			return strays
		}
		claims, err := e.options.Store.Claims(e.claiming, e.worker)
		if err != nil {
			e.options.Logger.WarnContext(e.work, "looking for claims that do not run failed", "error", err)
			continue
		}
		for _, claim := range claims {
			if !e.tenures.has(claim) {
				strays[claim.Execution.ID] = claim
			}
		}
		return strays
	}
}
