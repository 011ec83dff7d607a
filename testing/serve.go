package sluicetest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// serve runs the runtime's handler in a real http.Server, reached over pipes in memory.
func (h *Harness) serve() {
	h.listener = newPipeListener()
	h.server = &http.Server{ //nolint:gosec // Its only client is the test.
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*h.handler.Load()).ServeHTTP(w, r) }),
	}
	h.served = make(chan struct{})
	go func() {
		defer close(h.served)
		if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
			h.t.Error(err)
		}
	}()
	h.client = &http.Client{
		Transport:     &http.Transport{DialContext: h.listener.dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (h *Harness) closeServer() {
	h.client.CloseIdleConnections()
	_ = h.server.Close()
	<-h.served
	if !h.options.RealTime {
		time.Sleep(lingering)
	}
}

// lingering is longer, in virtual time, than net/http keeps a goroutine for a connection
// that it closed on a client that was still sending.
const lingering = time.Second

// pipeListener hands the ends of in-memory pipes to a server.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
	close       sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.connections <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
