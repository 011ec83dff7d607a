package spectral_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// order is the body of the flows on this page.
type order struct {
	ProductID string `json:"productId"`
	Price     int    `json:"price"`
}

var updatePrice = sluice.Define(sluice.Flow{
	Name:                 "Update price",
	StableKey:            "update-price",
	Description:          "Writes a new price into the shop.",
	EndpointSecurityType: sluice.EndpointSecurityCustomerRequired,
	RetryConfig: &sluice.RetryConfig{
		MaxAttempts: 5, DelayMinutes: 3, UsesExponentialBackoff: true,
		UniqueRequestIDField: "body.data.productId",
	},
	QueueConfig: sluice.ThrottledQueueConfig{ConcurrencyLimit: 5, DedupeIDField: "headers.x-event-id"},
	ErrorConfig: &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 2, DelaySeconds: 5},
}, func(ctx context.Context, run *sluice.Run, in order) (order, error) {
	run.Logger.InfoContext(ctx, "updating", "customer", run.Customer.Name, "product", in.ProductID)
	return in, nil
})

func TestFlowWithAllPolicies(t *testing.T) {
	t.Parallel()
	run(t, updatePrice.Flow, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Update price", `{"productId":"tea","price":450}`).RequireStatus(401)
		key, err := h.Runtime.CreateAPIKey(t.Context(), h.Instance().ID, "Update price")
		require.NoError(t, err)
		request := func() *sluicetest.Webhook { return h.Webhook("Update price").APIKey(key).Header("X-Event-Id", "7") }
		response := request().JSON(order{ProductID: "tea", Price: 450})
		require.Contains(t, request().JSON(order{ProductID: "tea", Price: 450}).Text, `"duplicate":true`)
		h.Drain()
		response.Execution().RequireSucceeded().RequireResult(order{ProductID: "tea", Price: 450}).RequireLog("updating")
	})
}

// run tests a flow that needs no configuration.
func run(t *testing.T, flow sluice.Flow, test func(t *testing.T, h *sluicetest.Harness)) {
	t.Helper()
	sluicetest.Run(t, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{flow}}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(t, h)
	})
}

// shoutOnTrigger checks, changes and answers a request before anything of it is accepted.
func shoutOnTrigger(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	if payload.Headers.Get("x-shop") == "" {
		return nil, sluice.Reject(http.StatusForbidden, "Who are you?")
	}
	payload.Body = sluice.NewBody(bytes.ToUpper(payload.RawBody.Data))
	return &sluice.TriggerResult{
		Payload:  payload,
		Response: &sluice.HTTPResponse{StatusCode: 202, ContentType: "text/plain", Body: "thanks"},
	}, nil
}

func TestOnTrigger(t *testing.T) {
	t.Parallel()
	run(t, sluice.Flow{
		Name: "Shout", StableKey: "shout", OnTrigger: shoutOnTrigger,
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: run.Payload.Body.Data()}, nil
		},
	}, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Shout", `"hello"`).RequireStatus(403)
		response := h.Post("Shout", `"hello"`, "X-Shop", "acme").RequireStatus(202)
		require.Equal(t, "thanks", response.Text)
		h.Drain()
		response.Execution().RequireSucceeded()
	})
}

// Seed 001's code steps, as flows whose callers wait.
var (
	note = sluice.Flow{
		Name: "Note", StableKey: "note", IsSynchronous: true,
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{
				Data:        "<note><body>Don't forget me this weekend!</body></note>",
				ContentType: "application/xml",
			}, nil
		},
	}
	refuse = sluice.Flow{
		Name: "Refuse", StableKey: "refuse", IsSynchronous: true,
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{StatusCode: 415}, nil
		},
	}
	redirect = sluice.Flow{
		Name: "Redirect", StableKey: "redirect", IsSynchronous: true,
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{
				Data:       "Redirecting you...",
				StatusCode: 303,
				Headers:    map[string]string{"Location": "https://example.com/done"},
			}, nil
		},
	}
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	answers := &sluice.Integration{Name: "Answers", Flows: []sluice.Flow{note, refuse, redirect}}
	sluicetest.Run(t, answers, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Post("Note", `{}`).RequireStatus(200)
		require.Equal(t, "application/xml", response.Header.Get("Content-Type"))
		require.Equal(t, "<note><body>Don't forget me this weekend!</body></note>", response.Text)
		h.Post("Refuse", `{}`).RequireStatus(415)
		response = h.Post("Redirect", `{}`).RequireStatus(303)
		require.Equal(t, "https://example.com/done", response.Header.Get("Location"))
	})
}

var signed = sluice.Flow{
	Name: "Signed", StableKey: "signed",
	Trigger: sluice.HMACTrigger{
		Signature: sluice.HMAC("my-hmac-header", sluice.HMACSHA256),
		Secrets:   []string{"AC49CB66-511F-4085-9119-360B1B142F4B"},
	},
	OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
}

func TestSeedSignature(t *testing.T) {
	t.Parallel()
	run(t, signed, func(t *testing.T, h *sluicetest.Harness) {
		body := `{"item":"widget","quantity":5,"customer":"abc-123"}`
		h.Post("Signed", body, "my-hmac-header", "dc838d5b2ee53f55b5bcd77271505f52cd4c6c5123a867d9088fb70ac580f5bf").RequireStatus(200)
		h.Post("Signed", body, "my-hmac-header", "dc83").RequireStatus(401)
		h.Drain()
	})
}
