package api

import (
	"context"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type getInput struct {
	Request
	Wait       string `query:"wait" enum:"ready,deleted" doc:"ready: answer when the generation is Ready or Failed. deleted: answer when the object is gone (404) or Offboarded. In both cases, answer with the object as it is at the timeout."`
	Generation int64  `query:"generation" minimum:"0" doc:"Generation to wait for. Default: the current one."`
	Timeout    string `query:"timeout" doc:"How long to wait at most, as a duration of up to 60s. Default: 30s."`
}

func (h *objects[S, T]) get(ctx context.Context, in *getInput) (*objectOutput[S, T], error) {
	timeout, err := WaitParams{Timeout: in.Timeout}.timeout()
	if err != nil {
		return nil, err
	}
	key, err := h.collection.Key(in.param("parent"), in.param("name"))
	if err != nil {
		return nil, err
	}
	var found synapse.Object[S, T]
	if in.Wait == "" {
		found, err = h.collection.Get(ctx, key)
	} else {
		in.unhurried()
		found, err = h.collection.Wait(ctx, key, object.WaitOptions{
			For: object.WaitFor(in.Wait), Generation: in.Generation, Timeout: timeout, Closing: h.server.Closing,
		})
	}
	if err != nil {
		return nil, err
	}
	return answer(200, found), nil
}

type listInput struct {
	Limit           int      `query:"limit" minimum:"1" maximum:"2000" default:"500" doc:"Objects on a page."`
	Cursor          string   `query:"cursor" doc:"next_cursor of the page before."`
	Label           []string `query:"label,explode" doc:"KEY=VALUE: only objects with this label. Can be repeated."`
	Parent          string   `query:"parent" doc:"Only children of this parent."`
	IncludeDeleting bool     `query:"include_deleting" doc:"Also objects whose deletion was asked for."`
}

type listOutput[S, T any] struct{ Body synapse.Page[S, T] }

func (h *objects[S, T]) list(ctx context.Context, in *listInput) (*listOutput[S, T], error) {
	labels, err := readLabels(in.Label)
	if err != nil {
		return nil, err
	}
	page, err := h.collection.List(ctx, store.Query{
		Parent: in.Parent, Labels: labels, IncludeDeleting: in.IncludeDeleting, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &listOutput[S, T]{Body: page}, nil
}

func readLabels(selectors []string) (map[string]string, error) {
	labels := make(map[string]string, len(selectors))
	for _, selector := range selectors {
		key, value, found := strings.Cut(selector, "=")
		if _, twice := labels[key]; !found || twice {
			return nil, object.InvalidFields([]synapse.FieldError{{
				Pointer: "/query/label", Code: synapse.CodeInvalid, Message: "must be KEY=VALUE, each key at most once",
			}})
		}
		labels[key] = value
	}
	return labels, nil
}
