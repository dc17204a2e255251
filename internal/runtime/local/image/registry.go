package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	maxManifest = 4 << 20   // bytes, as registries have it
	maxBlob     = 512 << 20 // bytes of one upload, which the handler below keeps in memory
)

// durable makes go-containerregistry's registry remember its manifests, which it keeps in memory, across restarts.
type durable struct {
	inner     http.Handler
	manifests manifestFiles
	log       *slog.Logger
	// changing keeps what is on disk in the order of what is in memory.
	changing sync.Mutex
}

// NewRegistry returns a handler of the OCI distribution protocol, to be mounted at /v2/, that keeps images in a directory.
// It asks for no credentials: put it behind what does.
func NewRegistry(dir string, log *slog.Logger) (http.Handler, error) {
	blobs, manifests := filepath.Join(dir, "blobs"), filepath.Join(dir, "manifests")
	for _, path := range []string{blobs, manifests} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("creating the image registry's directory: %w", err)
		}
	}
	unfinished, err := filepath.Glob(filepath.Join(blobs, "upload-*"))
	if err != nil {
		return nil, fmt.Errorf("looking for unfinished uploads: %w", err)
	}
	for _, path := range unfinished {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("removing an unfinished upload: %w", err)
		}
	}
	r := &durable{
		inner: registry.New(
			registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)),
			registry.Logger(slog.NewLogLogger(log.Handler(), slog.LevelDebug)),
		),
		manifests: manifestFiles(manifests),
		log:       log,
	}
	if err := r.replay(); err != nil {
		return nil, err
	}
	return r, nil
}

const (
	repositoryPattern = `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*`
	digestPattern     = `sha256:[0-9a-f]{64}`
)

// What the distribution protocol's paths look like. The handler inside takes more, and panics at some of it.
var (
	manifestPath = regexp.MustCompile(`^/v2/(` + repositoryPattern + `)/manifests/(` + digestPattern + `|\w[\w.-]{0,127})$`)
	blobPath     = regexp.MustCompile(`^/v2/` + repositoryPattern + `/blobs/(?:` + digestPattern + `|uploads/?|uploads/\d+)$`)
	listPath     = regexp.MustCompile(`^/v2(?:/|/_catalog|/` + repositoryPattern + `/tags/list)?$`)
)

// ServeHTTP implements [http.Handler].
func (r *durable) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	path, reads := request.URL.Path, request.Method == http.MethodGet || request.Method == http.MethodHead
	request.Body = http.MaxBytesReader(response, request.Body, maxBlob)
	manifest := manifestPath.FindStringSubmatch(path)
	switch {
	case request.ContentLength > maxBlob:
		refuse(response, http.StatusRequestEntityTooLarge, "SIZE_INVALID", fmt.Sprintf("an upload may have %d bytes", maxBlob))
	case manifest != nil && request.Method == http.MethodPut:
		r.put(response, request, manifest[1], manifest[2])
	case manifest != nil && request.Method == http.MethodDelete:
		r.delete(response, request, manifest[1], manifest[2])
	case manifest != nil && reads:
		r.inner.ServeHTTP(response, request)
	case listPath.MatchString(path) && reads:
		if n := request.URL.Query().Get("n"); n != "" {
			if _, err := strconv.ParseUint(n, 10, 31); err != nil {
				refuse(response, http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "n must be a number of names")
				return
			}
		}
		r.inner.ServeHTTP(response, request)
	case blobPath.MatchString(path) && request.Method != http.MethodDelete: // images share blobs: none is deleted
		r.inner.ServeHTTP(response, request)
	case manifest != nil || listPath.MatchString(path) || blobPath.MatchString(path):
		refuse(response, http.StatusMethodNotAllowed, "UNSUPPORTED", "the registry does not do that")
	default:
		refuse(response, http.StatusNotFound, "NAME_INVALID", "this is no path of the distribution protocol")
	}
}

func (r *durable) put(response http.ResponseWriter, request *http.Request, repository, target string) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxManifest))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuse(response, http.StatusRequestEntityTooLarge, "SIZE_INVALID", fmt.Sprintf("a manifest may have %d bytes", maxManifest))
		return
	} else if err != nil {
		refuse(response, http.StatusBadRequest, "MANIFEST_INVALID", "the manifest could not be read")
		return
	}
	m := manifest{Repository: repository, Target: target, MediaType: request.Header.Get("Content-Type"), Body: body}
	if code, err := m.check(); err != nil {
		refuse(response, http.StatusBadRequest, code, err.Error())
		return
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	answer := r.forward(request, body)
	if answer.status == http.StatusCreated {
		if err := r.manifests.save(m); err != nil {
			r.log.Error("image manifest not stored", "repository", repository, "target", target, "error", err)
			refuse(response, http.StatusInternalServerError, "UNKNOWN", "the manifest could not be stored: push again")
			return
		}
	}
	answer.copyTo(response)
}

func (r *durable) delete(response http.ResponseWriter, request *http.Request, repository, target string) {
	r.changing.Lock()
	defer r.changing.Unlock()
	answer := r.forward(request, nil)
	if answer.status == http.StatusAccepted {
		if err := r.manifests.remove(repository, target); err != nil {
			r.log.Error("image manifest not removed", "repository", repository, "target", target, "error", err)
			refuse(response, http.StatusInternalServerError, "UNKNOWN", "the manifest could not be removed for good")
			return
		}
	}
	answer.copyTo(response)
}

func (r *durable) forward(request *http.Request, body []byte) *answer {
	request = request.Clone(request.Context())
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	a := &answer{header: http.Header{}, status: http.StatusOK}
	r.inner.ServeHTTP(a, request)
	return a
}

// answer is a response that is held back until what it promises is on disk.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header               { return a.header }
func (a *answer) WriteHeader(status int)            { a.status = status }
func (a *answer) Write(content []byte) (int, error) { return a.body.Write(content) }

func (a *answer) copyTo(response http.ResponseWriter) {
	maps.Copy(response.Header(), a.header)
	response.WriteHeader(a.status)
	_, _ = response.Write(a.body.Bytes()) // a client that went away is no error
}

// refuse answers as the distribution protocol wants it.
func refuse(response http.ResponseWriter, status int, code, message string) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(response).Encode(map[string][]problem{"errors": {{code, message}}})
}

// check refuses what could not be pulled again.
func (m manifest) check() (code string, err error) {
	if !json.Valid(m.Body) {
		return "MANIFEST_INVALID", errors.New("the manifest is not JSON")
	}
	digest, _, err := v1.SHA256(bytes.NewReader(m.Body))
	if err != nil {
		return "MANIFEST_INVALID", err
	}
	if strings.Contains(m.Target, ":") && m.Target != digest.String() {
		return "DIGEST_INVALID", fmt.Errorf("the manifest has the digest %s", digest)
	}
	return "", nil
}
