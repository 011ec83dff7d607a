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

// process is a running process of a row, as the measuring process sees it.
type process struct {
	name     string // Of the row.
	cmd      *exec.Cmd
	commands io.WriteCloser
	reports  *json.Decoder
	hello    hello
	request  []byte
}

// start runs this program again as a process of a row.
func start(ctx context.Context, table, row string, site site) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	place, err := json.Marshal(site)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", row, err)
	}
	cmd := exec.CommandContext(ctx, program, "serve", table, row, string(place))
	cmd.Stderr = os.Stderr
	commands, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", row, err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", row, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", row, err)
	}
	p := &process{name: row, cmd: cmd, commands: commands, reports: json.NewDecoder(output)}
	if err := p.greet(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// greet waits for the server's hello and renders the request that it asks for.
func (p *process) greet() error {
	if err := p.reports.Decode(&p.hello); err != nil {
		return fmt.Errorf("%s: read its hello: %w", p.name, err)
	}
	if p.hello.Address == "" {
		return nil
	}
	request, err := load.Render(http.MethodPost, p.hello.Address, p.hello.Path, p.hello.Header, p.hello.Body)
	p.request = request
	return err
}

// measure sends the load, or has the operation run, and returns what came of it with the CPU time that the process
// spent on all of it.
func (p *process) measure(ctx context.Context, workers, count int, duration time.Duration) (turn, error) {
	before, err := p.ask(command{})
	if err != nil {
		return turn{}, err
	}
	var measured turn
	todo := command{Memory: true}
	if p.hello.Address == "" {
		todo.Work = &work{Workers: workers, Duration: duration, Operations: count}
	} else if measured.sample, err = load.Run(ctx, load.Plan{
		Address: p.hello.Address, Request: p.request, Connections: workers, Duration: duration, Requests: count,
	}); err != nil {
		return turn{}, fmt.Errorf("%s: %w", p.name, err)
	}
	after, err := p.ask(todo)
	if err != nil {
		return turn{}, err
	}
	if after.Sample != nil {
		measured.sample = *after.Sample
	}
	measured.cpu, measured.memory = after.CPU-before.CPU, after.Memory
	return measured, nil
}

func (p *process) ask(command command) (report, error) {
	if err := json.NewEncoder(p.commands).Encode(command); err != nil {
		return report{}, fmt.Errorf("%s: send a command: %w", p.name, err)
	}
	var answer report
	if err := p.reports.Decode(&answer); err != nil {
		return report{}, fmt.Errorf("%s: read a report: %w", p.name, err)
	}
	if answer.Error != "" {
		return report{}, fmt.Errorf("%s: %s", p.name, answer.Error)
	}
	return answer, nil
}

// stop ends the process, by ending its input.
func (p *process) stop() error {
	_ = p.commands.Close() // Wait closes it as well.
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: its process: %w", p.name, err)
	}
	return nil
}

// kill ends the process at once, as a crash does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("%s: kill its process: %w", p.name, err)
	}
	_ = p.cmd.Wait() // Its error says that it was killed.
	return nil
}
