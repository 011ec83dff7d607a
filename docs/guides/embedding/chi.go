package embedding

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// onChi is a service on chi.
func onChi(logger *slog.Logger, hooks http.Handler) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.RequestID)
	router.Use(func(next http.Handler) http.Handler { return logged(logger, next) })
	router.Get("/healthz", healthy)
	router.Mount("/hooks", http.StripPrefix("/hooks", hooks))
	return router
}
