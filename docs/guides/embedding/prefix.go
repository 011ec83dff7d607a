package embedding

import (
	"net/http"
	"strings"
)

// before passes webhooks on as they came, and all else to the mux.
func before(mux, hooks http.Handler) http.Handler {
	hooks = http.StripPrefix("/hooks", hooks)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hooks/") {
			hooks.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
