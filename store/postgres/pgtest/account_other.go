//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

type account struct{}

func unprivileged() (*account, error) {
	return nil, errors.New("a server is started on Unix only: set " + Variable + " to the URL of one")
}

func (*account) own(string) error { return nil }

func (*account) run(*exec.Cmd) {}
