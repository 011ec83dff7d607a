package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/sluice-go/sluice/bench/load"
)

// process is the running server of a row, as the measuring process sees it.
type process struct {
	row      row
	dir      string
	cmd      *exec.Cmd
	commands io.WriteCloser
	reports  *json.Decoder
	hello    hello
	request  []byte
}

// start runs this program again as the server of a row, in an empty folder.
func start(ctx context.Context, row row) (_ *process, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder for %s: %w", row.name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	cmd := exec.CommandContext(ctx, program, "serve", row.name, dir)
	cmd.Stderr = os.Stderr
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", row.name, err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", row.name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", row.name, err)
	}
	p := &process{row: row, dir: dir, cmd: cmd, commands: commands, reports: json.NewDecoder(output)}
	if err := p.greet(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// greet waits for the server's hello and renders the request that it asks for.
func (p *process) greet() error {
	if err := p.reports.Decode(&p.hello); err != nil {
		return fmt.Errorf("%s: read its hello: %w", p.row.name, err)
	}
	if p.hello.Address == "" {
		return nil
	}
	request, err := load.Render(http.MethodPost, p.hello.Address, p.hello.Path, p.hello.Header, p.hello.Body)
	p.request = request
	return err
}

// measure sends the load, or has the operation run, and returns what came of it with the CPU time that the process
// spent on it.
func (p *process) measure(ctx context.Context, workers, count int, duration time.Duration) (sample, time.Duration, error) {
	before, err := p.ask(command{})
	if err != nil {
		return sample{}, 0, err
	}
	if p.hello.Address == "" {
		after, err := p.ask(command{Work: &work{Workers: workers, Duration: duration, Operations: count}})
		if err != nil {
			return sample{}, 0, err
		}
		return *after.Sample, after.CPU - before.CPU, nil
	}
	result, err := load.Run(ctx, load.Plan{
		Address: p.hello.Address, Request: p.request, Connections: workers, Duration: duration, Requests: count,
	})
	if err != nil {
		return sample{}, 0, fmt.Errorf("%s: %w", p.row.name, err)
	}
	after, err := p.ask(command{})
	return result, after.CPU - before.CPU, err
}

func (p *process) ask(command command) (report, error) {
	if err := json.NewEncoder(p.commands).Encode(command); err != nil {
		return report{}, fmt.Errorf("%s: send a command: %w", p.row.name, err)
	}
	var answer report
	if err := p.reports.Decode(&answer); err != nil {
		return report{}, fmt.Errorf("%s: read a report: %w", p.row.name, err)
	}
	if answer.Error != "" {
		return report{}, fmt.Errorf("%s: %s", p.row.name, answer.Error)
	}
	return answer, nil
}

// stop ends the server, by ending its input, and removes its folder.
func (p *process) stop() error {
	_ = p.commands.Close() // Wait closes it as well.
	err := p.cmd.Wait()
	if err != nil {
		err = fmt.Errorf("%s: its process: %w", p.row.name, err)
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}
