package sluice

import (
	"cmp"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A signedMessage is what the parts of a template stand for.
type signedMessage struct {
	req       *SignedRequest
	url       string
	timestamp string
	id        string
	secret    []byte
}

func (s Signature) template() string {
	return cmp.Or(s.Template, "{body}")
}

// signs reports whether the template has the part, such as "{body}".
func (s Signature) signs(part string) bool {
	return strings.Contains(s.template(), part)
}

// write writes the text that is signed.
func (m *signedMessage) write(w io.Writer, template string) error {
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		if _, err := io.WriteString(w, literal); err != nil {
			return err
		}
		if !found {
			return nil
		}
		part, tail, closed := strings.Cut(after, "}")
		if !closed {
			return signatureErrorf(SignatureMisconfigured, "the template has a { without }")
		}
		if err := m.writePart(w, part); err != nil {
			return err
		}
		rest = tail
	}
	return nil
}

func (m *signedMessage) writePart(w io.Writer, part string) error {
	var text string
	switch part {
	case "body":
		_, err := w.Write(m.req.Body)
		return err
	case "secret":
		_, err := w.Write(m.secret)
		return err
	case "form":
		return m.writeForm(w)
	case "timestamp":
		text = m.timestamp
	case "id":
		text = m.id
	case "method":
		text = m.req.Method
	case "url":
		text = m.url
	case "hubspotURL":
		text = decodeHubSpotURL(m.url)
	default:
		return signatureErrorf(SignatureMisconfigured, "the template has the unknown part {%s}", part)
	}
	_, err := io.WriteString(w, text)
	return err
}

// writeForm writes each name with each of its values, sorted by name and value, equal
// values of a name once.
func (m *signedMessage) writeForm(w io.Writer) error {
	form, err := url.ParseQuery(string(m.req.Body))
	if err != nil {
		return signatureErrorf(SignatureMalformed, "the body is not a form; the scheme signs the form's fields")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			if _, err := io.WriteString(w, name+value); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeHubSpotURL decodes the twelve escapes that HubSpot's documentation lists for the
// request URI of a version 3 signature, and no other.
func decodeHubSpotURL(text string) string {
	var decoded strings.Builder
	for {
		before, after, found := strings.Cut(text, "%")
		decoded.WriteString(before)
		if !found {
			return decoded.String()
		}
		text = after
		if char, ok := hubSpotEscape(after); ok {
			decoded.WriteByte(char)
			text = after[2:]
			continue
		}
		decoded.WriteByte('%')
	}
}

func hubSpotEscape(text string) (byte, bool) {
	if len(text) < 2 {
		return 0, false
	}
	plain, err := url.PathUnescape("%" + text[:2])
	if err != nil || !strings.Contains(":/?@!$'()*,;", plain) {
		return 0, false
	}
	return plain[0], true
}

// urls returns the URLs that the sender may have signed.
func (s Signature) urls(raw string) []string {
	if !s.AnyPort {
		return []string{raw}
	}
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return []string{raw}
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, port := rest[:end], ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexAny(host, "]@") {
		host, port = host[:colon], host[colon:]
	}
	if port == "" {
		port = ":80"
		if strings.EqualFold(scheme, "https") {
			port = ":443"
		}
	}
	return []string{scheme + "://" + host + rest[end:], scheme + "://" + host + port + rest[end:]}
}
