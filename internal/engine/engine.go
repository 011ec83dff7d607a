// Package engine is the heart of the runtime: it deploys instances, fires triggers,
// accepts executions, runs them and records how they end. It knows the store and never
// HTTP.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/lru"
	"github.com/sluice-go/sluice/internal/secret"
	"github.com/sluice-go/sluice/store"
)

// ErrStopped says that the engine takes nothing in: it was not started, or is stopping.
var ErrStopped = errors.New("the runtime is not running")

// ErrNotAccepted says that the store did not take the execution in: nothing is on record.
var ErrNotAccepted = errors.New("the execution could not be accepted")

// ErrUnknownEndpoint says that no endpoint with the id takes requests.
var ErrUnknownEndpoint = errors.New("no such endpoint")

// ErrNotServed says that an integration is not registered in this process.
var ErrNotServed = errors.New("not registered here: add it to Options.Integrations")

// Options of an engine. All are required; the runtime sets the defaults.
type Options struct {
	// Integrations whose instances the engine serves.
	Integrations []*sluice.Integration
	// Components are the code of those that the integrations refer to.
	Components []sluice.Component
	// Store of everything durable. The engine does not close it.
	Store store.Store
	// Logger that every execution logs to, beside its record.
	Logger *slog.Logger
	// Transport of the HTTP client that flows use.
	Transport http.RoundTripper
	// BaseURL of the webhook endpoints, without a trailing slash.
	BaseURL string
	// Concurrency bounds how many executions run at once.
	Concurrency int
	// CrashLimit is how often the process may die during an execution until it fails.
	CrashLimit int
	// Lease is how long the store keeps this engine's claims after it last heard of it.
	Lease time.Duration
	// ExecutionTimeout ends an attempt's context.
	ExecutionTimeout time.Duration
	// TriggerTimeout ends the context of a trigger, and of a preprocess flow.
	TriggerTimeout time.Duration
	// KeepSynchronous says whether a synchronous execution that ended so is kept on record,
	// if it did not become durable before.
	KeepSynchronous func(status store.Status) bool
	// MaxRunningBytes bounds the payloads of running executions; a larger one runs alone.
	MaxRunningBytes int64
	// MaxQueued and MaxQueuedBytes bound the executions that wait, and their payloads.
	MaxQueued      int
	MaxQueuedBytes int64
	// ResultExpiry is how long a kept result can be fetched.
	ResultExpiry time.Duration
	// InstanceCacheBytes bounds the memory that instances are cached in.
	InstanceCacheBytes int
	// MasterKeys encrypt secrets in the store: the first seals, all open.
	MasterKeys [][]byte
}

// Engine serves the instances of its integrations.
type Engine struct {
	options Options
	// worker is this engine in claims.
	worker      store.Worker
	definitions map[string]*definition
	secrets     *secret.Keyring
	shared      map[string]*definition // by the id of the endpoint that their instances share
	client      *http.Client
	slots       *slots
	workers     *workers
	firing      *firing
	memory      *semaphore.Weighted // for the payloads of what runs
	backlog     *backlog
	tenures     *tenures
	extending   singleflight.Group
	// complaints bounds the log lines about executions that cannot run here.
	complaints *rate.Limiter

	instances *lru.Cache[instanceKey, *Instance]
	loading   singleflight.Group
	caching   sync.Mutex
	writes    int // counts writes to instances, so that no older one is cached; under caching

	refusals chan struct{} // a place each for refusals that are being recorded

	life
}

// maxRefusals bounds how many refused requests are being recorded at once.
const maxRefusals = 64

// New returns an engine that is not started.
func New(ctx context.Context, options Options) (*Engine, error) {
	definitions, err := newDefinitions(options.Integrations, options.Components)
	if err != nil {
		return nil, err
	}
	secrets, err := secret.NewKeyring(options.MasterKeys)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options:     options,
		worker:      store.Worker{ID: id.String(), Lease: options.Lease, Serves: versionsOf(definitions)},
		definitions: definitions,
		secrets:     secrets,
		shared:      map[string]*definition{},
		client:      &http.Client{Transport: options.Transport},
		slots:       newSlots(options.Concurrency),
		workers:     newWorkers(),
		firing:      newFiring(),
		memory:      semaphore.NewWeighted(options.MaxRunningBytes),
		backlog:     newBacklog(&options),
		tenures:     newTenures(),
		complaints:  rate.NewLimiter(complaintsPerSecond, complaintsBurst),
		instances:   lru.New[instanceKey, *Instance](options.InstanceCacheBytes),
		refusals:    make(chan struct{}, maxRefusals),
		life:        newLife(ctx),
	}
	return e, e.shareEndpoints(ctx)
}
