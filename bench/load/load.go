// Package load sends HTTP/1.1 requests over loopback as fast as the server answers them. It is for measuring a server
// that shares its cores with the load, so it spends as little as it can: a request is rendered once, a connection is a
// goroutine that writes it and reads the answer, and the answer's body is skipped.
package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// grace is how long a request that is under way at the end of the time is waited for.
const grace = 10 * time.Second

// Plan says what to send and when to end: when Duration is over, or Requests are answered, whichever is first.
type Plan struct {
	Address     string        // The server's IP address and port. It must be a loopback address.
	Request     []byte        // The bytes of one request, as Render makes them.
	Connections int           // How many connections send at the same time.
	Duration    time.Duration // How long to send at most.
	Requests    int           // How many requests to send at most; 0 leaves the end to Duration.
}

// Render returns the bytes of a request for path, which may have a query, with these headers and this body.
func Render(method, address, path string, header http.Header, body []byte) ([]byte, error) {
	target, err := url.Parse("http://" + address + path)
	if err != nil {
		return nil, fmt.Errorf("render the request: %w", err)
	}
	request := http.Request{
		Method: method, URL: target, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	var rendered bytes.Buffer
	if err := request.Write(&rendered); err != nil {
		return nil, fmt.Errorf("render the request: %w", err)
	}
	return rendered.Bytes(), nil
}

// Run carries out the plan. Answers other than 2xx are counted as errors; a connection that breaks ends the run with an
// error, for the rate of a server that drops connections says nothing.
func Run(ctx context.Context, plan Plan) (Result, error) {
	if err := plan.validate(); err != nil {
		return Result{}, err
	}
	connections := make([]*connection, plan.Connections)
	for i := range connections {
		connections[i] = &connection{plan: plan, requests: Share(plan.Requests, plan.Connections, i)}
		if err := connections[i].dial(ctx); err != nil {
			return Result{}, errors.Join(err, closeAll(connections[:i]))
		}
	}
	started := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range connections {
		group.Go(func() error { return c.send(ctx, started.Add(plan.Duration)) })
	}
	err := group.Wait()
	elapsed := time.Since(started)
	if err := errors.Join(err, closeAll(connections)); err != nil {
		return Result{}, err
	}
	var latencies []time.Duration
	failed := 0
	for _, c := range connections {
		latencies = append(latencies, c.latencies...)
		failed += c.errors
	}
	return Summarize(latencies, failed, elapsed), nil
}

func (p Plan) validate() error {
	address, err := netip.ParseAddrPort(p.Address)
	if err != nil {
		return fmt.Errorf("load: address: %w", err)
	}
	if !address.Addr().IsLoopback() {
		return fmt.Errorf("load: %s is not a loopback address; load is only sent to this machine", p.Address)
	}
	if p.Connections < 1 || p.Duration <= 0 || p.Requests < 0 {
		return fmt.Errorf("load: %d connections, %v, %d requests: need at least one connection and some time",
			p.Connections, p.Duration, p.Requests)
	}
	return nil
}

// Share splits total fairly over n and returns the part of the i-th, or -1 where total sets no limit.
func Share(total, n, i int) int {
	if total == 0 {
		return -1
	}
	part := total / n
	if i < total%n {
		part++
	}
	return part
}

// connection is one client: one request at a time, over one TCP connection.
type connection struct {
	plan      Plan
	requests  int // How many may still be sent; below 0 without limit.
	conn      net.Conn
	reader    *bufio.Reader
	errors    int
	latencies []time.Duration
}

func (c *connection) dial(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.plan.Address)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	c.conn, c.reader = conn, bufio.NewReader(conn)
	return nil
}

// send sends requests, one after the other, until there are enough or the time is over.
func (c *connection) send(ctx context.Context, end time.Time) error {
	if err := c.conn.SetDeadline(end.Add(grace)); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Now()) })
	defer stop()
	for now := time.Now(); c.requests != 0 && now.Before(end); c.requests-- {
		answer, err := c.exchange()
		if err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		answered := time.Now()
		c.latencies = append(c.latencies, answered.Sub(now))
		now = answered
		if answer.status < 200 || answer.status > 299 {
			c.errors++
		}
		if answer.last {
			return fmt.Errorf("load: the server answered %d and closed the connection", answer.status)
		}
	}
	return ctx.Err()
}

func (c *connection) exchange() (answer, error) {
	if _, err := c.conn.Write(c.plan.Request); err != nil {
		return answer{}, fmt.Errorf("load: send a request: %w", err)
	}
	read, err := readAnswer(c.reader)
	if err != nil {
		return answer{}, fmt.Errorf("load: read an answer: %w", err)
	}
	return read, nil
}

func closeAll(connections []*connection) error {
	var faults []error
	for _, c := range connections {
		faults = append(faults, c.conn.Close())
	}
	return errors.Join(faults...)
}
