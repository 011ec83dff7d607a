package embedding

import (
	"log/slog"
	"net/http"
)

// onNetHTTP is a service on net/http alone.
func onNetHTTP(logger *slog.Logger, hooks http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.Handle("/hooks/", http.StripPrefix("/hooks", hooks))
	return logged(logger, mux)
}

func healthy(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// logged is middleware of your own.
func logged(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logger.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path)
		next.ServeHTTP(w, r)
	})
}
