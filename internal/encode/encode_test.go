package encode_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/internal/encode"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	data, err := encode.JSON(map[string]string{"a": "<b> & \n"})
	require.NoError(t, err)
	require.Equal(t, `{"a":"<b> & \n"}`, string(data))
	_, err = encode.JSON(func() {})
	require.Error(t, err)
}
