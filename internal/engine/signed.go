package engine

import (
	"context"
	"net/http"

	"github.com/sluice-go/sluice"
)

// fireSigned lets a request through if it is signed. A provider's check of the endpoint is
// answered and ends here.
func (x *execution) fireSigned(ctx context.Context, fired *Fired, trigger sluice.HMACTrigger, method string) error {
	secrets := trigger.LiveSecrets(x.configVar)
	request := sluice.SignedRequest{
		Method: method, URL: x.payload.InvokeURL, Header: http.Header(x.payload.Headers),
		Body: x.payload.RawBody.Data, Time: x.started,
	}
	answer, err := trigger.Signature.Answer(request, secrets...)
	if err == nil && answer == nil {
		err = trigger.Signature.Verify(request, secrets...)
	}
	if err != nil {
		x.dropBody()
		return err
	}
	if answer != nil {
		fired.Response, fired.Stop = answer, true
		return nil
	}
	if request.Body, err = x.payload.Body.Bytes(); err != nil { // Without its Content-Encoding.
		return err
	}
	x.deliveryID = trigger.Signature.DedupeID(request)
	return x.callTrigger(ctx, fired, x.target.Flow.triggerFunc())
}
