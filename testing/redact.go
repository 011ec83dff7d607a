package sluicetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Redaction names secrets that are not to be saved, beside those that are always taken out.
// The text REDACTED stands in their place, and 0 in that of a number. Always taken out are:
//
//   - values of headers named like credentials: Authorization, Cookie, Set-Cookie, and all
//     whose names hold auth, token, secret, signature, password or api key;
//   - query parameters, fields of forms and multipart bodies, members of JSON objects and XML
//     elements with a name such as access_token, api_key, client_secret or password, in any
//     case, with or without hyphens and underscores; the query parameter key; the user and
//     password of a URL;
//   - JSON Web Tokens, and tokens that tell by their prefix what they are (Bearer …, ghp_…,
//     sk_live_…, xoxb-…), wherever they stand.
//
// Look at a file before you commit it all the same: nobody knows every secret by its name.
type Redaction struct {
	// Headers by name, in any case.
	Headers []string
	// Fields are names of query parameters, form fields, JSON members and XML elements.
	Fields []string
	// Texts are secrets that are taken out wherever they stand.
	Texts []string
}

// redacted stands in the place of a secret text.
const redacted = "REDACTED"

// secretFields are the names of secrets, as plainName writes them.
const secretFields = " accesstoken accountkey apikey apisecret apitoken appsecret assertion authorization authtoken " +
	"bearertoken bottoken clientassertion clientsecret codeverifier consumersecret csrftoken idtoken jwt oauthtoken " +
	"oauthtokensecret passphrase passwd password privatekey pwd refreshtoken secret secretkey securitytoken sessionid " +
	"sessiontoken sharedsecret sig signature signingkey signingsecret token verificationtoken webhooksecret xapikey "

var (
	secretHeader = regexp.MustCompile(`auth|cookie|token|secret|signature|password|apikey`)
	secretText   = regexp.MustCompile(`\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*|\b(?:gh[opsu]_|github_pat_|sk_live_|sk_test_|rk_live_|whsec_|xox[abeprs]-|AKIA|shpat_|glpat-)[\w-]+|\b(?i:bearer|basic) [\w+/.~=-]{8,}`)
	xmlElement   = regexp.MustCompile(`<((?:[\w.-]+:)?([\w.-]+))((?:\s[^<>]*)?)>([^<>]+)</`)
)

// redactor takes secrets out of messages.
type redactor struct {
	headers, fields map[string]bool
	texts           *strings.Replacer
}

func newRedactor(redaction Redaction) *redactor {
	r := &redactor{headers: map[string]bool{}, fields: map[string]bool{}}
	for _, name := range redaction.Headers {
		r.headers[plainName(name)] = true
	}
	for _, name := range redaction.Fields {
		r.fields[plainName(name)] = true
	}
	var pairs []string
	for _, secret := range redaction.Texts {
		if secret != "" {
			pairs = append(pairs, secret, redacted, url.QueryEscape(secret), redacted)
		}
	}
	r.texts = strings.NewReplacer(pairs...)
	return r
}

// plainName is a name in lower case without what separates its words.
func plainName(name string) string {
	return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(name))
}

func (r *redactor) isSecretHeader(name string) bool {
	name = plainName(name)
	return r.headers[name] || secretHeader.MatchString(name)
}

func (r *redactor) isSecretField(name string) bool {
	name = plainName(name)
	return r.fields[name] || name != "" && strings.Contains(secretFields, " "+name+" ")
}

func (r *redactor) text(text string) string {
	return secretText.ReplaceAllString(r.texts.Replace(text), redacted)
}

// message returns the message without its secrets; m stays as it is.
func (r *redactor) message(m *message) *message {
	clean := &message{method: m.method, url: r.url(m.url), status: m.status, header: http.Header{}}
	for name, values := range m.header {
		for _, value := range values {
			if r.isSecretHeader(name) {
				value = redacted
			}
			clean.header.Add(name, r.text(value))
		}
	}
	var contentType string
	if clean.body, contentType = r.body(m.header.Get("Content-Type"), m.body); contentType != "" {
		clean.header.Set("Content-Type", contentType)
	}
	return clean
}

// url takes secrets out of a URL and leaves the rest of it to the letter.
func (r *redactor) url(text string) string {
	if parsed, err := url.Parse(text); err == nil && parsed.User != nil {
		parsed.User = url.User(redacted)
		text = parsed.String()
	}
	address, query, ok := strings.Cut(text, "?")
	address = r.text(address)
	if !ok {
		return address
	}
	return address + "?" + r.form(query, func(name string) bool { return name == "key" || r.isSecretField(name) })
}

// form takes secrets out of a query, or of the body of a form.
func (r *redactor) form(query string, secret func(name string) bool) string {
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		name, value, _ := strings.Cut(parameter, "=")
		decoded, err := url.QueryUnescape(name)
		if value != "" && (secret(name) || err == nil && secret(decoded)) {
			parameters[i] = name + "=" + redacted
			continue
		}
		plain, err := url.QueryUnescape(value)
		if clean := r.text(plain); err == nil && clean != plain {
			parameters[i] = name + "=" + url.QueryEscape(clean)
		}
	}
	return strings.Join(parameters, "&")
}

// body takes secrets out of a body of the content type; contentType is the one that it has
// then, empty if it did not change.
func (r *redactor) body(mediaType string, body []byte) (clean []byte, contentType string) {
	kind, parameters, _ := mime.ParseMediaType(mediaType)
	switch {
	case json.Valid(body):
		return r.json(body), ""
	case kind == "application/x-www-form-urlencoded":
		return []byte(r.form(string(body), r.isSecretField)), ""
	case strings.HasPrefix(kind, "multipart/"):
		if clean, err := r.multipart(parameters["boundary"], body); err == nil {
			parameters["boundary"] = multipartBoundary
			return clean, mime.FormatMediaType(kind, parameters)
		}
	}
	return []byte(r.text(xmlElement.ReplaceAllStringFunc(string(body), func(element string) string {
		part := xmlElement.FindStringSubmatch(element)
		if !r.isSecretField(part[2]) {
			return element
		}
		return "<" + part[1] + part[3] + ">" + redacted + "</"
	}))), ""
}

// multipartBoundary takes the place of the boundary that every client draws anew.
const multipartBoundary = "boundary"

func (r *redactor) multipart(boundary string, body []byte) ([]byte, error) {
	var clean bytes.Buffer
	writer := multipart.NewWriter(&clean)
	if err := writer.SetBoundary(multipartBoundary); err != nil {
		return nil, err
	}
	for reader := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return clean.Bytes(), writer.Close()
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		if data, _ = r.body(part.Header.Get("Content-Type"), data); r.isSecretField(part.FormName()) {
			data = []byte(redacted)
		}
		copied, err := writer.CreatePart(part.Header)
		if err != nil {
			return nil, err
		}
		if _, err := copied.Write(data); err != nil {
			return nil, err
		}
	}
}

// json takes secrets out of valid JSON and leaves the rest of it to the letter. A list under a
// secret name is one of secrets; members of an object have names of their own.
func (r *redactor) json(data []byte) []byte {
	var clean bytes.Buffer
	written := 0
	r.jsonValues(data, func(start, end int, secret bool) {
		literal := string(data[start:end])
		replacement := r.text(literal)
		switch {
		case !secret || literal == `""` || literal == "true" || literal == "false" || literal == "null":
		case literal[0] == '"':
			replacement = `"` + redacted + `"`
		default:
			replacement = "0"
		}
		clean.Write(data[written:start])
		clean.WriteString(replacement)
		written = end
	})
	clean.Write(data[written:])
	return clean.Bytes()
}

// jsonValues calls visit with the place of every text, number, true, false and null of valid
// JSON, and whether its name is that of a secret.
func (r *redactor) jsonValues(data []byte, visit func(start, end int, secret bool)) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	type container struct{ object, key, secret bool }
	stack := []container{{}}
	for {
		start := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err != nil {
			return
		}
		end := int(decoder.InputOffset())
		top := &stack[len(stack)-1]
		switch token := token.(type) {
		case json.Delim:
			if token == '}' || token == ']' {
				stack = stack[:len(stack)-1]
				continue
			}
			top.key = top.object
			stack = append(stack, container{object: token == '{', key: token == '{', secret: token == '[' && top.secret})
			continue
		case string:
			if top.key {
				top.key, top.secret = false, r.isSecretField(token)
				continue
			}
		}
		start += len(data[start:end]) - len(bytes.TrimLeft(data[start:end], " \t\r\n,:"))
		visit(start, end, top.secret)
		top.key = top.object
	}
}
