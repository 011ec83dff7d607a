package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/sluice-go/sluice"
)

// Where a flow keeps what its hooks did.
const (
	hookID        = "webhook id"
	joinedChannel = "channel"
)

// register puts the webhook up, once: it is called at every deployment. The chat challenges
// the URL before it answers.
func register(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	state := run.InstanceState()
	if _, registered, err := sluice.GetState[string](ctx, state, hookID); err != nil || registered {
		return nil, err
	}
	hook := webhook{URL: run.WebhookURLs[run.Flow.Name]}
	if err := call(ctx, run, http.MethodPost, "/webhooks", hook, &hook); err != nil {
		return nil, err
	}
	return nil, state.Set(ctx, hookID, hook.ID)
}

// unregister takes the webhook down.
func unregister(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	state := run.InstanceState()
	id, registered, err := sluice.GetState[string](ctx, state, hookID)
	if err != nil || !registered {
		return nil, err
	}
	if err := call(ctx, run, http.MethodDelete, "/webhooks/"+id, nil, nil); err != nil {
		return nil, err
	}
	return nil, state.Delete(ctx, hookID)
}

// join has the bot join the channel, and leave the one of the configuration before.
func join(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	if _, err := leave(ctx, run); err != nil {
		return nil, err
	}
	joined := channel.Get(run)
	if err := call(ctx, run, http.MethodPut, membership(joined), nil, nil); err != nil {
		return nil, err
	}
	return nil, run.InstanceState().Set(ctx, joinedChannel, joined)
}

// leave has the bot leave its channel.
func leave(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	joined, member, err := sluice.GetState[string](ctx, run.InstanceState(), joinedChannel)
	if err != nil || !member {
		return nil, err
	}
	return nil, call(ctx, run, http.MethodDelete, membership(joined), nil, nil)
}

func membership(channel string) string { return "/channels/" + url.PathEscape(channel) + "/members/me" }
