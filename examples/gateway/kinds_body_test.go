package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"
)

// bodyKinds attack what reads bodies of any type.
var bodyKinds = []kind{
	{name: "body of the limit", slow: true, make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async, strings.Repeat("x", hostileMaxBody), "Content-Type: text/plain")}
	}},
	{name: "body over the limit", make: func(m *maker) attempt {
		return attempt{want: []int{413}, wire: m.post(m.Async, strings.Repeat("x", hostileMaxBody+1), "Content-Type: text/plain")}
	}},
	{name: "chunks over the limit", slow: true, make: func(m *maker) attempt {
		chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
		return attempt{want: []int{413}, wire: []byte(m.head("POST", m.Async, "Transfer-Encoding: chunked") + strings.Repeat(chunk, 4*hostileMaxBody/0x10000) + "0\r\n\r\n")}
	}},
	{name: "claimed length", slow: true, make: func(m *maker) attempt {
		return attempt{want: []int{413}, wire: []byte(m.head("POST", m.Async, "Content-Length: "+oneOf(m, "1000001", "999999999999", "9223372036854775807")) + "{}")}
	}},
	{name: "gzip bomb", make: func(m *maker) attempt {
		return attempt{want: []int{413}, wire: m.post(oneOf(m, m.Async, m.Sync), bomb(), "Content-Encoding: gzip")}
	}},
	{name: "gzip bomb in gzip", make: func(m *maker) attempt {
		return attempt{want: []int{413}, wire: m.post(m.Async, zip(bomb()), "Content-Encoding: gzip, gzip")}
	}},
	{name: "cut gzip", make: func(m *maker) attempt {
		data := zip(`{"a":"` + m.text(100) + `"}`)
		return attempt{want: []int{400}, wire: m.post(m.Async, data[:1+m.IntN(len(data)-1)], "Content-Encoding: gzip")}
	}},
	{name: "gzip that is none", make: func(m *maker) attempt {
		data := oneOf(m, "{}", zip("{}")+"x", "\x1f\x8b\x08\x00", zip("{}")[:10]+"\xff\xff\xff\xff\xff\xff\xff\xff")
		return attempt{want: []int{400}, wire: m.post(m.Async, data, "Content-Encoding: "+oneOf(m, "gzip", "x-gzip", "GZIP"))}
	}},
	{name: "multipart bomb", make: func(m *maker) attempt {
		part := "--b\r\nContent-Disposition: form-data; name=" + m.text(1) + "\r\n\r\n\r\n"
		return attempt{want: []int{400}, wire: m.post(m.Async, strings.Repeat(part, 10_000)+"--b--", "Content-Type: multipart/form-data; boundary=b")}
	}},
	{name: "multipart with a header bomb", make: func(m *maker) attempt {
		part := "--b\r\n" + strings.Repeat("X-H: v\r\n", 20_000) + "\r\nx\r\n--b--"
		return attempt{want: []int{400}, wire: m.post(m.Async, part, "Content-Type: multipart/form-data; boundary=b")}
	}},
	{name: "malformed multipart", make: func(m *maker) attempt {
		kind := oneOf(m, "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b", "multipart/form-data; boundary="+strings.Repeat("b", 100))
		return attempt{want: []int{400}, wire: m.post(m.Async, oneOf(m, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", "no boundary", "--b\r\n\x00: x\r\n\r\n--b--"), "Content-Type: "+kind)}
	}},
	{name: "multipart with file names", make: func(m *maker) attempt {
		name := oneOf(m, "../../etc/passwd", "/etc/passwd", `C:\\x`, "a\x00b", strings.Repeat("a", 10_000), "%0d%0aX-Evil: 1")
		return attempt{want: []int{2, 400}, wire: m.post(m.Sync, "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\""+name+"\"\r\n\r\nx\r\n--b--\r\n",
			"Content-Type: multipart/form-data; boundary=b")}
	}},
	{name: "form bomb", make: func(m *maker) attempt {
		body := oneOf(m, strings.Repeat("a=b&", 100_000), strings.Repeat("&", 500_000), "a="+strings.Repeat("%41", 100_000))
		return attempt{want: []int{2, 400}, wire: m.post(m.Async, body, "Content-Type: application/x-www-form-urlencoded")}
	}},
	{name: "XML with entities", make: func(m *maker) attempt {
		body := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&e;&b;</x>`
		return attempt{want: []int{2}, request: m.request(m.Sync, body, "Content-Type", oneOf(m, "application/xml", "text/xml", "image/svg+xml"))}
	}},
}

// jsonKinds attack what reads JSON.
var jsonKinds = []kind{
	{name: "deep JSON", make: func(m *maker) attempt {
		depth, open := 1001+m.IntN(100_000), oneOf(m, "[", `{"a":`)
		return attempt{want: []int{400}, wire: m.post(m.Async, oneOf(m, strings.Repeat(open, depth), strings.Repeat("[", depth)+strings.Repeat("]", depth)))}
	}},
	{name: "malformed JSON", make: func(m *maker) attempt {
		body := oneOf(m, "{", "}", `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, "[1,]", "NaN", "Infinity", "-", "01", "1.", "'a'", `{"a":1}{"b":2}`, "nul", `"\x"`, `"\ud8"`, "\"\n\"", "/**/{}", "\ufeff\ufeff{}", "\x00", "[\"a\x00\"]", "{} x")
		return attempt{want: []int{400}, request: m.request(m.Async, body), check: bodyContains("Received malformed JSON payload.")}
	}},
	{name: "exact numbers", make: func(m *maker) attempt {
		number := oneOf(m, "9007199254740993", "0.1000000000000000055", "1e400", "-0", "123456789012345678901234567890", "1E-400", "-1e+99999", "1"+strings.Repeat("0", 10_000))
		return attempt{want: []int{2}, request: m.request(m.Sync, `{"n":`+number+`}`), check: bodyIs(`{"n":` + number + `}`)}
	}},
	{name: "number bomb", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async, oneOf(m, strings.Repeat("9", 500_000), "1e"+strings.Repeat("9", 500_000), "["+strings.Repeat("1e999,", 100_000)+"0]"))}
	}},
	{name: "duplicate members", make: func(m *maker) attempt {
		return attempt{want: []int{2}, request: m.request(m.Sync, `{"a":1,"b":2,"a":3}`), check: func(a answer) error {
			if strings.Contains(a.body, `"data":{"a":1`) && !strings.Contains(a.body, `"a":3`) {
				return fmt.Errorf("the first member counts: %s", a.body)
			}
			return nil
		}}
	}},
	{name: "bomb of members", slow: true, make: func(m *maker) attempt {
		var body strings.Builder
		for i := range 50_000 {
			fmt.Fprintf(&body, `"%x":0,`, i%oneOf(m, 1, 50_000))
		}
		return attempt{want: []int{2}, wire: m.post(m.Async, "{"+body.String()+`"z":0}`)}
	}},
	{name: "bad UTF-8 in JSON", make: func(m *maker) attempt {
		return attempt{want: []int{2}, request: m.request(m.Sync, oneOf(m, "{\"a\":\"\xff\"}", "{\"\xfe\":1}", `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, "\"\xed\xa0\x80\""))}
	}},
	{name: "markup and escapes in JSON", make: func(m *maker) attempt {
		body := oneOf(m, `{"a":"<script>alert(1)</script>"}`, `{"a":"\u0000\u001b[31m"}`, `{"__proto__":{"x":1},"constructor":1}`, `{"a":"\u2028\u202e"}`, `{"$ref":"http://evil.test"}`, `{"":""}`)
		return attempt{want: []int{2}, request: m.request(m.Sync, body), check: func(a answer) error {
			if kind := a.header.Get("Content-Type"); kind != "application/json" {
				return fmt.Errorf("Content-Type: %s", kind)
			}
			return nil
		}}
	}},
	{name: "JSON that is no object", make: func(m *maker) attempt {
		return attempt{want: []int{400}, request: m.request(m.HeaderFlow, oneOf(m, "[]", "1", `"x"`, "true", `{"name":1}`, `{"name":[]}`, `{"value":{}}`))}
	}},
	{name: "blanks for a body", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, request: m.request(m.Async, oneOf(m, " ", "\n\n", "\t", strings.Repeat(" ", 100_000)))}
	}},
}

// bomb is a hundred megabytes of zeros in a hundred kilobytes.
var bomb = sync.OnceValue(func() string {
	return strings.Repeat(zip(string(make([]byte, 1<<20))), 100)
})

func zip(data string) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write([]byte(data))
	_ = writer.Close()
	return buffer.String()
}
