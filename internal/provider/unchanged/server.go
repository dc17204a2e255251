// Package unchanged answers for objects that did not change before the plugin framework decodes them.
//
// In a plan of a large platform nearly every object is as it was, and nearly all of the provider's time goes into turning
// its state into Go values and back, twice. Whether something changed can be seen without: a refresh compares the version
// in the private state with the one that was listed, and a plan compares bytes. In every other case the framework decides.
package unchanged

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
)

// framework is what the plugin framework's server implements.
type framework interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// Server is a provider's server with the shortcuts. It implements [tfprotov6.ProviderServer].
type Server struct {
	framework
	session func() *session.Session
}

// Wrap puts the shortcuts before the plugin framework's server. session returns the session that the provider was last
// configured with, or nil.
func Wrap(server tfprotov6.ProviderServer, session func() *session.Session) (*Server, error) {
	full, ok := server.(framework)
	if !ok {
		return nil, fmt.Errorf("%T is not the plugin framework's server", server)
	}
	return &Server{full, session}, nil
}

// ReadResource implements [tfprotov6.ResourceServer].
func (s *Server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	run := s.session()
	if o, ok := read(req.TypeName, req.CurrentState); ok && run != nil {
		meta, listed := run.Listed(o.key)
		if listed && !meta.Deleting() && run.FingerprintOf(meta) == privateOf(req.Private).fingerprint() {
			identity, err := o.identity(req.CurrentIdentity)
			if err != nil {
				return nil, err
			}
			run.Manage(o.key, o.protected)
			return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: identity}, nil
		}
	}
	resp, err := s.framework.ReadResource(ctx, req)
	if err == nil && resp.NewState != nil && !bytes.Equal(resp.NewState.MsgPack, packed(req.CurrentState)) {
		// It drifted: that the configuration is as it was says nothing any more.
		resp.Private = privateOf(resp.Private).withoutConfig(resp.Private)
	}
	return resp, err
}

// PlanResourceChange implements [tfprotov6.ResourceServer]. Nothing is to be done when the configuration is the one that
// was last applied, by this version and with these default labels, the state has not drifted since, and is quiet.
func (s *Server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if run := s.session(); run != nil && bytes.Equal(packed(req.PriorState), packed(req.ProposedNewState)) {
		o, ok := read(req.TypeName, req.PriorState)
		if ok && o.quiet() && privateOf(req.PriorPrivate).config() == digest(run, req.Config) {
			run.Manage(o.key, o.protected)
			return &tfprotov6.PlanResourceChangeResponse{
				PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity,
			}, nil
		}
	}
	return s.framework.PlanResourceChange(ctx, req)
}

// ApplyResourceChange implements [tfprotov6.ResourceServer]. It remembers which configuration the state came from.
func (s *Server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp, err := s.framework.ApplyResourceChange(ctx, req)
	if err != nil {
		return nil, err
	}
	_, exists := read(req.TypeName, resp.NewState)
	failed := slices.ContainsFunc(resp.Diagnostics, func(d *tfprotov6.Diagnostic) bool {
		return d.Severity == tfprotov6.DiagnosticSeverityError
	})
	if run := s.session(); run != nil && exists && !failed {
		resp.Private = privateOf(resp.Private).withConfig(resp.Private, digest(run, req.Config))
	} else {
		resp.Private = privateOf(resp.Private).withoutConfig(resp.Private)
	}
	return resp, nil
}
