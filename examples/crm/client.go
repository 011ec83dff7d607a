package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sluice-go/sluice"
)

// crmClient calls the CRMs of all customers. It keeps the token of each until it expires, in
// memory: another process gets its own.
type crmClient struct {
	mu     sync.Mutex
	tokens map[account]*oauth2.Token
}

// account is whom a token is for.
type account struct{ tokenURL, clientID, clientSecret string }

// page is a page of contacts, the one that was changed last at the end, and how to get the
// next page.
type page struct {
	Contacts []Contact `json:"contacts"`
	Next     string    `json:"next"`
}

// contacts gets the page that the cursor is at.
func (c *crmClient) contacts(ctx context.Context, run *sluice.Run, at cursor) (found page, err error) {
	connection := crmAccount.Get(run)
	token, err := c.token(ctx, run, connection)
	if err != nil {
		return page{}, err
	}
	query := url.Values{"since": {at.Since.Format(time.RFC3339)}, "page": {at.Page}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, connection.Field("apiUrl")+"/contacts?"+query.Encode(), http.NoBody)
	if err != nil {
		return page{}, err
	}
	token.SetAuthHeader(request)
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		c.forget(connection) // Somebody has revoked it: the next try gets another one.
	}
	if err := check(response); err != nil {
		return page{}, err
	}
	return found, json.NewDecoder(response.Body).Decode(&found)
}

// token is the customer's token, a new one if there is none or if it has expired.
func (c *crmClient) token(ctx context.Context, run *sluice.Run, connection sluice.Connection) (*oauth2.Token, error) {
	of := accountOf(connection)
	c.mu.Lock()
	token := c.tokens[of]
	c.mu.Unlock()
	if token.Valid() {
		return token, nil
	}
	config := clientcredentials.Config{
		TokenURL: of.tokenURL, ClientID: of.clientID, ClientSecret: of.clientSecret,
		Scopes: strings.Fields(connection.Field("scopes")),
	}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, run.HTTPClient()))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode == http.StatusUnauthorized {
		return nil, sluice.Permanent(fmt.Errorf("the CRM does not know these credentials: %w", err))
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens == nil {
		c.tokens = map[account]*oauth2.Token{}
	}
	c.tokens[of] = token
	return token, nil
}

func (c *crmClient) forget(connection sluice.Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, accountOf(connection))
}

func accountOf(connection sluice.Connection) account {
	return account{connection.Field("tokenUrl"), connection.Field("clientId"), connection.Field("clientSecret")}
}

// putContact writes a contact to the warehouse. Writing it twice is as good as once, and an
// older version does not replace a newer one.
func putContact(ctx context.Context, run *sluice.Run, contact Contact) error {
	connection := warehouseAccount.Get(run)
	body, err := json.Marshal(contact)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, connection.Field("url")+"/contacts/"+url.PathEscape(contact.ID), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Api-Key", connection.Field("apiKey"))
	request.Header.Set("Content-Type", "application/json")
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return check(response)
}

// check makes an error of a response that is none of success. One that says when to come
// again is heeded; what the service will never take is not tried again.
func check(response *http.Response) error {
	if response.StatusCode < http.StatusBadRequest {
		return nil
	}
	err := fmt.Errorf("%s %s: %s", response.Request.Method, response.Request.URL.Path, response.Status)
	switch seconds, missing := strconv.Atoi(response.Header.Get("Retry-After")); {
	case missing == nil:
		return sluice.RetryAfter(time.Duration(seconds)*time.Second, err)
	case response.StatusCode == http.StatusBadRequest, response.StatusCode == http.StatusUnprocessableEntity:
		return sluice.Permanent(err)
	}
	return err
}
