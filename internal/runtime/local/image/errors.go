package image

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// Reasons of the permanent errors, all about the field /spec/image.
const (
	ReasonInvalid      = "ImageInvalid"      // the reference or the image is malformed
	ReasonNotFound     = "ImageNotFound"     // the registry has no such image
	ReasonUnauthorized = "ImageUnauthorized" // the registry does not give it out
	ReasonNoEntrypoint = "ImageNoEntrypoint" // there is no command to run
	ReasonPlatform     = "ImagePlatform"     // it is for other machines
)

func permanent(reason, format string, args ...any) error {
	return &runtime.PermanentError{Reason: reason, Message: fmt.Sprintf(format, args...), Field: "/spec/image"}
}

// fetching tells what a failed request means: an answer about the image is final, anything else may pass.
func fetching(ref string, err error) error {
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		switch answer.StatusCode {
		case http.StatusNotFound:
			return permanent(ReasonNotFound, "image %s does not exist in its registry: push it, or correct the reference", ref)
		case http.StatusUnauthorized, http.StatusForbidden:
			return permanent(ReasonUnauthorized,
				"the registry refuses to give out image %s: log in to it, or correct the reference", ref)
		}
	}
	return fmt.Errorf("fetching image %s: %w", ref, err)
}

// isDiskError tells whether a file system error is this machine's trouble and not the image's.
func isDiskError(err error) bool {
	for _, trouble := range []error{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.EPERM, syscall.EACCES,
	} {
		if errors.Is(err, trouble) {
			return true
		}
	}
	return false
}
