package sluicetest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A file of messages is text to be read, edited and compared: a comment, then sections.
//
//	-- request --
//	POST https://crm.example.com/v1/contacts
//	Content-Type: application/json
//
//	{"name": "Ada"}
//	-- response --
//	201 Created
//	Content-Type: application/json
//
//	{"id": 7}
//
// A section is a first line, header lines and, after an empty line, the body, whose last
// newline belongs to the file and not to the body. Without an empty line there is no body.
// "request base64" and "response base64" are sections whose bodies are no plain text.

// message is a request or a response. It has a method, or a status.
type message struct {
	method, url string
	status      int
	header      http.Header
	body        []byte
}

var marker = regexp.MustCompile(`(?m)^-- .* --\r?$`)

// isText tells whether a body can stand in a file as it is.
func isText(body []byte) bool {
	return utf8.Valid(body) && !marker.Match(body) &&
		!bytes.ContainsFunc(body, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
}

// base64Line is how much of a body stands on one line.
const base64Line = 57

// formatMessages writes a file of messages.
func formatMessages(comment string, messages []*message) []byte {
	var file bytes.Buffer
	file.WriteString(comment)
	for _, m := range messages {
		name, first := "request", m.method+" "+m.url
		if m.method == "" {
			name, first = "response", strings.TrimSpace(fmt.Sprintf("%d %s", m.status, http.StatusText(m.status)))
		}
		body := m.body
		if !isText(body) {
			name += " base64"
			var lines []string
			for chunk := range slices.Chunk(body, base64Line) {
				lines = append(lines, base64.StdEncoding.EncodeToString(chunk))
			}
			body = []byte(strings.Join(lines, "\n"))
		}
		fmt.Fprintf(&file, "-- %s --\n%s\n", name, first)
		for _, header := range slices.Sorted(maps.Keys(m.header)) {
			for _, value := range m.header[header] {
				fmt.Fprintf(&file, "%s: %s\n", header, value)
			}
		}
		if len(body) > 0 {
			fmt.Fprintf(&file, "\n%s\n", body)
		}
	}
	return file.Bytes()
}

// parseMessages reads a file of messages.
func parseMessages(data []byte) (comment string, messages []*message, err error) {
	markers := marker.FindAllIndex(data, -1)
	if len(markers) == 0 {
		return string(data), nil, nil
	}
	for i, at := range markers {
		end := len(data)
		if i+1 < len(markers) {
			end = markers[i+1][0]
		}
		name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(data[at[0]:at[1]])), "-- "), " --")
		m, err := parseMessage(name, string(bytes.TrimPrefix(data[at[1]:end], []byte("\n"))))
		if err != nil {
			line := 1 + bytes.Count(data[:at[0]], []byte("\n"))
			return "", nil, fmt.Errorf("the section %q on line %d: %w", name, line, err)
		}
		messages = append(messages, m)
	}
	return string(data[:markers[0][0]]), messages, nil
}

func parseMessage(name, text string) (*message, error) {
	kind, encoding, encoded := strings.Cut(name, " ")
	if kind != "request" && kind != "response" || encoded && encoding != "base64" {
		return nil, errors.New(`there are "request" and "response", with "base64" after it where the body is`)
	}
	head, body, hasBody := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	m := &message{header: http.Header{}}
	var err error
	if kind == "request" {
		err = m.parseRequestLine(lines[0])
	} else if code, _, _ := strings.Cut(lines[0], " "); len(code) == 3 {
		m.status, err = strconv.Atoi(code)
	}
	if err != nil || kind == "response" && m.status < 100 {
		return nil, errors.Join(err, fmt.Errorf("it begins with %q: a request begins like \"GET https://example.com/\", a response like \"200 OK\"", lines[0]))
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%q is no header: there must be an empty line before the body", line)
		}
		m.header.Add(name, strings.TrimSpace(value))
	}
	if !hasBody {
		return m, nil
	}
	m.body = []byte(strings.TrimSuffix(body, "\n"))
	if encoded {
		if m.body, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), "")); err != nil {
			return nil, fmt.Errorf("the body: %w", err)
		}
	}
	return m, nil
}

func (m *message) parseRequestLine(line string) error {
	var ok bool
	if m.method, m.url, ok = strings.Cut(line, " "); !ok || m.method == "" || m.url != strings.TrimSpace(m.url) {
		return errors.New("there is no method and URL")
	}
	_, err := url.Parse(m.url)
	return err
}

// response is the message as the answer to a request.
func (m *message) response(request *http.Request) *http.Response {
	return &http.Response{
		Status: strings.TrimSpace(fmt.Sprintf("%d %s", m.status, http.StatusText(m.status))), StatusCode: m.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: m.header.Clone(), Body: io.NopCloser(bytes.NewReader(m.body)), ContentLength: int64(len(m.body)),
		Request: request,
	}
}
