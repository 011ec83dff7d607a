package casing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/internal/casing"
)

func TestCamel(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Slack OAuth2 Connection": "slackOAuth2Connection", "HTML page": "htmlPage", "a1b2": "a1B2",
		"XMLHttpRequest": "xmlHttpRequest", "don't": "dont", "Straße Größe": "strasseGrosse",
		"foo_bar-baz.qux": "fooBarBazQux", "ÀÉÎ": "aei", "v2 API": "v2Api", "IDs": "iDs", "日本 語": "日本語",
		"__x__": "x", "12 monkeys": "12Monkeys", "PDF2HTML": "pdf2Html", "---": "",
		"1st Shop": "1stShop", "My 2ND shop": "my2ndShop", "11th hour": "11ThHour", "14th": "14th", "2ndary": "2Ndary", "a🚀Launch": "a🚀Launch",
	} {
		require.Equal(t, want, casing.Camel(text), text)
	}
}

func TestFlow(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"getHTTPData": "gethttpdata", "Get HTTP Data": "getHttpData", "  spaced  out  ": "spacedOut",
		"order.created/v2": "orderCreatedV2", "123 go": "123Go", "Über Café": "berCaf", "日本語": "",
		"Don't stop": "donTStop",
	} {
		require.Equal(t, want, casing.Flow(name), name)
	}
}

func FuzzCamel(f *testing.F) {
	f.Add("Slack OAuth2 Connection")
	f.Fuzz(func(t *testing.T, text string) {
		require.NotContains(t, casing.Camel(text), " ")
		require.NotContains(t, casing.Camel(text), "_")
	})
}
