package engine

import (
	"errors"
	"time"

	"golang.org/x/time/rate"

	"github.com/sluice-go/sluice"
)

// The rates at which the refused requests of one instance are recorded, and the bursts: an
// attacker cannot fill the store. maxRefusedBytes bounds what one of them takes, and with
// maxRefusals what those take that are being recorded.
const (
	refusalsPerSecond     = 1
	refusalsBurst         = 20
	refusedBytesPerSecond = 4 << 10
	refusedBytesBurst     = 1 << 20
	maxRefusedBytes       = 64 << 10
)

// refusals bounds how many refused requests are recorded, and how many bytes of them.
type refusals struct{ count, bytes *rate.Limiter }

func newRefusals() *refusals {
	return &refusals{rate.NewLimiter(refusalsPerSecond, refusalsBurst), rate.NewLimiter(refusedBytesPerSecond, refusedBytesBurst)}
}

// allow tells whether so many bytes more can be recorded.
func (r *refusals) allow(size int) bool {
	return size <= maxRefusedBytes && r.bytes.AllowN(time.Now(), size)
}

// Refuse records a request that was refused before it was accepted, as a failed execution,
// in the background, within the bounds of its endpoint. The body of one that reached no flow
// or does not fit it is a stranger's and is not kept, nor is a large one.
func (e *Engine) Refuse(fired *Fired, cause error) {
	x := fired.execution
	if !x.boundRefused(cause) {
		return
	}
	select {
	case e.refusals <- struct{}{}:
	default:
		return
	}
	e.hold()
	go func() {
		defer e.Leave()
		defer func() { <-e.refusals }()
		x.refused(cause)
	}()
}

// boundRefused cuts the payload down to what may be recorded, and tells whether the rest may.
func (x *execution) boundRefused(cause error) bool {
	bounds := x.target.refusals()
	if !bounds.count.Allow() {
		return false
	}
	_, unrouted := errors.AsType[*RouteError](cause)
	_, misfit := errors.AsType[*InputError](cause)
	if unrouted || misfit {
		x.dropBody()
	}
	head := x.headSize()
	if body, ok := x.bodySize(); ok && bounds.allow(head+body) {
		return true
	}
	x.dropBody()
	return bounds.allow(head)
}

// headSize is what the payload takes without its bodies, about.
func (x *execution) headSize() int {
	p := x.payload
	size := len(p.InvokeURL) + len(p.PathFragment) + len(p.PaginationState)
	for _, fields := range []map[string][]string{p.Headers, p.QueryParameters} {
		for name, values := range fields {
			size += len(name)
			for _, value := range values {
				size += len(value)
			}
		}
	}
	return size
}

// bodySize is what the bodies take. User code may have made one that has no bytes.
func (x *execution) bodySize() (size int, ok bool) {
	raw := x.payload.RawBody.Data
	body, err := bodyBytes(x.payload)
	if sameBytes(raw, body) {
		return len(raw), err == nil
	}
	return len(raw) + len(body), err == nil
}

// Malformed is a request whose body cannot be parsed: it is recorded without the body.
func (e *Engine) Malformed(target Target, payload *sluice.TriggerPayload) (*Fired, error) {
	x, err := e.newExecution(target, sluice.InvokeWebhook)
	if err != nil {
		return nil, err
	}
	payload.StartedAt = x.started
	x.payload = payload
	x.dropBody()
	return &Fired{execution: x}, nil
}

// dropBody keeps a stranger's body out of the record.
func (x *execution) dropBody() {
	x.payload.Body, x.payload.RawBody.Data = sluice.Body{}, nil
	x.marks.BodyDropped = true
}
