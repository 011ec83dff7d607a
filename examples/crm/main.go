// Crm copies contacts from a CRM to a data warehouse. It shows
//
//   - a flow that polls: with a cursor, page by page, and without an execution where nothing
//     has changed;
//   - a first copy of all that is there, when an instance is deployed;
//   - OAuth 2.0 with a client's credentials: tokens are used until they expire, or are
//     revoked, and then replaced;
//   - a loop in which each contact is a step, so that a retry copies only what is missing;
//   - a service that is busy and says when to come again.
//
// The CRM and the warehouse are fakes in the same process, below /crm and /warehouse: nothing
// leaves your machine. They forget everything when the program ends, so the runtime's database
// is in memory as well.
//
//	$ go run ./examples/crm
//
// What the CRM had at the deployment has been copied:
//
//	$ curl -s http://127.0.0.1:8080/warehouse/contacts
//	C-1 Ann
//	C-2 Bob
//	C-3 Cleo
//
// Bob takes another name in the CRM. The flow would find that out within a minute; call its
// webhook, to which /sync redirects, and it polls at once:
//
//	$ curl -s -X PUT -d name=Robert http://127.0.0.1:8080/crm/contacts/C-2
//	$ curl -s -L -X POST http://127.0.0.1:8080/sync
//	{"executionId":"…"}
//	$ curl -s http://127.0.0.1:8080/warehouse/contacts
//	C-1 Ann
//	C-2 Robert
//	C-3 Cleo
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integration, and the fakes, until ctx ends.
func serve(ctx context.Context, addr string, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{crmSync()},
		Database:     ":memory:",
		BaseURL:      base,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	from, to := newCRM("Ann", "Bob", "Cleo"), newWarehouse()
	mux := http.NewServeMux()
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/crm/", http.StripPrefix("/crm", from.handler()))
	mux.Handle("/warehouse/", http.StripPrefix("/warehouse", to.handler()))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	// The first copy begins with the deployment: the fakes must be there by then.
	instance, err := rt.Deploy(ctx, runtime.Deployment{Config: configuration(from, to, base+"/crm", base+"/warehouse")})
	if err == nil {
		mux.Handle("POST /sync", http.RedirectHandler(instance.WebhookURLs["Contacts"], http.StatusTemporaryRedirect))
		fmt.Fprintf(out, "The CRM is at %s/crm, the warehouse at %s/warehouse. See main.go for what to try.\n", base, base)
		select {
		case err = <-served:
		case <-ctx.Done():
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// configuration is what a customer fills in, whose accounts are at the URLs.
func configuration(from *crm, to *warehouse, crmURL, warehouseURL string) map[string]any {
	return map[string]any{
		crmAccount.Key: sluice.Connection{Fields: map[string]any{
			"apiUrl": crmURL + "/api", "tokenUrl": crmURL + "/oauth/token",
			"clientId": from.clientID, "clientSecret": from.clientSecret,
		}},
		warehouseAccount.Key: sluice.Connection{Fields: map[string]any{"url": warehouseURL + "/api", "apiKey": to.apiKey}},
	}
}
