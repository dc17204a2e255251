package envelope

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ErrorDiagnostic turns an error of the client into a diagnostic that is about no attribute.
func ErrorDiagnostic(doing string, err error) diag.Diagnostic {
	failure, ok := errors.AsType[*client.Error](err)
	if !ok {
		return diag.NewErrorDiagnostic(capital(doing)+" failed", err.Error())
	}
	detail := fmt.Sprintf("%s failed: %s", capital(doing), failure.Detail)
	if failure.Reason == client.ReasonProblem {
		for _, field := range failure.Problem.Errors {
			detail += "\n" + field.Error()
		}
	}
	return diag.NewErrorDiagnostic(capital(failure.Summary), detail+requestNote(failure.Problem))
}

// problemDiagnostics turns an error into one diagnostic for each bad field, at its attribute. Fields for which skip
// returns true are left out; without skip, none are.
func (s *shape) problemDiagnostics(doing string, err error, skip func(synapse.FieldError) bool) diag.Diagnostics {
	problem, ok := errors.AsType[*synapse.Problem](err)
	if !ok || len(problem.Errors) == 0 {
		return diag.Diagnostics{ErrorDiagnostic(doing, err)}
	}
	var diags diag.Diagnostics
	for _, field := range problem.Errors {
		if skip == nil || !skip(field) {
			diags.Append(s.fieldDiagnostic(field, requestNote(problem)))
		}
	}
	return diags
}

// fieldDiagnostic is a diagnostic at the attribute of a field, or about the whole resource when no attribute holds it.
func (s *shape) fieldDiagnostic(field synapse.FieldError, note string) diag.Diagnostic {
	summary := fieldSummary(field.Code)
	detail := capital(field.Message)
	if !strings.HasSuffix(detail, ".") {
		detail += "."
	}
	if field.Code == synapse.CodeReferenceNotFound && field.Reference != nil {
		detail += fmt.Sprintf(" If the same configuration creates it, refer to it as synapse_%s.<label>.name, so that Terraform creates it first.", field.Reference.Kind)
	}
	at, ok := s.attributePath(field.Pointer)
	if !ok {
		return diag.NewErrorDiagnostic(summary, fmt.Sprintf("%s (%s)%s", detail, field.Pointer, note))
	}
	// Terraform shows the line of an attribute at the top, and nothing of where below it an error is.
	if len(at.Steps()) > 1 {
		detail = at.String() + ": " + detail
	}
	return diag.NewAttributeErrorDiagnostic(at, summary, detail+note)
}

func fieldSummary(code string) string {
	switch code {
	case synapse.CodeInvalid:
		return "Invalid value"
	case synapse.CodeImmutable:
		return "Value cannot be changed"
	case synapse.CodeReferenceNotFound:
		return "Referenced object does not exist"
	}
	return "Value refused (" + code + ")"
}

// requestNote lets the server's operator find the request.
func requestNote(problem *synapse.Problem) string {
	if problem == nil || problem.RequestID == "" {
		return ""
	}
	return fmt.Sprintf("\n\nRequest %s in the log of synapsed.", problem.RequestID)
}

func capital(sentence string) string {
	if sentence == "" {
		return sentence
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}
