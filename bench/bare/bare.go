// Package bare is the yardstick of the benchmark: what an HTTP handler costs that decodes and encodes the same JSON and
// does nothing else.
package bare

import (
	"encoding/json"
	"io"
	"net/http"
)

// Handler answers a request with its own JSON body, read whole, decoded into a generic value and encoded again. A body
// that is not JSON is answered with 400.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var document any
		if err := json.Unmarshal(body, &document); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := json.Marshal(document)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) // The client is gone; nobody is left to tell.
	})
}
