package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// objects are the handlers of one kind.
type objects[S, T any] struct {
	server     *server
	collection *object.Collection[S, T]
}

// registerKind adds the operations of one kind.
func registerKind[S, T any](s *server, collection *object.Collection[S, T]) {
	h := &objects[S, T]{server: s, collection: collection}
	info := collection.Kind.KindInfo
	list, one, params := "/v1/"+info.Collection, "/v1/"+info.Collection+"/{name}", []string{"name"}
	if info.Parent != "" {
		one, params = "/v1/"+info.Collection+"/{parent}/{name}", []string{"parent", "name"}
	}
	id, label := strings.ReplaceAll(string(info.Kind), "_", "-"), info.Kind.Label()
	type result = synapse.Object[S, T]

	register(s, s.operation(http.MethodGet, list, "list-"+info.Collection, "List "+label+" objects", synapse.RoleViewer, http.StatusOK), h.list)
	register(s, withPath(s.operation(http.MethodGet, one, "get-"+id, "Read a "+label+", or wait for it", synapse.RoleViewer, http.StatusOK), params...), h.get)

	create := withBody(s.operation(http.MethodPost, list, "create-"+id, "Create a "+label, synapse.RoleOperator, http.StatusCreated))
	register(s, create, h.create)
	describeBody[synapse.Draft[S]](s, create, true)
	alsoAnswers[result](s, create, http.StatusOK, "What a dry run would create.")

	update := withBody(withPath(s.operation(http.MethodPut, one, "update-"+id, "Update a "+label, synapse.RoleOperator, http.StatusOK), params...))
	register(s, update, h.update)
	describeBody[synapse.Draft[S]](s, update, true)

	remove := withPath(s.operation(http.MethodDelete, one, "delete-"+id, "Delete a "+label, synapse.RoleOperator, http.StatusAccepted), params...)
	register(s, remove, h.delete)
	alsoAnswers[result](s, remove, http.StatusOK, "What a dry run would delete.")
	remove.Responses["204"] = &huma.Response{Description: "There is no such object."}
}

// objectOutput is an answer with one object, or without one when it has status 204.
type objectOutput[S, T any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"The object's resource_version, for If-Match."`
	Location string `header:"Location" doc:"Path of a new object."`
	Body     *synapse.Object[S, T]
}

func answer[S, T any](status int, result synapse.Object[S, T]) *objectOutput[S, T] {
	return &objectOutput[S, T]{Status: status, ETag: strconv.Quote(strconv.FormatInt(result.ResourceVersion, 10)), Body: &result}
}

// DryRunParam asks for a dry run.
type DryRunParam struct {
	DryRun bool `query:"dry_run" doc:"Check everything, change nothing, and answer with the object as it would be."`
}

type createInput struct {
	Request
	DryRunParam
	WaitParams
	IdempotencyKey string `header:"Idempotency-Key" doc:"A unique key, such as a UUID, of up to 255 characters: a repeated request with the same key answers with what the first one created."`
}

func (h *objects[S, T]) create(ctx context.Context, in *createInput) (*objectOutput[S, T], error) {
	timeout, err := in.timeout()
	if err != nil {
		return nil, err
	}
	body, err := in.body()
	if err != nil {
		return nil, err
	}
	created, err := h.collection.Create(ctx, body, object.CreateOptions{Caller: in.caller(), IdempotencyKey: in.IdempotencyKey, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	if in.Wait != "" && !in.DryRun {
		in.unhurried()
		created = h.collection.WaitAfterWrite(ctx, created, object.WaitOptions{Timeout: timeout, Closing: h.server.Closing})
	}
	out := answer(statusOf(in.DryRun, http.StatusCreated), created)
	if !in.DryRun {
		out.Location = created.Key().Path()
	}
	return out, nil
}

type updateInput struct {
	Request
	DryRunParam
	WaitParams
	IfMatch string `header:"If-Match" doc:"The resource_version that the change is based on, or * for any. Required."`
}

func (h *objects[S, T]) update(ctx context.Context, in *updateInput) (*objectOutput[S, T], error) {
	timeout, err := in.timeout()
	if err != nil {
		return nil, err
	}
	key, err := h.collection.Key(in.param("parent"), in.param("name"))
	if err != nil {
		return nil, err
	}
	body, err := in.body()
	if err != nil {
		return nil, err
	}
	updated, err := h.collection.Update(ctx, key, body, object.UpdateOptions{Caller: in.caller(), IfMatch: in.IfMatch, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	if in.Wait != "" && !in.DryRun {
		in.unhurried()
		updated = h.collection.WaitAfterWrite(ctx, updated, object.WaitOptions{Timeout: timeout, Closing: h.server.Closing})
	}
	return answer(http.StatusOK, updated), nil
}

type deleteInput struct {
	Request
	DryRunParam
	IfMatch string `header:"If-Match" doc:"Delete only this resource_version."`
}

func (h *objects[S, T]) delete(ctx context.Context, in *deleteInput) (*objectOutput[S, T], error) {
	key, err := h.collection.Key(in.param("parent"), in.param("name"))
	if err != nil {
		return nil, err
	}
	deleted, found, err := h.collection.Delete(ctx, key, object.DeleteOptions{Caller: in.caller(), IfMatch: in.IfMatch, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	if !found {
		return &objectOutput[S, T]{Status: http.StatusNoContent}, nil
	}
	return answer(statusOf(in.DryRun, http.StatusAccepted), deleted), nil
}
