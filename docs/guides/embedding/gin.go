package embedding

import (
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
)

// onGin is a service on gin.
func onGin(logger *slog.Logger, hooks http.Handler) http.Handler {
	router := gin.New()
	router.Use(gin.Recovery(), func(c *gin.Context) {
		logger.InfoContext(c.Request.Context(), "request", "method", c.Request.Method, "path", c.Request.URL.Path)
	})
	router.GET("/healthz", gin.WrapF(healthy))
	router.Any("/hooks/*path", gin.WrapH(http.StripPrefix("/hooks", hooks)))
	return router
}
