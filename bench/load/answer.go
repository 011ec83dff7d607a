package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// answer is what is kept of a response.
type answer struct {
	status int
	last   bool // The server closes the connection after it.
}

var errMalformed = errors.New("malformed HTTP response")

// readAnswer reads one HTTP/1.1 response to a request other than HEAD and skips its body. It knows what net/http's
// server sends: a body is as long as Content-Length says, or chunked. It allocates nothing.
func readAnswer(r *bufio.Reader) (answer, error) {
	status, err := readStatus(r)
	if err != nil {
		return answer{}, err
	}
	read := answer{status: status}
	length, chunked := -1, false
	for {
		name, value, err := readHeader(r)
		if err != nil {
			return answer{}, err
		}
		if len(name) == 0 {
			break
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return answer{}, fmt.Errorf("%w: Content-Length %q", errMalformed, value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(name, []byte("Connection")):
			read.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	switch {
	case status == 204 || status == 304:
		return read, nil
	case chunked:
		return read, skipChunks(r)
	case length < 0:
		return answer{}, fmt.Errorf("%w: neither Content-Length nor chunks", errMalformed)
	}
	_, err = r.Discard(length)
	return read, err
}

// readStatus reads a line such as "HTTP/1.1 200 OK".
func readStatus(r *bufio.Reader) (int, error) {
	line, err := readLine(r)
	if err != nil {
		return 0, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	status, err := strconv.Atoi(string(code))
	if err != nil || len(code) != 3 || status < 200 || !bytes.Equal(version, []byte("HTTP/1.1")) {
		return 0, fmt.Errorf("%w: status line %q", errMalformed, line)
	}
	return status, nil
}

// readHeader reads a header field; the empty name is the end of the header.
func readHeader(r *bufio.Reader) (name, value []byte, err error) {
	line, err := readLine(r)
	if err != nil || len(line) == 0 {
		return nil, nil, err
	}
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found || len(name) == 0 {
		return nil, nil, fmt.Errorf("%w: header %q", errMalformed, line)
	}
	return name, bytes.TrimSpace(value), nil
}

// skipChunks reads chunks up to the last, empty one, and the trailer after it.
func skipChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		length, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return fmt.Errorf("%w: chunk size %q", errMalformed, line)
		}
		if length == 0 {
			return skipTrailer(r)
		}
		if _, err := r.Discard(int(length)); err != nil {
			return err
		}
		if line, err = readLine(r); err != nil || len(line) != 0 {
			return errors.Join(fmt.Errorf("%w: chunk longer than its size", errMalformed), err)
		}
	}
}

func skipTrailer(r *bufio.Reader) error {
	for {
		name, _, err := readHeader(r)
		if err != nil || len(name) == 0 {
			return err
		}
	}
}

// readLine returns a line without its end. It is valid until the next read; a line longer than the buffer is an error.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}
