// Package encode writes JSON as people read it.
package encode

import (
	"bytes"
	"encoding/json"
)

// JSON encodes a value as one line, without the escapes for HTML that json.Marshal makes.
func JSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
