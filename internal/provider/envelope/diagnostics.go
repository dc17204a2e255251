package envelope

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

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
	summary, detail := fieldSummary(field.Code), field.Message
	if !strings.HasSuffix(detail, ".") {
		detail += "."
	}
	switch {
	case field.Reference == nil:
	case field.Code == synapse.CodeReferenceNotFound:
		detail += fmt.Sprintf(" If the same configuration creates it, refer to it as synapse_%s.<label>.name, so that Terraform creates it first.", field.Reference.Kind)
	case field.Code == synapse.CodeRegionNotServed:
		detail += fmt.Sprintf(" If the same configuration does so, refer to it as synapse_%s.<label>.id, so that Terraform changes it first.", field.Reference.Kind)
	}
	at, ok := s.attributePath(field.Pointer)
	if !ok {
		return diag.NewErrorDiagnostic(summary, fmt.Sprintf("%s (%s)%s", capital(detail), field.Pointer, note))
	}
	return diag.NewAttributeErrorDiagnostic(at, summary, locate(at, detail)+note)
}

// locate puts where an attribute is before what is said of it: Terraform shows the line of an attribute at the top, and
// nothing of where below it an error is.
func locate(at path.Path, detail string) string {
	if len(at.Steps()) > 1 {
		return at.String() + ": " + detail
	}
	return capital(detail)
}

// fieldWarning is what users should know of a change that the server allows.
func (s *shape) fieldWarning(key synapse.Key, field synapse.FieldError) diag.Diagnostic {
	summary := "The change of " + key.String() + " has a side effect" // of a control plane that knows more than this provider
	switch field.Code {
	case synapse.CodeServing:
		summary = "The change of " + key.String() + " reaches users at once"
	case synapse.CodeRegionNotServed:
		summary = "A backend of " + key.String() + " does not run in every region"
	}
	detail := field.Message + "."
	if at, ok := s.attributePath(field.Pointer); ok {
		return diag.NewAttributeWarningDiagnostic(at, summary, locate(at, detail))
	}
	return diag.NewWarningDiagnostic(summary, capital(detail))
}

func fieldSummary(code string) string {
	switch code {
	case synapse.CodeInvalid:
		return "Invalid value"
	case synapse.CodeImmutable:
		return "Value cannot be changed"
	case synapse.CodeReferenceNotFound:
		return "Referenced object does not exist"
	case synapse.CodeRegionNotServed:
		return "Deployment does not run in every region"
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

// capital makes a sentence of words. Messages begin with a word of the language or a quoted name, never with a bare identifier.
func capital(sentence string) string {
	first, size := utf8.DecodeRuneInString(sentence)
	if size == 0 {
		return sentence
	}
	return string(unicode.ToUpper(first)) + sentence[size:]
}
