package embedding

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// start opens the runtime of your integrations.
func start(ctx context.Context, logger *slog.Logger, database string, integrations ...*sluice.Integration) (*runtime.Runtime, error) {
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: integrations,
		BaseURL:      "https://example.com/hooks", // As the outside sees it, with the prefix.
		Database:     database,
		Logger:       logger,
	})
	if err != nil {
		return nil, err
	}
	if err := rt.Start(ctx); err != nil {
		return nil, errors.Join(err, rt.Stop(ctx))
	}
	return rt, nil
}

// serve runs your service until ctx ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, rt *runtime.Runtime) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      time.Minute, // Longer than Options.SyncTimeout, or synchronous callers are cut off.
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	// First no more requests, then executions come to their end.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}
