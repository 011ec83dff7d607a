package sluice_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-go/sluice"
)

// A sender of your own hashes the body with a shared secret and sends the hash in a header
// whose name you choose.
func ExampleHMAC() {
	signature := sluice.HMAC("my-hmac-header", sluice.HMACSHA256)
	request := sluice.SignedRequest{
		Method: http.MethodPost,
		Header: http.Header{"My-Hmac-Header": {"dc838d5b2ee53f55b5bcd77271505f52cd4c6c5123a867d9088fb70ac580f5bf"}},
		Body:   []byte(`{"item":"widget","quantity":5,"customer":"abc-123"}`),
	}
	fmt.Println(signature.Verify(request, "AC49CB66-511F-4085-9119-360B1B142F4B"))
	fmt.Println(signature.Verify(request, "another secret"))
	// Output:
	// <nil>
	// webhook signature: no signature fits; check the secret, and that nothing between the sender and here changes the body or the URL
}

// A provider without a preset is described by the same data.
func ExampleSignature() {
	acme := sluice.Signature{
		SignatureFields: []string{"headers.Acme-Signature"},
		Prefix:          "sha256=",
		Template:        "{timestamp}.{body}",
		TimestampFields: []string{"headers.Acme-Timestamp"},
		Tolerance:       5 * time.Minute,
		DedupeIDFields:  []string{"body.data.delivery.id"},
	}
	sent := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	request, err := acme.Sign(sluice.SignedRequest{Body: []byte(`{"delivery":{"id":"d-1"}}`), Time: sent}, "secret")
	fmt.Println(err, request.Header.Get("Acme-Timestamp"))

	fmt.Println(acme.Verify(request, "old secret", "secret"), acme.DedupeID(request))
	request.Time = sent.Add(time.Hour)
	fmt.Println(acme.Verify(request, "secret"))
	// Output:
	// <nil> 1772366400
	// <nil> d-1
	// webhook signature: the request was sent 1h0m0s ago, more than the 5m0s allowed; send it again, or set the clocks right
}
