package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// kind is a kind of hostile request. make draws one.
type kind struct {
	name string
	make func(m *maker) attempt
	// slow kinds cost the server's patience: there are fewer of them.
	slow bool
}

// attempt is one hostile request and what must come of it.
type attempt struct {
	// wire goes over a socket as it is; without it request is sent by net/http.
	wire    []byte
	request *http.Request
	// hangUp closes the socket without waiting for an answer.
	hangUp bool
	// answers is how many are expected; 1 by default.
	answers int
	// want are the statuses that each answer may have: below 10 a class, 0 that the
	// connection is closed without an answer.
	want  []int
	check func(a answer) error
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// patience is how long an answer may take.
const patience = 8 * time.Second

// run sends the attempt and checks what comes of it.
func (a attempt) run(c *child) error {
	if a.request != nil {
		got, err := a.overHTTP()
		if err != nil {
			return err
		}
		return a.judge(c, got)
	}
	conn, err := net.DialTimeout("tcp", c.address, patience) //nolint:noctx // It has a time-out.
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if a.hangUp {
		_, err := conn.Write(a.wire)
		return err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = conn.Write(a.wire) // The server may answer, and close, before it has read all.
	}()
	defer func() { conn.Close(); <-written }()
	reader := bufio.NewReader(conn)
	for range max(1, a.answers) {
		got, err := readAnswer(reader, bytes.HasPrefix(a.wire, []byte("HEAD ")))
		if err != nil {
			return err
		}
		if err := a.judge(c, got); err != nil {
			return err
		}
	}
	return nil
}

func (a attempt) overHTTP() (answer, error) {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, ResponseHeaderTimeout: patience}
	response, err := transport.RoundTrip(a.request)
	if err != nil {
		return answer{}, err
	}
	return finish(response)
}

// readAnswer reads the next answer that is not an interim one. That the connection was
// closed instead is an answer with status 0; that nothing comes is an error.
func readAnswer(reader *bufio.Reader, head bool) (answer, error) {
	request := &http.Request{Method: http.MethodPost}
	if head {
		request.Method = http.MethodHead
	}
	for {
		response, err := http.ReadResponse(reader, request)
		var timeout net.Error
		switch {
		case err != nil && errors.As(err, &timeout) && timeout.Timeout():
			return answer{}, errors.New("no answer in time")
		case err != nil:
			return answer{}, nil //nolint:nilerr // The connection was closed.
		case response.StatusCode >= 200:
			return finish(response)
		}
	}
}

func finish(response *http.Response) (answer, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// judge holds an answer against what the kind expects, and what all have in common: no
// secret, no file and no header of the attacker's in it.
func (a attempt) judge(c *child, got answer) error {
	if class := got.status / 100; !slices.Contains(a.want, got.status) && (class == 0 || !slices.Contains(a.want, class)) {
		return fmt.Errorf("answered %d, want %v: %.300s", got.status, a.want, got.body)
	}
	for _, secret := range []string{c.urls.Keyed[0].Key, c.urls.Keyed[1].Key, c.urls.HMAC.Secret, "root:x:"} {
		if strings.Contains(got.body, secret) {
			return fmt.Errorf("the answer shows %q", secret)
		}
	}
	if value, ok := got.header["X-Evil"]; ok {
		return fmt.Errorf("the answer was split: X-Evil: %s", value)
	}
	if a.check == nil {
		return nil
	}
	return a.check(got)
}

// maker draws hostile requests from a seeded source.
type maker struct {
	*rand.Rand
	URLs
	address string
}

// oneOf draws one of the values.
func oneOf[T any](m *maker, values ...T) T { return values[m.IntN(len(values))] }

// head is a request's first line and headers, up to the empty line.
func (m *maker) head(method, path string, headers ...string) string {
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: " + m.address}, headers...)
	if !slices.ContainsFunc(headers, func(line string) bool { return strings.HasPrefix(line, "Content-Type:") }) {
		lines = append(lines, "Content-Type: application/json")
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// post is a POST request over a socket that has the length of its body.
func (m *maker) post(path, body string, headers ...string) []byte {
	return []byte(m.head(http.MethodPost, path, append(headers, fmt.Sprintf("Content-Length: %d", len(body)))...) + body)
}

// request is a POST request by net/http. Headers are pairs of name and value, the name as
// it is written.
func (m *maker) request(path, body string, headers ...string) *http.Request {
	request, err := http.NewRequest(http.MethodPost, "http://"+m.address+path, strings.NewReader(body)) //nolint:noctx // The transport has a time-out.
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		if http.CanonicalHeaderKey(headers[i]) == "Content-Type" {
			request.Header.Del("Content-Type")
		}
		request.Header[headers[i]] = append(request.Header[headers[i]], headers[i+1])
	}
	return request
}

// text is a random text of printable characters.
func (m *maker) text(length int) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = byte('a' + m.IntN(26))
	}
	return string(text)
}

// hexMAC signs a body as the signed endpoint wants it.
func hexMAC(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}
