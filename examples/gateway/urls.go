package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
)

// URLs says where the endpoints are and what their callers owe. Paths are on the address
// that is served.
type URLs struct {
	// Async answers with an execution's id, Sync with the payload that the flow received.
	Async string `json:"async"`
	Sync  string `json:"sync"`
	// Keyed are two endpoints with an API key each.
	Keyed [2]Keyed `json:"keyed"`
	HMAC  Signed   `json:"hmac"`
	// Shared is the endpoint of all customers.
	Shared Shared `json:"shared"`
	// PreprocessFlow is the name of the flow that routes requests to Shared.
	PreprocessFlow string `json:"preprocess_flow"`
	// HeaderFlow answers with the header that the body names.
	HeaderFlow string `json:"header_flow"`
	// Unknown looks like an endpoint and is none.
	Unknown string `json:"unknown"`
	// MaxBody is the largest body in bytes.
	MaxBody int64 `json:"max_body"`
}

// Keyed is an endpoint with an API key.
type Keyed struct {
	Path string `json:"path"`
	Key  string `json:"key"`
}

// Signed is an endpoint whose callers sign the body: the header is its HMAC-SHA-256 in
// hexadecimal digits.
type Signed struct {
	Path   string `json:"path"`
	Header string `json:"header"`
	Secret string `json:"secret"`
}

// Shared is an endpoint at which fields of the body name the customer and the flow, and an
// example of both that needs no API key.
type Shared struct {
	Path          string `json:"path"`
	CustomerField string `json:"customer_field"`
	FlowField     string `json:"flow_field"`
	Customer      string `json:"customer"`
	Flow          string `json:"flow"`
}

// urls tells where what was deployed is.
func (d *deployment) urls(signingSecret string, maxBody int64) URLs {
	own := func(flow string) string { return pathOf(d.own.WebhookURLs[flow]) }
	return URLs{
		Async:  own("Async"),
		Sync:   own("Sync"),
		Keyed:  [2]Keyed{{own("Keyed 1"), d.keyed[0]}, {own("Keyed 2"), d.keyed[1]}},
		HMAC:   Signed{own("Signed"), signatureHeader, signingSecret},
		Shared: Shared{pathOf(d.shared.WebhookURLs["Route"]), customerField, flowField, d.shared.Customer.ExternalID, "invoice.paid"},

		PreprocessFlow: "Route",
		HeaderFlow:     own("Header"),
		Unknown:        "/trigger/" + newSecret(),
		MaxBody:        maxBody,
	}
}

func pathOf(webhook string) string {
	parsed, err := url.Parse(webhook)
	if err != nil {
		return ""
	}
	return parsed.Path
}

// writeURLs writes the file in one piece: whoever finds it finds all of it.
func writeURLs(name string, urls URLs) error {
	data, err := json.MarshalIndent(urls, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
