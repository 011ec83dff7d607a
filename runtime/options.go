package runtime

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/internal/gateway"
	"github.com/sluice-go/sluice/internal/secret"
	"github.com/sluice-go/sluice/store"
)

// Options of a runtime. Only Integrations is required.
type Options struct {
	// BaseURL is the URL, as the outside sees it, below which Handler is mounted; webhook
	// URLs start with it. It is never taken from requests. Defaults to
	// http://127.0.0.1:8080.
	BaseURL string
	// Components are the code of those that integrations refer to in their ComponentRegistry.
	Components []sluice.Component
	// Concurrency bounds how many executions run at once; more wait in the database.
	// Defaults to 256.
	Concurrency int
	// CrashLimit is how often the process may die while an execution runs, without a step
	// being recorded in between, until the execution fails instead of running again. From
	// the second time on, steps or not, it runs alone among such. It must be at least 2: the first time,
	// executions count that may merely have waited. Crashes do not use up RetryConfig.
	// Defaults to 3.
	CrashLimit int
	// Database is the path of the SQLite file, or :memory:. Defaults to sluice.db in the
	// working directory. It is not used with Store.
	Database string
	// ExecutionTimeout ends the context of an attempt. Defaults to 15 minutes.
	ExecutionTimeout time.Duration
	// InstanceCacheBytes bounds the memory that deployed instances are cached in. Defaults
	// to 256 MiB, about 150,000 instances of one flow.
	InstanceCacheBytes int
	// Integrations to serve, each by its name.
	Integrations []*sluice.Integration
	// Lease is how long executions of this runtime stay its own after it was last heard of:
	// then another runtime on the same store runs them. Not less than 2 seconds. Defaults to
	// 15 seconds.
	Lease time.Duration
	// Logger receives what the runtime and its flows log. Defaults to slog.Default().
	Logger *slog.Logger
	// MasterKeys encrypt configurations, and the copies of API keys that flows see, in the
	// database (AES-256-GCM). Each is 32 random bytes, kept outside the database. The first
	// encrypts, all decrypt: to rotate, put a new one in front, Deploy every instance, and
	// drop the old one. Defaults to none: configurations are readable in the database, and
	// flows do not see customers' API keys. Without the key of what is encrypted, its
	// instance answers 503, and Deploy returns an error that says so.
	MasterKeys [][]byte
	// MaxBodyBytes bounds the body of a request, as it comes and after its decompression; a
	// larger one is answered 413. Defaults to 6 MB.
	MaxBodyBytes int64
	// MaxInFlightBytes bounds the memory for the bodies of all requests that are under way,
	// and once more for those of running executions. A request over it is answered 503; an
	// execution over it waits in the database. Defaults to 256 MiB, and to 32 times
	// MaxBodyBytes where that is more.
	MaxInFlightBytes int64
	// MaxQueued bounds how many executions wait to be run in the store, whoever accepted them:
	// each process that shares it may go over by a sixteenth. An instance may have as many as
	// then are free, so that one alone gets half of them and never all. A request over it is
	// answered 503; nothing that was accepted is lost. Defaults to 1,000,000.
	MaxQueued int
	// MaxQueuedBytes bounds the payloads of those executions in the same way. Defaults to
	// 8 GiB.
	MaxQueuedBytes int64
	// RateLimit is how many requests an endpoint takes in any second; further ones are
	// answered 429. Defaults to 50; a negative one is no limit.
	RateLimit int
	// ReadTimeout is how long the body of a request may take to arrive; a slower one is
	// answered 408. While a body is read it stands in for the one of your http.Server.
	// Defaults to 30 seconds.
	ReadTimeout time.Duration
	// Recording says which synchronous executions are kept on record. Defaults to
	// RecordAll.
	Recording Recording
	// ResultExpiry is how long the URL of a synchronous result that callers are redirected to
	// answers. Defaults to 24 hours.
	ResultExpiry time.Duration
	// Store is a database of your own; Stop does not close it. Defaults to SQLite at
	// Database.
	Store store.Store
	// SyncResponse says how synchronous callers get the flow's result. Defaults to
	// SyncResponseDirect.
	SyncResponse SyncResponse
	// SyncTimeout is how long a synchronous caller waits for its execution before the answer
	// is 504; the execution goes on. It bounds triggers and preprocess flows as well, for all
	// callers: with one that takes longer nothing is accepted. Defaults to 29 seconds.
	SyncTimeout time.Duration
	// Transport of the HTTP client that flows use. Defaults to http.DefaultTransport.
	Transport http.RoundTripper
}

// Recording says which synchronous executions are kept on record. Asynchronous ones always
// are.
type Recording int

// What is kept of synchronous executions.
const (
	// RecordAll keeps every execution.
	RecordAll Recording = iota
	// RecordFailures keeps those that failed.
	RecordFailures
	// RecordNone keeps only those that had to become durable while they ran: with a step,
	// or past their caller's deadline.
	RecordNone
)

// SyncResponse says how synchronous callers get the flow's result. A caller overrules it with
// the header or query parameter prismatic-prefer-direct-sync-response. A result with a status
// code of its own is always sent directly.
type SyncResponse int

// How synchronous callers get the flow's result.
const (
	// SyncResponseDirect answers with the result, unless it is larger than 5 MB or not text:
	// then with a redirect, as SyncResponseRedirect does.
	SyncResponseDirect SyncResponse = iota
	// SyncResponseRedirect answers 303 with the URL of the result, as the platform does. The
	// URL is relative, holds a secret, takes GET, and ends with ResultExpiry.
	SyncResponseRedirect
)

// minLease is the shortest lease (design §4.4).
const minLease = 2 * time.Second

func (o Options) check() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(len(o.Integrations) == 0, "Options.Integrations is empty: give the integrations to serve")
	base, err := url.Parse(o.BaseURL)
	fault(err != nil || o.BaseURL != "" && (base.Host == "" || base.RawQuery != "" || base.Fragment != ""),
		"Options.BaseURL is %q: it must be like https://hooks.example.com/path", o.BaseURL)
	fault(o.Concurrency < 0, "Options.Concurrency is %d: it must not be negative", o.Concurrency)
	fault(o.CrashLimit < 0 || o.CrashLimit == 1, "Options.CrashLimit is %d: it must be at least 2", o.CrashLimit)
	fault(o.ExecutionTimeout < 0, "Options.ExecutionTimeout is %v: it must not be negative", o.ExecutionTimeout)
	fault(o.InstanceCacheBytes < 0, "Options.InstanceCacheBytes is %d: it must not be negative", o.InstanceCacheBytes)
	fault(o.Lease != 0 && o.Lease < minLease, "Options.Lease is %v: it must be at least %v", o.Lease, minLease)
	for i, key := range o.MasterKeys {
		fault(len(key) != secret.KeySize, "Options.MasterKeys[%d] has %d bytes: it must be %d random ones", i, len(key), secret.KeySize)
	}
	fault(o.MaxBodyBytes < 0, "Options.MaxBodyBytes is %d: it must not be negative", o.MaxBodyBytes)
	fault(o.MaxInFlightBytes != 0 && o.MaxInFlightBytes < o.withDefaults().MaxBodyBytes,
		"Options.MaxInFlightBytes is %d: it must not be less than MaxBodyBytes", o.MaxInFlightBytes)
	fault(o.MaxQueued < 0, "Options.MaxQueued is %d: it must not be negative", o.MaxQueued)
	fault(o.MaxQueuedBytes < 0, "Options.MaxQueuedBytes is %d: it must not be negative", o.MaxQueuedBytes)
	fault(o.ReadTimeout < 0, "Options.ReadTimeout is %v: it must not be negative", o.ReadTimeout)
	fault(o.ResultExpiry < 0, "Options.ResultExpiry is %v: it must not be negative", o.ResultExpiry)
	fault(o.SyncResponse < SyncResponseDirect || o.SyncResponse > SyncResponseRedirect,
		"Options.SyncResponse is %d: it must be one of the constants", o.SyncResponse)
	fault(o.SyncTimeout < 0, "Options.SyncTimeout is %v: it must not be negative", o.SyncTimeout)
	fault(o.Recording < RecordAll || o.Recording > RecordNone, "Options.Recording is %d: it must be one of the constants", o.Recording)
	fault(o.Store != nil && o.Database != "", "Options.Store and Options.Database are both set: give one")
	return errors.Join(faults...)
}

func (o Options) withDefaults() Options {
	setDefault(&o.BaseURL, "http://127.0.0.1:8080")
	setDefault(&o.Concurrency, 256)
	setDefault(&o.CrashLimit, 3)
	setDefault(&o.Database, "sluice.db")
	setDefault(&o.ExecutionTimeout, 15*time.Minute)
	setDefault(&o.InstanceCacheBytes, 256<<20)
	setDefault(&o.Lease, 15*time.Second)
	setDefault(&o.MaxBodyBytes, 6_000_000)
	setDefault(&o.MaxInFlightBytes, max(256<<20, 32*o.MaxBodyBytes))
	setDefault(&o.MaxQueued, 1_000_000)
	setDefault(&o.MaxQueuedBytes, 8<<30)
	setDefault(&o.RateLimit, 50)
	setDefault(&o.ReadTimeout, 30*time.Second)
	setDefault(&o.ResultExpiry, 24*time.Hour)
	setDefault(&o.SyncTimeout, 29*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	return o
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (o Options) engine(s store.Store) engine.Options {
	return engine.Options{
		Integrations:       o.Integrations,
		Components:         o.Components,
		Store:              s,
		Logger:             o.Logger,
		Transport:          o.Transport,
		BaseURL:            o.BaseURL,
		Concurrency:        o.Concurrency,
		CrashLimit:         o.CrashLimit,
		ExecutionTimeout:   o.ExecutionTimeout,
		Lease:              o.Lease,
		TriggerTimeout:     o.SyncTimeout,
		KeepSynchronous:    o.Recording.keeps,
		ResultExpiry:       o.ResultExpiry,
		InstanceCacheBytes: o.InstanceCacheBytes,
		MasterKeys:         o.MasterKeys,
		MaxRunningBytes:    o.MaxInFlightBytes,
		MaxQueued:          o.MaxQueued,
		MaxQueuedBytes:     o.MaxQueuedBytes,
	}
}

func (o Options) gateway() gateway.Options {
	return gateway.Options{
		MaxBodyBytes:     o.MaxBodyBytes,
		MaxInFlightBytes: o.MaxInFlightBytes,
		RateLimit:        o.RateLimit,
		ReadTimeout:      o.ReadTimeout,
		RedirectResults:  o.SyncResponse == SyncResponseRedirect,
		SyncTimeout:      o.SyncTimeout,
	}
}

func (r Recording) keeps(status store.Status) bool {
	return r == RecordAll || r == RecordFailures && status != store.StatusSucceeded
}
