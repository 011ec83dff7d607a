package sluicetest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// serve runs the handler in a real http.Server, reached over pipes in memory.
func (h *Harness) serve(handler http.Handler) {
	listener := newPipeListener()
	h.listener = listener
	server := &http.Server{Handler: handler} //nolint:gosec // Its only client is the test.
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.t.Error(err)
		}
	}()
	transport := &http.Transport{DialContext: listener.dial}
	h.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	h.t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-served
		time.Sleep(lingering)
	})
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
