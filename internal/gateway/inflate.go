package gateway

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxEncodings is how many content encodings of a body are undone. One is usual; each more
// costs memory and time.
const maxEncodings = 2

// contentEncodings lists what the header says was done to the body, in that order, without
// identity.
func contentEncodings(header http.Header) ([]string, error) {
	var list []string
	for _, value := range header["Content-Encoding"] {
		for coding := range strings.SplitSeq(value, ",") {
			switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
			case "", "identity":
			case "gzip", "x-gzip", "deflate":
				list = append(list, coding)
			default:
				return nil, &refusal{
					status:  http.StatusUnsupportedMediaType,
					message: fmt.Sprintf("Content-Encoding %q is not supported: use gzip, deflate or identity.", coding),
				}
			}
		}
	}
	if len(list) > maxEncodings {
		return nil, &refusal{
			status:  http.StatusUnsupportedMediaType,
			message: fmt.Sprintf("The body has %d content encodings: at most %d are undone.", len(list), maxEncodings),
		}
	}
	return list, nil
}

// inflate undoes the body's encodings, the last one first. The limit holds for what each
// leaves. A body without bytes was not encoded.
func (g *Gateway) inflate(c *call, codings []string, data []byte) (plain []byte, err error) {
	for i := len(codings) - 1; i >= 0 && err == nil && len(data) > 0; i-- {
		data, err = g.inflateOne(c, codings[i], data)
	}
	return data, err
}

func (g *Gateway) inflateOne(c *call, coding string, data []byte) ([]byte, error) {
	source := bytes.NewReader(data)
	reader, err := newInflater(coding, source)
	if err == nil {
		data, err = g.readAll(c, reader)
	}
	if err == nil && source.Len() > 0 {
		err = errors.New("bytes follow its end")
	}
	var known *refusal
	if err != nil && !errors.As(err, &known) {
		return nil, badRequest(fmt.Sprintf("The request's body is not the %s that its Content-Encoding says: %v.", coding, err))
	}
	return data, err
}

func newInflater(coding string, source *bytes.Reader) (io.Reader, error) {
	if coding != "deflate" {
		return gzip.NewReader(source)
	}
	// RFC 9110 means zlib by deflate; some senders leave its frame away.
	reader, err := zlib.NewReader(source)
	if errors.Is(err, zlib.ErrHeader) {
		_, err := source.Seek(0, io.SeekStart)
		return flate.NewReader(source), err
	}
	return reader, err
}
