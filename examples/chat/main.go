// Chat serves a help desk in a chat: a bot that hears what people say in a channel, and
// answers. It shows
//
//   - a webhook in XML, signed as Slack signs, with a secret of each customer's own;
//   - a trigger that reads the XML, answers the chat's challenge itself and lets go what is
//     not for it;
//   - hooks that join the channel and register the webhook when an instance is deployed, and
//     undo it;
//   - a config wizard with a connection and a variable.
//
// The chat is a fake in the same process, below /chat: nothing leaves your machine. It forgets
// everything when the program ends, so the runtime's database is in memory as well.
//
//	$ go run ./examples/chat
//
// The bot has joined the channel support by now. Ann asks something there, and reads on; what
// the webhook answered is what the chat got for her question:
//
//	$ curl -s -d user=ann -d 'text=Where is order A-17?' http://127.0.0.1:8080/chat/channels/support
//	the webhook answered 200 {"executionId":"…"}
//	$ curl -s http://127.0.0.1:8080/chat/channels/support
//	ann: Where is order A-17?
//	help desk: @ann Order A-17 is on its way.
//
// In another channel the bot is not a member. What the chat has not signed is refused:
//
//	$ curl -s -d user=bob -d text=Lunch? http://127.0.0.1:8080/chat/channels/random
//	$ curl -s -X POST http://127.0.0.1:8080/chat/forged
//	the webhook answered 401 {"error":"…"}
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

// serve runs the integration, and the chat, until ctx ends.
func serve(ctx context.Context, addr string, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{helpDesk},
		Database:     ":memory:",
		BaseURL:      base,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	fake := newProvider(http.DefaultClient)
	mux := http.NewServeMux()
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/chat/", http.StripPrefix("/chat", fake.handler()))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	// The chat calls the webhook while it is registered: the server must be there by then.
	if _, err = rt.Deploy(ctx, runtime.Deployment{Config: configuration(fake, base+"/chat/api")}); err == nil {
		fmt.Fprintf(out, "The chat is at %s/chat. See main.go for what to try.\n", base)
		select {
		case err = <-served:
		case <-ctx.Done():
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// configuration is what a customer fills in, whose API is at the URL.
func configuration(p *provider, api string) map[string]any {
	return map[string]any{workspace.Key: sluice.Connection{Fields: map[string]any{
		"url": api, "token": p.token, "signingSecret": p.secret,
	}}}
}
