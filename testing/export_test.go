package sluicetest

import "net/http"

// RedactRequest takes secrets out of a request, and returns what is left.
func RedactRequest(redaction Redaction, url string, header http.Header, body []byte) (string, http.Header, []byte) {
	clean := newRedactor(redaction).message(&message{method: "POST", url: url, header: header, body: body})
	return clean.url, clean.header, clean.body
}

// Message is a message of a file.
type Message struct {
	Method, URL string
	Status      int
	Header      http.Header
	Body        []byte
}

// FormatMessages writes a file of messages.
func FormatMessages(comment string, messages []Message) []byte {
	var list []*message
	for _, m := range messages {
		list = append(list, &message{m.Method, m.URL, m.Status, m.Header, m.Body})
	}
	return formatMessages(comment, list)
}

// ParseMessages reads a file of messages.
func ParseMessages(data []byte) (comment string, messages []Message, err error) {
	comment, list, err := parseMessages(data)
	for _, m := range list {
		messages = append(messages, Message{m.method, m.url, m.status, m.header, m.body})
	}
	return comment, messages, err
}
