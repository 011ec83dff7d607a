package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a server that belongs to this process.
type cluster struct {
	bin, dir string
	user     *account
	port     int
	command  *exec.Cmd
	// alive is read by the shell that started the server: its end, also by a death of this
	// process, ends the server.
	alive io.Closer
}

// patience is how long a server may take to start.
const patience = 30 * time.Second

// keepAlive runs the server until its input ends, then stops it without waiting for its
// clients.
const keepAlive = `"$@" & server=$!
trap '' INT
read -r _
kill -INT $server
wait $server`

func startCluster(ctx context.Context, bin string) (*cluster, error) {
	user, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sluice-postgres-")
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin, dir: dir, user: user}
	if err := c.initialize(ctx); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *cluster) initialize(ctx context.Context) error {
	if err := c.user.own(c.dir); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "--pgdata", c.data(), "--username", "postgres", //nolint:gosec // An installed program.
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C")
	c.user.run(initdb)
	initdb.Dir = c.dir
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	return c.start(ctx)
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) url() string {
	address := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return address.String()
}

// start starts the server on the port that it had, at first on a free one.
func (c *cluster) start(ctx context.Context) error {
	if c.port == 0 {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c.port = listener.Addr().(*net.TCPAddr).Port //nolint:errcheck // It is one of TCP.
		if err := listener.Close(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	// The server outlives ctx: stop ends it.
	c.command = exec.Command("/bin/sh", "-c", keepAlive, "sh", filepath.Join(c.bin, "postgres"), "-D", c.data(), //nolint:noctx,gosec // See above; an installed program.
		"-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "max_connections=300")
	c.user.run(c.command)
	c.command.Dir, c.command.Stdout, c.command.Stderr = c.dir, log, log
	if c.alive, err = c.command.StdinPipe(); err != nil {
		return err
	}
	if err := c.command.Start(); err != nil {
		return err
	}
	return c.await(ctx)
}

// await waits until the server answers.
func (c *cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url())
		if err == nil {
			return conn.Close(ctx)
		}
		timer := time.NewTimer(20 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return errors.Join(fmt.Errorf("the server does not answer: %w: %s", err, log), c.stop())
		}
	}
}

func (c *cluster) stop() error {
	if c.command == nil {
		return nil
	}
	err := c.alive.Close()
	if waitErr := c.command.Wait(); err == nil {
		err = waitErr
	}
	c.command = nil
	return err
}

func (c *cluster) remove() error { return errors.Join(c.stop(), os.RemoveAll(c.dir)) }
