package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// The processes talk in JSON values, one a line: the server says hello, then it answers orders until its input ends.

// hello says where the server listens and what to send to it. Without an address the row is an operation.
type hello struct {
	Address string      `json:"address"`
	Path    string      `json:"path"`
	Header  http.Header `json:"header"`
	Body    []byte      `json:"body"`
}

// command asks for the CPU time that the process has used or, where it says how long, to run the operation before; then
// for the memory that it holds, which costs a collection of garbage.
type command struct {
	Work   *work `json:"work,omitempty"`
	Memory bool  `json:"memory,omitempty"`
}

// report answers a command.
type report struct {
	CPU    time.Duration `json:"cpu"` // User and system time since the process began.
	Sample *sample       `json:"sample,omitempty"`
	Memory int64         `json:"memory,omitempty"`
	Error  string        `json:"error,omitempty"`
}

// serve is the process of one row. Its arguments are the names of the table and the row, and the site as JSON.
func serve(tables []table, args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("serve: got %q, need a table, a row and a site", args)
	}
	chosen, err := choose(tables, args[:1])
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	name, rows := args[1], slices.Concat(chosen[0].rows, chosen[0].helpers)
	index := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
	if index < 0 {
		return fmt.Errorf("serve: there is no row %q", name)
	}
	var site site
	if err := json.Unmarshal([]byte(args[2]), &site); err != nil {
		return fmt.Errorf("serve: read the site: %w", err)
	}
	subject, err := rows[index].start(site)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	if subject.stop != nil {
		defer func() { err = errors.Join(err, subject.stop()) }()
	}
	greeting := hello{Path: subject.path, Header: subject.header, Body: subject.body}
	if subject.handler != nil {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("serve %s: %w", name, err)
		}
		server := &http.Server{Handler: subject.handler, ReadHeaderTimeout: 10 * time.Second}
		defer func() { _ = server.Close() }()
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				fmt.Fprintln(os.Stderr, "bench: serve", name+":", err)
			}
		}()
		greeting.Address = listener.Addr().String()
	}
	return obey(subject, greeting, in, out)
}

// obey says hello and answers commands until there are no more.
func obey(subject *subject, greeting hello, in io.Reader, out io.Writer) error {
	commands, reports := json.NewDecoder(in), json.NewEncoder(out)
	if err := reports.Encode(greeting); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	for {
		var command command
		if err := commands.Decode(&command); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a command: %w", err)
		}
		if err := reports.Encode(carryOut(subject, command)); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
}

func carryOut(subject *subject, command command) report {
	var done report
	if command.Work != nil {
		sample := command.Work.do(subject)
		done.Sample = &sample
	}
	cpu, err := cpuTime()
	if err != nil {
		return report{Error: fmt.Sprintf("read the CPU time: %v", err)}
	}
	done.CPU = cpu
	if command.Memory {
		done.Memory = residentMemory()
	}
	return done
}
