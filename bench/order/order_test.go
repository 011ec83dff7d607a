package order_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/bench/order"
)

func TestDocumentIsAlwaysTheSameJSONOf1024Bytes(t *testing.T) {
	t.Parallel()
	document := order.Document()

	require.Len(t, document, 1024)
	require.True(t, json.Valid(document))
	require.Equal(t, document, order.Document())
}
