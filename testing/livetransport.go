package sluicetest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// liveTransport calls services from a goroutine of its own, outside of the bubble in which
// flows under test run: there, certificates would have expired and connections never rest.
type liveTransport struct {
	requests chan *message
	answers  chan liveAnswer
}

type liveAnswer struct {
	response *message
	err      error
}

// liveTimeout is how long a service may take to answer.
const liveTimeout = time.Minute

func startLiveTransport(transport http.RoundTripper) *liveTransport {
	if transport == nil {
		transport = http.DefaultTransport
	}
	live := &liveTransport{requests: make(chan *message), answers: make(chan liveAnswer)}
	go func() {
		defer close(live.answers)
		for request := range live.requests {
			response, err := roundTrip(transport, request)
			live.answers <- liveAnswer{response, err}
		}
	}()
	return live
}

// call is for one caller at a time.
func (l *liveTransport) call(request *message) (*message, error) {
	l.requests <- request
	answer := <-l.answers
	return answer.response, answer.err
}

func (l *liveTransport) stop() {
	close(l.requests)
	<-l.answers
}

func roundTrip(transport http.RoundTripper, sent *message) (*message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), liveTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, sent.method, sent.url, bytes.NewReader(sent.body))
	if err != nil {
		return nil, err
	}
	request.Header = sent.header.Clone()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	received := &message{status: response.StatusCode, header: response.Header.Clone()}
	received.header.Del("Content-Length") // It follows from the body, which may be edited.
	received.body, err = io.ReadAll(response.Body)
	return received, err
}
