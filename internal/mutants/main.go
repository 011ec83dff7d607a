// Command mutants shows that the tests of Sluice's guarantees can fail: each patch in
// testdata/mutants breaks one property of docs/guarantees.md, and the test that it names
// must go red. It changes no file: the broken sources reach the compiler as an overlay.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, filepath.Join("testdata", "mutants"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1) //nolint:gocritic // Nothing is left to stop.
	}
}

// properties is how many docs/guarantees.md lists.
const properties = 18

// run tries the patches of the folder whose names contain one of the words, all without any.
func run(ctx context.Context, out io.Writer, folder string, words []string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.patch"))
	if err != nil {
		return err
	}
	var red, tried int
	covered := map[int]bool{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".patch")
		if len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) }) {
			continue
		}
		tried++
		m, err := read(path)
		if err == nil {
			err = m.try(ctx)
		}
		if err != nil {
			fmt.Fprintf(out, "%-32s GREEN or broken: %v\n", name, err)
			continue
		}
		red++
		covered[m.property] = true
		fmt.Fprintf(out, "%-32s red: property %d, %s\n", name, m.property, m.test)
	}
	fmt.Fprintf(out, "%d of %d red; %d of %d properties\n", red, tried, len(covered), properties)
	if tried == 0 || red < tried {
		return errors.New("a test of a guarantee cannot fail, or its patch does not fit any more")
	}
	return nil
}

// mutant is a patch, and the test that must notice it.
type mutant struct {
	path     string
	property int
	pkg      string
	test     string
	files    []string
}

// read reads the head of a patch: what it breaks, and who must notice.
func read(path string) (*mutant, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &mutant{path: path}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "Property:":
			if m.property, err = strconv.Atoi(value); err != nil {
				return nil, err
			}
		case "Test:":
			m.pkg, m.test, _ = strings.Cut(value, " ")
		case "---":
			m.files = append(m.files, strings.TrimPrefix(value, "a/"))
		}
	}
	if m.property == 0 || m.test == "" || len(m.files) == 0 {
		return nil, errors.New("a patch begins with 'Property: N' and 'Test: ./package TestName'")
	}
	return m, nil
}

// try returns nil if the test fails with the patch.
func (m *mutant) try(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	overlay, err := m.apply(ctx, scratch)
	if err != nil {
		return err
	}
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-vet=off", "-ldflags=-s -w",
		"-run", "^"+m.test+"$", m.pkg)
	output, err := test.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return fmt.Errorf("%s passes although property %d is broken", m.test, m.property)
	case !errors.As(err, &exit), !bytes.Contains(output, []byte("--- FAIL")) && !bytes.Contains(output, []byte("panic:")):
		return fmt.Errorf("%s did not run: %w\n%s", m.test, err, output)
	default:
		return nil
	}
}

// apply patches copies of the files and returns the path of the overlay that puts them in the
// place of the real ones.
func (m *mutant) apply(ctx context.Context, scratch string) (string, error) {
	replace := map[string]string{}
	for _, file := range m.files {
		original, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		data, err := os.ReadFile(original)
		if err != nil {
			return "", err
		}
		changed := filepath.Join(scratch, file)
		if err := os.MkdirAll(filepath.Dir(changed), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(changed, data, 0o600); err != nil { //nolint:gosec // The path is that of a source file.
			return "", err
		}
		replace[original] = changed
	}
	patch, err := filepath.Abs(m.path)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "git", "apply", "--recount", patch)
	command.Dir = scratch
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the patch does not fit: %w\n%s", err, output)
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}
