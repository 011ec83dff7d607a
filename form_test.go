package sluice

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheckFormAgreesWithParseForm(t *testing.T) {
	t.Parallel()
	agree := func(t require.TestingT, raw string) {
		_, want := parseForm(raw)
		require.Equal(t, want, checkForm([]byte(raw)), "%.40q", raw)
	}
	for _, raw := range []string{"", "a", "%", "%4", "%41", "a=%zz", "a=1;b=%3", strings.Repeat("a&", maxFormFields-1), strings.Repeat("a&", maxFormFields)} {
		agree(t, raw)
	}
	rapid.Check(t, func(t *rapid.T) {
		agree(t, rapid.StringOf(rapid.SampledFrom([]rune("a%4fG&=;+ é"))).Draw(t, "raw"))
	})
}
