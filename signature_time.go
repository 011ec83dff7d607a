package sluice

import (
	"cmp"
	"strconv"
	"time"
)

// checkTime comes after the signature was found to fit, so that its verdict is about the
// provider's own request.
func (s Signature) checkTime(req *SignedRequest, text string) error {
	if s.Tolerance == 0 {
		return nil
	}
	sent, ok := s.TimestampFormat.parse(text)
	if !ok {
		return signatureErrorf(SignatureMalformed, "the sending time %.40q does not have the format %q",
			text, cmp.Or(s.TimestampFormat, TimestampUnix))
	}
	now := req.Time
	if now.IsZero() {
		now = time.Now()
	}
	age := now.Sub(sent)
	if age > s.Tolerance {
		return signatureErrorf(SignatureTooOld, "the request was sent %s ago, more than the %s allowed; send it again, or set the clocks right", age, s.Tolerance)
	}
	if age < -s.Tolerance {
		return signatureErrorf(SignatureInFuture, "the request was sent %s in the future, more than the %s allowed; set the clocks right", -age, s.Tolerance)
	}
	return nil
}

// parse accepts times up to the year 9999, and of numbers digits only.
func (f TimestampFormat) parse(text string) (time.Time, bool) {
	const lastSecond = 253402300799
	if f == TimestampRFC3339 {
		sent, err := time.Parse(time.RFC3339, text)
		return sent, err == nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] < '0' || text[0] > '9' {
		return time.Time{}, false
	}
	if f == TimestampUnixMilli {
		return time.UnixMilli(number), number/1000 <= lastSecond
	}
	return time.Unix(number, 0), number <= lastSecond
}

func (f TimestampFormat) format(t time.Time) string {
	switch f {
	case TimestampRFC3339:
		return t.UTC().Format(time.RFC3339Nano)
	case TimestampUnixMilli:
		return strconv.FormatInt(t.UnixMilli(), 10)
	default:
		return strconv.FormatInt(t.Unix(), 10)
	}
}
