package sluice

// An HTTPResponse is what the sender of a webhook is answered.
type HTTPResponse struct {
	StatusCode  int
	ContentType string
	Headers     map[string]string
	Body        string
}
