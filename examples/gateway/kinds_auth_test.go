package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// keyKinds attack endpoints with API keys.
var keyKinds = []kind{
	{name: "no key", make: func(m *maker) attempt {
		return attempt{want: []int{401}, request: m.request(m.Keyed[m.IntN(2)].Path, "{}"), check: unauthorized}
	}},
	{name: "wrong key", make: func(m *maker) attempt {
		key := m.Keyed[0].Key
		wrong := oneOf(m, key[:len(key)-1], key+"0", key[1:], strings.ToUpper(key), "", "*", key+","+key, `"`+key+`"`, "Bearer "+key, "null", strings.Repeat("a", 100_000), "\xff")
		return attempt{want: []int{401}, request: m.request(m.Keyed[0].Path, "{}", "Api-Key", wrong), check: unauthorized}
	}},
	{name: "key of the other flow", make: func(m *maker) attempt {
		n := m.IntN(2)
		return attempt{want: []int{401}, request: m.request(m.Keyed[n].Path, "{}", "Api-Key", m.Keyed[1-n].Key), check: unauthorized}
	}},
	{name: "doubled key", make: func(m *maker) attempt {
		key := m.Keyed[0].Key
		values := oneOf(m, [2]string{"wrong", key}, [2]string{key, "wrong"}, [2]string{key, key}, [2]string{"", key})
		return attempt{want: []int{401}, wire: m.post(m.Keyed[0].Path, "{}", "Api-Key: "+values[0], oneOf(m, "Api-Key: ", "api-key: ", "API-KEY: ")+values[1]), check: unauthorized}
	}},
	{name: "key at another place", make: func(m *maker) attempt {
		key, path := m.Keyed[0].Key, m.Keyed[0].Path
		return attempt{want: []int{401}, check: unauthorized, request: oneOf(m,
			m.request(path+"?api-key="+key+"&Api-Key="+key, "{}"), m.request(path, `{"api-key":"`+key+`"}`), m.request(path, "{}", "Authorization", "Bearer "+key),
			m.request(path, "{}", "X-Api-Key", key), m.request(path, "{}", "Api_Key", key), m.request(path, "{}", "Cookie", "Api-Key="+key), m.request(path+"/"+key, "{}"))}
	}},
	{name: "right key, name in another case", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Keyed[0].Path, "{}", oneOf(m, "API-KEY", "api-key", "aPi-KeY")+": "+m.Keyed[0].Key+oneOf(m, "", " ", "\t "))}
	}},
	{name: "key before anything of the body", make: func(m *maker) attempt {
		return attempt{want: []int{401}, wire: m.post(m.Keyed[0].Path, oneOf(m, "{", bomb()), oneOf(m, "Content-Encoding: gzip", "Content-Encoding: br"))}
	}},
}

// signatureKinds attack the signed endpoint.
var signatureKinds = []kind{
	{name: "no signature", make: func(m *maker) attempt {
		return attempt{want: []int{401}, request: m.request(m.HMAC.Path, "{}")}
	}},
	{name: "wrong signature", make: func(m *maker) attempt {
		right := hexMAC(m.HMAC.Secret, "{}")
		wrong := oneOf(m, right[:63], right+"0", right[1:], "", "0", strings.Repeat("0", 64), hexMAC("", "{}"), hexMAC("secret", "{}"), right+","+right, "\xff", strings.Repeat("0", 100_000),
			base64.StdEncoding.EncodeToString([]byte(right)), hex.EncodeToString([]byte(right)))
		return attempt{want: []int{401}, request: m.request(m.HMAC.Path, "{}", "X-Hmac-Sha256", wrong)}
	}},
	{name: "signature over other bytes", make: func(m *maker) attempt {
		const body = `{"a":1}`
		signed := oneOf(m, "", "{}", `{"a": 1}`, body+"\n", " "+body, body[:6], strings.ToUpper(body))
		return attempt{want: []int{401}, request: m.request(m.HMAC.Path, body, "X-Hmac-Sha256", hexMAC(m.HMAC.Secret, signed))}
	}},
	{name: "doubled signature", make: func(m *maker) attempt {
		right := hexMAC(m.HMAC.Secret, "{}")
		values := oneOf(m, [2]string{"wrong", right}, [2]string{right, "wrong"}, [2]string{right, right})
		return attempt{want: []int{401}, request: m.request(m.HMAC.Path, "{}", "X-Hmac-Sha256", values[0], "X-Hmac-Sha256", values[1])}
	}},
	{name: "signature over the inflated body", make: func(m *maker) attempt {
		return attempt{want: []int{401}, wire: m.post(m.HMAC.Path, zip("{}"), "Content-Encoding: gzip", "X-Hmac-Sha256: "+hexMAC(m.HMAC.Secret, "{}"))}
	}},
	{name: "signature over the wire's bytes", make: func(m *maker) attempt {
		body := zip("{}")
		return attempt{want: []int{2}, wire: m.post(m.HMAC.Path, body, "Content-Encoding: gzip", oneOf(m, "X-HMAC-SHA256: ", "x-hmac-sha256: ")+hexMAC(m.HMAC.Secret, body))}
	}},
	{name: "signed body that is malformed", make: func(m *maker) attempt {
		return attempt{want: []int{400, 401}, request: m.request(m.HMAC.Path, "{", "X-Hmac-Sha256", hexMAC(m.HMAC.Secret, "{"))}
	}},
}

// sharedKinds attack the endpoint of all customers, and the answers that flows give.
var sharedKinds = []kind{
	{name: "odd customer", make: func(m *maker) attempt {
		customer := oneOf(m, `null`, `""`, `" "`, `"cust_1 "`, `" cust_1"`, `"CUST_1"`, `"cust_1\u0000"`, `"cust_%31"`, `"*"`, `"%"`, `"cust_"`, `"cust_1' OR 1=1 --"`, `"../cust_1"`, `"cust\u005f3"`,
			`["cust_1"]`, `{"$ne":""}`, `1`, `true`, `1e400`, `[]`, `"ｃust_1"`, `"`+strings.Repeat("a", 100_000)+`"`)
		return attempt{want: []int{4}, wire: m.post(m.Shared.Path, m.shared(customer, `"invoice.paid"`))}
	}},
	{name: "no customer", make: func(m *maker) attempt {
		return attempt{want: []int{4}, request: m.request(m.Shared.Path, oneOf(m, `{"eventType":"invoice.paid"}`, `[]`, `1`, ``, `null`, `[{"orgId":"cust_1","eventType":"invoice.paid"}]`))}
	}},
	{name: "odd flow", make: func(m *maker) attempt {
		flow := oneOf(m, `"invoice-paid"`, `"INVOICE.PAID"`, `"invoice.paid "`, `""`, `null`, `"Sync"`, `"invoice"`, `["invoice.paid"]`, `{}`, `1`, `"invoice.*"`)
		return attempt{want: []int{400, 404}, request: m.request(m.Shared.Path, m.shared(`"cust_1"`, flow))}
	}},
	{name: "flow that routes", make: func(m *maker) attempt {
		return attempt{want: []int{404}, request: m.request(m.Shared.Path, m.shared(`"cust_1"`, `"`+m.PreprocessFlow+`"`))}
	}},
	{name: "field name in another case", make: func(m *maker) attempt {
		name := oneOf(m, "EVENTTYPE", "eventtype", "EventType", "eventType ", "event_type")
		return attempt{want: []int{404}, request: m.request(m.Shared.Path, `{"orgId":"cust_1","`+name+`":"invoice.paid"}`)}
	}},
	{name: "customer with a key of another's", make: func(m *maker) attempt {
		key := oneOf(m, m.Keyed[0].Key, m.Keyed[1].Key, "x", "")
		return attempt{want: []int{401}, request: m.request(m.Shared.Path, m.shared(`"cust_2"`, oneOf(m, `"invoice.paid"`, `"invoice.overdue"`)), "Api-Key", key), check: unauthorized}
	}},
	{name: "unknown customer looks like a known one", make: func(m *maker) attempt {
		return attempt{want: []int{401}, request: m.request(m.Shared.Path, m.shared(oneOf(m, `"cust_2"`, `"cust_3"`), `"invoice.paid"`)), check: unauthorized}
	}},
	{name: "two customers", make: func(m *maker) attempt {
		// The last member counts, and its key is missing.
		return attempt{want: []int{401}, request: m.request(m.Shared.Path, `{"orgId":"cust_1","eventType":"invoice.paid","orgId":"cust_2"}`), check: unauthorized}
	}},
	{name: "malformed body on the shared endpoint", make: func(m *maker) attempt {
		return attempt{want: []int{400}, request: m.request(m.Shared.Path, oneOf(m, "{", strings.Repeat("[", 5000), `{"orgId":"cust_1"`))}
	}},
	{name: "split response", make: func(m *maker) attempt {
		value := oneOf(m, "a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n", "a\x00b", "a\x7f", "\x1b[31m", "a\x0b")
		return attempt{want: []int{400}, request: m.request(m.HeaderFlow, headerBody("X-Header", value))}
	}},
	{name: "name that is no header", make: func(m *maker) attempt {
		name := oneOf(m, "", "a b", "a:b", "X-Evil: 1\r\nX", "a\x00", "ä", "(", "a\n", strings.Repeat(" ", 100))
		return attempt{want: []int{400}, request: m.request(m.HeaderFlow, headerBody(name, "v"))}
	}},
	{name: "header that is not the flow's", make: func(m *maker) attempt {
		name := oneOf(m, "Content-Length", "Transfer-Encoding", "connection", "UPGRADE", "Trailer", "Keep-Alive", "Prismatic-Executionid", "TE", "Proxy-Connection")
		return attempt{want: []int{400}, request: m.request(m.HeaderFlow, headerBody(name, oneOf(m, "0", "chunked", "close", "5")))}
	}},
	{name: "header that is the flow's", make: func(m *maker) attempt {
		return attempt{want: []int{2}, request: m.request(m.HeaderFlow, headerBody(oneOf(m, "Location", "Set-Cookie", "X-Header", "x-é"[:2]+"a"), oneOf(m, "//evil.test", "é", "", "a, b", strings.Repeat("a", 10_000))))}
	}},
}

// shared is a body for the shared endpoint, of JSON texts.
func (m *maker) shared(customer, flow string) string {
	return `{"` + m.Shared.CustomerField + `":` + customer + `,"` + m.Shared.FlowField + `":` + flow + `}`
}

func headerBody(name, value string) string {
	body, _ := json.Marshal(Header{Name: name, Value: value})
	return string(body)
}
