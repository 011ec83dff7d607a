// Package transcript does what the comment of an example program tells a newcomer to type, and
// compares what he would see.
package transcript

import (
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// command is a line to type, and what it prints.
type command struct{ line, prints string }

// docBase is where the programs listen in their comments.
const docBase = "http://127.0.0.1:8080"

// Run sends the requests of the curl commands in the comment of the package in main.go, to a
// program that serves at base, and fails the test where something else is answered than what
// stands below the command; "…" there is any text. A GET is repeated for a while until it fits,
// because what the requests before it started may still be running.
func Run(t *testing.T, base string) {
	t.Helper()
	commands, err := read("main.go")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if start := "go run ./examples/" + filepath.Base(folder); len(commands) < 2 || commands[0].line != start {
		t.Fatalf("the comment has %d commands: it must begin with %q and go on with curl", len(commands), start)
	}
	for _, c := range commands[1:] {
		c.line, c.prints = strings.ReplaceAll(c.line, docBase, base), strings.ReplaceAll(c.prints, docBase, base)
		if printed, err := c.run(t); err != nil {
			t.Fatalf("%s\n%v", c.line, err)
		} else if !c.expects(printed) {
			t.Fatalf("%s\nprints\n%s\nthe comment says\n%s", c.line, printed, c.prints)
		}
	}
}

// read finds the commands in the comment of the file's package.
func read(file string) (commands []command, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return nil, err
	}
	shown := false // Whether the line belongs to the last command.
	for line := range strings.Lines(parsed.Doc.Text()) {
		code, indented := strings.CutPrefix(line, "\t")
		typed, isCommand := strings.CutPrefix(code, "$ ")
		switch {
		case indented && isCommand:
			commands = append(commands, command{line: strings.TrimSpace(typed)})
		case indented && shown:
			commands[len(commands)-1].prints += code
		}
		shown = indented && (isCommand || shown)
	}
	return commands, nil
}

// patience is how long a GET is repeated.
const patience = 10 * time.Second

// run sends the request. A GET is sent until the answer fits.
func (c command) run(t *testing.T) (printed string, err error) {
	t.Helper()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for began := time.Now(); ; <-pause.C {
		request, err := parse(c.line)
		if err != nil {
			return "", err
		}
		printed, err := send(request.WithContext(t.Context()))
		if err != nil || request.Method != http.MethodGet || c.expects(printed) || time.Since(began) > patience {
			return printed, err
		}
	}
}

func send(request *http.Request) (body string, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return string(read), err
}

// expects tells whether the command prints what the comment says.
func (c command) expects(printed string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(c.prints)), "…", ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimSpace(printed))
}

// words are the words of a command; quotes are single ones.
var words = regexp.MustCompile(`'[^']*'|\S+`)

// parse makes the request that curl would send.
func parse(line string) (*http.Request, error) {
	arguments := words.FindAllString(line, -1)
	if len(arguments) < 2 || arguments[0] != "curl" {
		return nil, fmt.Errorf("%s is no curl command", line)
	}
	method, header, data, url := http.MethodGet, http.Header{}, []string(nil), ""
	for i := 1; i < len(arguments); i++ {
		flag, value := arguments[i], ""
		if flag == "-s" || flag == "-L" {
			continue
		}
		if !strings.HasPrefix(flag, "-") {
			url = flag
			continue
		}
		if i++; i < len(arguments) {
			value = strings.Trim(arguments[i], "'")
		}
		switch flag {
		case "-X":
			method = value
		case "-H":
			name, text, _ := strings.Cut(value, ": ")
			header.Set(name, text)
		case "-d":
			data = append(data, value)
		default:
			return nil, fmt.Errorf("%s has the flag %s: only -s, -L, -X, -H and -d are known here", line, flag)
		}
	}
	if data != nil {
		if method == http.MethodGet {
			method = http.MethodPost
		}
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	request, err := http.NewRequest(method, strings.Trim(url, "'"), strings.NewReader(strings.Join(data, "&"))) //nolint:noctx // Run gives it one.
	if err != nil {
		return nil, err
	}
	request.Header = header
	return request, nil
}
