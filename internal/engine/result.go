package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// ErrUnknownResult says that no result is kept under a secret, or no longer.
var ErrUnknownResult = errors.New("no such result")

// resultHead is what stands before a kept result's body.
type resultHead struct {
	ContentType string            `json:"type"`
	Headers     map[string]string `json:"headers,omitempty"`
}

// KeepResult keeps a reply until it expires, for the caller to fetch by the secret that it
// returns. Only a hash of the secret is stored: who reads the store cannot fetch it.
func (e *Engine) KeepResult(ctx context.Context, executionID string, reply *Reply) (secret string, err error) {
	head, err := json.Marshal(resultHead{reply.ContentType, reply.Headers})
	if err != nil {
		return "", err
	}
	secret = rand.Text() // At least 128 bits.
	err = e.options.Store.PutResult(ctx, &store.Result{
		Key: resultKey(secret), Execution: executionID, Head: head, Body: reply.Body,
		ExpiresAt: time.Now().Add(e.options.ResultExpiry).UTC(),
	})
	if err != nil {
		e.options.Logger.ErrorContext(ctx, "keeping a result failed", "execution", executionID, "error", err)
		return "", err
	}
	return secret, nil
}

// Result returns the reply that was kept under the secret, and the id of its execution. It
// is ErrUnknownResult once it has expired.
func (e *Engine) Result(ctx context.Context, secret string) (reply *Reply, executionID string, err error) {
	result, err := e.options.Store.Result(ctx, resultKey(secret))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, "", ErrUnknownResult
	case err != nil:
		return nil, "", err
	}
	var head resultHead
	if err := json.Unmarshal(result.Head, &head); err != nil {
		return nil, "", fmt.Errorf("the kept result: %w", err)
	}
	return &Reply{StatusCode: 200, ContentType: head.ContentType, Headers: head.Headers, Body: result.Body}, result.Execution, nil
}

func resultKey(secret string) []byte {
	key := sha256.Sum256([]byte(secret))
	return key[:]
}
