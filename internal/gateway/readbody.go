package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// budget is what the bodies of all requests may take of the memory, in bytes.
type budget struct{ free atomic.Int64 }

func (b *budget) take(size int64) bool {
	if b.free.Add(-size) >= 0 {
		return true
	}
	b.free.Add(size)
	return false
}

func (b *budget) give(size int64) { b.free.Add(size) }

// hold takes a piece of the budget for the request, until its end.
func (g *Gateway) hold(c *call, size int64) error {
	if !g.inFlight.take(size) {
		return unavailable("Too many requests are under way. Nothing was accepted.")
	}
	c.held += size
	return nil
}

// readBody reads the whole body as it comes over the wire, up to the limit and in time. A
// body whose length is known takes its piece of the budget before it is read.
func (g *Gateway) readBody(c *call) ([]byte, error) {
	length, limit := c.request.ContentLength, g.options.MaxBodyBytes
	if length > limit {
		return nil, tooLarge(limit)
	}
	if length == 0 {
		c.bodyRead = true
		return nil, nil
	}
	c.readWithin(g.options.ReadTimeout)
	body := http.MaxBytesReader(c.ResponseWriter, c.request.Body, limit)
	var data []byte
	var err error
	if length < 0 {
		data, err = g.readAll(c, body)
	} else if err = g.hold(c, length); err == nil {
		data = make([]byte, length)
		_, err = io.ReadFull(body, data)
	}
	if err != nil {
		return nil, readRefusal(err, limit)
	}
	c.bodyRead = true
	return data, nil
}

// minRead is how much room readAll begins with.
const minRead = 4096

// readAll reads up to the limit of a body; it takes from the budget as it grows.
func (g *Gateway) readAll(c *call, source io.Reader) ([]byte, error) {
	limit := g.options.MaxBodyBytes
	var data []byte
	for {
		if len(data) == cap(data) {
			size := grown(int64(cap(data)), limit)
			if err := g.hold(c, size-int64(cap(data))); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, size), data...)
		}
		n, err := source.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return fitted(data), nil
		case err != nil:
			return nil, err
		}
	}
}

// grown is the next size of a buffer that is full: from an eighth of the limit on all of it,
// so that large bodies leave little garbage behind.
func grown(size, limit int64) int64 {
	if size > limit/8 {
		return limit + 1
	}
	return min(max(minRead, 2*size), limit+1)
}

// fitted moves data that fills less than half of its memory.
func fitted(data []byte) []byte {
	if cap(data) <= 2*len(data) {
		return data
	}
	return append(make([]byte, 0, len(data)), data...)
}

// readRefusal is the answer to a body that could not be read.
func readRefusal(err error, limit int64) error {
	var known *refusal
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &over):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{status: http.StatusRequestTimeout, message: "The request's body did not arrive in time.", closes: true}
	default:
		return badRequest("The request's body could not be read.")
	}
}

// leavingTimeout is how long the rest of a refused request's body may take to arrive: who
// is faster keeps the connection.
const leavingTimeout = time.Second

// leaveBody sees to it that net/http, which reads on to use the connection again, does not
// wait long for the body of a refused request.
func (c *call) leaveBody() {
	if !c.bodyRead && c.request.ContentLength != 0 {
		c.readWithin(leavingTimeout)
	}
}

// readWithin bounds the time for reading the body; at its end net/http lifts the bound.
// Behind middleware that hides the connection there is none.
func (c *call) readWithin(timeout time.Duration) {
	_ = http.NewResponseController(c.ResponseWriter).SetReadDeadline(time.Now().Add(timeout))
}
