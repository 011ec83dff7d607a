package main

import (
	"fmt"
	"strings"
)

// lineKinds attack the request line and the way a connection is used.
var lineKinds = []kind{
	{name: "malformed request line", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte(oneOf(m,
			"GARBAGE\r\n\r\n", "POST "+m.Async+"\r\n\r\n", "POST "+m.Async+" HTTP/1.1 more\r\nHost: h\r\n\r\n", "P(ST "+m.Async+" HTTP/1.1\r\nHost: h\r\n\r\n",
			" POST "+m.Async+" HTTP/1.1\r\nHost: h\r\n\r\n", "POST "+m.Async+" HTTP/x.y\r\nHost: h\r\n\r\n", "\r\n\r\n", "POST\t"+m.Async+"\tHTTP/1.1\r\nHost: h\r\n\r\n",
		))}
	}},
	{name: "bytes that are no HTTP", make: func(m *maker) attempt {
		noise := make([]byte, 64)
		for i := range noise {
			noise[i] = byte(m.Uint32())
		}
		return attempt{want: []int{0, 400}, wire: append(oneOf(m, noise, []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), []byte("\x00\x00\x00")), "\r\n\r\n"...)}
	}},
	{name: "HTTP version", make: func(m *maker) attempt {
		version := oneOf(m, "HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9")
		return attempt{want: []int{400, 505}, wire: []byte("POST " + m.Async + " " + version + "\r\nHost: h\r\n\r\n")}
	}},
	{name: "HTTP/1.0", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: []byte("POST " + m.Async + " HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")}
	}},
	{name: "preface of HTTP/2", make: func(*maker) attempt {
		return attempt{want: []int{0, 4, 505}, wire: []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}
	}},
	{name: "NUL in the request line", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async+oneOf(m, "\x00", "/a\x00b", "\x00/x", "?a=\x00"), "Content-Length: 0"))}
	}},
	{name: "control characters in the path", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async+"/"+oneOf(m, "\x01", "\x7f", "\x1b[31m", "\r"), "Content-Length: 0"))}
	}},
	{name: "unknown method", make: func(m *maker) attempt {
		return attempt{want: []int{405}, wire: []byte(m.head(oneOf(m, "post", "PROPFIND", "DEBUG", "TRACK", "PURGE", "X"), m.Async)), check: hasAllow}
	}},
	{name: "OPTIONS and TRACE", make: func(m *maker) attempt {
		return attempt{want: []int{405}, wire: []byte(m.head(oneOf(m, "OPTIONS", "TRACE"), m.Sync, "Cookie: secret")), check: hasAllow}
	}},
	{name: "CONNECT", make: func(m *maker) attempt {
		return attempt{want: []int{4}, wire: []byte("CONNECT " + oneOf(m, "evil.test:443", m.Async) + " HTTP/1.1\r\nHost: evil.test\r\n\r\n")}
	}},
	{name: "HEAD", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: []byte(m.head("HEAD", m.Sync))}
	}},
	{name: "absolute form", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post("http://evil.test"+m.Sync, "{}"), check: ownURLs(m)}
	}},
	{name: "pipelining", make: func(m *maker) attempt {
		count := 2 + m.IntN(20)
		return attempt{want: []int{2}, answers: count, wire: []byte(strings.Repeat(string(m.post(m.Async, "{}")), count))}
	}},
	{name: "pipelining after a refusal", make: func(m *maker) attempt {
		return attempt{want: []int{401}, wire: append(m.post(m.Keyed[0].Path, "{}"), m.post(m.Async, "{}")...)}
	}},
	{name: "head that does not come", slow: true, make: func(m *maker) attempt {
		head := m.head("POST", m.Async, "Content-Length: 2")
		return attempt{want: []int{0, 400, 408}, wire: []byte(head[:1+m.IntN(len(head)-1)])}
	}},
	{name: "hanging up in the head", make: func(m *maker) attempt {
		head := m.head("POST", m.Async, "Content-Length: 2")
		return attempt{hangUp: true, wire: []byte(head[:m.IntN(len(head))])}
	}},
	{name: "hanging up before the answer", make: func(m *maker) attempt {
		return attempt{hangUp: true, wire: m.post(oneOf(m, m.Sync, m.Async, m.HeaderFlow), `{"name":"a","value":"b"}`)}
	}},
}

// framingKinds attack the length of a message.
var framingKinds = []kind{
	{name: "Content-Length and Transfer-Encoding", make: func(m *maker) attempt {
		// The body is what the chunks hold; what a proxy might take for the next request is not run.
		body := "4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n"
		wire := m.head("POST", m.Sync, "Content-Length: "+oneOf(m, "0", "3", "4000"), "Transfer-Encoding: chunked") + body
		return attempt{want: []int{2}, wire: []byte(wire), check: bodyIs(`{"a":1}`)}
	}},
	{name: "two lengths", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async, "Content-Length: 2", "Content-Length: "+oneOf(m, "3", "0", "-2")) + "{}")}
	}},
	{name: "malformed length", make: func(m *maker) attempt {
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async,
			"Content-Length: "+oneOf(m, "-1", "+2", "2, 3", "0x2", "2 2", "99999999999999999999", "two", "2.0")) + "{}")}
	}},
	{name: "unknown Transfer-Encoding", make: func(m *maker) attempt {
		return attempt{want: []int{400, 501}, wire: []byte(m.head("POST", m.Async,
			"Transfer-Encoding: "+oneOf(m, "xchunked", "chunked, identity", "gzip, chunked", "\x0bchunked", "identity", "chunked\r\nTransfer-Encoding: chunked")) + "0\r\n\r\n")}
	}},
	{name: "blanks before the colon", make: func(m *maker) attempt {
		name := oneOf(m, "Content-Length", "Transfer-Encoding", "Api-Key", "Host")
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async, name+oneOf(m, " : 2", "\t: chunked")) + "{}")}
	}},
	{name: "malformed chunks", make: func(m *maker) attempt {
		body := oneOf(m, "x\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "0x2\r\n{}\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\n{}", "2\r\n{}xx0\r\n\r\n",
			strings.Repeat("0", 5000)+"2\r\n{}\r\n0\r\n\r\n", "\r\n{}\r\n0\r\n\r\n", "2;"+strings.Repeat("a", 10_000)+"\r\n{}\r\n0\r\n\r\n")
		return attempt{want: []int{400}, wire: []byte(m.head("POST", m.Async, "Transfer-Encoding: chunked") + body)}
	}},
	{name: "a thousand chunks of a byte", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, wire: []byte(m.head("POST", m.Async, "Transfer-Encoding: chunked", "Content-Type: text/plain") +
			strings.Repeat("1"+oneOf(m, "", ";x=y", ";"+m.text(20))+"\r\nx\r\n", 1000) + "0\r\n\r\n")}
	}},
	{name: "trailers", make: func(m *maker) attempt {
		key := "Api-Key: " + m.Keyed[0].Key
		return attempt{want: []int{401}, wire: []byte(m.head("POST", m.Keyed[0].Path, "Transfer-Encoding: chunked", "Trailer: Api-Key") + "2\r\n{}\r\n0\r\n" + key + "\r\n\r\n")}
	}},
	{name: "chunks without end", make: func(m *maker) attempt {
		return attempt{hangUp: true, wire: []byte(m.head("POST", m.Async, "Transfer-Encoding: chunked") + oneOf(m, "2\r\n{", "2\r\n{}\r\n", "FFFFFF\r\n{", "2\r\n{}\r\n0\r\n"))}
	}},
	{name: "body shorter than its length", make: func(m *maker) attempt {
		return attempt{hangUp: true, wire: []byte(m.head("POST", oneOf(m, m.Async, m.Sync, m.HMAC.Path, m.Shared.Path),
			fmt.Sprintf("Content-Length: %d", 3+m.IntN(hostileMaxBody-3))) + "{}")}
	}},
	{name: "body longer than its length", make: func(m *maker) attempt {
		return attempt{want: []int{2, 400}, answers: 2, wire: []byte(m.head("POST", m.Async, "Content-Length: 2") + "{}GARBAGE\r\n\r\n")}
	}},
	{name: "body that looks like a request", make: func(m *maker) attempt {
		inner := string(m.post(m.Unknown, "x"))
		return attempt{want: []int{2}, wire: m.post(m.Sync, inner, "Content-Type: text/plain", "Connection: close"), check: func(a answer) error {
			return bodyContains("POST " + m.Unknown)(a)
		}}
	}},
	{name: "unread body of a refused request", slow: true, make: func(m *maker) attempt {
		return attempt{want: []int{404}, wire: []byte(m.head("POST", m.Unknown, "Content-Length: 1000") + "{}")}
	}},
	{name: "unsent body without a key", make: func(m *maker) attempt {
		return attempt{want: []int{401}, wire: []byte(m.head("POST", m.Keyed[1].Path, fmt.Sprintf("Content-Length: %d", m.MaxBody)))}
	}},
	{name: "Expect", make: func(m *maker) attempt {
		expect, want := "100-continue", 401
		if m.IntN(2) == 0 {
			expect, want = "200-maybe", 417
		}
		return attempt{want: []int{want}, wire: []byte(m.head("POST", m.Keyed[0].Path, "Expect: "+expect, "Content-Length: 100"))}
	}},
	{name: "upgrade", make: func(m *maker) attempt {
		return attempt{want: []int{2}, wire: m.post(m.Async, "{}", "Connection: Upgrade, HTTP2-Settings", "Upgrade: "+oneOf(m, "h2c", "websocket", "TLS/1.0"), "HTTP2-Settings: AAMAAABkAAQAAP__")}
	}},
}
