package main

import (
	"fmt"
	"strings"
)

// headerKinds attack the header section.
var headerKinds = []kind{
	{name: "many headers", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async, "{}", strings.TrimSuffix(strings.Repeat("X-"+m.text(5)+": v\r\n", 2000), "\r\n"))}
	}},
	{name: "too much in headers", make: func(m *maker) attempt {
		flood := oneOf(m, "X-Huge: "+strings.Repeat("x", 2<<20), strings.TrimSuffix(strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 2000), "\r\n"))
		return attempt{want: []int{431}, wire: m.post(m.Async, "{}", flood)}
	}},
	{name: "one huge header", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async, "{}", "X-Huge: "+strings.Repeat("x", 500_000))}
	}},
	{name: "malformed header", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: m.post(m.Async, "{}", oneOf(m, "no colon", ": no name", "X\x00Y: v", "X Y: v", "X-Ä: v", "X(: v", "X\x7f: v"))}
	}},
	{name: "control characters in a header", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: m.post(m.Async, "{}", "X-Log: "+oneOf(m, "a\x00b", "a\x1b[31mred", "a\x08", "\x7f", "a\x0bb"))}
	}},
	{name: "bad UTF-8 in headers", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Sync, "{}", "X-Raw: "+oneOf(m, "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "é\xe9"))}
	}},
	{name: "folded header", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, wire: m.post(m.Async, "{}", "X-Folded: a\r\n b\r\n\tc")}
	}},
	{name: "bare line feeds", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, wire: []byte("POST " + m.Async + " HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}")}
	}},
	{name: "Host missing, doubled or malformed", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte("POST " + m.Async + " HTTP/1.1\r\n" +
			oneOf(m, "", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: evil.test/x\x00\r\n", "Host: <script>\r\n", "Host: 127.0.0.1@evil.test\r\n") + "Content-Length: 0\r\n\r\n")}
	}},
	{name: "poisoned Host", make: func(m *maker) attempt {
		host := oneOf(m, "evil.test", "evil.test:80", "169.254.169.254", "[::1]")
		return attempt{want: []int{2}, wire: []byte("POST " + m.Sync + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n"), check: ownURLs(m)}
	}},
	{name: "forwarded headers", make: func(m *maker) attempt {
		name := oneOf(m, "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Server", "X-Host")
		return attempt{want: []int{2}, request: m.request(m.Sync, "{}", name, "evil.test", "Forwarded", "host=evil.test;proto=gopher"), check: ownURLs(m)}
	}},
	{name: "method override", make: func(m *maker) attempt {
		name := oneOf(m, "X-Http-Method-Override", "X-Http-Method", "X-Method-Override")
		return attempt{want: []int{2}, request: m.request(m.Sync, "{}", name, oneOf(m, "TRACE", "CONNECT", "DELETE"))}
	}},
	{name: "lineage headers", make: func(m *maker) attempt {
		name := oneOf(m, "prismatic-executionid", "prismatic-invoked-by", "prismatic-invoke-type", "prismatic-simulated-retry", "PRISMATIC-EXECUTIONID", "Prismatic-Simulated-")
		return attempt{want: []int{2}, request: m.request(m.Sync, "{}", name, "forged"), check: func(a answer) error {
			if strings.Contains(a.body, "forged") || strings.Contains(a.header.Get("prismatic-executionid"), "forged") {
				return fmt.Errorf("%s went through", name)
			}
			return nil
		}}
	}},
	{name: "odd values of our headers", make: func(m *maker) attempt {
		value := oneOf(m, "maybe", "", "TRUE ", "1", strings.Repeat("true", 1000), "null")
		return attempt{want: []int{2}, request: m.request(oneOf(m, m.Sync, m.Async), "{}", oneOf(m, "Prismatic-Synchronous", "Prismatic-Debug"), value)}
	}},
	{name: "redirects asked for", make: func(m *maker) attempt {
		return attempt{want: []int{303}, request: m.request(m.Sync, "{}", "Prismatic-Prefer-Direct-Sync-Response", "false", "Host", "evil.test"), check: func(a answer) error {
			if to := a.header.Get("Location"); !strings.HasPrefix(to, "../trigger/result/") {
				return fmt.Errorf("Location: %s", to)
			}
			return nil
		}}
	}},
	{name: "odd Content-Type", make: func(m *maker) attempt {
		value := oneOf(m, "", "/", "text", "application/json; charset=utf-16", "application/json;;;", strings.Repeat("a/", 5000), "APPLICATION/JSON", "application/json; charset=\"", "\xff/\xfe",
			"multipart/mixed; boundary=b; boundary=c")
		return attempt{want: []int{2, 400}, wire: m.post(m.Async, `{"a":1}`, "Content-Type: "+value)}
	}},
	{name: "unknown Content-Encoding", make: func(m *maker) attempt {
		return attempt{want: []int{415}, request: m.request(m.Async, "{}", "Content-Encoding", oneOf(m, "br", "zstd", "compress", "gzip, br", "gzip,gzip,gzip", "\xff", "*"))}
	}},
	{name: "conditions and ranges", make: func(m *maker) attempt {
		return attempt{want: []int{2}, request: m.request(m.Sync, "{}", "Range", "bytes=0-1,0-2,-1", "If-None-Match", "*", "If-Modified-Since", "x", "Accept", "image/png")}
	}},
}

// pathKinds attack the path and the query.
var pathKinds = []kind{
	{name: "path traversal", make: func(m *maker) attempt {
		fragment := oneOf(m, "../../../../etc/passwd", "%2e%2e/%2E%2E/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "%c0%ae%c0%ae/etc/passwd", `..\..\etc\passwd`,
			"..%5c..%5cetc/passwd", "....//....//etc/passwd", ";/../etc/passwd", "%252e%252e/etc/passwd")
		return attempt{want: []int{2}, wire: m.post(m.Sync+"/"+fragment, "{}"), check: ownURLs(m)}
	}},
	{name: "path that names no endpoint", make: func(m *maker) attempt {
		_, id, _ := strings.Cut(m.Async[1:], "/")
		path := oneOf(m, "/", "//trigger/"+id, "/trigger//"+id, "/x/../trigger/"+id, "/trigger%2F"+id, "/trigger/./"+id, "/TRIGGER/"+id, "/trigger", "/trigger/", "/trigger/"+id+"%2Fx",
			"/trigger/"+id+"%00", "/trigger/%20"+id, "/trigger/"+id+";a=b", `/trigger\`+id, "/trigger/"+id+"%20", "/api/v1/executions", "/debug/pprof/", "//evil.test/"+id)
		return attempt{want: []int{404}, wire: m.post(path, "{}")}
	}},
	{name: "malformed escapes", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: m.post(m.Async+"/"+oneOf(m, "%", "%z", "%zz", "%2", "%u0041", "%%"), "{}")}
	}},
	{name: "escaped control characters", make: func(m *maker) attempt {
		fragment := oneOf(m, "%00", "%0d%0aX-Evil:%20yes", "%1b[31m", "%ff%fe", "%E2%80%AE", "%0A%0D")
		return attempt{want: []int{2}, wire: m.post(m.Sync+"/"+fragment, "{}"), check: bodyContains(fragment)}
	}},
	{name: "slashes in the fragment", make: func(m *maker) attempt {
		fragment := oneOf(m, "a%2Fb/c", "//evil.test/x", "a//b", "./a/.", "a/../b", "a/")
		return attempt{want: []int{2}, wire: m.post(m.Sync+"/"+fragment, "{}"), check: bodyContains(`"pathFragment":"` + fragment + `"`)}
	}},
	{name: "bad UTF-8 in the path", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, wire: m.post(m.Sync+"/"+oneOf(m, "\xff", "\xc0\xaf", "\xed\xa0\x80"), "{}")}
	}},
	{name: "long path", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async+"/"+oneOf(m, strings.Repeat("a", 100_000), strings.Repeat("a/", 50_000), strings.Repeat("../", 30_000)), "{}")}
	}},
	{name: "longer path", make: func(m *maker) attempt {
		return attempt{want: []int{431}, wire: m.post(m.Async+"/"+strings.Repeat("a", 2<<20), "{}")}
	}},
	{name: "unknown endpoint", make: func(m *maker) attempt {
		last := m.Async[len(m.Async)-1:]
		path := oneOf(m, m.Unknown, m.Async[:len(m.Async)-1], m.Async+"A", strings.TrimSuffix(m.Async, last)+"_", strings.ToUpper(m.Async), strings.Repeat("/trigger", 3))
		return attempt{want: []int{404}, request: m.request(path, "{}")}
	}},
	{name: "guessed result", make: func(m *maker) attempt {
		return attempt{want: []int{404}, wire: []byte(m.head("GET", "/trigger/result/"+oneOf(m, "", "x", m.text(22), m.text(43), "../"+m.text(22), "%00", strings.Repeat("a", 10_000))))}
	}},
	{name: "result with another method", make: func(m *maker) attempt {
		return attempt{want: []int{405}, request: m.request("/trigger/result/"+m.text(22), "{}"), check: hasAllow}
	}},
	{name: "repeated query", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Sync+"?a=1&a=2&A=3&a=4", "{}"), check: bodyContains(`"queryParameters":{"A":"3","a":"1"}`)}
	}},
	{name: "malformed query", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Sync+"?"+oneOf(m, "%zz", "a=%", "a=1;b=2", "&&&&", "=", "==", "?", "a=\xff", "a[]=1&a[b]=2", "__proto__=1"), "{}")}
	}},
	{name: "query bomb", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async+"?"+oneOf(m, strings.Repeat("a&", 50_000), strings.Repeat("a=b&", 50_000), "a="+strings.Repeat("%41", 50_000)), "{}")}
	}},
}
