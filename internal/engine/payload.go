package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// payloadHead is the stored form of a payload but for its bodies. What the instance knows
// (attributes, URLs, keys) is attached when the execution runs and never stored.
type payloadHead struct {
	Headers         map[string][]string `json:"headers,omitempty"`
	QueryParameters map[string][]string `json:"query,omitempty"`
	PathFragment    string              `json:"path,omitempty"`
	InvokeURL       string              `json:"url,omitempty"`
	StartedAt       time.Time           `json:"at"`
	DueAt           time.Time           `json:"due,omitzero"`
	GlobalDebug     bool                `json:"debug,omitempty"`
	PaginationState json.RawMessage     `json:"page,omitempty"`
	RawType         string              `json:"rawType,omitempty"`
	BodyType        string              `json:"bodyType,omitempty"`
	// RawSize is the length of the raw body, at the start of the stored bytes. The parsed
	// body follows, unless it is Same.
	RawSize int  `json:"rawSize"`
	Same    bool `json:"same,omitempty"`
	payloadMarks
}

// payloadMarks is what is stored with a payload of how it came.
type payloadMarks struct {
	// Synchronous executions have, or had, a caller who waits: they are never retried.
	Synchronous bool `json:"sync,omitempty"`
	// BodyDropped says that the body was not kept.
	BodyDropped bool `json:"dropped,omitempty"`
	// State says that state of the execution itself was written before it was accepted.
	State bool `json:"state,omitempty"`
	// Invoker is who called the flow; nil if no other flow did.
	Invoker *Invoker `json:"invoker,omitempty"`
	// Page and Batch are set where the execution spreads a page, or receives a batch.
	Page  *pageMark  `json:"spreads,omitempty"`
	Batch *batchMark `json:"batch,omitempty"`
}

// encodePayload brings a payload into its stored form.
func encodePayload(p *sluice.TriggerPayload, marks payloadMarks) (store.Payload, error) {
	body, err := bodyBytes(p)
	if err != nil {
		return store.Payload{}, fmt.Errorf("the payload's body: %w", err)
	}
	head := payloadHead{
		Headers: p.Headers, QueryParameters: p.QueryParameters, PathFragment: p.PathFragment, InvokeURL: p.InvokeURL,
		StartedAt: p.StartedAt, DueAt: p.DueAt, GlobalDebug: p.GlobalDebug, PaginationState: p.PaginationState,
		RawType: p.RawBody.ContentType, BodyType: p.Body.ContentType(), RawSize: len(p.RawBody.Data),
		payloadMarks: marks,
	}
	bytes := p.RawBody.Data
	if head.Same = sameBytes(bytes, body); !head.Same {
		bytes = append(slices.Clip(bytes), body...)
	}
	data, err := json.Marshal(&head)
	if err != nil {
		return store.Payload{}, fmt.Errorf("the payload: %w", err)
	}
	return store.Payload{Head: data, Body: bytes}, nil
}

// bodyBytes encodes the body. What a trigger put into it may be of a type of its own, whose
// MarshalJSON panics.
func bodyBytes(p *sluice.TriggerPayload) (body []byte, err error) {
	err = guard(func() (err error) {
		body, err = p.Body.Bytes()
		return err
	})
	return body, err
}

// DecodePayload brings a payload back from its stored form, without what the instance
// knows, and who called the flow; nil if no other flow did.
func DecodePayload(stored store.Payload) (*sluice.TriggerPayload, *Invoker, error) {
	payload, marks, err := decodePayload(stored)
	return payload, marks.Invoker, err
}

func decodePayload(stored store.Payload) (*sluice.TriggerPayload, payloadMarks, error) {
	var head payloadHead
	if err := json.Unmarshal(stored.Head, &head); err != nil {
		return nil, payloadMarks{}, fmt.Errorf("the stored payload: %w", err)
	}
	if head.RawSize < 0 || head.RawSize > len(stored.Body) {
		return nil, payloadMarks{}, fmt.Errorf("the stored payload: %d bytes of body, %d said", len(stored.Body), head.RawSize)
	}
	raw, body := stored.Body[:head.RawSize:head.RawSize], stored.Body[head.RawSize:]
	if head.Same {
		body = raw
	}
	return &sluice.TriggerPayload{
		Headers: head.Headers, QueryParameters: head.QueryParameters, PathFragment: head.PathFragment, InvokeURL: head.InvokeURL,
		StartedAt: head.StartedAt, DueAt: head.DueAt, GlobalDebug: head.GlobalDebug, PaginationState: head.PaginationState,
		RawBody: sluice.RawBody{Data: raw, ContentType: head.RawType},
		Body:    sluice.StoredBody(head.BodyType, body),
	}, head.payloadMarks, nil
}

// copyPayload copies a payload, so that what one flow changes in it no other sees.
func copyPayload(p *sluice.TriggerPayload) *sluice.TriggerPayload {
	clone := *p
	clone.Headers, clone.QueryParameters = maps.Clone(p.Headers), maps.Clone(p.QueryParameters)
	return &clone
}

// hideParameters takes parameters out of a payload's query, and out of the URL that was
// called. What else stands in the URL stays to the letter.
func hideParameters(p *sluice.TriggerPayload, secret func(name string) bool) {
	for name := range p.QueryParameters {
		if secret(name) {
			p.QueryParameters = maps.Clone(p.QueryParameters) // The trigger may have kept its own.
			maps.DeleteFunc(p.QueryParameters, func(name string, _ []string) bool { return secret(name) })
			break
		}
	}
	called, query, ok := strings.Cut(p.InvokeURL, "?")
	if !ok {
		return
	}
	parameters := strings.Split(query, "&")
	kept := slices.DeleteFunc(slices.Clone(parameters), func(parameter string) bool {
		name, _, _ := strings.Cut(parameter, "=")
		decoded, err := url.QueryUnescape(name)
		return secret(name) || err == nil && secret(decoded)
	})
	switch len(kept) {
	case len(parameters):
	case 0:
		p.InvokeURL = called
	default:
		p.InvokeURL = called + "?" + strings.Join(kept, "&")
	}
}

// sameBytes tells whether a and b are the same memory, or both empty.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// isSecretHeader tells which headers only the trigger may see (design §4.18).
func isSecretHeader(name string) bool {
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "api-key", "x-api-key":
		return true
	default:
		return false
	}
}
